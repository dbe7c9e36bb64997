/// The smallest piece of text that has its own place on a screen: what one cell holds, or two for a wide one.
public struct DisplayCluster: Hashable, Sendable {
    /// Where it came from.
    public var source: Substring
    /// What is drawn: never a control, never without a base for its marks.
    public var glyph: String
    /// Columns: 1 or 2, or 0 for what shows nothing (a lone joiner or direction mark), whose glyph is empty.
    public var width: Int
}

/// Walks text by what a terminal draws as one.
///
/// That is the extended grapheme cluster of Unicode (UAX #29), so that a base keeps its marks, and families, flags, skin
/// tones and keycaps stay whole; with these differences:
/// - A cluster that terminals draw wider than two columns, because they put its spacing parts side by side (Indic
///   conjuncts, stacked Hangul leads), is cut before each part that has a column.
/// - C0 controls and DEL become their Unicode pictures (␛), a tab becomes a space, line breaks ␤, and C1 controls and
///   noncharacters U+FFFD, so that no text can steer the terminal.
/// - Marks (and Hangul vowels and finals) with no base get U+25CC ◌ for one.
/// - No more than ``longest`` code points of a cluster are drawn, so that a stack of ten thousand accents costs no
///   more than one cell.
public struct DisplayClusters: Sequence, Sendable {
    /// The longest emoji of Unicode has 10 code points; the longest stream-safe run of marks (UAX #15) has 30.
    public static let longest = 32

    /// Each ASCII character as text.
    static let ascii = (UInt8(0)..<0x80).map { String(Unicode.Scalar($0)) }

    let text: Substring

    public init(_ text: some StringProtocol) {
        self.text = Substring(text)
    }

    public func makeIterator() -> Iterator { Iterator(text) }

    public struct Iterator: IteratorProtocol {
        private let text: Substring
        /// Where the next cluster begins.
        private(set) var index: Substring.Index
        /// The end of the too wide cluster that is being cut, while one is.
        private var cutEnd: Substring.Index?

        init(_ text: Substring) {
            self.text = text
            index = text.startIndex
        }

        public mutating func next() -> DisplayCluster? {
            if let cutEnd { return nextPart(before: cutEnd) }
            guard index < text.endIndex else { return nil }
            let start = index
            if let ascii = printableASCII(at: start) {
                index = text.utf8.index(after: start)
                return DisplayCluster(source: text[start..<index], glyph: ascii, width: 1)
            }
            if let end = endOfSimple(at: start) {
                index = end
                let source = text[start..<end]
                return DisplayCluster(source: source, glyph: String(source), width: 1)
            }
            let end = text.index(after: start)
            switch Measure(text[start..<end].unicodeScalars) {
            case .drawn(let glyph, let width):
                index = end
                return DisplayCluster(source: text[start..<end], glyph: glyph, width: width)
            case .tooWide:
                cutEnd = end
                return nextPart(before: end)
            }
        }

        /// Takes all the printable ASCII that comes next, up to a byte that a mark may follow; `false` where there is
        /// none. Most text is nothing else, and this is ten times as fast as going through its clusters.
        mutating func takePlain(_ body: (UnsafeBufferPointer<UInt8>) -> Void) -> Bool {
            guard cutEnd == nil, index < text.endIndex else { return false }
            let taken = text.utf8[index...].withContiguousStorageIfAvailable { bytes -> Int in
                var count = bytes.prefix { $0 >= 0x20 && $0 < 0x7F }.count
                if count < bytes.count, bytes[count] >= 0x80 { count -= 1 }
                if count > 0 { body(UnsafeBufferPointer(rebasing: bytes[..<count])) }
                return count
            }
            guard let taken, taken > 0 else { return false }
            index = text.utf8.index(index, offsetBy: taken)
            return true
        }

        /// The byte at `start` as text, if it is printable ASCII and no mark can follow it.
        private func printableASCII(at start: Substring.Index) -> String? {
            let bytes = text.utf8
            let byte = bytes[start]
            guard byte >= 0x20, byte < 0x7F else { return nil }
            let after = bytes.index(after: start)
            guard after == bytes.endIndex || bytes[after] < 0x80 else { return nil }
            return DisplayClusters.ascii[Int(byte)]
        }

