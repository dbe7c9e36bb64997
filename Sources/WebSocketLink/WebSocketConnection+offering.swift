public import NIOCore

/// For an owner that keeps a queue of its own, and so decides until the last moment what is sent next: it offers whole
/// frames when the connection takes some, and what was not taken stays its own.
extension WebSocketConnection {
    /// Whether frames can be offered: nothing that was written before is waiting in the channel, or little enough where
    /// frames go through the pipeline. Once this was false, ``awaitRoom()`` asks to be told when it is true again.
    public var takesFrames: Bool {
        guard isOpen, let context else { return false }
        guard directSocket != nil else { return context.channel.isWritable }
        return bytesHeldByChannel == 0
    }

    /// Whether frames that were sent, or the connection's own, wait for ``flush()``: they have to go first.
    public var holdsFrames: Bool { held.readableBytes > 0 }

    /// Whether ``offer(_:)`` may take a part of what it is given.
    ///
    /// Otherwise the pipeline takes all, and whoever offers may be called back before that returns: it must have taken
    /// the frames out of its queue first.
    public var takesParts: Bool { directSocket != nil }

    /// Writes frames as far as the operating system takes them now, or all of them to the pipeline.
    ///
    /// For servers, while ``takesFrames``.
    ///
    /// - Returns: how many bytes were taken. If that is not all, the owner has to ``finish(_:)`` the frame that was begun.
    public func offer(_ frames: ByteBuffer) -> Int {
        assert(role == .server, "A client's frames need a key each.")
        guard isOpen, let context else { return frames.readableBytes }
        if let directSocket, held.readableBytes == 0 {
            return directSocket.write(frames)
        }
        handOver()
        write(frames)
        context.flush()
        return frames.readableBytes
    }

    /// Gives the channel the rest of a frame, which it writes when the peer takes more.
    public func finish(_ rest: ByteBuffer) {
        guard let context else { return }
        write(rest)
        context.flush()
    }

    /// Has the delegate told by ``WebSocketDelegate/webSocketWritabilityChanged(_:writable:)`` once ``takesFrames``.
    public func awaitRoom() {
        // The pipeline tells of itself when it is below its low water mark.
        guard directSocket != nil, !isAwaitingRoom, let context else { return }
        isAwaitingRoom = true
        // Writes are done in order, so an empty one still tells when those before it are.
        let promise = context.eventLoop.makePromise(of: Void.self)
        promise.futureResult.assumeIsolated().whenComplete { [self] result in
            isAwaitingRoom = false
            // A channel closes its socket before it fails what was written, and tells of its end only after that.
            if case .failure = result { directSocket = nil }
            guard isOpen else { return }
            if bytesHeldByChannel == 0 {
                delegate?.webSocketWritabilityChanged(self, writable: true)
            } else {
                awaitRoom()
            }
        }
        context.writeAndFlush(Self.wrapOutboundOut(ByteBuffer()), promise: promise)
    }
}
