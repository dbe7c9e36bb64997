/// The tokens of a statement: quoted names and texts whole, words and numbers whole, everything else byte by byte;
/// no white space and no comments. That is enough to find the structure of a statement that is known to be right.
struct SQLTokens: RandomAccessCollection {
    struct Token {
        var text: Substring
    }

    private let tokens: [Token]

    init(_ sql: String) {
        var scanner = Scanner(rest: sql[...])
        var tokens: [Token] = []
        while let token = scanner.next() { tokens.append(token) }
        self.tokens = tokens
    }

    var startIndex: Int { tokens.startIndex }
    var endIndex: Int { tokens.endIndex }
    subscript(index: Int) -> Token { tokens[index] }

    /// The tokens of a range as SQL. A space stands for whatever was between two tokens: a comment that ends with
    /// its line would swallow what follows.
    func text(_ range: Range<Int>) -> String {
        var text = ""
        for index in range {
            if index > range.lowerBound, tokens[index - 1].text.endIndex != tokens[index].text.startIndex {
                text += " "
            }
            text += tokens[index].text
        }
        return text
    }

    private struct Scanner {
        var rest: Substring

        mutating func next() -> Token? {
            skipSpace()
            guard let first = rest.unicodeScalars.first else { return nil }
            let start = rest
            switch first {
            case "'", "\"", "`": skipQuoted(by: first)
            case "[": skip(through: "]")
            default:
                if isWord(first) {
                    skip(while: isWord)
                } else {
                    rest.unicodeScalars.removeFirst()
                }
            }
            return Token(text: start[..<rest.startIndex])
        }

        private mutating func skipSpace() {
            while true {
                skip { $0.properties.isWhitespace }
                if isNext("--") {
                    skip { $0 != "\n" }
                } else if isNext("/*") {
                    rest.unicodeScalars.removeFirst(2)
                    while !rest.isEmpty, !isNext("*/") { rest.unicodeScalars.removeFirst() }
                    rest.unicodeScalars.removeFirst(Swift.min(2, rest.unicodeScalars.count))
                } else {
                    return
                }
            }
        }

        /// By scalars: a combining mark that follows would make another character of the last one.
        private func isNext(_ text: String) -> Bool {
            rest.unicodeScalars.starts(with: text.unicodeScalars)
        }

        private mutating func skipQuoted(by quote: Unicode.Scalar) {
            repeat {
                rest.unicodeScalars.removeFirst()
                skip { $0 != quote }
                if !rest.isEmpty { rest.unicodeScalars.removeFirst() }
                // A doubled quote goes on.
            } while rest.unicodeScalars.first == quote
        }

        private mutating func skip(through end: Unicode.Scalar) {
            skip { $0 != end }
            if !rest.isEmpty { rest.unicodeScalars.removeFirst() }
        }

        private mutating func skip(while condition: (Unicode.Scalar) -> Bool) {
            rest.unicodeScalars = rest.unicodeScalars.drop(while: condition)
        }

        private func isWord(_ scalar: Unicode.Scalar) -> Bool {
            // A point belongs to a number; names have none in an index.
            scalar.value >= 0x80 || scalar == "_" || scalar == "$" || scalar == "."
                || ("0"..."9").contains(scalar) || ("a"..."z").contains(scalar) || ("A"..."Z").contains(scalar)
        }
    }
}