        /// The end of the code point at `start` if it is a cluster by itself, one column wide, and that is known without
        /// asking the tables of Unicode, which takes far longer than anything else here.
        private func endOfSimple(at start: Substring.Index) -> Substring.Index? {
            let scalars = text.unicodeScalars
            guard Self.isSimple(scalars[start]) else { return nil }
            let end = scalars.index(after: start)
            guard end < text.endIndex, text.utf8[end] >= 0x80 else { return end }
            return Self.isSimple(scalars[end]) ? end : nil
        }

        /// ASCII, Latin letters, punctuation, arrows, box drawing, blocks and circles: none joins what is before it, is
        /// an emoji by itself, or has another width than 1.
        private static func isSimple(_ scalar: Unicode.Scalar) -> Bool {
            switch scalar.value {
            case 0x20..<0x7F, 0xA1..<0xAD, 0xAE..<0x300, 0x2010..<0x2028, 0x2190..<0x2200, 0x2500..<0x25A0,
                0x25C1..<0x25FB:
                true
            default: false
            }
        }

        /// One code point that has a column, and those after it that have none.
        private mutating func nextPart(before end: Substring.Index) -> DisplayCluster {
            let scalars = text.unicodeScalars
            let start = index
            var width = 0
            while index < end {
                let own = DisplayWidth.of(scalars[index])
                if width > 0, own > 0 { break }
                width = Swift.max(width, own)
                index = scalars.index(after: index)
            }
            if index == end { cutEnd = nil }
            let part = text[start..<index]
            return DisplayCluster(source: part, glyph: Measure.capped(part.unicodeScalars), width: Swift.max(1, width))
        }
    }
}

/// What becomes of one grapheme cluster.
private enum Measure {
    case drawn(glyph: String, width: Int)
    /// Its parts are side by side, over more than two columns.
    case tooWide

    init(_ scalars: Substring.UnicodeScalarView) {
        guard let first = scalars.first else {
            self = .drawn(glyph: "", width: 0)
            return
        }
        if let picture = Self.picture(of: first) {
            self = .drawn(glyph: picture, width: 1)
            return
        }
        let width = scalars.reduce(0) { $0 + DisplayWidth.of($1) }
        if Self.isEmoji(first, scalars) {
            self = .drawn(glyph: Self.capped(scalars), width: 2)
        } else if width > 2 {
            self = .tooWide
        } else if width > 0 {
            self = .drawn(glyph: Self.capped(scalars), width: width)
        } else if Self.isVisible(first) {
            self = .drawn(glyph: "\u{25CC}" + Self.capped(scalars), width: 1)
        } else {
            self = .drawn(glyph: "", width: 0)
        }
    }

    /// Whether the cluster is drawn as one picture two columns wide.
    private static func isEmoji(_ first: Unicode.Scalar, _ scalars: Substring.UnicodeScalarView) -> Bool {
        // Also true for digits, `#` and `*`, which begin keycaps; those need U+FE0F to become one.
        // Ideographs and Hangul, of which there may be many, are not asked.
        guard !(0x3400..<0xE000 ~= first.value), first.properties.isEmoji else { return false }
        return first.properties.isEmojiPresentation
            || scalars.dropFirst().contains { $0 == EmojiJoining.presentationSelector || $0 == EmojiJoining.joiner }
    }

    /// Whether a reader misses something when a code point without a column is left out: a mark, a Hangul vowel.
    private static func isVisible(_ scalar: Unicode.Scalar) -> Bool {
        scalar.properties.generalCategory != .format && !scalar.properties.isVariationSelector
    }

    /// What stands for a character that must not reach a terminal as itself.
    private static func picture(of scalar: Unicode.Scalar) -> String? {
        switch scalar.value {
        case 0x09, 0xA0: " "
        case 0x0A, 0x0D, 0x85, 0x2028, 0x2029: "\u{2424}"
        case ..<0x20: Unicode.Scalar(0x2400 + scalar.value).map { String($0) }
        case 0x7F: "\u{2421}"
        case 0x80..<0xA0, 0xFDD0...0xFDEF: "\u{FFFD}"
        case let value where value & 0xFFFE == 0xFFFE: "\u{FFFD}"
        default: nil
        }
    }

    static func capped(_ scalars: Substring.UnicodeScalarView) -> String {
        var view = String.UnicodeScalarView()
        view.append(contentsOf: scalars.prefix(DisplayClusters.longest))
        return String(view)
    }
}
