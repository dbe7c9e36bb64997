import NIOCore
import NIOHTTP1
import WebSocketLink

/// The client's opening handshake (RFC 6455 section 4.1): sends the request, judges the answer, and then makes way for
/// the WebSocket, HTTP codec included.
final class WebSocketUpgradeHandler: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = HTTPClientResponsePart
    typealias OutboundOut = HTTPClientRequestPart

    /// What becomes of the handshake, told on the event loop. Either `upgrade` or `failed` is called, once.
    struct Observer {
        /// Returns the handler that takes over.
        var upgrade: () -> WebSocketConnection
        var failed: (Failure) -> Void
    }

    enum Failure {
        /// The server answered, but not with 101.
        case refused(SocketIORefusal)
        /// The answer is no valid one.
        case invalid(String)
        case error(any Error)
        case closed
    }

    private enum State {
        /// The request hasn't been sent.
        case idle
        case waiting
        /// The answer was 101 and is in order.
        case accepted
        case refused(status: Int, body: ByteBuffer)
        case done
    }

    private let request: HTTPRequestHead
    private let codec: [any RemovableChannelHandler]
    private let key: String
    private let observer: Observer
    private var state = State.idle

    /// - Parameters:
    ///   - headers: those beyond the handshake's own, `Host` included.
    ///   - codec: the handlers of HTTP, which are removed when the WebSocket takes over.
    init(target: String, headers: HTTPHeaders, codec: [any RemovableChannelHandler], observer: Observer) {
        key = WebSocketHandshake.randomKey()
        var request = HTTPRequestHead(version: .http1_1, method: .GET, uri: target, headers: headers)
        request.headers.replaceOrAdd(name: "Upgrade", value: "websocket")
        request.headers.replaceOrAdd(name: "Connection", value: "Upgrade")
        request.headers.replaceOrAdd(name: "Sec-WebSocket-Version", value: "13")
        request.headers.replaceOrAdd(name: "Sec-WebSocket-Key", value: key)
        self.request = request
        self.codec = codec
        self.observer = observer
    }

    /// What the server has said so far to refuse, for somebody who won't wait any longer.
    var pendingRefusal: SocketIORefusal? {
        guard case .refused(let status, let body) = state else { return nil }
        return SocketIORefusal(status: status, body: String(buffer: body))
    }

    func handlerAdded(context: ChannelHandlerContext) {
        guard context.channel.isActive else { return }
        sendRequest(context)
    }

    func channelActive(context: ChannelHandlerContext) {
        sendRequest(context)
        context.fireChannelActive()
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch Self.unwrapInboundIn(data) {
        case .head(let head): received(head)
        case .body(let bytes): received(body: bytes)
        case .end: received(endIn: context)
        }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        fail(.error(error))
    }

    func channelInactive(context: ChannelHandlerContext) {
        fail(.closed)
        context.fireChannelInactive()
    }

    /// The channel may be active before it tells so.
    private func sendRequest(_ context: ChannelHandlerContext) {
        guard case .idle = state else { return }
        state = .waiting
        context.write(Self.wrapOutboundOut(.head(request)), promise: nil)
        context.writeAndFlush(Self.wrapOutboundOut(.end(nil)), promise: nil)
    }

    private func received(_ head: HTTPResponseHead) {
        guard case .waiting = state else { return }
        guard head.status == .switchingProtocols else {
            state = .refused(status: Int(head.status.code), body: ByteBuffer())
            return
        }
        do throws(WebSocketHandshake.ResponseError) {
            try WebSocketHandshake.validateResponse(status: 101, key: key) { head.headers[$0] }
            state = .accepted
        } catch {
            fail(.invalid(error.description))
        }
    }

    private func received(body bytes: ByteBuffer) {
        guard case .refused(let status, var body) = state else { return }
        let room = SocketIORefusal.maximumBodySize - body.readableBytes
        var part = bytes
        if let kept = part.readSlice(length: min(room, part.readableBytes)) {
            body.writeImmutableBuffer(kept)
        }
        state = .refused(status: status, body: body)
        if body.readableBytes == SocketIORefusal.maximumBodySize {
            fail(.closed)
        }
    }

    private func received(endIn context: ChannelHandlerContext) {
        guard case .accepted = state else { return fail(.closed) }
        let handover = WebSocketHandover(observer: observer)
        let pipeline = context.pipeline.syncOperations
        do {
            try pipeline.addHandler(handover, position: .after(self))
        } catch {
            return fail(.error(error))
        }
        state = .done
        // This handler first: when the decoder leaves, a moment later, it hands on what came behind the answer as bytes.
        pipeline.removeHandler(self, promise: nil)
        let removals = codec.map { handler in
            let promise = context.eventLoop.makePromise(of: Void.self)
            pipeline.removeHandler(handler, promise: promise)
            return promise.futureResult
        }
        EventLoopFuture.andAllComplete(removals, on: context.eventLoop).assumeIsolated().whenComplete { _ in
            handover.complete()
        }
    }

    private func fail(_ failure: Failure) {
        defer { state = .done }
        switch state {
        case .done: return
        case .refused(let status, let body):
            observer.failed(.refused(SocketIORefusal(status: status, body: String(buffer: body))))
        case .idle, .waiting, .accepted: observer.failed(failure)
        }
    }
}
