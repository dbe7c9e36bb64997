import NIOCore
import WireJSON

/// Reads the text of a packet:
/// `<type>[<attachments>-][<namespace>,][<id>][<payload>]`
enum SocketPacketText {
    /// Names that implementations emit to their own listeners; from a peer they would pass for the real thing.
    static let reservedEventNames: Set<String> = [
        "connect", "connect_error", "disconnect", "disconnecting", "newListener", "removeListener",
    ]

    /// - Returns: the packet, still without its attachments, and how many of them are to come.
    static func decode(
        _ message: ByteBuffer,
        limits: SocketPacketDecoder.Limits
    ) throws(SocketProtocolError) -> (packet: SocketPacket, attachments: Int) {
        var rest = message
        let (kind, isBinary) = try readType(from: &rest)
        let attachments = isBinary ? try readAttachmentCount(from: &rest, limit: limits.maximumAttachments) : 0
        let namespace = try readNamespace(from: &rest)
        let id = try readID(from: &rest)
        let payload = try readPayload(from: &rest, maximumDepth: limits.maximumDepth)

        let data = try check(payload, of: kind)
        switch kind {
        case .event: break
        case .acknowledgement: guard id != nil else { throw .missingID }
        case .connect, .disconnect, .connectError: guard id == nil else { throw .unexpectedID }
        }
        if isBinary, let data {
            try checkPlaceholders(in: data, count: attachments)
        }
        return (SocketPacket(kind: kind, namespace: namespace, id: id, data: data), attachments)
    }

    // MARK: - Header

    private static func readType(
        from rest: inout ByteBuffer
    ) throws(SocketProtocolError) -> (kind: SocketPacket.Kind, isBinary: Bool) {
        guard let code = rest.readInteger(as: UInt8.self) else { throw .emptyPacket }
        switch code {
        case UInt8(ascii: "0"): return (.connect, false)
        case UInt8(ascii: "1"): return (.disconnect, false)
        case UInt8(ascii: "2"): return (.event, false)
        case UInt8(ascii: "3"): return (.acknowledgement, false)
        case UInt8(ascii: "4"): return (.connectError, false)
        case UInt8(ascii: "5"): return (.event, true)
        case UInt8(ascii: "6"): return (.acknowledgement, true)
        default: throw .unknownPacketType(code)
        }
    }

    private static func readAttachmentCount(
        from rest: inout ByteBuffer,
        limit: Int
    ) throws(SocketProtocolError) -> Int {
        let number = readNumber(from: &rest)
        guard rest.readInteger(as: UInt8.self) == UInt8(ascii: "-") else { throw .malformedAttachmentCount }
        switch number {
        case .absent: throw .malformedAttachmentCount
        case .overflow: throw .tooManyAttachments(limit: limit)
        case .value(0): throw .malformedAttachmentCount
        case .value(let count):
            guard count <= limit else { throw .tooManyAttachments(limit: limit) }
            return Int(count)
        }
    }

    private static func readNamespace(from rest: inout ByteBuffer) throws(SocketProtocolError) -> String {
        let bytes = rest.readableBytesView
        guard bytes.first == UInt8(ascii: "/") else { return SocketPacket.mainNamespace }
        // The comma may be missing where nothing follows the namespace.
        let name = bytes.prefix { $0 != UInt8(ascii: ",") }
        rest.moveReaderIndex(forwardBy: min(name.count + 1, rest.readableBytes))
        guard let namespace = String(validating: name, as: UTF8.self) else { throw .malformedNamespace }
        return namespace
    }

    private static func readID(from rest: inout ByteBuffer) throws(SocketProtocolError) -> Int64? {
        switch readNumber(from: &rest) {
        case .absent: return nil
        case .overflow: throw .idOutOfRange
        case .value(let id):
            guard id <= SocketPacket.largestID else { throw .idOutOfRange }
            return id
        }
    }

    private enum Number {
        case absent
        case value(Int64)
        case overflow
    }

    /// Reads all digits that come next.
    private static func readNumber(from rest: inout ByteBuffer) -> Number {
        let digits = rest.readableBytesView.prefix { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
        guard !digits.isEmpty else { return .absent }
        rest.moveReaderIndex(forwardBy: digits.count)
        var value: Int64 = 0
        for digit in digits {
            let (tenfold, overflow) = value.multipliedReportingOverflow(by: 10)
            let (sum, carry) = tenfold.addingReportingOverflow(Int64(digit - UInt8(ascii: "0")))
            guard !overflow, !carry else { return .overflow }
            value = sum
        }
        return .value(value)
    }

    // MARK: - Payload

    private static func readPayload(
        from rest: inout ByteBuffer,
        maximumDepth: Int
    ) throws(SocketProtocolError) -> JSON? {
        guard rest.readableBytes > 0 else { return nil }
        do throws(JSONSyntaxError) {
            return try JSON(parsing: rest.readableBytesView, maximumDepth: maximumDepth)
        } catch {
            throw .malformedPayload(error)
        }
    }

    /// Checks that a payload has the form of its kind.
    ///
    /// - Returns: the payload, with an event's name as a string.
    private static func check(_ payload: JSON?, of kind: SocketPacket.Kind) throws(SocketProtocolError) -> JSON? {
        switch (kind, payload) {
        case (.connect, nil), (.connect, .object), (.disconnect, nil), (.connectError, .object),
            (.connectError, .string), (.acknowledgement, .array):
            return payload
        case (.event, .array(var elements)):
            guard let first = elements.first else { throw .unexpectedPayload(.event) }
            elements[0] = .string(try eventName(first))
            return .array(elements)
        case (_, nil): throw .missingPayload(kind)
        default: throw .unexpectedPayload(kind)
        }
    }

    private static func eventName(_ value: JSON) throws(SocketProtocolError) -> String {
        guard let name = value.stringValue ?? value.integerValue.map({ String($0) }) else { throw .malformedEventName }
        guard !reservedEventNames.contains(name) else { throw .reservedEventName(name) }
        return name
    }

    /// Checks that the placeholders name each attachment once.
    private static func checkPlaceholders(in data: JSON, count: Int) throws(SocketProtocolError) {
        var unnamed = Set(0..<count)
        try takePlaceholders(in: data, from: &unnamed)
        guard unnamed.isEmpty else { throw .unusedAttachment }
    }

    private static func takePlaceholders(in value: JSON, from unnamed: inout Set<Int>) throws(SocketProtocolError) {
        if SocketPacket.isPlaceholder(value) {
            guard let number = SocketPacket.placeholderNumber(of: value), unnamed.remove(number) != nil else {
                throw .misnumberedPlaceholder
            }
        } else if let elements = value.arrayValue {
            for element in elements {
                try takePlaceholders(in: element, from: &unnamed)
            }
        } else if let members = value.objectValue {
            for (_, member) in members {
                try takePlaceholders(in: member, from: &unnamed)
            }
        }
    }
}
