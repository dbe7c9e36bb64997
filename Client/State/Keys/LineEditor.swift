/// A text that is being typed, with a cursor and the editing keys of readline; pure.
///
/// It may have several lines (a paste, Alt-Enter). It never holds a character that a terminal would act on.
struct LineEditor: Hashable, Sendable {
    /// The most characters.
    static let limit = 16_384
    /// The most texts that are remembered.
    private static let historyLimit = 200

    private(set) var characters: [Character] = []
    /// 0 stands before the first character, the count after the last.
    private(set) var cursor = 0
    let isMultiline: Bool
    private var killed: [Character] = []
    private var history: [String] = []
    /// Which remembered text is shown; the history's count stands for the one being typed.
    private var recalled: Int?
    private var draft: [Character] = []

    init(_ text: String = "", isMultiline: Bool = false) {
        self.isMultiline = isMultiline
        set(text)
    }

    var text: String { String(characters) }
    var isEmpty: Bool { characters.isEmpty }

    mutating func set(_ text: String) {
        characters = Array(clean(text).kept.prefix(Self.limit))
        cursor = characters.count
        recalled = nil
    }

    mutating func clear() { set("") }

    /// Puts text at the cursor.
    ///
    /// - Returns: how many characters were left out because a terminal would act on them, or because there is no room.
    @discardableResult
    mutating func insert(_ text: String) -> Int {
        let (kept, dropped) = clean(text)
        let room = max(0, Self.limit - characters.count)
        let taken = kept.prefix(room)
        characters.insert(contentsOf: taken, at: cursor)
        cursor += taken.count
        return dropped + kept.count - taken.count
    }

    private func clean(_ text: String) -> (kept: [Character], dropped: Int) {
        var kept: [Character] = []
        var dropped = 0
        for character in text {
            if character == "\n" || character == "\r\n" {
                kept.append(isMultiline ? "\n" : " ")
            } else if character == "\t" {
                kept.append(" ")
            } else if character.unicodeScalars.contains(where: \.isTerminalHazard) {
                dropped += 1
            } else {
                kept.append(character)
            }
        }
        return (kept, dropped)
    }

    // MARK: Moving

    mutating func moveLeft() { cursor = max(0, cursor - 1) }
    mutating func moveRight() { cursor = min(characters.count, cursor + 1) }
    mutating func moveToStart() { cursor = lineStart }
    mutating func moveToEnd() { cursor = lineEnd }
    mutating func moveWordLeft() { cursor = wordStart }
    mutating func moveWordRight() { cursor = wordEnd }

    /// To the same place of the line above or below.
    ///
    /// - Returns: whether there is such a line.
    mutating func moveLine(by step: Int) -> Bool {
        let column = cursor - lineStart
        if step < 0 {
            guard lineStart > 0 else { return false }
            let end = lineStart - 1
            let start = characters[..<end].lastIndex(of: "\n").map { $0 + 1 } ?? 0
            cursor = min(start + column, end)
        } else {
            guard lineEnd < characters.count else { return false }
            let start = lineEnd + 1
            let end = characters[start...].firstIndex(of: "\n") ?? characters.count
            cursor = min(start + column, end)
        }
        return true
    }

    private var lineStart: Int { characters[..<cursor].lastIndex(of: "\n").map { $0 + 1 } ?? 0 }
    private var lineEnd: Int { characters[cursor...].firstIndex(of: "\n") ?? characters.count }

    private var wordStart: Int {
        var place = cursor
        while place > 0, !Self.isWord(characters[place - 1]) { place -= 1 }
        while place > 0, Self.isWord(characters[place - 1]) { place -= 1 }
        return place
    }

    private var wordEnd: Int {
        var place = cursor
        while place < characters.count, !Self.isWord(characters[place]) { place += 1 }
        while place < characters.count, Self.isWord(characters[place]) { place += 1 }
        return place
    }

    private static func isWord(_ character: Character) -> Bool { character.isLetter || character.isNumber }

    // MARK: Deleting

    mutating func deleteBackward() {
        guard cursor > 0 else { return }
        cursor -= 1
        characters.remove(at: cursor)
    }

    mutating func deleteForward() {
        if cursor < characters.count { characters.remove(at: cursor) }
    }

    /// To the end of the line; at its end, the line break.
    mutating func killToEnd() { kill(cursor..<(lineEnd > cursor ? lineEnd : min(cursor + 1, characters.count))) }
    mutating func killToStart() { kill(lineStart..<cursor) }
    mutating func killWordForward() { kill(cursor..<wordEnd) }
    mutating func killWordBackward() { kill(wordStart..<cursor) }

    /// Back to the last space, as Ctrl-W does.
    mutating func killBackToSpace() {
        var place = cursor
        while place > 0, characters[place - 1].isWhitespace { place -= 1 }
        while place > 0, !characters[place - 1].isWhitespace { place -= 1 }
        kill(place..<cursor)
    }

    private mutating func kill(_ range: Range<Int>) {
        guard !range.isEmpty else { return }
        killed = Array(characters[range])
        characters.removeSubrange(range)
        cursor = range.lowerBound
    }

    /// Puts back what was killed last.
    mutating func yank() { insert(String(killed)) }

    mutating func transpose() {
        let place = min(cursor, characters.count - 1)
        guard place > 0, characters.count > 1 else { return }
        characters.swapAt(place - 1, place)
        cursor = place + 1
    }

    // MARK: History

    /// Remembers what was sent, and begins anew.
    mutating func remember() {
        let text = self.text
        if !text.isEmpty, history.last != text { history.append(text) }
        if history.count > Self.historyLimit { history.removeFirst() }
        clear()
    }

    /// An older text (−1) or a newer one (1); past the newest stands what was being typed.
    mutating func recall(_ step: Int) {
        let place = recalled ?? history.count
        let wanted = place + step
        guard (0...history.count).contains(wanted) else { return }
        if place == history.count { draft = characters }
        characters = wanted == history.count ? draft : Array(history[wanted])
        cursor = characters.count
        recalled = wanted
    }
}
