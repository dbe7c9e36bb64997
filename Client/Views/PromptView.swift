import Terminal

/// The line where a filter or a search is typed; under it, what would be shown, or why it is no query.
enum PromptView {
    /// - Returns: where the cursor stands.
    static func draw(
        _ prompt: QueryPrompt, _ state: ScreenState, in pane: Rect, of buffer: inout CellBuffer
    ) -> Terminal.Position? {
        guard pane.rows > 0 else { return nil }
        let label = label(prompt, state, width: pane.columns)
        let indent = DisplayWidth.of(label)
        let editor = state.queryLines[prompt.purpose]
        let room = max(1, pane.columns - indent - 1)
        let (shown, cursor) = AccountView.visible(
            editor, isMasked: false, isActive: true, width: room, state)
        // Scrolled text no longer begins where it was typed.
        let isWhole = DisplayWidth.of(editor.text) < room
        var line = StyledText(label, Theme.key)
        line.append(shown)
        if let fault = prompt.fault, isWhole {
            let before = String(editor.characters.prefix(fault.column - 1)).utf8.count
            let start = label.utf8.count + before
            line = line.restyled(start..<(start + fault.term.utf8.count)) { $0 = Theme.alarm.adding(.underline) }
        }
        buffer.draw(line, row: pane.row, column: pane.column, in: pane.columnRange)
        if pane.rows > 1 { drawRemark(prompt, state, indent, isWhole, in: pane, of: &buffer) }
        return Terminal.Position(row: pane.row, column: min(pane.column + indent + cursor, pane.columns - 1))
    }

    /// A filter that is added beside others narrows what they show.
    private static func label(_ prompt: QueryPrompt, _ state: ScreenState, width: Int) -> String {
        guard prompt.purpose != .search else { return "/" }
        if prompt.purpose == .filter(place: nil), !state.sieve.filters.isEmpty { return "and: " }
        return width >= 60 ? "filter: " : "f "
    }

    private static func drawRemark(
        _ prompt: QueryPrompt, _ state: ScreenState, _ indent: Int, _ isWhole: Bool, in pane: Rect,
        of buffer: inout CellBuffer
    ) {
        let ellipsis = state.signs.ellipsis
        let row = pane.row + 1
        guard let fault = prompt.fault else {
            let text = StyledText(remark(prompt, state), Theme.faint)
            buffer.draw(
                text.truncated(to: max(0, pane.columns - 1), ellipsis: ellipsis), row: row, column: pane.column,
                in: pane.columnRange)
            return
        }
        let typed = state.queryLines[prompt.purpose].characters
        let place = indent + DisplayWidth.of(String(typed.prefix(fault.column - 1)))
        // Under its place, where the sentence has room there, or most of it.
        let isUnder = isWhole && pane.columns - place - 3 >= min(40, DisplayWidth.of(fault.fault))
        let text = StyledText("\(isUnder ? "^" : "\(fault.column):") \(fault.fault)", Theme.alarm)
        let start = isUnder ? place : 0
        buffer.draw(
            text.truncated(to: max(0, pane.columns - 1 - start), ellipsis: ellipsis), row: row,
            column: pane.column + start, in: pane.columnRange)
    }

    private static func remark(_ prompt: QueryPrompt, _ state: ScreenState) -> String {
        let isEmpty = state.queryLines[prompt.purpose].isEmpty
        switch prompt.purpose {
        case .search: return isEmpty ? "a text, or a query as model:thing op:updated" : state.searchStatus
        case .filter:
            let counts = TabLine.countText(state)
            let others = state.sieve.filters.filter(\.isOn).map { SafeText($0.title).text }.joined(separator: ", ")
            if prompt.purpose == .filter(place: nil), !state.sieve.filters.isEmpty {
                let what = others.isEmpty ? "the others are off" : "beside \(others)"
                return isEmpty
                    ? "\(what); /filter off takes all away" : "\(counts) \(state.isUnicode ? "·" : "-") \(what)"
            }
            if isEmpty || counts.isEmpty {
                return "model: op: who: key: role: since: field=value field~text word, - before it for not"
            }
            return counts
        }
    }
}
