import Base64Coding
import NIOCore
import WireJSON

/// One packet of Engine.IO, revision 4: what a session's two sides say to each other, on whatever transport.
///
/// On a WebSocket each packet is one message: ``binary(_:)`` is a binary message of just its bytes, every other packet
/// a text message of ``encodeText(into:)``. In polling bodies all packets are text; see ``EnginePayload``.
public enum EnginePacket: Sendable, Equatable {
    /// The server's answer to the handshake.
    case open(EngineHandshake)
    /// The sender wants the transport closed.
    case close
    /// Asks for a ``pong(_:)`` with the same payload: empty in the heartbeat, `probe` when a transport is tried out.
    case ping(ByteBuffer)
    /// Answers a ``ping(_:)`` with its payload.
    case pong(ByteBuffer)
    /// Text of the layer above.
    case message(ByteBuffer)
    /// Bytes of the layer above.
    case binary(ByteBuffer)
    /// The client has moved to the transport that carries this packet.
    case upgrade
    /// Nothing; it lets a waiting poll return.
    case noop
}

// MARK: - Text

extension EnginePacket {
    /// What the first byte of a packet's text says.
    private enum Code {
        static let open = UInt8(ascii: "0")
        static let close = UInt8(ascii: "1")
        static let ping = UInt8(ascii: "2")
        static let pong = UInt8(ascii: "3")
        static let message = UInt8(ascii: "4")
        static let upgrade = UInt8(ascii: "5")
        static let noop = UInt8(ascii: "6")
        static let binary = UInt8(ascii: "b")
    }

    /// Decodes the text of one packet, all of the buffer's readable bytes.
    ///
    /// Payloads share the buffer's storage. Whether they are UTF-8 is left to the transport and to who reads them. What
    /// follows the type of a packet that has no payload is ignored, as the reference does.
    public init(decodingText buffer: ByteBuffer) throws(EngineProtocolError) {
        var payload = buffer
        guard let code = payload.readInteger(as: UInt8.self) else { throw .emptyPacket }
        switch code {
        case Code.open: self = .open(try EngineHandshake(decoding: payload))
        case Code.close: self = .close
        case Code.ping: self = .ping(payload)
        case Code.pong: self = .pong(payload)
        case Code.message: self = .message(payload)
        case Code.upgrade: self = .upgrade
        case Code.noop: self = .noop
        case Code.binary:
            guard let bytes = Self.bytes(ofBase64: payload) else { throw .invalidBase64 }
            self = .binary(bytes)
        default: throw .unknownPacketType(code)
        }
    }

    /// Writes the packet as text: its type's digit and its payload.
    ///
    /// A ``binary(_:)`` packet has this form in polling bodies only, as `b` and base64; on a WebSocket it travels raw.
    public func encodeText(into buffer: inout ByteBuffer) {
        switch self {
        case .open(let handshake):
            buffer.writeInteger(Code.open)
            buffer.writeBytes(handshake.json.encoded())
        case .close: buffer.writeInteger(Code.close)
        case .ping(let payload): Self.write(Code.ping, payload, into: &buffer)
        case .pong(let payload): Self.write(Code.pong, payload, into: &buffer)
        case .message(let payload): Self.write(Code.message, payload, into: &buffer)
        case .binary(let payload):
            buffer.writeInteger(Code.binary)
            Self.writeBase64(of: payload, into: &buffer)
        case .upgrade: buffer.writeInteger(Code.upgrade)
        case .noop: buffer.writeInteger(Code.noop)
        }
    }

    /// How many bytes ``encodeText(into:)`` writes.
    public var encodedTextSize: Int {
        switch self {
        case .open(let handshake): 1 + handshake.json.encoded().count
        case .ping(let payload), .pong(let payload), .message(let payload): 1 + payload.readableBytes
        case .binary(let payload): 1 + Base64.encodedCount(of: payload.readableBytes)
        case .close, .upgrade, .noop: 1
        }
    }

    private static func write(_ code: UInt8, _ payload: ByteBuffer, into buffer: inout ByteBuffer) {
        buffer.reserveCapacity(minimumWritableBytes: 1 + payload.readableBytes)
        buffer.writeInteger(code)
        buffer.writeImmutableBuffer(payload)
    }

    private static func writeBase64(of payload: ByteBuffer, into buffer: inout ByteBuffer) {
        let size = Base64.encodedCount(of: payload.readableBytes)
        buffer.writeWithUnsafeMutableBytes(minimumWritableBytes: size) { text in
            payload.withUnsafeReadableBytes { Base64.encode($0, into: text) }
        }
    }

    /// - Returns: nil when the text is not base64.
    private static func bytes(ofBase64 text: ByteBuffer) -> ByteBuffer? {
        var bytes = ByteBuffer()
        var isValid = false
        bytes.writeWithUnsafeMutableBytes(minimumWritableBytes: Base64.decodedCapacity(of: text.readableBytes)) {
            bytes in
            let count = text.withUnsafeReadableBytes { Base64.decode($0, into: bytes) }
            isValid = count != nil
            return count ?? 0
        }
        return isValid ? bytes : nil
    }
}
