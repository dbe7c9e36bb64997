/// Which life of a log a position belongs to: 48 random bits, chosen when the log is made and anew whenever it may have
/// gone back in time (a backup restored, a fail-over that lost its tail, a copy).
///
/// Two logs never share one, so a position kept from another server, or from an era's end that never was, is recognised
/// as unknown and not read as a place in this log.
public struct Era: Hashable, Sendable, CustomStringConvertible {
    public let rawValue: UInt64

    /// Takes the low 48 bits of `rawValue`.
    public init(rawValue: UInt64) {
        self.rawValue = rawValue & 0xFFFF_FFFF_FFFF
    }

    public static func random() -> Era {
        Era(rawValue: .random(in: 1...0xFFFF_FFFF_FFFF))
    }

    /// Twelve lower-case hexadecimal digits.
    public var description: String { hexadecimal(rawValue, digits: 12) }
}

/// A place in the event log, as it travels: opaque to clients, and compared for equality only.
///
/// A client keeps a position as it is, and brings it back as it is. Two positions are the same place or they are not;
/// which of two comes first, neither their texts nor their numbers say: what a client was told later may stand at a
/// smaller number, in another era. Only a server compares ``sequence``, among positions of one era.
///
/// The text is the era (12 hexadecimal digits), `-`, and the sequence number (16 hexadecimal digits): 29 characters.
/// Everything at or before a position has been told; `after` a position is exclusive.
///
/// Within a stretch that was folded for a client that read too slowly, `~`, its first number, `-` and its last follow
/// (63 characters in all): what of it has been told is said by ``folding``.
public struct Position: Hashable, Sendable, CustomStringConvertible {
    private static let length = 29
    private static let lengthWithFolding = 63

    public let era: Era
    /// The number of the last event told; 0 stands before the first.
    public let sequence: Int64
    /// Of the events of each row within this range, all but the newest have been left out, and the newest stands for
    /// them: of a row whose newest comes behind ``sequence``, nothing of the range has been told yet. Nil where everything
    /// up to the position has been told. It contains ``sequence``, and does not end with it.
    ///
    /// It is no part of what makes positions equal: they are the same place in the log.
    public var folding: ClosedRange<Int64>?

    /// - Parameter sequence: not negative; a negative one is taken for 0.
    public init(era: Era, sequence: Int64, folding: ClosedRange<Int64>? = nil) {
        self.era = era
        self.sequence = max(0, sequence)
        self.folding = folding
    }

    /// Reads a position's text; nil for anything that is not exactly one.
    public init?(_ text: String) {
        let bytes = Array(text.utf8)
        guard bytes.count == Self.length || bytes.count == Self.lengthWithFolding, bytes[12] == UInt8(ascii: "-"),
            let era = number(hexadecimal: bytes[..<12]),
            let sequence = number(hexadecimal: bytes[13..<Self.length]).flatMap(Int64.init(exactly:))
        else { return nil }
        self.init(era: Era(rawValue: era), sequence: sequence)
        guard bytes.count > Self.length else { return }
        guard bytes[29] == UInt8(ascii: "~"), bytes[46] == UInt8(ascii: "-"),
            let first = number(hexadecimal: bytes[30..<46]).flatMap(Int64.init(exactly:)),
            let last = number(hexadecimal: bytes[47...]).flatMap(Int64.init(exactly:)),
            0 < first, first <= sequence, sequence < last
        else { return nil }
        folding = first...last
    }

    public var description: String {
        let place = "\(era)-\(hexadecimal(UInt64(sequence), digits: 16))"
        guard let folding else { return place }
        let first = hexadecimal(UInt64(max(0, folding.lowerBound)), digits: 16)
        return "\(place)~\(first)-\(hexadecimal(UInt64(max(0, folding.upperBound)), digits: 16))"
    }

    public static func == (left: Position, right: Position) -> Bool {
        (left.era, left.sequence) == (right.era, right.sequence)
    }

    public func hash(into hasher: inout Hasher) {
        hasher.combine(era)
        hasher.combine(sequence)
    }
}

private func hexadecimal(_ value: UInt64, digits: Int) -> String {
    let text = String(value, radix: 16)
    return String(repeating: "0", count: max(0, digits - text.utf8.count)) + text
}

/// Lower case only: a place in the log has one spelling, so that comparing texts for equality is right.
private func number(hexadecimal digits: ArraySlice<UInt8>) -> UInt64? {
    var value: UInt64 = 0
    for digit in digits {
        let nibble: UInt8
        switch digit {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): nibble = digit - UInt8(ascii: "0")
        case UInt8(ascii: "a")...UInt8(ascii: "f"): nibble = digit - UInt8(ascii: "a") + 10
        default: return nil
        }
        value = value << 4 | UInt64(nibble)
    }
    return value
}
