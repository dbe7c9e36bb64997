import RolecallProtocol
import Terminal

/// An entry's rows as the list shows them: with hits highlighted, and dimmed where the filters do not match.
enum ListLine {
    static func lines(_ id: Int, _ entry: Entry, _ state: ScreenState, width: Int) -> [StyledText] {
        let before = state.timeMode == .delta ? state.shown(before: id).flatMap { state.timeline[$0]?.time } : nil
        let lines = EntryView.lines(entry, state, width: width, after: before)
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
