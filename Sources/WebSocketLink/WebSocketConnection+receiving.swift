import NIOCore

extension WebSocketConnection {
    /// There will be no more bytes. What an owner that paused has not seen yet is delivered now or never.
    func streamEnded() {
        isPaused = false
        parse()
        end(with: .endOfStream)
    }

    var isParsingWanted: Bool {
        switch state {
        case .open, .closing: true
        case .finishing, .closed: false
        }
    }

    /// Delivers what is there until it is used up, or the owner pauses or ends the connection.
    func parse() {
        // A delegate that makes the channel read, or resumes, comes in here once more; the loop that called it will get
        // to those bytes in their turn.
        guard !isParsing else { return }
        isParsing = true
        defer { isParsing = false }
        while isParsingWanted {
            guard !isPaused else { return }
            do throws(WebSocketViolation) {
                guard let frame = try parser.nextFrame() else { return }
                let inbound = try assembler.accept(frame)
                parser.maximumPayloadSize = assembler.remainingBytes
                if let inbound {
                    handle(inbound)
                }
            } catch {
                fail(with: error)
            }
        }
        // The end came with bytes left over.
        dropBuffers()
    }

    private func handle(_ inbound: WebSocketInbound) {
        switch inbound {
        case .message(let message):
            guard case .open = state else { return }
            delegate?.webSocket(self, received: message)
        case .ping(let payload):
            guard case .open = state else { return }
            answer(ping: payload)
        case .pong:
            break
        case .close(let code, let reason):
            finishHandshake(code: code, reason: reason)
        }
    }

    private func answer(ping: ByteBuffer) {
        guard isWritable else {
            // A copy, so that no more than these bytes is kept alive.
            var copy = ByteBuffer()
            copy.writeImmutableBuffer(ping)
            unansweredPing = copy
            return
        }
        enqueue(WebSocketFrame(opcode: .pong, payload: ping))
        needsFlush = true
    }
}
