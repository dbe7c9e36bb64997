/// A recursive-descent parser over bytes that somebody else keeps alive.
///
/// Every read goes through ``current`` or a loop bounded by `count`, so that no input reads outside the buffer;
/// recursion is bounded by `maximumDepth`.
struct JSONParser {
    let bytes: UnsafeRawBufferPointer
    let maximumDepth: Int
    var position = 0
    private var depth = 0
    /// The bytes of a string with escapes while it is put together; kept to be reused by the next one.
    private var scratch: [UInt8] = []

    init(bytes: UnsafeRawBufferPointer, maximumDepth: Int) {
        self.bytes = bytes
        self.maximumDepth = maximumDepth
    }

    /// Parses the whole buffer as one value with white space around it.
    mutating func parseText() throws(JSONSyntaxError) -> JSON {
        skipWhiteSpace()
        let value = try parseValue()
        skipWhiteSpace()
        guard position == bytes.count else { throw JSONSyntaxError(.trailingBytes, at: position) }
        return value
    }

    // MARK: - Bytes

    /// The byte at the position, and 0 at the end: the grammar has no place for NUL, so both end in a refusal, and
    /// ``unexpected()`` tells them apart.
    private var current: UInt8 {
        position < bytes.count ? bytes[position] : 0
    }

    private func unexpected() -> JSONSyntaxError {
        JSONSyntaxError(position < bytes.count ? .unexpectedByte : .unexpectedEnd, at: position)
    }

    private mutating func skipWhiteSpace() {
        while position < bytes.count {
            switch bytes[position] {
            case .space, .tab, .lineFeed, .carriageReturn: position += 1
            default: return
            }
        }
    }

    // MARK: - Values

    private mutating func parseValue() throws(JSONSyntaxError) -> JSON {
        switch current {
        case .quote: return .string(try parseString())
        case .openBrace: return try parseObject()
        case .openBracket: return try parseArray()
        case .minus, .zero ... .nine: return try parseNumber()
        case UInt8(ascii: "t"): return try parseWord("true", as: .bool(true))
        case UInt8(ascii: "f"): return try parseWord("false", as: .bool(false))
        case UInt8(ascii: "n"): return try parseWord("null", as: .null)
        default: throw unexpected()
        }
    }

    private mutating func parseWord(_ word: StaticString, as value: JSON) throws(JSONSyntaxError) -> JSON {
        for index in 0..<word.utf8CodeUnitCount {
            guard current == word.utf8Start[index] else { throw unexpected() }
            position += 1
        }
        return value
    }

    private mutating func enter() throws(JSONSyntaxError) {
        guard depth < maximumDepth else { throw JSONSyntaxError(.tooDeep, at: position) }
        depth += 1
        position += 1
        skipWhiteSpace()
    }

    private mutating func leave() {
        depth -= 1
        position += 1
    }

    private mutating func parseArray() throws(JSONSyntaxError) -> JSON {
        try enter()
        var elements: [JSON] = []
        if current != .closeBracket {
            while true {
                elements.append(try parseValue())
                skipWhiteSpace()
                guard current == .comma else { break }
                position += 1
                skipWhiteSpace()
            }
            guard current == .closeBracket else { throw unexpected() }
        }
        leave()
        return .array(elements)
    }

    private mutating func parseObject() throws(JSONSyntaxError) -> JSON {
        try enter()
        var members = JSONObject()
        if current != .closeBrace {
            while true {
                guard current == .quote else { throw unexpected() }
                let key = try parseString()
                skipWhiteSpace()
                guard current == .colon else { throw unexpected() }
                position += 1
                skipWhiteSpace()
                members.set(try parseValue(), for: key)
                skipWhiteSpace()
                guard current == .comma else { break }
                position += 1
                skipWhiteSpace()
            }
            guard current == .closeBrace else { throw unexpected() }
        }
        leave()
        return .object(members)
    }

    // MARK: - Strings

    private mutating func parseString() throws(JSONSyntaxError) -> String {
        position += 1
        let start = position
        let plain = try skipPlainText()
        guard current == .quote else { return try parseEscapedString(from: start, isASCII: plain.isASCII) }
        let source = UnsafeRawBufferPointer(rebasing: bytes[start..<position])
        guard let text = makeString(source, isASCII: plain.isASCII) else { throw invalidUTF8(from: start) }
        position += 1
        return text
    }

    /// Moves to the next quote or backslash.
    private mutating func skipPlainText() throws(JSONSyntaxError) -> PlainText {
        let plain = PlainText(in: bytes, from: position)
        position = plain.end
        switch current {
        case .quote, .backslash: return plain
        default: throw JSONSyntaxError(position < bytes.count ? .controlCharacter : .unexpectedEnd, at: position)
        }
    }

    /// Makes a string of bytes; nil when they are not UTF-8.
    private func makeString(_ text: UnsafeRawBufferPointer, isASCII: Bool) -> String? {
        // Validation goes through a generic call that costs more than the rest of a short string.
        isASCII ? String(decoding: text, as: UTF8.self) : String(validating: text, as: UTF8.self)
    }

