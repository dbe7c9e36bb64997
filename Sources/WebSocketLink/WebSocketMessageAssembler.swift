import NIOCore

/// What a peer said, once its frames are put together.
public enum WebSocketInbound: Sendable, Equatable {
    case message(WebSocketMessage)
    case ping(ByteBuffer)
    case pong(ByteBuffer)
    /// Without a code, the Close frame's body was empty.
    case close(code: WebSocketCloseCode?, reason: String)
}

/// Puts frames together to messages, and refuses what RFC 6455 forbids of their order and content: fragments out of
/// order (section 5.4), text that isn't UTF-8 (section 8.1), bad Close bodies (sections 5.5.1 and 7.4), and messages
/// that are longer than agreed, however many frames they come in.
public struct WebSocketMessageAssembler: Sendable {
    private struct Partial {
        var isText: Bool
        var payload: ByteBuffer
        var validator: UTF8Validator
    }

    private let maximumMessageSize: Int
    private var partial: Partial?

    /// - Parameter maximumMessageSize: the longest message, all its fragments together, in bytes.
    public init(maximumMessageSize: Int) {
        self.maximumMessageSize = maximumMessageSize
    }

    /// How many bytes the next data frame may have. A parser with this limit refuses an excess from its header.
    public var remainingBytes: Int {
        maximumMessageSize - (partial?.payload.readableBytes ?? 0)
    }

    /// Takes the next frame in order.
    ///
    /// - Returns: what is whole with this frame, or nil for a fragment.
    /// - Throws: what the peer did wrong; the connection is then to be failed.
    public mutating func accept(_ frame: WebSocketFrame) throws(WebSocketViolation) -> WebSocketInbound? {
        switch frame.opcode {
        case .ping: return .ping(frame.payload)
        case .pong: return .pong(frame.payload)
        case .close: return try readClose(frame.payload)
        case .text, .binary:
            guard partial == nil else { throw .interruptedMessage }
            guard frame.payload.readableBytes <= maximumMessageSize else { throw .messageTooBig }
            return try begin(frame)
        case .continuation:
            guard partial != nil else { throw .unexpectedContinuation }
            guard frame.payload.readableBytes <= remainingBytes else { throw .messageTooBig }
            return try proceed(with: frame)
        }
    }

    private mutating func begin(_ frame: WebSocketFrame) throws(WebSocketViolation) -> WebSocketInbound? {
        let isText = frame.opcode == .text
        var validator = UTF8Validator()
        if isText {
            guard validator.consume(frame.payload) else { throw .invalidText }
        }
        guard frame.isFinal else {
            partial = Partial(isText: isText, payload: frame.payload, validator: validator)
            return nil
        }
        guard validator.isAtBoundary else { throw .invalidText }
        return .message(isText ? .text(frame.payload) : .binary(frame.payload))
    }

    private mutating func proceed(with frame: WebSocketFrame) throws(WebSocketViolation) -> WebSocketInbound? {
        guard var message = partial.take() else { return nil }
        message.payload.writeImmutableBuffer(frame.payload)
        if message.isText {
            guard message.validator.consume(frame.payload) else { throw .invalidText }
        }
        guard frame.isFinal else {
            partial = message
            return nil
        }
        guard message.validator.isAtBoundary else { throw .invalidText }
        return .message(message.isText ? .text(message.payload) : .binary(message.payload))
    }

    private func readClose(_ payload: ByteBuffer) throws(WebSocketViolation) -> WebSocketInbound {
        var body = payload
        guard body.readableBytes > 0 else { return .close(code: nil, reason: "") }
        guard let number = body.readInteger(as: UInt16.self) else { throw .truncatedCloseCode }
        let code = WebSocketCloseCode(rawValue: number)
        guard code.isAllowedOnTheWire else { throw .invalidCloseCode(number) }
        var validator = UTF8Validator()
        guard validator.consume(body), validator.isAtBoundary else { throw .invalidCloseReason }
        return .close(code: code, reason: String(buffer: body))
    }
}
