import NIOCore

/// Turns a connection away that is one too many, before anything is read from it.
final class ConnectionRefusal: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private static let answer =
        "HTTP/1.1 503 Service Unavailable\r\nContent-Type: application/json\r\nContent-Length: 84\r\n"
        + "Retry-After: 10\r\nConnection: close\r\n\r\n"
        + #"{"error":"too_many_connections","message":"Too many connections; try again later."}"# + "\n"

    func handlerAdded(context: ChannelHandlerContext) {
        if context.channel.isActive { turnAway(context) }
    }

    func channelActive(context: ChannelHandlerContext) {
        turnAway(context)
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {}

    private func turnAway(_ context: ChannelHandlerContext) {
        let written = context.eventLoop.makePromise(of: Void.self)
        written.futureResult.assumeIsolated().whenComplete { _ in context.close(promise: nil) }
        context.writeAndFlush(Self.wrapOutboundOut(ByteBuffer(string: Self.answer)), promise: written)
    }
}
