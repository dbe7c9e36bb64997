import NIOCore
import NIOHTTP1
import Synchronization
import Testing
import WebSocketLink
import WireJSON

@testable import SocketIOClient

extension SocketIOClientConfiguration {
    fileprivate init(upgrading server: ScriptedServer) {
        self.init(server)
        transports = [.polling, .websocket]
    }
}

@Suite("Client moving to a WebSocket", .timeLimit(.minutes(2)))
struct UpgradeTests {
    @Test("the WebSocket is probed, the poll comes to its end, and only then the session moves")
    func order() async throws {
        let (peer, server) = try await PollingPeer.start()
        let connection = try await SocketIOConnection.connect(SocketIOClientConfiguration(upgrading: server))
        try await eventually("the upgrade") { connection.transport == .websocket }
        connection.emit("a")
        try await eventually("the event") { peer.log.contains(#"ws 42["a"]"#) }
        let upgrade = try #require(server.observed.requests.first { $0.headers.contains(name: "Upgrade") })
        #expect(upgrade.uri == "/socket.io/?EIO=4&transport=websocket&sid=engine")
        let log = peer.log
        let moved = try #require(log.firstIndex(of: "ws 5"))
        let probed = try #require(log.firstIndex(of: "ws 2probe"))
        #expect(probed < moved)
        #expect(log.filter { $0 == "GET" }.count - 1 == log.filter { $0.hasPrefix("answer") }.count)
        #expect(log[moved...].allSatisfy { $0.hasPrefix("ws") })
        #expect(server.observed.texts.contains("2probe"))
        await connection.disconnect()
        #expect(server.observed.closes == [.remote(code: .normalClosure, reason: "")])
        try await eventually("the channels' end") { server.observed.closedChannels == server.observed.connections }
    }

    @Test("a POST and a poll that are under way come first; what was sent meanwhile goes by the WebSocket, in order")
    func pendingRequests() async throws {
        let (peer, server) = try await PollingPeer.start(
            except: { $0.isUpgrade ? .held("upgrade") : $0.body.contains("first") ? .held("post") : nil })
        let connection = try await SocketIOConnection.connect(SocketIOClientConfiguration(upgrading: server))
        connection.emit("first")
        try await eventually("the event") { peer.log.contains(#"POST 42["first"]"#) }
        server.release("upgrade", .webSocket)
        try await eventually("the probe") { peer.log.contains("ws 2probe") }
        connection.emit("second")
        connection.emit("third")
        try await eventually("the poll's end") { peer.log.contains("answer 6") }
        #expect(connection.transport == .polling)
        #expect(!peer.log.contains("ws 5"))
        server.release("post", .http(body: "ok"))
        try await eventually("the third") { peer.log.contains(#"ws 42["third"]"#) }
        #expect(connection.transport == .websocket)
        let moved = try #require(peer.log.firstIndex(of: "ws 5"))
        #expect(peer.log[moved...] == ["ws 5", #"ws 42["second"]"#, #"ws 42["third"]"#])
        await connection.disconnect()
    }

    @Test("a server that ends one poll, long before it answers the probe, isn't sent another to wait for")
    func onePoll() async throws {
        let (peer, server) = try await PollingPeer.start(probeDelay: .milliseconds(300))
        let connection = try await SocketIOConnection.connect(SocketIOClientConfiguration(upgrading: server))
        try await eventually("the upgrade") { connection.transport == .websocket }
        connection.emit("a")
        try await eventually("the event") { peer.log.contains(#"ws 42["a"]"#) }
        await connection.disconnect()
    }

    @Test("what the last poll brings is delivered before what the WebSocket brings")
    func incomingOrder() async throws {
        let (peer, server) = try await PollingPeer.start(script: { peer, packet in
            guard packet == #"42["go"]"# else { return }
            for number in 0..<200 { peer.push(#"42["n",\#(number)]"#) }
        })
        for _ in 0..<10 {
            let connection = try await SocketIOConnection.connect(SocketIOClientConfiguration(upgrading: server))
            connection.emit("go")
            var iterator = connection.incoming.makeAsyncIterator()
            for number in 0..<200 {
                #expect(await iterator.next()?.description == "n(\(number))")
            }
            await connection.disconnect()
            peer.forget()
        }
    }

    @Test("a reader that is behind when the session moves stops the WebSocket's reading too, and loses nothing")
    func backPressure() async throws {
        let count = 3_000
        let (peer, server) = try await PollingPeer.start(
            except: { $0.isUpgrade ? .held("upgrade") : nil },
            script: { peer, packet in
                if packet == #"42["some"]"# { peer.push(#"42["n",0]"#, #"42["n",1]"#, #"42["n",2]"#, #"42["n",3]"#) }
                guard packet == #"42["rest"]"# else { return }
                for number in 4..<count { peer.push(#"42["n",\#(number)]"#) }
            })
        let configuration = SocketIOClientConfiguration(upgrading: server).with { $0.maximumUnreadElements = 4 }
        let connection = try await SocketIOConnection.connect(configuration)
        connection.emit("some")
        try await eventually("the pause") { try await connection.isPaused() }
        server.release("upgrade", .webSocket)
        try await eventually("the move") { connection.transport == .websocket }
        #expect(try await connection.isPaused())
        #expect(try await !connection.isReading())
        connection.emit("rest")
        try await eventually("the question") { peer.log.contains(#"ws 42["rest"]"#) }
        var iterator = connection.incoming.makeAsyncIterator()
        for number in 0..<count {
            guard await iterator.next()?.description == "n(\(number))" else {
                Issue.record("element \(number) is missing")
                break
            }
        }
        await connection.disconnect()
    }

    @Test("where no WebSocket can be had, polling goes on", arguments: 0..<5)
    func failingProbe(kind: Int) async throws {
        let answers: [ScriptedServer.Answer] = [
            .http(status: .badGateway, body: "no"), .wrongKey, .hangUp, .silence, .webSocket,
        ]
        let (peer, server) = try await PollingPeer.start(
            answersProbes: false, except: { $0.isUpgrade ? answers[kind] : nil },
            script: { peer, packet in
                if packet.hasPrefix("42") { peer.push(packet) }
            })
        let configuration = SocketIOClientConfiguration(upgrading: server).with { $0.connectTimeout = .seconds(3) }
        let connection = try await SocketIOConnection.connect(configuration)
        var iterator = connection.incoming.makeAsyncIterator()
        try await eventually("the probe") { server.observed.requests.contains { $0.headers.contains(name: "Upgrade") } }
        try await eventually("the probe's end") { server.observed.closedChannels > 0 }
        for number in 0..<10 {
            connection.emit("n", [.integer(Int64(number))])
            #expect(await iterator.next()?.description == "n(\(number))")
        }
        #expect(connection.transport == .polling)
        #expect(!peer.log.contains("ws 5"))
        await connection.disconnect()
    }

    @Test("a WebSocket that ends between the probe's answer and the move leaves the session where it was")
    func lateFailure() async throws {
        let socket = Mutex<Bool>(false)
        let server = try await ScriptedServer.start(
            answer: .choice { request in
                if request.isUpgrade { return .webSocket }
                if !request.isPoll { return request.body.contains("go") ? .held("post") : .http(body: "ok") }
                if !request.head.uri.contains("sid=") { return .http(body: PollingPeer.handshake) }
                let isFirst = socket.withLock { isJoined in
                    defer { isJoined = true }
                    return !isJoined
                }
                return isFirst ? .http(body: #"40{"sid":"socket"}"#) : .held("poll")
            }
        ) { peer, event in
            guard case .text("2probe") = event else { return }
            peer.send("3probe")
            peer.connection?.close(code: .goingAway, reason: "")
        }
        let connection = try await SocketIOConnection.connect(SocketIOClientConfiguration(upgrading: server))
        // The poll is held all the while, so that the move can't have been made.
        try await eventually("the WebSocket's end") { server.observed.closes.count == 1 }
        connection.emit("go")
        try await eventually("the event") { server.observed.requests.filter { $0.method == .POST }.count == 2 }
        server.release("poll", .http(body: #"42["still here"]"#))
        var iterator = connection.incoming.makeAsyncIterator()
        #expect(await iterator.next()?.description == "still here()")
        #expect(connection.transport == .polling)
        server.release("post", .http(body: "ok"))
        await connection.disconnect()
    }

    @Test("a server that offers no WebSocket is not asked for one")
    func notOffered() async throws {
        let (_, server) = try await PollingPeer.start(
            handshake: #"0{"sid":"e","upgrades":["webtransport"],"pingInterval":25000,"pingTimeout":20000}"#,
            script: { peer, packet in if packet.hasPrefix("42") { peer.push(packet) } })
        let connection = try await SocketIOConnection.connect(SocketIOClientConfiguration(upgrading: server))
        connection.emit("a")
        var iterator = connection.incoming.makeAsyncIterator()
        #expect(await iterator.next()?.description == "a()")
        #expect(!server.observed.requests.contains { $0.headers.contains(name: "Upgrade") })
        await connection.disconnect()
    }

    @Test("with the WebSocket first, polling is for where there is none", arguments: 0..<3)
    func fallback(kind: Int) async throws {
        let answers: [ScriptedServer.Answer] = [.http(status: .badRequest, body: "no"), .wrongKey, .hangUp]
        let (_, server) = try await PollingPeer.start(except: { $0.isUpgrade ? answers[kind] : nil })
        let configuration = SocketIOClientConfiguration(server).with { $0.transports = [.websocket, .polling] }
        let connection = try await SocketIOConnection.connect(configuration)
        #expect(connection.transport == .polling)
        #expect(server.observed.requests.filter { $0.headers.contains(name: "Upgrade") }.count == 1)
        await connection.disconnect()
    }
}
