import NIOCore
import NIOPosix
import NIOSSL
import Synchronization
import TestSupport
import Testing
import WebSocketLink

#if canImport(Darwin)
    import Darwin
#else
    import Glibc
#endif

/// A client made of a TCP connection and a WebSocket.
final class LiveClient: Sendable {
    private struct Inbox {
        var messages: [String] = []
        var taken = 0
        var end: WebSocketCloseReason?
    }

    let channel: any Channel
    private let connection: NIOLoopBound<WebSocketConnection>
    private let inbox: Mutex<Inbox>

    fileprivate init(channel: any Channel, connection: WebSocketConnection) {
        self.channel = channel
        self.connection = NIOLoopBound(connection, eventLoop: channel.eventLoop)
        inbox = Mutex(Inbox())
    }

    /// Connects and makes the handshake; the `open` packet has been read.
    ///
    /// - Parameters:
    ///   - requests: ordinary requests to make first on the same connection, with the answers to wait for.
    ///   - pipelined: an ordinary request to send in front of the handshake without waiting, and its answer.
    ///   - receiveBuffer: how many bytes the system may keep for this end, about.
    static func connect(
        to address: SocketAddress, after requests: [(request: String, answer: String)] = [],
        pipelined: (request: String, answer: String) = ("", ""), receiveBuffer: Int? = nil, isSecured: Bool = false
    ) async throws -> LiveClient {
        let tls = isSecured ? try TestCertificate.local.clientContext() : nil
        let handshake = (pipelined.request + webSocketRequest(), pipelined.answer + switchingProtocols)
        let loop = MultiThreadedEventLoopGroup.singleton.next()
        let promise = loop.makePromise(of: LiveClient.self)
        var bootstrap = ClientBootstrap(group: loop).channelOption(.tcpOption(.tcp_nodelay), value: 1)
        if let receiveBuffer {
            bootstrap = bootstrap.channelOption(
                .socketOption(.so_rcvbuf), value: SocketOptionValue(receiveBuffer))
        }
        let channel =
            try await bootstrap
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    if let tls {
                        let handler = try NIOSSLClientHandler(context: tls, serverHostname: "localhost")
                        try channel.pipeline.syncOperations.addHandler(handler)
                    }
                    try channel.pipeline.syncOperations.addHandler(ClientHandshake(requests + [handshake], promise))
                }
            }
            .connect(to: address).get()
        channel.closeFuture.whenComplete { _ in promise.fail(ChannelError.eof) }
        let client = try await promise.futureResult.get()
        try await client.wait(for: 1)
        let open = client.take()
        try #require(open.count == 1 && open[0].hasPrefix(#"0{"sid":""#))
        return client
    }

    /// Connects, and enters the main namespace.
    static func enter(
        _ address: SocketAddress, receiveBuffer: Int? = nil, isSecured: Bool = false
    ) async throws -> LiveClient {
        let client = try await connect(to: address, receiveBuffer: receiveBuffer, isSecured: isSecured)
        client.send("40")
        try await client.wait(for: 1)
        try #require(client.takeFirst().hasPrefix(#"40{"sid":""#))
        return client
    }

    // MARK: Hearing

    /// Why the connection ended, once it has.
    var end: WebSocketCloseReason? { inbox.withLock { $0.end } }

    /// What came since it was taken last.
    func take() -> [String] {
        inbox.withLock { inbox in
            defer { inbox.taken = inbox.messages.count }
            return Array(inbox.messages[inbox.taken...])
        }
    }

    /// The next message; empty when there is none.
    func takeFirst() -> String {
        inbox.withLock { inbox in
            guard inbox.taken < inbox.messages.count else { return "" }
            defer { inbox.taken += 1 }
            return inbox.messages[inbox.taken]
        }
    }

    /// Waits for so many messages that have not been taken.
    func wait(for count: Int, sourceLocation: SourceLocation = #_sourceLocation) async throws {
        try await eventually("\(waitingCount) of \(count) messages", sourceLocation: sourceLocation) {
            waitingCount >= count
        }
    }

    /// How many messages have not been taken.
    var waitingCount: Int { inbox.withLock { $0.messages.count - $0.taken } }

    func waitForEnd(sourceLocation: SourceLocation = #_sourceLocation) async throws {
        try await eventually("the connection's end", sourceLocation: sourceLocation) { end != nil }
    }

    fileprivate func received(_ message: String) {
        inbox.withLock { $0.messages.append(message) }
    }

    fileprivate func ended(_ reason: WebSocketCloseReason) {
        inbox.withLock { $0.end = reason }
    }

    // MARK: Saying

    func send(_ packets: String...) {
        send(packets)
    }

    func send(_ packets: [String]) {
        onLoop { connection in
            for packet in packets { connection.send(.text(ByteBuffer(string: packet))) }
            connection.flush()
        }
    }

    private func onLoop(_ body: @escaping @Sendable (WebSocketConnection) -> Void) {
        channel.eventLoop.execute { [connection] in body(connection.value) }
    }

    /// Closes as RFC 6455 wants it.
    func close() {
        onLoop { $0.close() }
    }

    /// Ends the connection without a word.
    func drop() {
        channel.close(promise: nil)
    }

    /// Ends the connection by TCP's RST.
    func reset() {
        channel.eventLoop.execute { [channel] in
            (channel as? any SocketOptionProvider)?.setSoLinger(linger(l_onoff: 1, l_linger: 0))
                .whenComplete { _ in channel.close(promise: nil) }
        }
    }

    /// Sends a ping of the WebSocket's own.
    func ping(_ text: String) {
        channel.writeAndFlush(ByteBuffer(bytes: clientPing(text)), promise: nil)
    }

    /// Begins to read, or stops.
    func reads(_ doesRead: Bool) {
        channel.setOption(.autoRead, value: doesRead).whenComplete { _ in }
    }

    /// Ends this half of the connection.
    func endOutput() {
        channel.close(mode: .output, promise: nil)
    }
}

