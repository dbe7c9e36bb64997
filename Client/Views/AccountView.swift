import RolecallProtocol
import Terminal

/// The login form, and the page of somebody who is signed in.
///
/// Both are rows of which the one with the cursor is always in sight, however small the screen is.
enum AccountView {
    /// One row of either page.
    struct Row {
        var text: StyledText
        /// Where the cursor stands, in columns from the row's start, if it is here.
        var cursor: Int?
        /// Left out where rows are scarce.
        var isSpare = false
    }

    /// - Returns: where the cursor stands.
    static func draw(
        _ form: LoginForm, _ state: ScreenState, in pane: Rect, of buffer: inout CellBuffer
    ) -> Terminal.Position? {
        let left = margin(pane)
        let room = max(1, pane.columns - left)
        var rows = [Row(text: StyledText(), isSpare: true), Row(text: heading(state), isSpare: true), .spare]
        func add(_ field: LoginForm.Field, _ text: StyledText, cursor: Int) {
            rows.append(Row(text: text, cursor: form.field == field ? cursor : nil))
            if form.fault?.field == field { rows += fault(form, room) }
        }
        let texts: [(LoginForm.Field, String, LineEditor)] = [
            (.server, "Server", form.server), (.email, "E-mail", form.email), (.password, "Password", form.password),
        ]
        for (field, label, editor) in texts {
            let isActive = form.field == field
            let labelWidth = room >= 44 ? 12 : 9
            let (shown, cursor) = visible(
                editor, isMasked: field == .password, isActive: isActive, width: max(1, min(48, room - labelWidth - 1)),
                state)
            let name = state.padded(label, to: labelWidth)
            add(
                field, [Span(name, isActive ? Theme.key : .plain), Span(shown, .underline)],
                cursor: labelWidth + cursor)
        }
        let tick = "[\(form.staysSignedIn ? "x" : " ")] stay signed in"
        add(.staysSignedIn, StyledText(tick, form.field == .staysSignedIn ? Theme.mode : .plain), cursor: 1)
        rows.append(.spare)
        let action = form.isBusy ? " logging in\(state.signs.ellipsis) " : " Log in "
        add(.submit, StyledText(action, form.field == .submit ? Theme.mode : .underline), cursor: 1)
        if form.fault != nil, form.fault?.field == nil { rows += fault(form, room) }
        return draw(rows, state, in: pane, of: &buffer)
    }

    private static func heading(_ state: ScreenState) -> StyledText {
        var heading = StyledText("Log in", Theme.heading)
        if state.user != nil { heading.append("  as another user, on the same socket", Theme.faint) }
        return heading
    }

    private static func fault(_ form: LoginForm, _ room: Int) -> [Row] {
        let message = form.fault?.message ?? ""
        return TextFitting.wrapped("! \(message)", to: max(1, room - 1)).prefix(3).map { line in
            Row(text: StyledText(String(line), Theme.alarm))
        }
    }

    /// The part of a field's text that has the cursor, filled up to the field's width.
    static func visible(
        _ editor: LineEditor, isMasked: Bool, isActive: Bool, width: Int, _ state: ScreenState
    ) -> (text: String, cursor: Int) {
        let text = isMasked ? String(repeating: "*", count: editor.characters.count) : editor.text
        let before = String(text.prefix(editor.cursor))
        guard isActive, DisplayWidth.of(before) >= width else {
            return (state.padded(text, to: width), DisplayWidth.of(before))
        }
        let tail = state.fitted(before, to: width - 1, keeping: .end)
        return (state.padded(tail, to: width), DisplayWidth.of(tail))
    }

    static func margin(_ pane: Rect) -> Int { pane.columns >= 60 ? 4 : 1 }

    static func draw(
        _ rows: [Row], _ state: ScreenState, in pane: Rect, of buffer: inout CellBuffer
    ) -> Terminal.Position? {
        let shown = rows.count > pane.rows ? rows.filter { !$0.isSpare } : rows
        let left = pane.column + margin(pane)
        let at = shown.firstIndex { $0.cursor != nil } ?? 0
        // A field's fault stands under it, and should be seen with it.
        let top = max(0, min(at, at + 2 - pane.rows, shown.count - pane.rows))
        var cursor: Terminal.Position?
        for (row, line) in shown.dropFirst(top).prefix(pane.rows).enumerated() {
            let fitted = line.text.truncated(
                to: max(1, pane.columnRange.upperBound - left), ellipsis: state.signs.ellipsis)
            buffer.draw(fitted, row: pane.row + row, column: left, in: pane.columnRange)
            if let column = line.cursor { cursor = Terminal.Position(row: pane.row + row, column: left + column) }
        }
        return cursor
    }
}

extension AccountView.Row {
    /// An empty row, where there is room for it.
    static var spare: Self { Self(text: StyledText(), isSpare: true) }
}
