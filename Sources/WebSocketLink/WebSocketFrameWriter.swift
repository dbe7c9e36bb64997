import NIOCore

/// Writes whole frames, each in its shortest form (RFC 6455 section 5.2).
///
/// Every function takes the masking key of a client's frame; a server's frame has none.
public enum WebSocketFrameWriter {
    /// The longest payload of a control frame, in bytes (RFC 6455 section 5.5).
    public static let maximumControlPayloadSize = 125

    /// A new unpredictable key, as RFC 6455 section 5.3 wants for every frame of a client.
    public static func randomMaskingKey() -> UInt32 {
        UInt32.random(in: .min ... .max)
    }

    /// A server's text frame, encoded once to be sent on any number of connections.
    public static func textFrame(_ payload: ByteBuffer) -> ByteBuffer {
        var frame = ByteBuffer()
        appendText(payload, to: &frame)
        return frame
    }

    /// A server's binary frame, encoded once to be sent on any number of connections.
    public static func binaryFrame(_ payload: ByteBuffer) -> ByteBuffer {
        var frame = ByteBuffer()
        appendBinary(payload, to: &frame)
        return frame
    }

    /// Takes the first message out of whole frames of a server; nil where none is left.
    public static func readMessage(from frames: inout ByteBuffer) -> WebSocketMessage? {
        guard let first: UInt8 = frames.getInteger(at: frames.readerIndex),
            let second: UInt8 = frames.getInteger(at: frames.readerIndex + 1), second & 0x80 == 0
        else { return nil }
        let start = frames.readerIndex + 2
        let header: Int
        let length: Int?
        switch second {
        case 126: (header, length) = (4, frames.getInteger(at: start, as: UInt16.self).map(Int.init))
        case 127: (header, length) = (10, frames.getInteger(at: start, as: UInt64.self).flatMap(Int.init(exactly:)))
        default: (header, length) = (2, Int(second))
        }
        guard let length, let payload = frames.getSlice(at: frames.readerIndex + header, length: length) else {
            return nil
        }
        frames.moveReaderIndex(forwardBy: header + length)
        return first & 0x0F == WebSocketOpcode.binary.rawValue ? .binary(payload) : .text(payload)
    }

    /// Appends a text message in one frame. The payload must be UTF-8.
    public static func appendText(_ payload: ByteBuffer, to output: inout ByteBuffer, maskingKey: UInt32? = nil) {
        append(WebSocketFrame(opcode: .text, payload: payload), to: &output, maskingKey: maskingKey)
    }

    /// Appends a binary message in one frame.
    public static func appendBinary(_ payload: ByteBuffer, to output: inout ByteBuffer, maskingKey: UInt32? = nil) {
        append(WebSocketFrame(opcode: .binary, payload: payload), to: &output, maskingKey: maskingKey)
    }

    /// Appends a ping. Of a payload longer than a control frame may have, the first 125 bytes are sent.
    public static func appendPing(_ payload: ByteBuffer, to output: inout ByteBuffer, maskingKey: UInt32? = nil) {
        append(WebSocketFrame(opcode: .ping, payload: fitted(payload)), to: &output, maskingKey: maskingKey)
    }

    /// Appends a pong. Of a payload longer than a control frame may have, the first 125 bytes are sent.
    public static func appendPong(_ payload: ByteBuffer, to output: inout ByteBuffer, maskingKey: UInt32? = nil) {
        append(WebSocketFrame(opcode: .pong, payload: fitted(payload)), to: &output, maskingKey: maskingKey)
    }

    /// Appends a Close frame.
    ///
    /// - Parameters:
    ///   - code: nil, or a code that must not be sent, makes a frame with an empty body.
    ///   - reason: cut at the last whole character that fits into 123 bytes.
    public static func appendClose(
        code: WebSocketCloseCode?,
        reason: String = "",
        to output: inout ByteBuffer,
        maskingKey: UInt32? = nil
    ) {
        var body = ByteBuffer()
        if let code, code.isAllowedOnTheWire {
            body.writeInteger(code.rawValue)
            var room = maximumControlPayloadSize - 2
            for scalar in reason.unicodeScalars {
                let size = UTF8.width(scalar)
                guard size <= room else { break }
                body.writeString(String(scalar))
                room -= size
            }
        }
        append(WebSocketFrame(opcode: .close, payload: body), to: &output, maskingKey: maskingKey)
    }

    /// Appends any frame as it stands.
    public static func append(_ frame: WebSocketFrame, to output: inout ByteBuffer, maskingKey: UInt32? = nil) {
        let payload = frame.payload
        let length = payload.readableBytes
        output.reserveCapacity(minimumWritableBytes: headerSize(length: length, isMasked: maskingKey != nil) + length)
        appendHeader(of: frame, to: &output, maskingKey: maskingKey)
        guard let maskingKey else {
            output.writeImmutableBuffer(payload)
            return
        }
        output.writeWithUnsafeMutableBytes(minimumWritableBytes: length) { destination in
            payload.withUnsafeReadableBytes { source in
                WebSocketMasking.apply(maskingKey, from: source, to: destination)
            }
            return length
        }
    }

    /// Appends everything of a frame but its payload, which must follow, masked with the same key.
    static func appendHeader(of frame: WebSocketFrame, to output: inout ByteBuffer, maskingKey: UInt32?) {
        let length = frame.payload.readableBytes
        let maskBit: UInt8 = maskingKey == nil ? 0 : 0x80
        output.writeInteger(frame.opcode.rawValue | (frame.isFinal ? 0x80 : 0))
        if length <= 125 {
            output.writeInteger(UInt8(length) | maskBit)
        } else if let short = UInt16(exactly: length) {
            output.writeInteger(126 | maskBit)
            output.writeInteger(short)
        } else {
            output.writeInteger(127 | maskBit)
            output.writeInteger(UInt64(length))
        }
        if let maskingKey {
            output.writeInteger(maskingKey)
        }
    }

    private static func headerSize(length: Int, isMasked: Bool) -> Int {
        (length <= 125 ? 2 : length <= Int(UInt16.max) ? 4 : 10) + (isMasked ? 4 : 0)
    }

    private static func fitted(_ payload: ByteBuffer) -> ByteBuffer {
        payload.getSlice(at: payload.readerIndex, length: min(payload.readableBytes, maximumControlPayloadSize))
            ?? ByteBuffer()
    }
}
