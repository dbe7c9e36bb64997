import NIOCore

extension WebSocketConnection {
    /// The peer's Close came: answers it if ours isn't out yet, and lets the server be the one that closes the
    /// transport first (RFC 6455 section 7.1.1).
    func finishHandshake(code: WebSocketCloseCode?, reason: String) {
        guard let context else { return end(with: .remote(code: code, reason: reason)) }
        if case .open = state {
            enqueueClose(code: code, reason: "")
        }
        finish(context, with: .remote(code: code, reason: reason)) { [role] context in
            if role == .server {
                context.close(promise: nil)
            }
        }
    }

    /// Tells the peer what it did wrong. The channel stays open for reading until the peer has closed it, since
    /// closing it upon unread bytes would reset the connection and the peer might never see the Close frame.
    func fail(with violation: WebSocketViolation) {
        guard let context else { return end(with: .violation(violation)) }
        if case .open = state {
            enqueueClose(code: violation.closeCode, reason: violation.description)
        }
        finish(context, with: .violation(violation)) { context in
            let promise = context.eventLoop.makePromise(of: Void.self)
            promise.futureResult.assumeIsolated().whenFailure { _ in context.close(promise: nil) }
            context.close(mode: .output, promise: promise)
        }
    }

    /// Reports the end, brings out what is queued, and then does the last step. Whatever is left of the channel after
    /// the closing time-out is closed.
    private func finish(
        _ context: ChannelHandlerContext,
        with reason: WebSocketCloseReason,
        last step: @escaping (ChannelHandlerContext) -> Void
    ) {
        let frames = held
        let outcome: WebSocketCloseReason
        if case .closing(let deadline) = state {
            outcome = .local
            state = .finishing(deadline: deadline)
        } else {
            outcome = reason
            state = .finishing(deadline: closeChannelLater(context))
        }
        held = ByteBuffer()
        unansweredPing = nil
        channelMayHoldBytes = true
        // First the report: the writes may succeed, and the channel be closed, before the call below returns.
        report(outcome)
        guard case .finishing = state else { return }
        // Writes are done in order, so an empty one still tells when those before it are.
        let promise = context.eventLoop.makePromise(of: Void.self)
        promise.futureResult.assumeIsolated().whenSuccess { step(context) }
        context.writeAndFlush(Self.wrapOutboundOut(frames), promise: promise)
    }

    func closeChannelLater(_ context: ChannelHandlerContext) -> Scheduled<Void> {
        context.eventLoop.assumeIsolated().scheduleTask(in: closeTimeout) {
            self.end(with: .local)
            context.close(promise: nil)
        }
    }

    /// Nothing is to happen any more. Reports the end if that hasn't been done.
    func end(with reason: WebSocketCloseReason) {
        var outcome = reason
        switch state {
        case .open: break
        case .closing(let deadline):
            deadline.cancel()
            outcome = .local
        case .finishing(let deadline): deadline.cancel()
        case .closed: return
        }
        state = .closed
        dropBuffers()
        report(outcome)
    }

    func dropBuffers() {
        parser = WebSocketFrameParser(role: role, maximumPayloadSize: 0)
        assembler = WebSocketMessageAssembler(maximumMessageSize: 0)
        held = ByteBuffer()
        unansweredPing = nil
    }

    private func report(_ reason: WebSocketCloseReason) {
        guard let delegate = delegate.take() else { return }
        delegate.webSocketClosed(self, reason: reason)
    }
}