/// Ordinary requests, then the opening handshake, then a WebSocket.
private final class ClientHandshake: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = ByteBuffer
    typealias InboundOut = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private var exchanges: ArraySlice<(request: String, answer: String)>
    private let promise: EventLoopPromise<LiveClient>
    private var received = ByteBuffer()

    init(_ exchanges: [(request: String, answer: String)], _ promise: EventLoopPromise<LiveClient>) {
        self.exchanges = exchanges[...]
        self.promise = promise
    }

    func channelActive(context: ChannelHandlerContext) {
        ask(context)
    }

    private func ask(_ context: ChannelHandlerContext) {
        guard let next = exchanges.first else { return }
        context.writeAndFlush(Self.wrapOutboundOut(ByteBuffer(string: next.request)), promise: nil)
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        received.writeImmutableBuffer(Self.unwrapInboundIn(data))
        guard let expected = exchanges.first?.answer,
            let answer = received.readString(length: min(expected.utf8.count, received.readableBytes))
        else { return }
        guard answer == expected else {
            guard !expected.hasPrefix(answer) else { return received.moveReaderIndex(to: 0) }
            promise.fail(UnexpectedAnswer(text: answer))
            return context.close(promise: nil)
        }
        received.discardReadBytes()
        exchanges.removeFirst()
        if exchanges.isEmpty { begin(context) } else { ask(context) }
    }

    private func begin(_ context: ChannelHandlerContext) {
        let delegate = ClientDelegate()
        let connection = WebSocketConnection(role: .client, maximumMessageSize: 16 << 20, delegate: delegate)
        let client = LiveClient(channel: context.channel, connection: connection)
        delegate.client = client
        do {
            try context.pipeline.syncOperations.addHandler(connection, position: .after(self))
        } catch {
            return promise.fail(error)
        }
        promise.succeed(client)
        if received.readableBytes > 0 { context.fireChannelRead(Self.wrapInboundOut(received)) }
        context.pipeline.syncOperations.removeHandler(self, promise: nil)
    }
}

struct UnexpectedAnswer: Error {
    var text: String
}

private final class ClientDelegate: WebSocketDelegate {
    var client: LiveClient?

    func webSocket(_ connection: WebSocketConnection, received message: WebSocketMessage) {
        switch message {
        case .text(let text): client?.received(String(buffer: text))
        case .binary(let bytes): client?.received("<binary \(Array(bytes.readableBytesView))>")
        }
    }

    func webSocketClosed(_ connection: WebSocketConnection, reason: WebSocketCloseReason) {
        client?.ended(reason)
        client = nil
    }

    func webSocketWritabilityChanged(_ connection: WebSocketConnection, writable: Bool) {}
    func webSocketShouldQuiesce(_ connection: WebSocketConnection) {}
}
