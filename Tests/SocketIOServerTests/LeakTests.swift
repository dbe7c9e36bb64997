import NIOCore
import NIOPosix
import Testing
import WireJSON

@testable import SocketIOServer

@Suite("What is left of connections")
struct LeakTests {
    /// Objects that are to be gone.
    private final class Remains: Sendable {
        /// Unchecked: nothing is ever done with the object but to see whether it is there.
        private struct Weak: @unchecked Sendable {
            weak var object: AnyObject?
        }

        private let objects = Shared<[String: [Weak]]>([:])

        func add(_ kind: String, _ object: AnyObject?) {
            let weak = Weak(object: object)
            objects.change { $0[kind, default: []].append(weak) }
        }

        func count(_ kind: String) -> Int { objects.value[kind]?.count ?? 0 }

        var left: [String: Int] {
            objects.value.mapValues { $0.count { $0.object != nil } }.filter { $0.value > 0 }
        }
    }

    private enum Way: Int, CaseIterable {
        case close, drop, reset, halfClose, enginePacket, leave, violation, closedByServer, kickedByServer, refused
        case beforeConnect, duringConnect, duringHandler, withBacklog, stuck, badHTTP, notEvenHTTP, afterRequests
    }

    @Test("of 2,000 connections that come and go, well and badly closed, nothing is left", .timeLimit(.minutes(1)))
    func leaks() async throws {
        let remains = Remains()
        let accepted = Shared<Set<String>>([])
        let gone = Shared<[String]>([])
        let application = Application(
            onConnect: { socket, auth throws(ConnectRefusal) in
                remains.add("socket", socket)
                await socket.onLoop { remains.add("session", $0.session) }
                if auth?["slow"] != nil { try? await Task.sleep(for: .milliseconds(3)) }
                if auth?["refuse"] != nil { throw ConnectRefusal(message: "no") }
                await socket.onLoop { socket in
                    guard socket.accept() else { return }
                    accepted.change { _ = $0.insert(socket.id) }
                    socket.join(Room("all"))
                    socket.join(Room("own \(socket.id)"))
                    socket.attachment = socket
                }
            },
            onEvent: { event, socket in
                switch event.name {
                case "slow": try? await Task.sleep(for: .milliseconds(3))
                case "close": await socket.onLoop { $0.disconnect(close: true) }
                case "kick": await socket.onLoop { $0.disconnect() }
                case "flood":
                    let padding = JSON.string(String(repeating: "p", count: 64 << 10))
                    for _ in 0..<400 {
                        await socket.caughtUp()
                        guard await socket.onLoop({ $0.isConnected }) else { return [] }
                        await socket.onLoop { $0.emit("e", [padding]) }
                    }
                default: break
                }
                return []
            },
            onDisconnect: { socket, _ in gone.change { $0.append(socket.id) } })
        let install: LiveServer.Install = { channel in
            let application = FakeHTTPApplication()
            remains.add("application", application)
            try application.install(on: channel)
        }
        try await LiveServer.with(
            application, configure: { $0.maximumPendingEvents = 8 }, install: install,
            accepted: { channel in
                remains.add("channel", channel)
                remains.add("gate", try? channel.pipeline.syncOperations.handler(type: HTTPGate.self))
            }
        ) { live in
            let perWorker = 100
            try await withThrowingTaskGroup(of: Void.self) { group in
                for worker in 0..<20 {
                    group.addTask {
                        var random = Seeded(UInt64(worker) + 500)
                        for _ in 0..<perWorker {
                            try await visit(live.address, Way.allCases[random.below(Way.allCases.count)])
                        }
                    }
                }
                try await group.waitForAll()
            }
            try await live.waitUntilEmpty()
            await live.server.drained()
            #expect(remains.count("channel") == 2_000)
            #expect(remains.count("session") > 1_000)
            try await eventually("left: \(remains.left)") { remains.left.isEmpty }
            // Each socket that was accepted has had its end, once.
            #expect(gone.value.count == accepted.value.count)
            #expect(Set(gone.value) == accepted.value)
            for hub in live.server.hubs {
                #expect(try await hub.eventLoop.submit { hub.rooms.count }.get() == 0)
            }
        }
    }

    private func visit(_ address: SocketAddress, _ way: Way) async throws {
        switch way {
        case .badHTTP, .notEvenHTTP:
            let channel = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
                .channelInitializer { $0.eventLoop.makeSucceededVoidFuture() }
                .connect(to: address).get()
            let text = way == .badHTTP ? "GET /\r\n\r\n" : ""
            try await channel.writeAndFlush(ByteBuffer(string: text))
            if way == .badHTTP { try await channel.closeFuture.get() } else { try await channel.close() }
            return
        case .beforeConnect:
            return try await LiveClient.connect(to: address).drop()
        case .duringConnect:
            let client = try await LiveClient.connect(to: address)
            client.send(#"40{"slow":1}"#, #"42["a"]"#)
            return client.reset()
        case .refused:
            let client = try await LiveClient.connect(to: address)
            client.send(#"40{"refuse":1}"#)
            try await client.wait(for: 1)
            return client.close()
        case .afterRequests:
            let requests = [(request("GET /a HTTP/1.1"), ordinaryAnswer())]
            let client = try await LiveClient.connect(to: address, after: requests)
            client.send("40")
            try await client.wait(for: 1)
            return client.drop()
        default:
            break
        }
        let client = try await LiveClient.enter(address)
        client.send(#"420["greet"]"#)
        try await client.wait(for: 1)
        _ = client.take()
        switch way {
        case .close: client.close()
        case .drop: client.drop()
        case .reset: client.reset()
        case .halfClose: client.endOutput()
        case .enginePacket: client.send("1")
        case .leave:
            client.send("41", "40", "41")
            client.drop()
        case .violation: client.send("2")
        case .closedByServer: client.send(#"42["close"]"#)
        case .kickedByServer:
            client.send(#"42["kick"]"#)
            try await client.wait(for: 1)
            client.drop()
        case .duringHandler:
            client.send(#"42["slow"]"#, #"42["b"]"#)
            client.drop()
        case .withBacklog:
            client.send((0..<50).map { #"42["\#($0 % 9 == 0 ? "slow" : "quick")"]"# })
            client.reset()
        case .stuck:
            try await client.channel.setOption(.autoRead, value: false).get()
            client.send(#"42["flood"]"#)
            client.send(#"42["b"]"#)
            client.reset()
        default: break
        }
    }
}
