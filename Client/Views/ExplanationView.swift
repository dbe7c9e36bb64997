import RolecallProtocol
import Terminal

/// Why somebody gets an event, or does not: whom it is about, and then each rule with what it says.
enum ExplanationView {
    /// Rows that are there for the explanation, under the heading.
    static func listHeight(_ state: ScreenState) -> Int { max(1, Layout(state).main.rows - 1) }

    /// - Returns: where the cursor stands.
    static func draw(
        _ page: ExplanationPage, _ state: ScreenState, in pane: Rect, of buffer: inout CellBuffer
    ) -> Terminal.Position? {
        guard pane.rows > 0 else { return nil }
        var rest = 0
        var cursor = Terminal.Position(row: pane.row, column: pane.column)
        switch page.phase {
        case .asking: cursor = drawPrompt(page, state, in: pane, of: &buffer) ?? cursor
        case .loading:
            drawText("asking the server\(state.signs.ellipsis)", Theme.faint, in: pane, of: &buffer)
        case .failed(let reason): drawText("! \(reason)", Theme.alarm, in: pane, of: &buffer)
        case .shown(let lines, let top):
            let all = self.lines(lines, width: pane.columns)
            let height = max(0, pane.rows - 1)
            let first = min(max(0, top), max(0, all.count - height))
            for (row, line) in all.dropFirst(first).prefix(height).enumerated() {
                buffer.draw(line, row: pane.row + 1 + row, column: pane.column + 1, in: pane.columnRange)
            }
            rest = all.count - first - height
        }
        drawHeading(page, rest: rest, state, in: pane, of: &buffer)
        return cursor
    }

    /// What it is about; at the right, how much more there is below.
    private static func drawHeading(
        _ page: ExplanationPage, rest: Int, _ state: ScreenState, in pane: Rect, of buffer: inout CellBuffer
    ) {
        let below = rest > 0 ? "  \(rest) below " : ""
        let room = max(0, pane.columns - 1 - DisplayWidth.of(below))
        var heading = StyledText()
        if page.isAsking || pane.columns >= 44 { heading.append("Why?  ", Theme.heading) }
        if !page.isAsking { heading.append("\(SafeText(page.user))  ", Theme.identity) }
        heading.append(page.title, page.isAsking ? Theme.identity : Theme.faint)
        buffer.draw(
            heading.truncated(to: room, ellipsis: state.signs.ellipsis), row: pane.row,
            column: pane.column + 1, in: pane.columnRange)
        buffer.draw(below, row: pane.row, column: pane.column + pane.columns - DisplayWidth.of(below), Theme.waiting)
    }

    private static func drawPrompt(
        _ page: ExplanationPage, _ state: ScreenState, in pane: Rect, of buffer: inout CellBuffer
    ) -> Terminal.Position? {
        guard pane.rows > 1 else { return nil }
        let label = pane.columns >= 44 ? "For whom: " : "For: "
        let left = pane.column + 1
        let room = max(1, min(60, pane.columns - DisplayWidth.of(label) - 2))
        let (shown, cursor) = AccountView.visible(page.whom, isMasked: false, isActive: true, width: room, state)
        buffer.draw(
            [Span(label, Theme.key), Span(shown, .underline)], row: pane.row + 1, column: left, in: pane.columnRange)
        var hint = pane
        (_, hint) = hint.splitTop(1)
        drawText("an e-mail address, an _id, or guest; Tab completes", Theme.faint, in: hint, of: &buffer)
        return Terminal.Position(row: pane.row + 1, column: left + DisplayWidth.of(label) + cursor)
    }

    private static func drawText(_ text: String, _ style: Style, in pane: Rect, of buffer: inout CellBuffer) {
        let lines = TextFitting.wrapped(text, to: max(1, pane.columns - 2))
        for (row, line) in lines.prefix(max(0, pane.rows - 1)).enumerated() {
            buffer.draw(
                StyledText(String(line), style), row: pane.row + 1 + row, column: pane.column + 1, in: pane.columnRange)
        }
    }

    /// What there is to scroll through.
    static func lines(_ lines: [ExplanationText.Line], width: Int) -> [StyledText] {
        lines.flatMap { line -> [StyledText] in
            // Where there is no room to spare, one column tells what stands under what.
            let indent = width >= 60 ? line.indent : (line.indent + 1) / 2
            let room = max(1, width - 2 - indent)
            return TextFitting.wrapped(line.text, to: room).map { part in
                StyledText([Span(String(repeating: " ", count: indent)), Span(String(part), style(of: line.kind))])
            }
        }
    }

    private static func style(of kind: ExplanationText.Kind) -> Style {
        switch kind {
        case .outcome: Theme.identity
        case .fact: Theme.faint
        case .heading: Theme.heading
        case .granted: Theme.added
        case .refused: Theme.removed
        case .reason: .plain
        case .withheld: Theme.waiting
        }
    }
}
