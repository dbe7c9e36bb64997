import WireJSON

/// A text that is searched for: without regard to case, unless it has a capital.
struct Needle: Hashable, Sendable {
    let text: String
    private let folded: FoldedText?
    /// As it is compared, character by character.
    private let characters: [String]

    init(_ text: String) {
        self.text = text
        let isExact = text.contains(where: \.isUppercase)
        folded = isExact ? nil : FoldedText(text)
        characters = text.map { isExact ? String($0) : $0.lowercased() }
    }

    func occurs(in text: String) -> Bool {
        if let folded { return folded.occurs(in: text) }
        return text.utf8.firstRange(of: self.text.utf8) != nil
    }

    /// Whether it occurs in any string of a value, however deep.
    func occurs(inTextsOf value: JSON) -> Bool { value.hasText { occurs(in: $0) } }

    /// Where it stands in a text, in UTF-8 bytes from its start; places do not overlap.
    func ranges(in text: String) -> [Range<Int>] {
        guard let first = characters.first, occurs(in: text) else { return [] }
        var ends = [0]
        let haystack = text.map { character -> String in
            ends.append(ends[ends.count - 1] + character.utf8.count)
            return folded == nil ? String(character) : character.lowercased()
        }
        var ranges: [Range<Int>] = []
        var place = 0
        while place + characters.count <= haystack.count {
            let end = place + characters.count
            if haystack[place] == first, haystack[place..<end].elementsEqual(characters) {
                ranges.append(ends[place]..<ends[end])
                place = end
            } else {
                place += 1
            }
        }
        return ranges
    }
}
