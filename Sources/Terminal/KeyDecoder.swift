/// Turns the bytes a terminal sends into keys, mouse and pastes.
///
/// A pure state machine. Feed it bytes in any pieces; where it ends with something that may go on (an ESC may be the
/// key, or begin Alt-x or an arrow), it names its ``patience``: after that long without a byte, call ``timedOut()``.
///
/// It understands what xterm, VTE, kitty, iTerm2, rxvt, the Linux console, screen and tmux send, in both cursor key modes,
/// plus the sequences that terminfo gives for the terminal at hand. What it does not understand is swallowed whole, and
/// never shows up as typed text. No input traps, and nothing grows without bound.
///
/// It reads bytes, not curses' `wget_wch`: that blocks for the time-out of ESC, loses a character whose bytes come in
/// two reads, and cannot tell the end of input from none.
public struct KeyDecoder: Sendable {
    /// The most of a paste that is kept, in bytes of UTF-8; the rest of a longer one is dropped.
    public static let longestPaste = 1 << 20

    /// How long an ESC may be the beginning of something.
    static let escapePatience = Duration.milliseconds(25)
    /// How long one may wait for the rest of what no finger can have typed.
    static let sequencePatience = Duration.milliseconds(250)

    private enum State: Sendable {
        case ground
        /// The first bytes of a character.
        case character([UInt8])
        /// ESC and what followed.
        case sequence([UInt8])
        case paste(BracketedPaste)
    }

    private let sequences: EscapeSequences
    private var state = State.ground

    /// - Parameter sequences: What this terminal's description says its keys send, ESC first. It goes before what the
    ///   decoder knows by itself.
    public init(sequences: [[UInt8]: Key] = [:]) {
        self.sequences = EscapeSequences(sequences)
    }

    /// How long to wait for another byte before ``timedOut()`` is due; `nil` while nothing is pending.
    public var patience: Duration? {
        switch state {
        case .ground, .paste: nil
        case .character: Self.sequencePatience
        case .sequence(let bytes): bytes.count <= 2 ? Self.escapePatience : Self.sequencePatience
        }
    }

    /// The events that are complete with these bytes.
    public mutating func receive(_ bytes: some Sequence<UInt8>) -> [TerminalEvent] {
        var events: [TerminalEvent] = []
        var text = ""
        for byte in bytes { receive(byte, &text, &events) }
        flush(&text, to: &events)
        return events
    }

    /// No byte came for as long as ``patience``: what is pending was all there is.
    public mutating func timedOut() -> [TerminalEvent] {
        var events: [TerminalEvent] = []
        switch state {
        case .ground, .paste:
            break
        case .character(let bytes):
            state = .ground
            events = bytes.map { _ in .key(.character("\u{FFFD}")) }
        case .sequence(let bytes):
            state = .ground
            events = sequences.abandoned(bytes)
        }
        return events
    }

    private mutating func receive(_ byte: UInt8, _ text: inout String, _ events: inout [TerminalEvent]) {
        switch state {
        case .ground:
            receiveFirst(byte, &text, &events)
        case .character(let bytes):
            receive(byte, after: bytes, &text, &events)
        case .sequence(var bytes):
            bytes.append(byte)
            // Each escape sequence is looked at anew with every byte: they are a few bytes long.
            interpret(bytes, &text, &events)
        case .paste(var paste):
            // Out of the state while it is changed, so that its bytes are not copied.
            state = .ground
            if let finished = paste.receive(byte) {
                events.append(.paste(finished))
            } else {
                state = .paste(paste)
            }
        }
    }

    private mutating func receiveFirst(_ byte: UInt8, _ text: inout String, _ events: inout [TerminalEvent]) {
        switch byte {
        case 0x1B:
            flush(&text, to: &events)
            state = .sequence([byte])
        case ..<0x20, 0x7F:
            flush(&text, to: &events)
            events.append(.key(EscapeSequences.control(byte)))
        case ..<0x80:
            text.unicodeScalars.append(Unicode.Scalar(byte))
        default:
            receive(byte, after: [], &text, &events)
        }
    }

    private mutating func receive(
        _ byte: UInt8, after bytes: [UInt8], _ text: inout String, _ events: inout [TerminalEvent]
    ) {
        state = .ground
        let bytes = bytes + [byte]
        switch ScalarDecoding(bytes) {
        case .complete(let scalar):
            text.unicodeScalars.append(scalar)
        case .incomplete:
            state = .character(bytes)
        case .malformed:
            // The byte that broke the character may begin another one, or be a key.
            let broken = max(1, bytes.count - 1)
            for _ in 0..<broken { text.unicodeScalars.append("\u{FFFD}") }
            for byte in bytes.dropFirst(broken) { receiveFirst(byte, &text, &events) }
        }
    }

