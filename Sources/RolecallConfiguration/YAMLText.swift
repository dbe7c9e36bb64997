import Yams

/// The characters of a YAML text and where its lines begin, to get from the parser's marks to what stands there.
struct YAMLText {
    private(set) var characters: [Unicode.Scalar]
    private let lineStarts: [Int]

    init(_ characters: [Unicode.Scalar]) {
        self.characters = characters
        var starts = [0]
        for (offset, character) in characters.enumerated() {
            let isBreak =
                character == "\n"
                || character == "\r" && (offset + 1 == characters.count || characters[offset + 1] != "\n")
            if isBreak { starts.append(offset + 1) }
        }
        lineStarts = starts
    }

    /// Stands for the star of an alias: for private use, and so no part of YAML's own signs.
    static let star: Unicode.Scalar = "\u{E0FF}"

    var string: String {
        var string = String.UnicodeScalarView()
        string.append(contentsOf: characters)
        return String(string)
    }

    /// The first character that YAML does not allow, or takes for a line break that no editor shows.
    var firstForbidden: (offset: Int, character: Unicode.Scalar)? {
        for (offset, character) in characters.enumerated() {
            switch character.value {
            case 0x09, 0x0A, 0x0D, 0x20...0x7E, 0xA0...0x2027, 0x202A...0xD7FF, 0xE000...0xFEFE, 0xFF00...0xFFFD,
                0x10000...0x10FFFF:
                continue
            default: return (offset, character)
            }
        }
        return nil
    }

    /// Replaces single characters by another; no other character moves.
    func replacing(_ offsets: [Int], with character: Unicode.Scalar) -> YAMLText {
        var copy = self
        for offset in offsets { copy.characters[offset] = character }
        return copy
    }

    /// The offset of a mark, where a character stands.
    func offset(of mark: Mark) -> Int? {
        guard lineStarts.indices.contains(mark.line - 1) else { return nil }
        let offset = lineStarts[mark.line - 1] + mark.column - 1
        return characters.indices.contains(offset) ? offset : nil
    }

    /// A mark may stand behind the last line.
    func location(of mark: Mark) -> Location {
        guard lineStarts.indices.contains(mark.line - 1) else { return end }
        let location = Location(line: mark.line, column: max(1, mark.column))
        return min(location, end)
    }

    func location(of offset: Int) -> Location {
        var (low, high) = (0, lineStarts.count)
        while high - low > 1 {
            let middle = (low + high) / 2
            if lineStarts[middle] <= offset { low = middle } else { high = middle }
        }
        return Location(line: low + 1, column: offset - lineStarts[low] + 1)
    }

    /// Behind the last character that is no line break.
    private var end: Location {
        let last = characters.lastIndex { $0 != "\n" && $0 != "\r" } ?? -1
        let location = location(of: last + 1)
        return last < 0 ? .start : location
    }

    /// The text of a line from its beginning up to a mark.
    func beginning(ofLineAt mark: Mark) -> ArraySlice<Unicode.Scalar> {
        guard lineStarts.indices.contains(mark.line - 1) else { return [] }
        let start = lineStarts[mark.line - 1]
        return characters[start..<max(start, min(characters.count, start + mark.column))]
    }

    /// The name behind the star of an alias; nil for none.
    func aliasName(at offset: Int) -> String? {
        let name = characters[(offset + 1)...].prefix { character in
            character.isASCII && (character.properties.isAlphabetic || ("0"..."9").contains(character))
                || character == "_" || character == "-"
        }
        return name.isEmpty ? nil : String(String.UnicodeScalarView(name))
    }

    /// Gives a key another name, by one character that is not used for writing.
    ///
    /// - Returns: nil where none of its characters can be exchanged alone.
    mutating func rename(at offset: Int, number: Int) -> RenamedKey? {
        let isQuoted = characters[offset] == "\"" || characters[offset] == "'"
        let position = isQuoted ? offset + 1 : offset
        guard let substitute = Unicode.Scalar(0xE000 + UInt32(number)), characters.indices.contains(position),
            characters[position].properties.isAlphabetic || characters[position].properties.numericType != nil
        else { return nil }
        let key = RenamedKey(original: characters[position], substitute: substitute)
        characters[position] = substitute
        return key
    }
}

/// A key in which one character was replaced.
struct RenamedKey {
    var original: Unicode.Scalar
    var substitute: Unicode.Scalar

    func originalName(of name: String) -> String {
        var restored = String.UnicodeScalarView()
        restored.append(contentsOf: name.unicodeScalars.map { $0 == substitute ? original : $0 })
        return String(restored)
    }
}
