import RolecallProtocol
import Terminal

/// An entry's rows as the list shows them: with hits highlighted, and dimmed where the filters do not match.
enum ListLine {
    static func lines(
        _ id: Int, _ entry: Entry, _ state: ScreenState, width: Int, _ cache: inout ListLineCache
    ) -> [StyledText] {
        let lines = cache.lines(id, entry, state, width: width)
        if let search = state.search, search.hits.contains(id) { return highlighted(lines, entry, search) }
        return state.sieve.isDimmed(id) ? lines.map(dimmed) : lines
    }

    private static func highlighted(_ lines: [StyledText], _ entry: Entry, _ search: Search) -> [StyledText] {
        var isInSight = false
        // Of what stands before the text the time is not searched.
        let isWhole = if case .divider = entry.content { true } else { false }
        var result = lines.map { line -> StyledText in
            var line = line
            let skipped = isWhole ? 0 : line.spans.first?.text.utf8.count ?? 0
            let text = line.string
            for needle in search.pattern.needles {
                for range in needle.ranges(in: text) where range.lowerBound >= skipped {
                    line = line.restyled(range) { $0 = Theme.hit }
                    isInSight = true
                }
            }
            return line
        }
        // What was found may stand where the line has no room for it: then its sign tells.
        if !isInSight, var first = result.first, first.spans.count > 1 {
            first.spans[1].style = Theme.hit
            result[0] = first
        }
        return result
    }

    private static func dimmed(_ line: StyledText) -> StyledText {
        StyledText(line.spans.map { Span($0.text, Theme.faint) })
    }
}

extension SearchPattern {
    /// A text with what is searched for made to stand out.
    func highlighted(_ text: StyledText) -> StyledText {
        let plain = text.string
        return needles.flatMap { $0.ranges(in: plain) }.reduce(text) { $0.restyled($1) { $0 = Theme.hit } }
    }
}
