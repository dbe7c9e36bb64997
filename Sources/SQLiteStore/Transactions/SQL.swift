/// Spelling of names and texts in SQL.
enum SQL {
    /// A name in double quotes, whatever it contains.
    static func name(_ name: String) -> String {
        "\"" + doubling("\"", in: name) + "\""
    }

    /// A text literal.
    static func text(_ text: String) -> String {
        "'" + doubling("'", in: text) + "'"
    }

    /// Joins text expressions with `||`.
    ///
    /// The tree is balanced: a chain over the columns of a wide table would pass SQLite's limit for the depth of an
    /// expression (1000), and would copy the growing text once per operand.
    static func concatenation(_ operands: ArraySlice<String>) -> String {
        guard operands.count > 1 else { return operands.first ?? "''" }
        let middle = operands.startIndex + operands.count / 2
        return "(\(concatenation(operands[..<middle])) || \(concatenation(operands[middle...])))"
    }

    private static func doubling(_ quote: Character, in text: String) -> String {
        // As nearly always, and for some names with each statement.
        guard let ascii = quote.asciiValue, text.utf8.contains(ascii) else { return text }
        // By scalars: a quote that carries a combining mark is one character, but still a quote to SQLite.
        var scalars = String.UnicodeScalarView()
        for scalar in text.unicodeScalars {
            scalars.append(scalar)
            if Character(scalar) == quote { scalars.append(scalar) }
        }
        return String(scalars)
    }
}
