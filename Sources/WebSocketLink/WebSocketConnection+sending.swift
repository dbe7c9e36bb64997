import NIOCore

extension WebSocketConnection {
    /// Frames below this size are joined to one write. Copying that much costs less than one more element of a
    /// vectored write.
    private static let joinLimit = 4096

    func enqueue(_ frame: WebSocketFrame) {
        let length = frame.payload.readableBytes
        if role == .server, length > Self.joinLimit {
            // The payload isn't copied; only its header joins what is held.
            var head = held
            held = frame.payload
            WebSocketFrameWriter.appendHeader(of: frame, to: &head, maskingKey: nil)
            write(head)
        } else if held.readableBytes > 0, held.readableBytes + length > Self.joinLimit {
            var encoded = ByteBuffer()
            WebSocketFrameWriter.append(frame, to: &encoded, maskingKey: newMaskingKey())
            handOver(keeping: encoded)
        } else {
            WebSocketFrameWriter.append(frame, to: &held, maskingKey: newMaskingKey())
        }
    }

    func enqueue(_ encodedFrames: ByteBuffer) {
        if held.readableBytes == 0 {
            held = encodedFrames
        } else if held.readableBytes + encodedFrames.readableBytes > Self.joinLimit {
            handOver(keeping: encodedFrames)
        } else {
            held.writeImmutableBuffer(encodedFrames)
        }
    }

    func enqueueClose(code: WebSocketCloseCode?, reason: String) {
        WebSocketFrameWriter.appendClose(code: code, reason: reason, to: &held, maskingKey: newMaskingKey())
    }

    /// Writes what is held to the channel, without a flush.
    ///
    /// A write may tell the delegate at once that the channel isn't writable any more, and the delegate may send: what
    /// is to follow what is held must be in its place before.
    func handOver(keeping next: ByteBuffer = ByteBuffer()) {
        let frames = held
        held = next
        write(frames)
    }

    /// Writes what is held to the socket, as far as that takes it, if the channel has nothing that must go first.
    ///
    /// - Returns: whether nothing is left to do.
    func writeDirectly() -> Bool {
        guard let directSocket, held.readableBytes > 0, bytesHeldByChannel == 0 else { return false }
        let written = directSocket.write(held)
        guard written < held.readableBytes else {
            held = ByteBuffer()
            return true
        }
        held.moveReaderIndex(forwardBy: written)
        return false
    }

    func write(_ frames: ByteBuffer) {
        guard frames.readableBytes > 0, let context else { return }
        channelMayHoldBytes = true
        context.write(Self.wrapOutboundOut(frames), promise: nil)
    }

    private func newMaskingKey() -> UInt32? {
        role == .client ? WebSocketFrameWriter.randomMaskingKey() : nil
    }

    var bytesHeldByChannel: Int {
        guard channelMayHoldBytes, let options = context?.channel.syncOptions else { return 0 }
        let bytes = (try? options.getOption(.bufferedWritableBytes)) ?? 0
        channelMayHoldBytes = bytes > 0
        return bytes
    }
}
