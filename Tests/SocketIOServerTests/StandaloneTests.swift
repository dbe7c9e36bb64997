import Logging
import NIOCore
import NIOEmbedded
import NIOPosix
import Testing
import WireJSON

@testable import SocketIOServer

@Suite("A server of its own", .serialized)
struct StandaloneTests {
    /// The example of ``SocketIOServer``'s documentation, on an event loop group of the test's.
    private func chat(on group: any EventLoopGroup) async throws -> (server: SocketIOServer, listener: any Channel) {
        var chat = SocketNamespace()
        chat.use { socket, auth in
            guard auth?["key"] == "secret" else { throw ConnectRefusal(message: "not authorized") }
        }
        chat.on("join") { event, socket in
            guard let name = event.arguments.first?.stringValue else { throw EventRefusal(["a room, please"]) }
            socket.join(Room(name))
            return ["joined"]
        }
        chat.on("message") { event, socket in
            socket.broadcast("message", event.arguments, to: await socket.onLoop { $0.rooms })
            return ["sent"]
        }
        chat.onDisconnect { socket, reason in
            socket.broadcast("left", [.string(socket.id), .string(reason.rawValue)], to: socket.rooms)
        }
        let server = SocketIOServer(
            handlers: ["/": chat], group: group,
            logger: Logger(label: "chat", factory: { _ in SwiftLogNoOpLogHandler() }))
        let listener = try await ServerBootstrap(group: group)
            .childChannelOption(.allowRemoteHalfClosure, value: true)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture { try HTTPGate.install(on: channel, server: server) }
            }
            .bind(host: "127.0.0.1", port: 0).get()
        return (server, listener)
    }

    @Test("the documentation's chat works: keys, rooms, messages to the others on all loops, and who has left")
    func example() async throws {
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 2)
        let (server, listener) = try await chat(on: group)
        let address = try #require(listener.localAddress)
        var clients: [LiveClient] = []
        var ids: [String] = []
        for _ in 0..<4 {
            let client = try await LiveClient.connect(to: address)
            client.send("40")
            try await client.wait(for: 1)
            #expect(client.takeFirst() == #"44{"message":"not authorized"}"#)
            client.send(#"40{"key":"secret"}"#)
            try await client.wait(for: 1)
            ids.append(try sid(in: client.takeFirst()))
            clients.append(client)
        }
        for (client, room) in zip(clients, ["a", "a", "a", "b"]) {
            client.send(#"420["join"]"#, #"421["join","\#(room)"]"#)
            try await client.wait(for: 2)
            #expect(client.take() == [#"430["a room, please"]"#, #"431["joined"]"#])
        }
        clients[0].send(#"422["message","hello",1]"#)
        try await clients[0].wait(for: 1)
        #expect(clients[0].take() == [#"432["sent"]"#])
        for index in 1...2 {
            try await clients[index].wait(for: 1)
            #expect(clients[index].take() == [#"42["message","hello",1]"#])
        }
        clients[1].send("41")
        for index in [0, 2] {
            try await clients[index].wait(for: 1)
            #expect(clients[index].take() == [#"42["left","\#(ids[1])","client namespace disconnect"]"#])
        }
        clients[3].send(#"420["nothing"]"#)
        try await clients[3].wait(for: 1)
        #expect(clients[3].take().map { $0.prefix(14) } == [#"430[{"error":""#])

        try await listener.close()
        for client in clients { client.close() }
        for client in clients { try await client.waitForEnd() }
        try await eventually { await server.socketCount() == 0 }
        await server.drained()
        for hub in server.hubs {
            try await eventually { try await hub.eventLoop.submit { hub.connectionCount == 0 }.get() }
        }
        try await group.shutdownGracefully()
    }

    @Test(
        "what is not asked of the sockets is not found, whatever follows, and the connection ends",
        arguments: ["GET", "HEAD", "POST"])
    func nothingElse(method: String) throws {
        let desk = Desk()
        let channel = EmbeddedChannel(loop: desk.loop)
        try HTTPGate.install(on: channel, server: desk.server)
        try channel.connect(to: SocketAddress(ipAddress: "192.0.2.7", port: 4711)).wait()
        // No body is waited for.
        try channel.writeInbound(
            ByteBuffer(string: "\(method) /other HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nab"))
        desk.loop.run()
        var answer = ""
        while let bytes = try channel.readOutbound(as: ByteBuffer.self) { answer += String(buffer: bytes) }
        #expect(answer.hasPrefix("HTTP/1.1 404 Not Found\r\n"))
        #expect(answer.contains("Connection: close\r\n"))
        #expect(answer.hasSuffix("\r\n\r\n") == (method == "HEAD"))
        #expect(!channel.isActive)
        _ = try? channel.finish(acceptAlreadyClosed: true)
    }
}
