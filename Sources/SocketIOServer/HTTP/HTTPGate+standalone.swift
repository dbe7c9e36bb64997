public import NIOCore
import NIOHTTP1

extension HTTPGate {
    /// Adds HTTP/1.1 and the gate to a new connection's pipeline, for a server that has nothing beside its sockets: any
    /// other request is answered with 404. Call it on the channel's event loop.
    public static func install(on channel: any Channel, server: SocketIOServer) throws {
        try install(
            on: channel, server: server,
            installApplication: { try $0.pipeline.syncOperations.addHandler(NothingElse()) }, decided: { _ in })
    }
}

/// Answers the first request with 404, and that is the end of the connection: nobody needs to look after its time.
private final class NothingElse: ChannelInboundHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias OutboundOut = HTTPServerResponsePart

    private var hasAnswered = false

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard case .head(let head) = Self.unwrapInboundIn(data), !hasAnswered else { return }
        hasAnswered = true
        let body = ByteBuffer(string: #"{"error":"not_found","message":"There is nothing here."}"#)
        let headers: HTTPHeaders = [
            "Content-Type": "application/json", "Content-Length": String(body.readableBytes), "Connection": "close",
        ]
        let answer = HTTPResponseHead(version: .http1_1, status: .notFound, headers: headers)
        context.write(Self.wrapOutboundOut(.head(answer)), promise: nil)
        if head.method != .HEAD { context.write(Self.wrapOutboundOut(.body(.byteBuffer(body))), promise: nil) }
        context.writeAndFlush(Self.wrapOutboundOut(.end(nil)), promise: nil)
        context.close(promise: nil)
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if (event as? ChannelEvent) == .inputClosed { context.close(promise: nil) }
        context.fireUserInboundEventTriggered(event)
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        context.close(promise: nil)
    }
}