    private mutating func interpret(_ bytes: [UInt8], _ text: inout String, _ events: inout [TerminalEvent]) {
        switch sequences.interpret(bytes) {
        case .incomplete:
            state = .sequence(bytes)
        case .pasteBegins:
            state = .paste(BracketedPaste(limit: Self.longestPaste))
        case .complete(let found, let length):
            state = .ground
            events += found
            for byte in bytes.dropFirst(length) { receive(byte, &text, &events) }
        }
    }

    /// Typed text is told by grapheme cluster, so that an emoji that came in one piece is one key.
    private func flush(_ text: inout String, to events: inout [TerminalEvent]) {
        guard !text.isEmpty else { return }
        for character in text { events.append(.key(.character(character))) }
        text = ""
    }
}

/// The first bytes of one character in UTF-8 (RFC 3629 section 4: no overlong forms, no surrogates).
enum ScalarDecoding: Equatable {
    case complete(Unicode.Scalar)
    case incomplete
    case malformed

    init(_ bytes: [UInt8]) {
        guard let lead = bytes.first else {
            self = .incomplete
            return
        }
        let length: Int
        var second: ClosedRange<UInt8> = 0x80...0xBF
        switch lead {
        case ..<0x80: length = 1
        case 0xC2...0xDF: length = 2
        case 0xE0: (length, second) = (3, 0xA0...0xBF)
        case 0xED: (length, second) = (3, 0x80...0x9F)
        case 0xE1...0xEF: length = 3
        case 0xF0: (length, second) = (4, 0x90...0xBF)
        case 0xF1...0xF3: length = 4
        case 0xF4: (length, second) = (4, 0x80...0x8F)
        default: length = 0
        }
        let tail = bytes.dropFirst()
        guard length > 0, bytes.count <= length, tail.prefix(1).allSatisfy({ second.contains($0) }),
            tail.dropFirst().allSatisfy({ 0x80...0xBF ~= $0 })
        else {
            self = .malformed
            return
        }
        guard bytes.count == length else {
            self = .incomplete
            return
        }
        let bits = tail.reduce(UInt32(lead) & (length == 1 ? 0x7F : 0xFF >> UInt32(length + 1))) {
            $0 << 6 | UInt32($1 & 0x3F)
        }
        self = Unicode.Scalar(bits).map { .complete($0) } ?? .malformed
    }
}

/// Collects a paste up to its end marker.
struct BracketedPaste: Sendable {
    /// ESC [ 201 ~
    private static let endMarker: [UInt8] = [0x1B, 0x5B, 0x32, 0x30, 0x31, 0x7E]

    private let limit: Int
    private var content: [UInt8] = []
    /// How much of the end marker has been seen.
    private var matched = 0
    private var isTruncated = false

    init(limit: Int) {
        self.limit = limit
    }

    /// The whole paste, once its last byte is in.
    mutating func receive(_ byte: UInt8) -> Paste? {
        if byte == Self.endMarker[matched] {
            matched += 1
            return matched == Self.endMarker.count ? finished() : nil
        }
        for byte in Self.endMarker.prefix(matched) { keep(byte) }
        // ESC is only at the marker's start, so this byte can begin it and not continue it.
        matched = byte == Self.endMarker[0] ? 1 : 0
        if matched == 0 { keep(byte) }
        return nil
    }

    private mutating func keep(_ byte: UInt8) {
        if content.count < limit {
            content.append(byte)
        } else {
            isTruncated = true
        }
    }

    /// Terminals send the line ends of a paste as the Enter key does: CR.
    private func finished() -> Paste {
        var bytes = content[...]
        if isTruncated {
            // The cut may have gone through a character.
            let tail = bytes.suffix(3)
            if let lead = tail.lastIndex(where: { $0 & 0xC0 == 0xC0 }),
                ScalarDecoding(Array(bytes[lead...])) == .incomplete
            {
                bytes = bytes[..<lead]
            }
        }
        var normalized: [UInt8] = []
        normalized.reserveCapacity(bytes.count)
        var afterReturn = false
        for byte in bytes {
            if !(byte == 0x0A && afterReturn) { normalized.append(byte == 0x0D ? 0x0A : byte) }
            afterReturn = byte == 0x0D
        }
        return Paste(String(decoding: normalized, as: UTF8.self), isTruncated: isTruncated)
    }
}