    /// Continues a string at its first backslash.
    private mutating func parseEscapedString(from start: Int, isASCII: Bool) throws(JSONSyntaxError) -> String {
        scratch.removeAll(keepingCapacity: true)
        var isASCII = isASCII
        var run = start
        while true {
            scratch.append(contentsOf: UnsafeRawBufferPointer(rebasing: bytes[run..<position]))
            guard current == .backslash else { break }
            try parseEscape()
            run = position
            isASCII = try skipPlainText().isASCII && isASCII
        }
        guard let text = scratch.withUnsafeBytes({ makeString($0, isASCII: isASCII) }) else {
            throw invalidUTF8(from: start)
        }
        position += 1
        return text
    }

    /// Reads one escape, from its backslash on, and appends what it stands for.
    private mutating func parseEscape() throws(JSONSyntaxError) {
        let start = position
        position += 1
        switch current {
        case .quote, .backslash, UInt8(ascii: "/"): scratch.append(current)
        case UInt8(ascii: "b"): scratch.append(.backspace)
        case UInt8(ascii: "f"): scratch.append(.formFeed)
        case UInt8(ascii: "n"): scratch.append(.lineFeed)
        case UInt8(ascii: "r"): scratch.append(.carriageReturn)
        case UInt8(ascii: "t"): scratch.append(.tab)
        case UInt8(ascii: "u"):
            position += 1
            scratch.append(contentsOf: String(try parseUnicodeEscape(from: start)).utf8)
            return
        default:
            throw position < bytes.count ? JSONSyntaxError(.malformedEscape, at: start) : unexpected()
        }
        position += 1
    }

    /// Reads the digits after `\u`, and those of the second half of a surrogate pair.
    private mutating func parseUnicodeEscape(from start: Int) throws(JSONSyntaxError) -> Unicode.Scalar {
        let unit = try parseHexDigits(from: start)
        if let scalar = Unicode.Scalar(unit) { return scalar }
        let replacement: Unicode.Scalar = "\u{FFFD}"
        guard (0xD800...0xDBFF).contains(unit), current == .backslash, position + 1 < bytes.count,
            bytes[position + 1] == UInt8(ascii: "u")
        else { return replacement }
        let second = position
        position += 2
        let low = try parseHexDigits(from: second)
        guard (0xDC00...0xDFFF).contains(low) else {
            // Not its partner: it stands for itself, and is read again as the next escape.
            position = second
            return replacement
        }
        return Unicode.Scalar(0x10000 + ((unit - 0xD800) << 10) + (low - 0xDC00)) ?? replacement
    }

    private mutating func parseHexDigits(from start: Int) throws(JSONSyntaxError) -> UInt32 {
        var value: UInt32 = 0
        for _ in 0..<4 {
            guard position < bytes.count else { throw unexpected() }
            let digit: UInt8
            switch bytes[position] {
            case .zero ... .nine: digit = bytes[position] - .zero
            case UInt8(ascii: "a")...UInt8(ascii: "f"): digit = bytes[position] - UInt8(ascii: "a") + 10
            case UInt8(ascii: "A")...UInt8(ascii: "F"): digit = bytes[position] - UInt8(ascii: "A") + 10
            default: throw JSONSyntaxError(.malformedEscape, at: start)
            }
            value = value << 4 | UInt32(digit)
            position += 1
        }
        return value
    }

    /// The error for a string whose text, between `start` and the position, is not UTF-8.
    ///
    /// The fault is looked for in the source: escapes are ASCII and stand for whole characters, so that the source is
    /// UTF-8 exactly when the text with its escapes resolved is.
    private func invalidUTF8(from start: Int) -> JSONSyntaxError {
        var decoder = Unicode.UTF8.ForwardParser()
        var iterator = bytes[start..<position].makeIterator()
        var offset = start
        while case .valid(let character) = decoder.parseScalar(from: &iterator) {
            offset += character.count
        }
        return JSONSyntaxError(.invalidUTF8, at: offset)
    }
}

extension UInt8 {
    static let backspace: UInt8 = 0x08
    static let tab: UInt8 = 0x09
    static let lineFeed: UInt8 = 0x0A
    static let formFeed: UInt8 = 0x0C
    static let carriageReturn: UInt8 = 0x0D
    static let space = UInt8(ascii: " ")
    static let quote = UInt8(ascii: "\"")
    static let backslash = UInt8(ascii: "\\")
    static let comma = UInt8(ascii: ",")
    static let colon = UInt8(ascii: ":")
    static let minus = UInt8(ascii: "-")
    static let plus = UInt8(ascii: "+")
    static let point = UInt8(ascii: ".")
    static let zero = UInt8(ascii: "0")
    static let nine = UInt8(ascii: "9")
    static let openBrace = UInt8(ascii: "{")
    static let closeBrace = UInt8(ascii: "}")
    static let openBracket = UInt8(ascii: "[")
    static let closeBracket = UInt8(ascii: "]")
}
