/// How many columns text takes on a screen.
///
/// No two terminals agree on all of Unicode, and the C library's `wcwidth` is older than the emoji people send. So this
/// has its own table, and errs to one side: **a cluster is given the most columns that any common terminal would use
/// for it**, at most two. The screen draws what is disputed with an address before and after it; whoever uses fewer
/// columns shows a gap there, and nothing is ever drawn over its neighbour or pushes the rest of the row.
///
/// - Printable ASCII takes one column, without a look-up.
/// - Two columns: East Asian wide and full-width characters, emoji with their own presentation, regional indicators
///   (alone or as a flag), anything turned into an emoji by U+FE0F (xterm and VTE use one column here, newer terminals
///   two), and whole sequences of emoji joined by U+200D or with a skin tone. Terminals that would spread those over
///   four or more columns are sent the plain first emoji instead: see ``EmojiJoining``.
/// - No column of their own: nonspacing and enclosing marks, the vowels and finals of conjoining Hangul, joiners,
///   variation selectors, direction marks and other format characters (but U+00AD and the signs that stand under Arabic
///   numbers take one, as in xterm, tmux and VTE).
/// - One column: everything else, ambiguous width (East_Asian_Width A), private use and unassigned included. A spacing
///   mark (Devanagari's vowel signs) takes a column too, as in xterm, tmux and VTE.
public enum DisplayWidth {
    /// The columns of one code point by itself: 0, 1 or 2. Controls count as 1, since they are drawn as a picture.
    public static func of(_ scalar: Unicode.Scalar) -> Int {
        let value = scalar.value
        switch value {
        case ..<0x300: return 1
        case 0x4E00...0x9FFF, 0xAC00...0xD7A3: return 2
        case 0x1160...0x11FF, 0xD7B0...0xD7FF: return 0
        case 0x2500...0x257F: return 1
        default: break
        }
        switch scalar.properties.generalCategory {
        case .nonspacingMark, .enclosingMark: return 0
        case .format: return isNumberSign(value) ? 1 : 0
        default: return contains(wide, value) ? 2 : 1
        }
    }

    /// The columns `text` takes when it is drawn on one line. Line breaks count as one, since they are drawn as a
    /// picture: split the text first.
    public static func of(_ text: some StringProtocol) -> Int {
        let plain = text.utf8.withContiguousStorageIfAvailable { bytes in
            bytes.allSatisfy { $0 >= 0x20 && $0 < 0x7F } ? bytes.count : nil
        }
        if let plain = plain ?? nil { return plain }
        var clusters = DisplayClusters(text).makeIterator()
        var width = 0
        while true {
            if clusters.takePlain({ width += $0.count }) { continue }
            guard let cluster = clusters.next() else { return width }
            width += cluster.width
        }
    }

    /// Whether `text` is printable ASCII only, so that bytes are columns.
    static func isPlain(_ text: Substring) -> Bool {
        text.utf8.allSatisfy { $0 >= 0x20 && $0 < 0x7F }
    }

    /// Whether terminals in use differ about the width of `scalar`.
    static func isDisputed(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.value {
        case ..<0x2300, 0x2500...0x257F, 0x4E00..<0x1_D300: false
        default: scalar.properties.isEmojiPresentation || contains(disputed, scalar.value)
        }
    }

    /// Format characters that are drawn: they enclose the number that follows them (Prepended_Concatenation_Mark).
    private static func isNumberSign(_ value: UInt32) -> Bool {
        switch value {
        case 0x600...0x605, 0x6DD, 0x70F, 0x890...0x891, 0x8E2, 0x110BD, 0x110CD: true
        default: false
        }
    }

    /// Binary search in sorted, disjoint ranges.
    private static func contains(_ ranges: [ClosedRange<UInt32>], _ value: UInt32) -> Bool {
        var low = 0
        var high = ranges.count
        while low < high {
            let middle = (low + high) / 2
            if value > ranges[middle].upperBound {
                low = middle + 1
            } else if value < ranges[middle].lowerBound {
                high = middle
            } else {
                return true
            }
        }
        return false
    }
}
