/// Why bytes are not a JSON text (RFC 8259), and where.
public struct JSONSyntaxError: Error, Sendable, Hashable {
    /// What is wrong.
    public enum Code: String, Sendable, Hashable, CaseIterable {
        /// The text ends before its value does.
        case unexpectedEnd
        /// A byte stands where the grammar allows no such byte.
        case unexpectedByte
        /// A complete value is followed by something other than white space.
        case trailingBytes
        /// A number is not of JSON's form: a leading zero, a bare point, no digits after the exponent's letter.
        case malformedNumber
        /// A number is too large for a double.
        case numberOutOfRange
        /// A string contains an unescaped control character.
        case controlCharacter
        /// A backslash is followed by no escape that JSON knows.
        case malformedEscape
        /// A string is not UTF-8.
        case invalidUTF8
        /// Arrays and objects are nested deeper than allowed.
        case tooDeep
    }

    /// What is wrong.
    public let code: Code
    /// The offset of the byte at fault, in bytes from the start of the text. At an early end it is the text's length.
    public let offset: Int

    /// An error at a byte's offset from the start of the text.
    public init(_ code: Code, at offset: Int) {
        self.code = code
        self.offset = offset
    }
}

extension JSONSyntaxError: CustomStringConvertible {
    /// A sentence that names the fault and its place; it repeats nothing of the text itself.
    public var description: String {
        let fault =
            switch code {
            case .unexpectedEnd: "The JSON text ends too early"
            case .unexpectedByte: "The JSON text has an unexpected character"
            case .trailingBytes: "The JSON value is followed by something else"
            case .malformedNumber: "The JSON text has a malformed number"
            case .numberOutOfRange: "The JSON text has a number out of range"
            case .controlCharacter: "The JSON text has an unescaped control character in a string"
            case .malformedEscape: "The JSON text has a malformed escape in a string"
            case .invalidUTF8: "The JSON text has a string that is not UTF-8"
            case .tooDeep: "The JSON text is nested too deep"
            }
        return "\(fault) (at byte \(offset))."
    }
}
