import NIOCore

/// Stands in for the WebSocket until the HTTP codec has left the pipeline, and holds what is read meanwhile.
///
/// The WebSocket can't come earlier: HTTP's decoder looks at everything that is written, and stops the process at
/// what isn't HTTP.
final class WebSocketHandover: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = ByteBuffer
    typealias InboundOut = ByteBuffer

    private let observer: WebSocketUpgradeHandler.Observer
    private var context: ChannelHandlerContext?
    private var held: [ByteBuffer] = []
    private var isDone = false

    init(observer: WebSocketUpgradeHandler.Observer) {
        self.observer = observer
    }

    /// Puts the WebSocket in this handler's place.
    func complete() {
        guard !isDone, let context else { return }
        isDone = true
        let pipeline = context.pipeline.syncOperations
        do {
            try pipeline.addHandler(observer.upgrade(), position: .after(self))
        } catch {
            observer.failed(.error(error))
            return
        }
        pipeline.removeHandler(self, promise: nil)
    }

    func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        self.context = nil
        fail(.closed)
    }

    func removeHandler(context: ChannelHandlerContext, removalToken: ChannelHandlerContext.RemovalToken) {
        for bytes in held {
            context.fireChannelRead(Self.wrapInboundOut(bytes))
        }
        context.fireChannelReadComplete()
        context.leavePipeline(removalToken: removalToken)
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        held.append(Self.unwrapInboundIn(data))
    }

    func channelInactive(context: ChannelHandlerContext) {
        fail(.closed)
        context.fireChannelInactive()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        fail(.error(error))
    }

    private func fail(_ failure: WebSocketUpgradeHandler.Failure) {
        guard !isDone else { return }
        isDone = true
        observer.failed(failure)
    }
}
