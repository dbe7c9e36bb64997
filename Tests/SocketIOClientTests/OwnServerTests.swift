import Logging
import NIOCore
import NIOPosix
import SocketIOServer
import Testing
import WireJSON

@testable import SocketIOClient

/// This package's client and its server, which share nothing but the packets.
@Suite("Client and server of this package", .timeLimit(.minutes(2)))
struct OwnServerTests {
    @Test(
        "a thousand events come back in order, by whatever transport, while the connection moves from one to another",
        arguments: [[SocketIOTransport.polling], [.websocket], [.polling, .websocket]])
    func echoes(transports: [SocketIOTransport]) async throws {
        try await withServer { port in
            for _ in 0..<3 {
                var configuration = SocketIOClientConfiguration(host: "127.0.0.1", port: port)
                configuration.transports = transports
                let connection = try await SocketIOConnection.connect(configuration)
                let chat = try await connection.namespace("/chat")
                for number in 0..<1_000 {
                    connection.emit("echo", [.integer(Int64(number))])
                    // The move takes some turns of the loop; events are to be sent all the while.
                    if number % 20 == 0 { try await Task.sleep(for: .milliseconds(1)) }
                }
                var incoming = connection.incoming.makeAsyncIterator()
                for number in 0..<1_000 {
                    guard await incoming.next()?.description == "echoed(\(number))" else {
                        Issue.record("echo \(number) is missing")
                        break
                    }
                }
                let answer = try await chat.emitWithAcknowledgement("echo", [7], timeout: .seconds(60))
                #expect(answer == [7])
                let wanted = transports.last
                try await eventually("the transport") { connection.transport == wanted }
                await connection.disconnect()
            }
        }
    }

    @Test(
        "bytes go both ways",
        arguments: [[SocketIOTransport.polling], [.websocket]])
    func bytes(transports: [SocketIOTransport]) async throws {
        try await withServer { port in
            var configuration = SocketIOClientConfiguration(host: "127.0.0.1", port: port)
            configuration.transports = transports
            let connection = try await SocketIOConnection.connect(configuration)
            let placeholder: JSON = ["_placeholder": true, "num": 0]
            let bytes = ByteBuffer(bytes: 0...255)
            connection.emit("bytes", [placeholder], attachments: [bytes])
            var incoming = connection.incoming.makeAsyncIterator()
            guard case .event("bytes", [placeholder], [bytes], nil)? = await incoming.next() else {
                Issue.record("the bytes did not come back")
                return
            }
            await connection.disconnect()
        }
    }

    private func withServer(_ body: (_ port: Int) async throws -> Void) async throws {
        let group = MultiThreadedEventLoopGroup.singleton
        var namespace = SocketNamespace()
        namespace.on("echo") { event, socket in
            socket.emit("echoed", event.arguments)
            return SocketAcknowledgement(event.arguments)
        }
        namespace.on("bytes") { event, socket in
            socket.emit("bytes", event.arguments, attachments: event.attachments)
            return []
        }
        let server = SocketIOServer(
            handlers: ["/": namespace, "/chat": namespace], group: group, logger: Logger(label: "own server"))
        let channel = try await ServerBootstrap(group: group)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture { try HTTPGate.install(on: channel, server: server) }
            }
            .bind(host: "127.0.0.1", port: 0).get()
        do {
            try await body(channel.localAddress?.port ?? 0)
        } catch {
            try? await channel.close()
            throw error
        }
        try await channel.close()
    }
}
