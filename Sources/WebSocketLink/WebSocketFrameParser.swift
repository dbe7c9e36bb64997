import NIOCore

/// Cuts a stream of bytes into frames, and refuses what RFC 6455 section 5 forbids of a single frame.
///
/// Hand it bytes with ``append(_:)`` as they come, then call ``nextFrame()`` until it returns nil. It keeps only the
/// beginning of a frame that hasn't come whole, in storage of its own and of about that size; between frames it holds
/// no storage. A payload's length is checked as soon as the header is there, before any of the payload is kept.
public struct WebSocketFrameParser: Sendable {
    /// The longest payload of a data frame, in bytes. Control frames have their own limit of 125.
    public var maximumPayloadSize: Int

    private struct Header {
        var isFinal: Bool
        var opcode: WebSocketOpcode
        var length: Int
        var maskingKey: UInt32?
    }

    private let role: WebSocketRole
    private var buffer = ByteBuffer()
    /// False while `buffer` shares the storage of the bytes that were appended, which other eyes may see too.
    private var ownsStorage = false
    private var header: Header?
    private var violation: WebSocketViolation?

    /// - Parameters:
    ///   - role: which end reads: a server wants every frame masked, a client none.
    ///   - maximumPayloadSize: the longest payload of a data frame, in bytes.
    public init(role: WebSocketRole, maximumPayloadSize: Int) {
        self.role = role
        self.maximumPayloadSize = maximumPayloadSize
    }

    /// How many bytes are kept for a frame that isn't whole yet.
    public var bufferedBytes: Int { buffer.readableBytes }

    /// Adds what has been read from the network. Does nothing after a violation.
    public mutating func append(_ bytes: ByteBuffer) {
        guard violation == nil else { return }
        if buffer.readableBytes == 0 {
            buffer = bytes
            ownsStorage = false
        } else if ownsStorage {
            buffer.writeImmutableBuffer(bytes)
        } else {
            var joined = ByteBuffer()
            joined.reserveCapacity(buffer.readableBytes + bytes.readableBytes)
            joined.writeImmutableBuffer(buffer)
            joined.writeImmutableBuffer(bytes)
            buffer = joined
            ownsStorage = true
        }
    }

    /// The next whole frame, or nil if more bytes are needed.
    ///
    /// - Throws: what the peer did wrong. After that every call throws the same, and nothing more is parsed.
    public mutating func nextFrame() throws(WebSocketViolation) -> WebSocketFrame? {
        if let violation { throw violation }
        if header == nil {
            do throws(WebSocketViolation) {
                header = try readHeader()
            } catch {
                violation = error
                buffer = ByteBuffer()
                throw error
            }
        }
        guard let header, let payload = takePayload(header) else {
            keepRemainder()
            return nil
        }
        self.header = nil
        return WebSocketFrame(isFinal: header.isFinal, opcode: header.opcode, payload: payload)
    }

    /// Consumes a whole header, or nothing. What each byte forbids is refused before the next byte is there.
    private mutating func readHeader() throws(WebSocketViolation) -> Header? {
        let start = buffer.readerIndex
        guard let first = buffer.getInteger(at: start, as: UInt8.self) else { return nil }
        guard first & 0x70 == 0 else { throw .reservedBitsSet }
        guard let opcode = WebSocketOpcode(rawValue: first & 0x0F) else { throw .reservedOpcode(first & 0x0F) }
        let isFinal = first & 0x80 != 0
        guard isFinal || !opcode.isControl else { throw .fragmentedControlFrame }

        guard let second = buffer.getInteger(at: start + 1, as: UInt8.self) else { return nil }
        let isMasked = second & 0x80 != 0
        switch role {
        case .server: guard isMasked else { throw .unmaskedFrame }
        case .client: guard !isMasked else { throw .maskedFrame }
        }

        var size = 2
        let length: Int
        switch second & 0x7F {
        case 126:
            guard !opcode.isControl else { throw .controlFrameTooLong }
            guard let long = buffer.getInteger(at: start + 2, as: UInt16.self) else { return nil }
            guard long > 125 else { throw .lengthNotMinimal }
            length = Int(long)
            size += 2
        case 127:
            guard !opcode.isControl else { throw .controlFrameTooLong }
            guard let long = buffer.getInteger(at: start + 2, as: UInt64.self) else { return nil }
            guard long >> 63 == 0 else { throw .lengthOverflow }
            guard long > UInt64(UInt16.max) else { throw .lengthNotMinimal }
            length = Int(clamping: long)
            size += 8
        case let short:
            length = Int(short)
        }
        guard opcode.isControl || length <= maximumPayloadSize else { throw .messageTooBig }

        var maskingKey: UInt32?
        if isMasked {
            guard let key = buffer.getInteger(at: start + size, as: UInt32.self) else { return nil }
            maskingKey = key
            size += 4
        }
        buffer.moveReaderIndex(forwardBy: size)
        return Header(isFinal: isFinal, opcode: opcode, length: length, maskingKey: maskingKey)
    }

    private mutating func takePayload(_ header: Header) -> ByteBuffer? {
        let length = header.length
        guard length > 0 else { return ByteBuffer() }
        guard buffer.readableBytes >= length else { return nil }
        guard let key = header.maskingKey else { return buffer.readSlice(length: length) }
        // Unmasking in place copies everything that is readable if an earlier payload still shares the storage. So it
        // is done only where this payload is most of it, which keeps the work linear in the bytes received.
        if ownsStorage, length >= buffer.readableBytes / 2 {
            buffer.withUnsafeMutableReadableBytes { bytes in
                let payload = UnsafeMutableRawBufferPointer(rebasing: bytes.prefix(length))
                WebSocketMasking.apply(key, from: UnsafeRawBufferPointer(payload), to: payload)
            }
            return buffer.readSlice(length: length)
        }
        // The storage is shared with whoever read it: unmask into a buffer of the payload's own size.
        var payload = ByteBuffer()
        buffer.readWithUnsafeReadableBytes { source in
            payload.writeWithUnsafeMutableBytes(minimumWritableBytes: length) { destination in
                WebSocketMasking.apply(
                    key, from: UnsafeRawBufferPointer(rebasing: source.prefix(length)), to: destination)
                return length
            }
        }
        return payload
    }

    /// Lets go of the storage that was appended: it may be much larger than what is left of it, and whoever read it
    /// can use it again once nobody shares it.
    private mutating func keepRemainder() {
        if buffer.readableBytes == 0 {
            buffer = ByteBuffer()
            ownsStorage = false
        } else if !ownsStorage || buffer.readerIndex > 0 {
            var remainder = ByteBuffer()
            remainder.writeImmutableBuffer(buffer)
            buffer = remainder
            ownsStorage = true
        }
    }
}
