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

    @Test("nothing goes past a channel whose socket is closed, in what its end calls either")
    func closedSocket() async throws {
        let (ends, continuation) = AsyncStream.makeStream(of: [Bool].self)
        let listener = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    let filler = Filler { continuation.yield($0) }
                    let connection = WebSocketConnection(
                        role: .server, maximumMessageSize: 1 << 20, writesDirectly: true, delegate: filler)
                    try channel.pipeline.syncOperations.addHandler(connection)
                    channel.eventLoop.assumeIsolated().execute { filler.fill(connection) }
                }
            }
            .bind(host: "127.0.0.1", port: 0).get()
        let port = try #require(listener.localAddress?.port)
        let client = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .channelOption(.autoRead, value: false)
            .connect(host: "127.0.0.1", port: port).get()
        var iterator = ends.makeAsyncIterator()
        let past = try #require(await iterator.next())
        #expect(past.first == true, "it began past the channel")
        #expect(past.count > 1, "nobody was told of room, or the end")
        #expect(past.dropFirst().allSatisfy { !$0 })
        try? await client.close()
        try await listener.close()
    }

    @Test("the operating system takes little ahead of what a peer reads", arguments: [true, false])
    func unsentLimit(writesDirectly: Bool) async throws {
        let (counts, continuation) = AsyncStream.makeStream(of: Int.self)
        let listener = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    let counter = Counter { continuation.yield($0) }
                    let connection = WebSocketConnection(
                        role: .server, maximumMessageSize: 1 << 20, writesDirectly: writesDirectly,
                        unsentLimit: 1 << 16, delegate: counter)
                    try channel.pipeline.syncOperations.addHandler(connection)
                    channel.eventLoop.assumeIsolated().execute { counter.count(connection) }
                }
            }
            .bind(host: "127.0.0.1", port: 0).get()
        let port = try #require(listener.localAddress?.port)
        let client = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .channelOption(.autoRead, value: false)
            .channelOption(.socketOption(.so_rcvbuf), value: 16_384)
            .connect(host: "127.0.0.1", port: port).get()
        var iterator = counts.makeAsyncIterator()
        let taken = try #require(await iterator.next())
        // It takes whole pages, and the peer's buffer is filled, too; left to itself it takes more than two million.
        #expect(taken < 600_000)
        try await client.close()
        try await listener.close()
    }

    /// Sends until its peer takes no more, and counts the bytes that have left.
    private final class Counter: WebSocketDelegate {
        private let done: (Int) -> Void

        init(done: @escaping (Int) -> Void) {
            self.done = done
        }

        func count(_ connection: WebSocketConnection) {
            guard let channel = connection.channel else { return }
            guard channel.isActive else { return channel.eventLoop.assumeIsolated().execute { self.count(connection) } }
            let frame = WebSocketFrameWriter.textFrame(ByteBuffer(repeating: 0x78, count: 4_000))
            var offered = 0
            while connection.takesFrames {
                let taken = connection.offer(frame)
                offered += frame.readableBytes
                guard taken < frame.readableBytes else { continue }
                connection.finish(frame.getSlice(at: taken, length: frame.readableBytes - taken) ?? ByteBuffer())
            }
            done(offered - connection.queuedBytes)
        }

        func webSocket(_ connection: WebSocketConnection, received message: WebSocketMessage) {}
        func webSocketClosed(_ connection: WebSocketConnection, reason: WebSocketCloseReason) {}
        func webSocketWritabilityChanged(_ connection: WebSocketConnection, writable: Bool) {}
        func webSocketShouldQuiesce(_ connection: WebSocketConnection) {}
    }

    /// Sends until its peer takes no more, closes the channel, and notes at each call whether it could still write past it.
    private final class Filler: WebSocketDelegate {
        private let done: ([Bool]) -> Void
        private var past: [Bool] = []

        init(done: @escaping ([Bool]) -> Void) {
            self.done = done
        }

        /// Begins when the channel is connected.
        func fill(_ connection: WebSocketConnection) {
            guard let channel = connection.channel else { return }
            guard channel.isActive else { return channel.eventLoop.assumeIsolated().execute { self.fill(connection) } }
            past.append(connection.takesParts)
            let frame = WebSocketFrameWriter.textFrame(ByteBuffer(repeating: 0x78, count: 1 << 16))
            while connection.takesFrames {
                let taken = connection.offer(frame)
                guard taken < frame.readableBytes else { continue }
                connection.finish(frame.getSlice(at: taken, length: frame.readableBytes - taken) ?? ByteBuffer())
            }
            connection.awaitRoom()
            connection.channel?.close(promise: nil)
        }

        func webSocketWritabilityChanged(_ connection: WebSocketConnection, writable: Bool) {
            past.append(connection.takesParts)
        }

        func webSocketClosed(_ connection: WebSocketConnection, reason: WebSocketCloseReason) {
            past.append(connection.takesParts)
            done(past)
        }

        func webSocket(_ connection: WebSocketConnection, received message: WebSocketMessage) {}
        func webSocketShouldQuiesce(_ connection: WebSocketConnection) {}
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
