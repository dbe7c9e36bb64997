import EngineIO
import NIOCore
import NIOHTTP1
import Synchronization
import TestSupport
import Testing
import WebSocketLink
import WireJSON

@testable import SocketIOClient

extension SocketIOClientConfiguration {
    fileprivate init(polling server: ScriptedServer) {
        self.init(server)
        transports = [.polling]
    }
}

@Suite("Client polling", .timeLimit(.minutes(2)))
struct PollingTests {
    // MARK: Requests

    @Test("the requests are those of the protocol, with the user's headers and the server's cookies")
    func requests() async throws {
        let handshake = #"0{"sid":"a b/?&=\r\nX: y","upgrades":[],"pingInterval":25000,"pingTimeout":20000}"#
        let (peer, server) = try await PollingPeer.start(handshake: handshake) { request in
            request.head.uri.contains("sid=")
                ? nil
                : .http(
                    headers: ["Set-Cookie": "node=n1; Path=/; HttpOnly", "Keep-Alive": "timeout=60"], body: handshake)
        }
        let configuration = SocketIOClientConfiguration(polling: server).with {
            $0.headers = [("Authorization", "Bearer x"), ("Cookie", "token=y")]
            $0.auth = ["token": "t"]
        }
        let connection = try await SocketIOConnection.connect(configuration)
        #expect(connection.sid == "socket")
        #expect(connection.transport == .polling)
        #expect(connection.remoteAddress?.port == server.port)
        connection.emit("a")
        try await eventually("the event") { peer.log.contains(#"POST 42["a"]"#) }
        let requests = server.observed.requests
        let session = "/socket.io/?EIO=4&transport=polling&sid=a%20b%2F%3F%26%3D%0D%0AX%3A%20y"
        #expect(requests.first?.uri == "/socket.io/?EIO=4&transport=polling")
        #expect(requests.first?.headers["Cookie"] == ["token=y"])
        #expect(requests.dropFirst().allSatisfy { $0.uri == session })
        #expect(requests.dropFirst().allSatisfy { $0.headers["Cookie"] == ["token=y; node=n1"] })
        #expect(requests.allSatisfy { $0.headers["Host"] == ["127.0.0.1:\(server.port)"] })
        #expect(requests.allSatisfy { $0.headers["Authorization"] == ["Bearer x"] })
        let posts = requests.filter { $0.method == .POST }
        #expect(posts.count == 2)
        #expect(posts.allSatisfy { $0.headers["Content-Type"] == ["text/plain;charset=UTF-8"] })
        // One connection for the polls and one for what is posted.
        #expect(server.observed.connections == 2)
        await connection.disconnect()
        #expect(peer.log.last == "POST 41 1")
        #expect(await connection.allIncoming() == ["disconnected: This client disconnected."])
        try await eventually("the channels' end") { server.observed.closedChannels == 2 }
    }

    @Test("connections that the server closes behind every answer, or later, are opened again", arguments: [0, 1, 2])
    func reopening(kind: Int) async throws {
        let (_, server) = try await PollingPeer.start(
            except: { request in
                guard request.head.uri.contains("sid=") else {
                    let headers: HTTPHeaders = kind == 2 ? ["Keep-Alive": "timeout=1"] : [:]
                    return .http(headers: headers, body: PollingPeer.handshake, closing: kind == 0)
                }
                // A connection that was used before is closed in place of an answer, as if it had just been idle for
                // too long. A POST is not repeated, so that its connections are left alone.
                return kind == 1 && request.isPoll && request.earlier > 0 ? .hangUp : nil
            },
            script: { peer, packet in
                if packet.hasPrefix("42") { peer.push(packet) }
            })
        let connection = try await SocketIOConnection.connect(SocketIOClientConfiguration(polling: server))
        var incoming = connection.incoming.makeAsyncIterator()
        for number in 0..<20 {
            connection.emit("n", [.integer(Int64(number))])
            #expect(await incoming.next()?.description == "n(\(number))")
        }
        if kind == 1 { #expect(server.observed.connections > 10) }
        await connection.disconnect()
    }

    @Test("a POST that goes wrong is not sent again")
    func postOnce() async throws {
        let (peer, server) = try await PollingPeer.start(except: { request in
            request.body.contains("pay") ? .hangUp : nil
        })
        let connection = try await SocketIOConnection.connect(SocketIOClientConfiguration(polling: server))
        connection.emit("pay")
        #expect(await connection.allIncoming() == ["disconnected: The server closed the connection."])
        #expect(peer.log.filter { $0.contains("pay") }.count == 1)
    }

    @Test("TLS: polling is encrypted, and a certificate that isn't trusted is refused")
    func encryption() async throws {
        let (peer, server) = try await PollingPeer.start(certificate: .local)
        var configuration = try SocketIOClientConfiguration(url: "https://localhost:\(server.port)")
        configuration.transports = [.polling, .websocket]
        guard case .tlsFailed? = await connectError(configuration) else {
            Issue.record("an untrusted certificate was accepted")
            return
        }
        #expect(server.observed.requests.isEmpty)
        try await withFile(of: .local) { file in
            configuration.trustRootsFile = file
            let connection = try await SocketIOConnection.connect(configuration)
            try await eventually("the upgrade") { connection.transport == .websocket }
            connection.emit("a")
            try await eventually("the event") { peer.log.contains(#"ws 42["a"]"#) }
            await connection.disconnect()
        }
    }

    // MARK: Failures

    @Test("a refusal is an error with what the server said, by the reference server's body or another's")
    func refusals() async throws {
        let cases: [(String, SocketIORefusal.Kind?, String)] = [
            (#"{"code":0,"message":"Transport unknown"}"#, .unknownTransport, "Transport unknown"),
            (
                #"{"code":5,"message":"Unsupported protocol version"}"#, .unsupportedProtocolVersion,
                "Unsupported protocol version"
            ),
            (#"{"code":99,"message":"x"}"#, nil, "x"), (#"{"code":1e300}"#, nil, #"{"code":1e300}"#),
            (#""Invalid transport""#, nil, "Invalid transport"), ("<html>", nil, "<html>"), ("", nil, ""),
        ]
        for (body, kind, message) in cases {
            let server = try await ScriptedServer.start(answer: .http(status: .badRequest, body: body))
            let error = await connectError(SocketIOClientConfiguration(polling: server))
            #expect(error == .refused(status: 400, body: body))
            #expect(error?.refusal?.kind == kind)
            #expect(error?.refusal?.message == message)
            try await eventually("the channel's end") { server.observed.closedChannels == 1 }
        }
    }

    @Test(
        "a session that the server no longer knows ends with that, whichever request hears it",
        arguments: [true, false])
    func unknownSession(isPoll: Bool) async throws {
        let body = #"{"code":1,"message":"Session ID unknown"}"#
        let (_, server) = try await PollingPeer.start(
            except: { request in
                // The first POST joins the namespace, and its answer comes with the poll behind.
                guard request.earlier > 1, request.isPoll == isPoll, request.head.uri.contains("sid=") else {
                    return nil
                }
                return .http(status: .badRequest, body: body)
            },
            script: { peer, packet in if packet == #"42["go"]"# { peer.push("6") } })
        let connection = try await SocketIOConnection.connect(SocketIOClientConfiguration(polling: server))
        for _ in 0..<3 {
            connection.emit("go")
            try await Task.sleep(for: .milliseconds(20))
        }
        #expect(
            await connection.allIncoming()
                == ["disconnected: The server refused with status 400: Session ID unknown"])
        await #expect(throws: SocketIOEmitError.disconnected(.refused(SocketIORefusal(status: 400, body: body)))) {
            try await connection.emitWithAcknowledgement("a", timeout: .seconds(60))
        }
    }

    @Test("answers that are none fail the attempt", arguments: 0..<8)
    func badAnswers(index: Int) async throws {
        let answers: [ScriptedServer.Answer] = [
            .http(body: ""), .http(body: "6"), .http(body: #"40{"sid":"s"}"#), .http(body: "0{}"),
            .raw("SSH-2.0-OpenSSH_9.2\r\n\r\n"), .http(headers: ["Content-Encoding": "gzip"], body: "x"),
            .http(body: PollingPeer.handshake + "\u{1E}9"), .http(body: PollingPeer.handshake + "\u{1E}" + #"42["a"]"#),
        ]
        let server = try await ScriptedServer.start(answer: answers[index])
        guard case .protocolViolation? = await connectError(SocketIOClientConfiguration(polling: server)) else {
            Issue.record("answer \(index) was accepted")
            return
        }
        try await eventually("the channels' end") {
            server.observed.closedChannels == server.observed.connections
        }
    }

    @Test("a body or headers beyond the limits end the connection, whether they are announced or not")
    func tooLarge() async throws {
        let large = String(repeating: "x", count: 3_000)
        let chunks = String(repeating: "400\r\n" + String(repeating: "x", count: 1024) + "\r\n", count: 40)
        let fields = (0..<200).map { "X-\($0): y\r\n" }.joined()
        let answers: [ScriptedServer.Answer] = [
            .http(body: #"42["\#(large)"]"#), .raw("HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n" + large),
            .raw("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + chunks),
            .raw("HTTP/1.1 200 OK\r\n" + fields + "\r\n"),
            .raw("HTTP/1.1 200 OK\r\nX: " + String(repeating: "y", count: 100_000) + "\r\n\r\n"),
        ]
        for (index, answer) in answers.enumerated() {
            let (_, server) = try await PollingPeer.start(
                except: { $0.isPoll && $0.earlier > 1 ? answer : nil },
                script: { peer, packet in if packet == #"42["go"]"# { peer.push("6") } })
            let configuration = SocketIOClientConfiguration(polling: server).with { $0.maximumMessageSize = 2_000 }
            let connection = try await SocketIOConnection.connect(configuration)
            connection.emit("go")
            let incoming = await connection.allIncoming()
            #expect(
                incoming.count == 1 && incoming.first?.contains("broke the protocol") == true, "\(index): \(incoming)")
        }
    }

    @Test("a server that doesn't answer the first poll is given up, and so is one whose answer never ends")
    func silence() async throws {
        let answers: [ScriptedServer.Answer] = [.silence, .raw("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n0")]
        for answer in answers {
            let server = try await ScriptedServer.start(answer: answer)
            // On a busy machine the attempt may not get as far in the time; then it has more.
            var error: SocketIOConnectError?
            for seconds in [0.3, 2, 10] where error != .timedOut(.open) {
                let configuration = SocketIOClientConfiguration(polling: server).with {
                    $0.connectTimeout = .seconds(seconds)
                }
                error = await connectError(configuration)
            }
            #expect(error == .timedOut(.open))
            try await eventually("the channels' end") {
                server.observed.closedChannels == server.observed.connections
            }
        }
    }

    @Test("cancelling an attempt ends it and its connections")
    func cancellation() async throws {
        let server = try await ScriptedServer.start(answer: .silence)
        let attempt = Task { await connectError(SocketIOClientConfiguration(polling: server)) }
        try await eventually("the request") { !server.observed.requests.isEmpty }
        attempt.cancel()
        #expect(await attempt.value == .cancelled)
        try await eventually("the channel's end") { server.observed.closedChannels == 1 }
    }

    @Test("a server that stops pinging is given up")
    func pingTimeout() async throws {
        let handshake = #"0{"sid":"e","upgrades":[],"pingInterval":700,"pingTimeout":700}"#
        let (_, server) = try await PollingPeer.start(handshake: handshake)
        let connection = try await SocketIOConnection.connect(SocketIOClientConfiguration(polling: server))
        #expect(await connection.allIncoming() == ["disconnected: The server fell silent."])
    }

    @Test("a server that pings in time, but leaves a POST unanswered, is given up")
    func unansweredPost() async throws {
        let handshake = #"0{"sid":"e","upgrades":[],"pingInterval":700,"pingTimeout":700}"#
        let (_, server) = try await PollingPeer.start(
            handshake: handshake,
            except: { request in
                if request.body.contains("go") { return .silence }
                return request.earlier > 1 && request.isPoll ? .http(body: "2") : nil
            },
            script: { peer, _ in peer.push("6") })
        let connection = try await SocketIOConnection.connect(SocketIOClientConfiguration(polling: server))
        connection.emit("go")
        #expect(await connection.allIncoming() == ["disconnected: The server did not answer a POST in time."])
    }

    @Test("Engine.IO's close ends the session, and nothing is posted to it any more")
    func engineClose() async throws {
        let (peer, server) = try await PollingPeer.start(script: { peer, packet in
            if packet == #"42["end"]"# { peer.push("1") }
        })
        let connection = try await SocketIOConnection.connect(SocketIOClientConfiguration(polling: server))
        connection.emit("end")
        #expect(await connection.allIncoming() == ["disconnected: The server closed the Engine.IO session."])
        await connection.disconnect()
        #expect(peer.log.last { $0.hasPrefix("POST") } == #"POST 42["end"]"#)
    }

    @Test("a disconnect does not wait for a server that doesn't answer")
    func stubbornServer() async throws {
        let (_, server) = try await PollingPeer.start(except: { $0.body.contains("41") ? .silence : nil })
        let connection = try await SocketIOConnection.connect(SocketIOClientConfiguration(polling: server))
        await connection.disconnect()
        try await eventually("the channels' end") { server.observed.closedChannels == 2 }
    }

    // MARK: Pressure

    @Test("a server that pings without end and answers no POST is owed a bounded number of pongs")
    func pingFlood() async throws {
        let isFlooding = Mutex(false)
        let pings = [String](repeating: "2", count: 5_000).joined(separator: "\u{1E}")
        let (peer, server) = try await PollingPeer.start(
            except: { request in
                guard request.head.uri.contains("sid="), isFlooding.withLock({ $0 }) else { return nil }
                return request.isPoll ? .http(body: pings) : .held("post")
            },
            script: { peer, packet in
                guard packet == #"42["go"]"# else { return }
                isFlooding.withLock { $0 = true }
                peer.push("2")
            })
        let connection = try await SocketIOConnection.connect(SocketIOClientConfiguration(polling: server))
        connection.emit("go")
        try await eventually("many polls") { peer.log.filter { $0 == "GET" }.count > 20 }
        isFlooding.withLock { $0 = false }
        server.release("post", .http(body: "ok"))
        try await eventually("the pongs") { peer.log.contains { $0.hasPrefix("POST 3 3") } }
        let longest = peer.log.map { $0.split(separator: " ").count }.max() ?? 0
        #expect(longest <= PollingMachine.highWaterFrames + 2)
        await connection.disconnect()
    }

    @Test("a reader that stands still stops the polling, and loses nothing when it goes on")
    func backPressure() async throws {
        let count = 5_000
        let (peer, server) = try await PollingPeer.start(script: { peer, packet in
            guard packet == #"42["go"]"# else { return }
            for number in 0..<count { peer.push(#"42["n",\#(number)]"#) }
        })
        let configuration = SocketIOClientConfiguration(polling: server).with { $0.maximumUnreadElements = 64 }
        let connection = try await SocketIOConnection.connect(configuration)
        connection.emit("go")
        try await eventually("the pause") { try await connection.isPaused() }
        let polls = peer.log.filter { $0 == "GET" }.count
        connection.emit("still posted")
        try await eventually("the POST") { peer.log.contains(#"POST 42["still posted"]"#) }
        #expect(peer.log.filter { $0 == "GET" }.count == polls)
        var iterator = connection.incoming.makeAsyncIterator()
        for number in 0..<count {
            guard await iterator.next()?.description == "n(\(number))" else {
                Issue.record("element \(number) is missing")
                break
            }
        }
        await connection.disconnect()
    }

    @Test("an event that is worth something only now is dropped while a POST is under way")
    func volatile() async throws {
        let (peer, server) = try await PollingPeer.start(except: { $0.body.contains("slow") ? .held("slow") : nil })
        let connection = try await SocketIOConnection.connect(SocketIOClientConfiguration(polling: server))
        try await eventually("rest") { try await connection.isIdle() }
        connection.emitVolatile("first")
        try await eventually("the first") { peer.log.contains(#"POST 42["first"]"#) }
        try await eventually("rest") { try await connection.isIdle() }
        connection.emit("slow")
        connection.emitVolatile("dropped")
        try await eventually("the POST") { peer.log.contains(#"POST 42["slow"]"#) }
        connection.emitVolatile("dropped")
        connection.emit("last")
        server.release("slow", .http(body: "ok"))
        try await eventually("the last") { peer.log.contains(#"POST 42["last"]"#) }
        #expect(!peer.log.contains { $0.contains("dropped") })
        await connection.disconnect()
    }
}
