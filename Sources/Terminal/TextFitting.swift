/// Making text fit: never wider than asked, never with a cluster cut in two.
public enum TextFitting {
    /// Which part of a text gives way.
    public enum Keeping: Sendable {
        /// `"a long na…"`
        case start
        /// `"65f1c0…a3"`
        case ends
        /// `"…the cursor"`
        case end
    }

    /// `text`, shortened to at most `width` columns. The `ellipsis` stands where something was left out; it is left out
    /// too where there is no room for it and one column of text.
    public static func truncated(
        _ text: some StringProtocol, to width: Int, ellipsis: String = "…", keeping: Keeping = .start
    ) -> String {
        let text = Substring(text)
        guard width > 0 else { return "" }
        if end(of: text, within: width) == text.endIndex { return String(text) }
        let mark = DisplayWidth.of(ellipsis) < width ? ellipsis : ""
        let room = width - DisplayWidth.of(mark)
        switch keeping {
        case .start:
            return text[..<end(of: text, within: room)] + mark
        case .end:
            return mark + suffix(text, room)
        case .ends:
            return text[..<end(of: text, within: (room + 1) / 2)] + mark + suffix(text, room / 2)
        }
    }

    /// `text` in exactly `width` columns: shortened, or filled up with spaces on the right (on the left where
    /// `trailing`).
    public static func padded(
        _ text: some StringProtocol, to width: Int, trailing: Bool = false, ellipsis: String = "…"
    ) -> String {
        let fitted = truncated(text, to: width, ellipsis: ellipsis)
        let padding = String(repeating: " ", count: max(0, width - DisplayWidth.of(fitted)))
        return trailing ? padding + fitted : fitted + padding
    }

    /// Where the longest beginning of `text` ends that takes at most `width` columns.
    private static func end(of text: Substring, within width: Int) -> Substring.Index {
        var left = width
        var clusters = DisplayClusters(text).makeIterator()
        while true {
            let start = clusters.index
            var plain = 0
            if clusters.takePlain({ plain = $0.count }) {
                if plain > left { return text.utf8.index(start, offsetBy: left) }
                left -= plain
            } else if let cluster = clusters.next() {
                left -= cluster.width
                if left < 0 { return start }
            } else {
                return text.endIndex
            }
        }
    }

    private static func suffix(_ text: Substring, _ width: Int) -> String {
        var left = width
        let clusters = Array(DisplayClusters(text))
        let count = clusters.reversed().prefix { cluster in
            left -= cluster.width
            return left >= 0
        }.count
        return clusters.suffix(count).reduce(into: "") { $0 += $1.source }
    }

    /// Where a line may end.
    public enum Wrapping: Sendable {
        /// After a word, or beside a wide character (East Asian text has no spaces); inside a word only where it alone
        /// is wider than the line. The spaces at the break belong to no line.
        case words
        /// Wherever the line is full. Nothing is left out.
        case anywhere
    }

    /// `text` as lines of at most `width` columns each; at least one line. Line breaks in `text` end a line.
    ///
    /// Lines are slices of `text`, so that their indices still tell where a search hit is. A wide character in a line
    /// one column wide is the only thing that can be too wide, and is clipped when it is drawn. A `width` below 1 counts
    /// as 1.
    public static func wrapped(
        _ text: some StringProtocol, to width: Int, _ wrapping: Wrapping = .words
    ) -> [Substring] {
        let text = Substring(text)
        var lines: [Substring] = []
        var start = text.startIndex
        while true {
            let end = text[start...].firstIndex(where: \.isNewline)
            wrapLine(text[start..<(end ?? text.endIndex)], max(1, width), wrapping, into: &lines)
            guard let end else { return lines }
            start = text.index(after: end)
        }
    }

    /// Wraps text that holds no line break.
    private static func wrapLine(
        _ text: Substring, _ width: Int, _ wrapping: Wrapping, into lines: inout [Substring]
    ) {
        if text.utf8.count <= width, DisplayWidth.isPlain(text) {
            lines.append(text)
            return
        }
        var line = WrappedLine(start: text.startIndex)
        /// The line ended at a space; those after it are skipped too.
        var skipping = false
        for cluster in DisplayClusters(text) {
            let isSpace = wrapping == .words && cluster.source.first?.isWhitespace == true
            if skipping {
                if isSpace { continue }
                skipping = false
                line = WrappedLine(start: cluster.source.startIndex)
            }
            if line.width > 0, line.width + cluster.width > width {
                let (end, rest) = line.broken(before: cluster, isSpace: isSpace, wrapping)
                lines.append(text[line.start..<end])
                line = rest
                skipping = isSpace
            }
            if !skipping { line.append(cluster, isSpace: isSpace) }
        }
        if !skipping { lines.append(text[line.start...]) }
    }
}

/// The line being filled, and where it could have ended.
private struct WrappedLine {
    /// A place between two words, or beside a wide character.
    struct Break {
        /// Where the line would end.
        var contentEnd: Substring.Index
        /// Where the next one would start.
        var next: Substring.Index
        /// The columns up to `next`.
        var width: Int
    }

    var start: Substring.Index
    var width = 0
    var lastBreak: Break?
    /// The last cluster was a space.
    var followsSpace = false
    /// The last cluster was two columns wide.
    var endsWide = false
    /// Where the spaces at the end of the line began.
    private var spacesStart: Substring.Index?

    init(start: Substring.Index) {
        self.start = start
    }

    /// The end of the line without the spaces it ends in, unless it holds nothing else.
    func contentEnd(before end: Substring.Index) -> Substring.Index {
        guard let spacesStart, spacesStart > start else { return end }
        return spacesStart
    }

    /// Where this line ends because `cluster` does not fit, and the line that follows it.
    func broken(
        before cluster: DisplayCluster, isSpace: Bool, _ wrapping: TextFitting.Wrapping
    ) -> (end: Substring.Index, rest: WrappedLine) {
        let place = cluster.source.startIndex
        guard wrapping == .words else { return (place, WrappedLine(start: place)) }
        if isSpace || followsSpace || endsWide || cluster.width == 2 {
            return (contentEnd(before: place), WrappedLine(start: place))
        }
        guard let lastBreak else { return (place, WrappedLine(start: place)) }
        var rest = WrappedLine(start: lastBreak.next)
        rest.width = width - lastBreak.width
        return (lastBreak.contentEnd, rest)
    }

    mutating func append(_ cluster: DisplayCluster, isSpace: Bool) {
        let place = cluster.source.startIndex
        if isSpace {
            if spacesStart == nil { spacesStart = place }
        } else if cluster.width > 0 {
            if width > 0, followsSpace || endsWide || cluster.width == 2 {
                lastBreak = Break(contentEnd: contentEnd(before: place), next: place, width: width)
            }
            endsWide = cluster.width == 2
        }
        // What shows nothing belongs to what it follows, and is kept; a line can still end there.
        if !isSpace { spacesStart = nil }
        if cluster.width > 0 { followsSpace = isSpace }
        width += cluster.width
    }
}
