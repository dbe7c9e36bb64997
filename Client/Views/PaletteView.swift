import Terminal

/// What can be asked for: the line that is typed, and under it what answers to it.
enum PaletteView {
    /// Rows that are there for items, under the line that is typed.
    static func listHeight(_ state: ScreenState) -> Int {
        let rows = Layout(state).main.rows
        return rows - 1 - explanationRows(of: rows)
    }

    /// Rows at the foot of the page that tell the whole of what the selected line has no room for.
    private static func explanationRows(of rows: Int) -> Int { rows >= 12 ? 2 : 0 }

    /// - Returns: where the cursor stands.
    static func draw(
        _ palette: Palette, _ state: ScreenState, in pane: Rect, of buffer: inout CellBuffer
    ) -> Terminal.Position? {
        guard pane.rows > 0 else { return nil }
        let items = palette.items(state.keys, isDetailOpen: state.detail.isOpen)
        let cursor = TypedLine.draw(
            "Do: ", palette.filter, remark: "\(items.count)", state, in: pane, of: &buffer)
        let explanationRows = explanationRows(of: pane.rows)
        let height = max(0, pane.rows - 1 - explanationRows)
        let first = PeopleView.top(palette.top, showing: palette.selected, of: items.count, height: max(1, height))
        for (offset, index) in (max(0, first)..<max(first, items.count)).prefix(height).enumerated() {
            let row = pane.row + 1 + offset
            let isSelected = index == palette.selected
            let line = line(items[index], state, isSelected: isSelected, width: pane.columns - 1)
            buffer.draw(
                line.truncated(to: pane.columns - 1, ellipsis: state.signs.ellipsis), row: row,
                column: pane.column + 1, in: pane.columnRange)
            guard isSelected else { continue }
            buffer.draw(">", row: row, column: pane.column, Theme.key)
            guard line.width > pane.columns - 1 else { continue }
            let whole = TextFitting.wrapped(items[index].explanation, to: pane.columns - 1).prefix(explanationRows)
            for (offset, text) in whole.enumerated() {
                buffer.draw(text, row: pane.row + 1 + height + offset, column: pane.column + 1, Theme.faint)
            }
        }
        return cursor
    }

    private static func line(_ item: Palette.Item, _ state: ScreenState, isSelected: Bool, width: Int) -> StyledText {
        let nameWidth = width >= 60 ? 18 : 14
        var line = StyledText(state.padded(item.name, to: nameWidth), isSelected ? Theme.mode : Theme.key)
        if width >= 76 {
            let keysWidth = width >= 100 ? 16 : 10
            let isLong = DisplayWidth.of(item.keys) > keysWidth
            let shown = isLong ? item.keys.split(separator: " ").first.map(String.init) : nil
            line.append(" \(state.padded(shown ?? item.keys, to: keysWidth))", Theme.faint)
        }
        line.append(" \(item.explanation)")
        return line
    }
}

/// A line at the top of a page in which something is typed.
enum TypedLine {
    /// - Parameter remark: stands at the right, where there is room.
    /// - Returns: where the cursor stands.
    static func draw(
        _ label: String, _ editor: LineEditor, remark: String, _ state: ScreenState, in pane: Rect,
        of buffer: inout CellBuffer
    ) -> Terminal.Position? {
        let left = pane.column + 1
        let remarkWidth = DisplayWidth.of(remark) + 2
        let room = max(1, min(60, pane.columns - DisplayWidth.of(label) - 2 - remarkWidth))
        let (shown, cursor) = AccountView.visible(editor, isMasked: false, isActive: true, width: room, state)
        buffer.draw(
            [Span(label, Theme.key), Span(shown, .underline)], row: pane.row, column: left, in: pane.columnRange)
        buffer.draw(
            remark, row: pane.row, column: pane.column + pane.columns - remarkWidth + 1, Theme.faint)
        return Terminal.Position(row: pane.row, column: left + DisplayWidth.of(label) + cursor)
    }
}
