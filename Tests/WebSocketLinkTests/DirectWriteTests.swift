import NIOCore
import NIOPosix
import Synchronization
import Testing

@testable import WebSocketLink

/// Connections over real sockets, since only those can be written to past the channel.
@Suite("Direct writes", .timeLimit(.minutes(1)))
struct DirectWriteTests {
    @Test(
        "everything arrives in order at a reader that stalls, on both ways and in their changes",
        arguments: [true, false])
    func orderAtSlowReader(writesDirectly: Bool) async throws {
        let count = 4_000
        let maximumQueued = Shared()
        let listener = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .childChannelOption(.socketOption(.so_sndbuf), value: 16_384)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    let connection = WebSocketConnection(
                        role: .server, maximumMessageSize: 1 << 20, writesDirectly: writesDirectly,
                        delegate: Sender(count: count, maximumQueued: maximumQueued))
                    try channel.pipeline.syncOperations.addHandler(connection)
                }
            }
            .bind(host: "127.0.0.1", port: 0).get()
        let port = try #require(listener.localAddress?.port)

        let (results, continuation) = AsyncStream.makeStream(of: [Int].self)
        let client = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .channelOption(.socketOption(.so_rcvbuf), value: 16_384)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    let receiver = Receiver(eventLoop: channel.eventLoop, count: count) { continuation.yield($0) }
                    let connection = WebSocketConnection(
                        role: .client, maximumMessageSize: 1 << 20, writesDirectly: writesDirectly, delegate: receiver)
                    try channel.pipeline.syncOperations.addHandler(connection)
                    channel.eventLoop.assumeIsolated().execute {
                        connection.send(.text(ByteBuffer(string: "go")))
                        connection.flush()
                        connection.pause()
                        receiver.resumeOnce(connection) { maximumQueued.value.withLock { $0 } > 0 }
                    }
                }
            }
            .connect(host: "127.0.0.1", port: port).get()
        var iterator = results.makeAsyncIterator()
        #expect(await iterator.next() == Array(0..<count))
        try await client.close()
        try await listener.close()
    }

    private final class Shared: Sendable {
        let value = Mutex(0)
    }

    /// Answers `go` with numbered messages, some at a time so that the socket fills and empties in between.
    private final class Sender: WebSocketDelegate {
        private let maximumQueued: Shared
        private let count: Int
        private var next = 0

        init(count: Int, maximumQueued: Shared) {
            self.count = count
            self.maximumQueued = maximumQueued
        }

        func webSocket(_ connection: WebSocketConnection, received message: WebSocketMessage) {
            sendSome(connection)
        }

        private func sendSome(_ connection: WebSocketConnection) {
            guard next < count, connection.isOpen else { return }
            for _ in 0..<50 where next < count {
                let size = next.isMultiple(of: 7) ? 9_000 : 300
                let text = ByteBuffer(string: "\(next) " + String(repeating: "x", count: size))
                if next.isMultiple(of: 2) {
                    connection.send(.text(text))
                } else {
                    connection.send(encodedFrames: WebSocketFrameWriter.textFrame(text))
                }
                next += 1
                if next.isMultiple(of: 5) { connection.flush() }
            }
            connection.flush()
            maximumQueued.value.withLock { $0 = max($0, connection.queuedBytes) }
            connection.channel?.eventLoop.assumeIsolated().execute { self.sendSome(connection) }
        }

        func webSocketClosed(_ connection: WebSocketConnection, reason: WebSocketCloseReason) {}
        func webSocketWritabilityChanged(_ connection: WebSocketConnection, writable: Bool) {}
        func webSocketShouldQuiesce(_ connection: WebSocketConnection) {}
    }

    /// Collects the numbers, and takes a break after every hundredth, so that the channel has to hold bytes.
    private final class Receiver: WebSocketDelegate {
        private let eventLoop: any EventLoop
        private let count: Int
        private let done: ([Int]) -> Void
        private var numbers: [Int] = []

        init(eventLoop: any EventLoop, count: Int, done: @escaping ([Int]) -> Void) {
            self.eventLoop = eventLoop
            self.count = count
            self.done = done
        }

        /// Goes on reading when something holds.
        func resumeOnce(_ connection: WebSocketConnection, _ holds: @escaping () -> Bool) {
            guard !holds() else { return connection.resume() }
            eventLoop.assumeIsolated().scheduleTask(in: .milliseconds(1)) { self.resumeOnce(connection, holds) }
        }

        func webSocket(_ connection: WebSocketConnection, received message: WebSocketMessage) {
            guard case .text(let text) = message else { return }
            numbers.append(String(buffer: text).split(separator: " ").first.flatMap { Int($0) } ?? -1)
            if numbers.count == count { done(numbers) }
            guard numbers.count.isMultiple(of: 100) else { return }
            connection.pause()
            eventLoop.assumeIsolated().scheduleTask(in: .milliseconds(5)) { connection.resume() }
        }

        func webSocketClosed(_ connection: WebSocketConnection, reason: WebSocketCloseReason) {
            done(numbers)
        }

        func webSocketWritabilityChanged(_ connection: WebSocketConnection, writable: Bool) {}
        func webSocketShouldQuiesce(_ connection: WebSocketConnection) {}
    }
}
