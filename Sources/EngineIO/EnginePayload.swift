import NIOCore

/// The body of a polling request or answer: packets as text, with a record separator between them.
public enum EnginePayload {
    /// The byte between two packets (U+001E). The protocol has no escape for it, so that text which contains it cannot
    /// travel by polling; JSON text never does.
    public static let separator: UInt8 = 0x1E

    /// The packets that ``decode(_:maximumPackets:)`` accepts unless told otherwise. A packet takes one byte on the
    /// wire and some forty in memory, so that the size of the body alone would be a poor bound.
    public static let defaultMaximumPackets = 65_536

    /// Writes packets as one body.
    public static func encode(_ packets: some Sequence<EnginePacket>, into buffer: inout ByteBuffer) {
        var isFirst = true
        for packet in packets {
            if !isFirst {
                buffer.writeInteger(separator)
            }
            isFirst = false
            packet.encodeText(into: &buffer)
        }
    }

    /// How many packets from the front of the queue fit in a body of `maximumBytes`; at least one, so that a queue
    /// always moves on, unless there is none.
    public static func count(of packets: some Sequence<EnginePacket>, fitting maximumBytes: Int) -> Int {
        var bytes = 0
        var count = 0
        for packet in packets {
            bytes += packet.encodedTextSize + (count == 0 ? 0 : 1)
            if count > 0, bytes > maximumBytes { break }
            count += 1
        }
        return count
    }

    /// Decodes a body, all of the buffer's readable bytes. Payloads of text packets share the buffer's storage.
    ///
    /// - Parameter maximumPackets: with more packets than that nothing is decoded.
    /// - Throws: ``EngineProtocolError``; a body without a byte is one empty packet, and as such an error.
    public static func decode(
        _ body: ByteBuffer,
        maximumPackets: Int = defaultMaximumPackets
    ) throws(EngineProtocolError) -> [EnginePacket] {
        let bytes = body.readableBytesView
        let count = bytes.reduce(1) { $1 == separator ? $0 + 1 : $0 }
        guard count <= maximumPackets else { throw .tooManyPackets(limit: maximumPackets) }

        var packets: [EnginePacket] = []
        packets.reserveCapacity(count)
        var rest = body
        for _ in 0..<count {
            let length = rest.readableBytesView.firstIndex(of: separator).map { $0 - rest.readerIndex }
            guard let packet = rest.readSlice(length: length ?? rest.readableBytes) else { throw .emptyPacket }
            packets.append(try EnginePacket(decodingText: packet))
            rest.moveReaderIndex(forwardBy: min(1, rest.readableBytes))
        }
        return packets
    }
}
