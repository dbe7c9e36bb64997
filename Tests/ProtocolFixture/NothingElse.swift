import NIOCore
import NIOHTTP1

/// The application behind the gate: it has nothing for anybody.
final class NothingElse: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias OutboundOut = HTTPServerResponsePart

    private var keepsAlive = true

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch Self.unwrapInboundIn(data) {
        case .head(let head):
            keepsAlive = head.isKeepAlive
        case .body:
            break
        case .end:
            var head = HTTPResponseHead(version: .http1_1, status: .notFound, headers: ["Content-Length": "0"])
            if !keepsAlive { head.headers.add(name: "Connection", value: "close") }
            context.write(Self.wrapOutboundOut(.head(head)), promise: nil)
            context.writeAndFlush(Self.wrapOutboundOut(.end(nil)), promise: nil)
            if !keepsAlive { context.close(promise: nil) }
        }
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if event is ChannelShouldQuiesceEvent || (event as? ChannelEvent) == .inputClosed {
            context.close(promise: nil)
        } else {
            context.fireUserInboundEventTriggered(event)
        }
    }
}
