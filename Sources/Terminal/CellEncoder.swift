/// How one cell gets onto a terminal through curses.
///
/// curses trusts the C library's `wcwidth` and believes the cursor to be where that says. So it draws only what the C
/// library, the terminals in use and ``DisplayWidth`` agree about. The rest it never sees: blanks lie in its place, and
/// the cluster is written over them with an address of its own.
enum CellInk: Hashable {
    /// curses draws these code points: a base, then marks.
    case curses([Unicode.Scalar])
    /// Written by its address, over `ground`. No terminal moves further than the cell is wide. The ground shows where
    /// the terminal draws less than that, or nothing: tmux leaves out what its C library does not know.
    case addressed(String, ground: String)
    /// The locale has no such character, nor one that could stand for it.
    case missing
}

/// Decides which ink a cell takes. Pure but for the two questions to the C library, which tests answer themselves.
struct CellEncoder {
    /// Whether the locale is UTF-8.
    var isUnicode: Bool
    /// How many code points fit in one cell of curses.
    var capacity = 5
    var joining: EmojiJoining
    /// `wcwidth` in the current locale.
    var libraryWidth: (Unicode.Scalar) -> Int
    /// Whether the current locale can say it; asked only where that is not UTF-8.
    var isEncodable: (Unicode.Scalar) -> Bool

    func ink(for cell: Cell) -> CellInk {
        let scalars = Array(cell.text.unicodeScalars)
        guard let first = scalars.first else { return .missing }
        if scalars.count == 1, 0x20..<0x7F ~= first.value { return .curses(scalars) }
        let isAgreed =
            scalars.count <= capacity
            && libraryWidth(first) == Int(cell.width)
            && !DisplayWidth.isDisputed(first)
            && scalars.dropFirst().allSatisfy { libraryWidth($0) == 0 && !Self.changesBase($0) }
        guard isUnicode else {
            if isAgreed, scalars.allSatisfy(isEncodable) { return .curses(scalars) }
            guard cell.width == 1 else { return .missing }
            if scalars.count == 1, let plain = Self.plain[first] { return .curses([plain]) }
            // A letter without its accents is still the letter.
            return first.properties.isAlphabetic && isEncodable(first) ? .curses([first]) : .missing
        }
        if isAgreed { return .curses(scalars) }
        let ground = libraryWidth(first) < 0 ? "\u{FFFD}" : " "
        return .addressed(joining.reduce(cell.text), ground: cell.width == 2 ? ground + " " : ground)
    }

    /// What typewriters had for signs of one column: text says the same with them.
    private static let plain: [Unicode.Scalar: Unicode.Scalar] = [
        "…": "~", "⟨": "<", "⟩": ">", "‹": "<", "›": ">", "“": "\"", "”": "\"", "„": "\"", "‘": "'", "’": "'", "‚": ",",
        "–": "-", "—": "-", "−": "-", "‐": "-", "·": ".", "•": "*", "×": "x", "→": ">", "←": "<",
    ]

    /// Code points without a column that may give one to what they follow.
    private static func changesBase(_ scalar: Unicode.Scalar) -> Bool {
        scalar == EmojiJoining.presentationSelector || scalar == EmojiJoining.joiner
    }
}
