import NIOCore

/// The frame types of RFC 6455 section 5.2.
public enum WebSocketOpcode: UInt8, Sendable {
    case continuation = 0x0
    case text = 0x1
    case binary = 0x2
    case close = 0x8
    case ping = 0x9
    case pong = 0xA

    /// Close, ping and pong: at most 125 bytes, never fragmented, allowed between the fragments of a message.
    public var isControl: Bool { rawValue & 0x8 != 0 }
}

/// One frame as it was on the wire, already unmasked.
public struct WebSocketFrame: Sendable, Equatable {
    /// True for the last (or only) frame of a message.
    public var isFinal: Bool
    public var opcode: WebSocketOpcode
    /// The unmasked payload. It may share its storage with the bytes that were read from the network.
    public var payload: ByteBuffer

    public init(isFinal: Bool = true, opcode: WebSocketOpcode, payload: ByteBuffer) {
        self.isFinal = isFinal
        self.opcode = opcode
        self.payload = payload
    }
}
