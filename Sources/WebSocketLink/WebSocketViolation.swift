/// What a peer did that RFC 6455, or a limit of this end, forbids.
public enum WebSocketViolation: Error, Sendable, Equatable, CustomStringConvertible {
    /// RSV1, RSV2 or RSV3 was set and no extension gives it a meaning (section 5.2).
    case reservedBitsSet
    /// An opcode that the protocol keeps for later versions (section 5.2).
    case reservedOpcode(UInt8)
    /// A client sent a frame without masking it (section 5.1).
    case unmaskedFrame
    /// A server sent a masked frame (section 5.1).
    case maskedFrame
    /// A control frame with FIN unset (section 5.5).
    case fragmentedControlFrame
    /// A control frame whose payload is longer than 125 bytes (section 5.5).
    case controlFrameTooLong
    /// A length in more bytes than it needs (section 5.2).
    case lengthNotMinimal
    /// A 64-bit length with its top bit set (section 5.2).
    case lengthOverflow
    /// The frame, or the message it belongs to, is longer than this end accepts.
    case messageTooBig
    /// A continuation frame, and no message was begun (section 5.4).
    case unexpectedContinuation
    /// A text or binary frame before the message that was begun had its final frame (section 5.4).
    case interruptedMessage
    /// A text message that isn't UTF-8 (section 8.1).
    case invalidText
    /// A Close frame whose body has just one byte (section 5.5.1).
    case truncatedCloseCode
    /// A Close frame with a code that must not be sent (section 7.4).
    case invalidCloseCode(UInt16)
    /// A Close frame whose reason isn't UTF-8 (section 5.5.1).
    case invalidCloseReason

    /// The code that the peer is told.
    public var closeCode: WebSocketCloseCode {
        switch self {
        case .messageTooBig: .messageTooBig
        case .invalidText, .invalidCloseReason: .invalidPayload
        default: .protocolError
        }
    }

    /// One sentence, at most 123 bytes so that it fits into a Close frame.
    public var description: String {
        switch self {
        case .reservedBitsSet: "A reserved bit was set without an extension."
        case .reservedOpcode(let opcode): "Opcode \(opcode) is reserved."
        case .unmaskedFrame: "A client must mask its frames."
        case .maskedFrame: "A server must not mask its frames."
        case .fragmentedControlFrame: "A control frame must not be fragmented."
        case .controlFrameTooLong: "A control frame carries at most 125 bytes."
        case .lengthNotMinimal: "The payload length was not in its shortest form."
        case .lengthOverflow: "The payload length exceeds 63 bits."
        case .messageTooBig: "The message is longer than accepted here."
        case .unexpectedContinuation: "A continuation frame came without a message to continue."
        case .interruptedMessage: "A new message began before the fragmented one had ended."
        case .invalidText: "The text is not UTF-8."
        case .truncatedCloseCode: "The close code had only one byte."
        case .invalidCloseCode(let code): "The close code \(code) must not be sent."
        case .invalidCloseReason: "The close reason is not UTF-8."
        }
    }
}
