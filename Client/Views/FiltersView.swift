import Terminal

/// The filters, which must all hold: which are on, and what they say.
enum FiltersView {
    /// - Returns: where the cursor stands.
    static func draw(
        selected: Int, _ state: ScreenState, in pane: Rect, of buffer: inout CellBuffer
    ) -> Terminal.Position? {
        guard pane.rows > 0 else { return nil }
        let filters = state.sieve.filters
        let art = state.capabilities.lineArt
        let room = max(0, pane.columns - 1)
        var heading = StyledText(Words.count(filters.count, "filter"), Theme.heading)
        let counts = TabLine.countText(state)
        if !counts.isEmpty { heading.append(" \(state.isUnicode ? "·" : "-") \(counts)", Theme.faint) }
        if filters.isEmpty, let key = state.keys.key(for: .filter, in: .filters) {
            heading.append("  \(key) writes one", Theme.faint)
        }
        buffer.draw(
            heading.truncated(to: room, ellipsis: art.ellipsis), row: pane.row, column: pane.column + 1,
            in: pane.columnRange)
        guard !filters.isEmpty, pane.rows > 1 else { return nil }
        let selected = min(max(0, selected), filters.count - 1)
        let height = pane.rows - 1
        let first = max(0, selected - height + 1)
        var cursor: Terminal.Position?
        for (offset, place) in (first..<filters.count).prefix(height).enumerated() {
            let filter = filters[place]
            let row = pane.row + 1 + offset
            let style = place == selected ? Theme.identity : filter.isOn ? .plain : Theme.faint
            let text = "[\(filter.isOn ? "x" : " ")] \(SafeText(filter.title).text)"
            buffer.draw(
                StyledText(text, style).truncated(to: room, ellipsis: art.ellipsis), row: row, column: pane.column + 1,
                in: pane.columnRange)
            guard place == selected else { continue }
            buffer.draw(">", row: row, column: pane.column, Theme.key)
            cursor = Terminal.Position(row: row, column: pane.column)
        }
        return cursor
    }
}
