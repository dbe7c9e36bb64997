/// What the byte sequences after an ESC mean (ECMA-48 section 5.4, xterm's control sequences).
struct EscapeSequences: Sendable {
    enum Verdict: Equatable {
        /// It may go on.
        case incomplete
        /// The first `length` bytes mean these events (none for what is not understood); the rest is something else.
        case complete([TerminalEvent], length: Int)
        /// ESC [ 200 ~
        case pasteBegins
    }

    /// A sequence longer than this is given up.
    static let longest = 64

    private let described: [[UInt8]: Key]
    /// All true beginnings of what is in ``described``.
    private let beginnings: Set<[UInt8]>

    init(_ described: [[UInt8]: Key]) {
        self.described = described.filter { $0.key.count > 1 && $0.key.first == 0x1B }
        beginnings = Set(self.described.keys.flatMap { key in (1..<key.count).map { Array(key.prefix($0)) } })
    }

    /// `bytes` begin with an ESC.
    func interpret(_ bytes: [UInt8]) -> Verdict {
        if let key = described[bytes] { return .complete([.key(key)], length: bytes.count) }
        if beginnings.contains(bytes) { return .incomplete }
        return Self.interpretKnown(bytes)
    }

    /// What `bytes` mean when nothing follows them.
    func abandoned(_ bytes: [UInt8]) -> [TerminalEvent] {
        var events: [TerminalEvent] = []
        var rest = bytes[...]
        while rest.first == 0x1B {
            switch Self.interpretKnown(Array(rest)) {
            case .complete(let found, let length):
                events += found
                rest = rest.dropFirst(max(1, length))
            case .pasteBegins:
                return events
            case .incomplete:
                switch rest.count {
                case 1: events.append(.key(.escape))
                case 2 where rest.last == 0x1B: events += [.key(.escape), .key(.escape)]
                case 2: events += Self.alt(of: Array(rest.dropFirst()))
                default: break  // Torn off: typing its letters into a text field would be worse than losing it.
                }
                return events
            }
        }
        for byte in rest where byte < 0x80 { events.append(.key(Self.plain(byte))) }
        return events
    }

    private static func interpretKnown(_ bytes: [UInt8]) -> Verdict {
        guard bytes.count > 1 else { return .incomplete }
        switch bytes[1] {
        case 0x1B: return interpretDoubleEscape(bytes)
        case UInt8(ascii: "["): return ControlSequence.interpret(bytes)
        case UInt8(ascii: "O"): return interpretSingleShift(bytes)
        case ..<0x80: return .complete(alt(of: [bytes[1]]), length: 2)
        default:
            switch ScalarDecoding(Array(bytes.dropFirst())) {
            case .incomplete: return .incomplete
            case .complete: return .complete(alt(of: Array(bytes.dropFirst())), length: bytes.count)
            case .malformed: return .complete([.key(.alt("\u{FFFD}"))], length: max(2, bytes.count - 1))
            }
        }
    }

    /// ESC before a key's sequence is Alt with that key (rxvt, and others with Alt-arrows); otherwise it is the key.
    private static func interpretDoubleEscape(_ bytes: [UInt8]) -> Verdict {
        guard bytes.count > 2 else { return .incomplete }
        guard bytes[2] != 0x1B else { return .complete([.key(.escape)], length: 1) }
        switch interpretKnown(Array(bytes.dropFirst())) {
        case .incomplete:
            return .incomplete
        case .pasteBegins:
            return .complete([.key(.escape)], length: 1)
        case .complete(let events, let length):
            if bytes[2] == UInt8(ascii: "[") || bytes[2] == UInt8(ascii: "O"), length > 2 {
                return .complete(
                    events.map { event in
                        if case .key(let key) = event { .key(key.adding(.alt)) } else { event }
                    }, length: length + 1)
            }
            return .complete([.key(.escape)] + events, length: length + 1)
        }
    }

    /// SS3: cursor and function keys, and the numeric keypad, in application mode.
    private static func interpretSingleShift(_ bytes: [UInt8]) -> Verdict {
        var index = 2
        var modifiers = 0
        while index < bytes.count, index < 5, 0x30...0x3B ~= bytes[index] {
            modifiers = bytes[index] == 0x3B ? 0 : modifiers * 10 + Int(bytes[index] - 0x30)
            index += 1
        }
        guard index < bytes.count else { return .incomplete }
        let final = bytes[index]
        guard 0x20..<0x7F ~= final else { return .complete(alt(of: [0x4F]), length: 2) }
        let key: Key?
        switch final {
        case UInt8(ascii: "M"): key = .enter
        case UInt8(ascii: "I"): key = .tab
        case UInt8(ascii: " "): key = .space
        case UInt8(ascii: "X"): key = .character("=")
        case UInt8(ascii: "j")...UInt8(ascii: "y"): key = .character(Character(Unicode.Scalar(final - 0x40)))
        case UInt8(ascii: "a")...UInt8(ascii: "d"): key = ControlSequence.letterKey(final - 0x20)?.adding(.control)
        default: key = ControlSequence.letterKey(final)
        }
        guard let key else { return .complete([], length: index + 1) }
        return .complete([.key(key.adding(ControlSequence.modifiers(modifiers)))], length: index + 1)
    }

    private static func alt(of bytes: [UInt8]) -> [TerminalEvent] {
        switch ScalarDecoding(bytes) {
        case .complete(let scalar) where scalar.value < 0x80: [.key(plain(UInt8(scalar.value)).adding(.alt))]
        case .complete(let scalar): [.key(.alt(Character(scalar)))]
        case .incomplete, .malformed: [.key(.alt("\u{FFFD}"))]
        }
    }

    private static func plain(_ byte: UInt8) -> Key {
        byte < 0x20 || byte == 0x7F ? control(byte) : .character(Character(Unicode.Scalar(byte)))
    }

    /// What a C0 control or DEL is on a keyboard.
    static func control(_ byte: UInt8) -> Key {
        switch byte {
        case 0x00: .control(" ")
        case 0x08, 0x7F: .backspace
        case 0x09: .tab
        case 0x0D: .enter
        case 0x1B: .escape
        case ..<0x1B: .control(Character(Unicode.Scalar(byte + 0x60)))
        default: .control(Character(Unicode.Scalar(byte + 0x40)))
        }
    }
}
