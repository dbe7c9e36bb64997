extension JSON {
    /// Appends the value as compact JSON text in UTF-8.
    ///
    /// A number that is not finite becomes `null`, as in JavaScript; every other value is parsed back to itself. The
    /// recursion goes as deep as the value does.
    public func encode(into output: inout [UInt8]) {
        switch self {
        case .null: output.append(contentsOf: "null".utf8)
        case .bool(true): output.append(contentsOf: "true".utf8)
        case .bool(false): output.append(contentsOf: "false".utf8)
        case .integer(let value): JSON.appendInteger(value, to: &output)
        case .number(let value): JSON.appendNumber(value, to: &output)
        case .string(let value): JSON.appendString(value, to: &output)
        case .array(let elements):
            output.append(.openBracket)
            var isFirst = true
            for element in elements {
                if !isFirst { output.append(.comma) }
                isFirst = false
                element.encode(into: &output)
            }
            output.append(.closeBracket)
        case .object(let members):
            output.append(.openBrace)
            var isFirst = true
            for (key, value) in members {
                if !isFirst { output.append(.comma) }
                isFirst = false
                JSON.appendString(key, to: &output)
                output.append(.colon)
                value.encode(into: &output)
            }
            output.append(.closeBrace)
        }
    }

    /// The value as compact JSON text in UTF-8; see ``encode(into:)``.
    public func encoded() -> [UInt8] {
        var output: [UInt8] = []
        // Room for a common event, so that most values are written without growing.
        output.reserveCapacity(256)
        encode(into: &output)
        return output
    }

    /// The value as JSON text for people: each member and element on a line of its own, empty containers on one.
    ///
    /// - Parameter indent: the spaces per level.
    public func prettyPrinted(indent: Int = 2) -> String {
        var output: [UInt8] = []
        appendPretty(to: &output, indent: max(0, indent), level: 0)
        return String(decoding: output, as: UTF8.self)
    }

    private func appendPretty(to output: inout [UInt8], indent: Int, level: Int) {
        func startLine(_ level: Int) {
            output.append(.lineFeed)
            output.append(contentsOf: repeatElement(.space, count: indent * level))
        }
        switch self {
        case .array(let elements) where !elements.isEmpty:
            output.append(.openBracket)
            for (index, element) in elements.enumerated() {
                if index > 0 { output.append(.comma) }
                startLine(level + 1)
                element.appendPretty(to: &output, indent: indent, level: level + 1)
            }
            startLine(level)
            output.append(.closeBracket)
        case .object(let members) where !members.isEmpty:
            output.append(.openBrace)
            for (index, member) in members.enumerated() {
                if index > 0 { output.append(.comma) }
                startLine(level + 1)
                JSON.appendString(member.key, to: &output)
                output.append(contentsOf: ": ".utf8)
                member.value.appendPretty(to: &output, indent: indent, level: level + 1)
            }
            startLine(level)
            output.append(.closeBrace)
        default:
            encode(into: &output)
        }
    }
}

extension JSON: CustomStringConvertible {
    /// The value as compact JSON text.
    public var description: String {
        String(decoding: encoded(), as: UTF8.self)
    }
}

// MARK: - Scalars

extension JSON {
    /// Appends a string as JSON text, with its quotes; for code that writes JSON without building values.
    ///
    /// Quotes, backslashes and control characters are escaped, all else goes as it is.
    public static func appendString(_ text: some StringProtocol, to output: inout [UInt8]) {
        output.append(.quote)
        let appended: Void? = text.utf8.withContiguousStorageIfAvailable { bytes in
            appendEscaped(bytes, to: &output)
        }
        if appended == nil {
            Array(text.utf8).withUnsafeBufferPointer { appendEscaped($0, to: &output) }
        }
        output.append(.quote)
    }

    /// Appends an integer as JSON text.
    public static func appendInteger(_ value: Int64, to output: inout [UInt8]) {
        if value < 0 {
            output.append(.minus)
        }
        let start = output.count
        var magnitude = value.magnitude
        repeat {
            output.append(.zero + UInt8(truncatingIfNeeded: magnitude % 10))
            magnitude /= 10
        } while magnitude > 0
        output[start...].reverse()
    }

    /// Appends a double as the shortest JSON text that is read back as the same double; `null` when it is not finite.
    public static func appendNumber(_ value: Double, to output: inout [UInt8]) {
        if value.isFinite {
            output.append(contentsOf: value.description.utf8)
        } else {
            output.append(contentsOf: "null".utf8)
        }
    }

    private static func appendEscaped(_ text: UnsafeBufferPointer<UInt8>, to output: inout [UInt8]) {
        let bytes = UnsafeRawBufferPointer(text)
        var position = 0
        while true {
            let end = PlainText(in: bytes, from: position).end
            output.append(contentsOf: UnsafeRawBufferPointer(rebasing: bytes[position..<end]))
            guard end < bytes.count else { return }
            appendEscape(of: bytes[end], to: &output)
            position = end + 1
        }
    }

    private static func appendEscape(of byte: UInt8, to output: inout [UInt8]) {
        output.append(.backslash)
        switch byte {
        case .quote, .backslash: output.append(byte)
        case .backspace: output.append(UInt8(ascii: "b"))
        case .tab: output.append(UInt8(ascii: "t"))
        case .lineFeed: output.append(UInt8(ascii: "n"))
        case .formFeed: output.append(UInt8(ascii: "f"))
        case .carriageReturn: output.append(UInt8(ascii: "r"))
        default:
            output.append(contentsOf: "u00".utf8)
            output.append(hexDigit(byte >> 4))
            output.append(hexDigit(byte & 0xF))
        }
    }
    private static func hexDigit(_ value: UInt8) -> UInt8 {
        value < 10 ? .zero + value : UInt8(ascii: "a") + value - 10
    }
}
