import NIOCore
import NIOHTTP1

/// Stands behind the HTTP decoder while that leaves the pipeline of a connection that was upgraded, and lets the bytes
/// through that it gives back.
///
/// The decoder reads header fields by rules of its own, and where it did not take the request for an upgrade, it goes
/// on to find requests in what follows. Nobody behind it takes these any more: the connection ends.
final class DecoderFarewell: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = Any
    typealias InboundOut = ByteBuffer

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        if Self.unwrapInboundIn(data) is HTTPServerRequestPart {
            context.close(promise: nil)
        } else {
            context.fireChannelRead(data)
        }
    }
}

/// Stands behind an application that the gate has cut off, and takes what is asked of the channel as a whole past it:
/// its reading, which handlers of the application may hold back for good, and its closing.
final class ApplicationBypass: ChannelOutboundHandler {
    typealias OutboundIn = Any

    private var gate: ChannelHandlerContext?

    init(to gate: ChannelHandlerContext) {
        self.gate = gate
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        gate = nil
    }

    func read(context: ChannelHandlerContext) {
        gate?.read()
    }

    func close(context: ChannelHandlerContext, mode: CloseMode, promise: EventLoopPromise<Void>?) {
        if let gate { gate.close(mode: mode, promise: promise) } else { context.close(mode: mode, promise: promise) }
    }
}

/// Stands in front of the handler that holds back what comes while a request is being answered, and tells the gate at
/// once what can't wait for that: a poll is answered when there is something to say.
final class InputSentry: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = HTTPServerRequestPart

    weak var gate: HTTPGate?

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        context.fireUserInboundEventTriggered(event)
        switch event {
        case ChannelEvent.inputClosed: gate?.inputEnded()
        case is ChannelShouldQuiesceEvent: gate?.shouldQuiesce()
        default: break
        }
    }
}
