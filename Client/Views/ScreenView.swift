import RolecallProtocol
import Terminal

/// A whole screen from a state.
enum ScreenView {
    struct Frame: Sendable {
        var cells: CellBuffer
        /// Nil where it is hidden.
        var cursor: Terminal.Position?
    }

    static func frame(_ state: ScreenState) -> Frame {
        var frame = drawn(state)
        state.theme.apply(to: &frame.cells, depth: state.capabilities.colors)
        return frame
    }

    private static func drawn(_ state: ScreenState) -> Frame {
        var cells = CellBuffer(state.size)
        let layout = Layout(state)
        guard layout.isUsable else {
            let notice = "\(state.size): \(Layout.smallest) is the least"
            cells.draw(TextFitting.truncated(notice, to: state.size.columns), row: 0, column: 0)
            return Frame(cells: cells, cursor: nil)
        }
        cells.draw(IdentityLine.text(state, width: state.size.columns), row: 0, column: 0)
        if let bar = layout.bar { drawBar(state, bar, layout, of: &cells) }
        FooterView.drawStatus(state, layout, of: &cells)
        cells.draw(FooterView.footer(state, width: state.size.columns), row: layout.footer.row, column: 0)
        let inputCursor = InputView.draw(state, in: layout.input, of: &cells)
        var cursor: Terminal.Position?
        switch state.page {
        case .login(let form): cursor = AccountView.draw(form, state, in: layout.main, of: &cells)
        case .account(let selected): cursor = AccountView.draw(selected: selected, state, in: layout.main, of: &cells)
        case .people: cursor = PeopleView.draw(state, in: layout.main, of: &cells)
        case .explanation(let page): cursor = ExplanationView.draw(page, state, in: layout.main, of: &cells)
        case .help(let help): cursor = HelpView.draw(help, state, in: layout.main, of: &cells)
        case .palette(let palette): cursor = PaletteView.draw(palette, state, in: layout.main, of: &cells)
        case nil:
            cursor = drawList(state, layout.list, of: &cells)
            if let detail = layout.detail {
                drawDivider(state, layout, of: &cells)
                let detailCursor = DetailView.draw(state, in: detail, of: &cells)
                if state.focus == .detail { cursor = detailCursor }
            }
            if state.focus == .input { cursor = inputCursor }
        }
        return Frame(cells: cells, cursor: cursor)
    }

    /// Server, profile and how much is kept; what to press at the right.
    private static func drawBar(_ state: ScreenState, _ bar: Rect, _ layout: Layout, of cells: inout CellBuffer) {
        var line = StyledText(" \(state.server)", Theme.faint)
        if let replay = state.replay {
            line = StyledText(" recording \(SafeText(replay.path))", Theme.faint)
        } else {
            line.append("  profile \(state.profile)", Theme.faint)
        }
        line.append("  \(state.timeline.count) line\(state.timeline.count == 1 ? "" : "s")", Theme.faint)
        let keys: StyledText = [
            Span("F1", Theme.key), Span(" help  ", Theme.faint), Span("F2", Theme.key), Span(" account  ", Theme.faint),
            Span("F7", Theme.key), Span(" people ", Theme.faint),
        ]
        let room = max(0, bar.columns - keys.width - 1)
        cells.draw(line.truncated(to: room), row: bar.row, column: bar.column)
        cells.draw(keys, row: bar.row, column: bar.columns - keys.width)
    }

    private static func drawDivider(_ state: ScreenState, _ layout: Layout, of cells: inout CellBuffer) {
        guard let divider = layout.divider else { return }
        let art = state.capabilities.lineArt
        if layout.placement == .beside {
            cells.verticalLine(column: divider.column, rows: divider.rowRange, Theme.border, art)
        } else {
            cells.horizontalLine(row: divider.row, columns: divider.columnRange, Theme.border, art)
        }
    }

    /// - Returns: where the selected entry stands.
    private static func drawList(_ state: ScreenState, _ list: Rect, of cells: inout CellBuffer) -> Terminal.Position? {
        let window = ListWindow(state, list)
        let selected = state.selected
        var cursor: Terminal.Position?
        var lines: (entry: Int, lines: [StyledText])?
        for (offset, place) in window.rows.enumerated() {
            if lines?.entry != place.entry, let entry = state.timeline[place.entry] {
                lines = (place.entry, EntryView.lines(entry, state, width: list.columns))
            }
            let row = list.row + offset
            if let lines, lines.lines.indices.contains(place.line) {
                cells.draw(lines.lines[place.line], row: row, column: list.column + 1, in: list.columnRange)
            }
            guard place.entry == selected, state.focus != .input || !state.view.isFollowing else { continue }
            if place.line == 0 {
                cells.draw(">", row: row, column: list.column, Theme.key)
                cursor = Terminal.Position(row: row, column: list.column)
            }
            if state.focus == .list {
                cells.restyle(Rect(row: row, column: list.column, rows: 1, columns: list.columns)) { style in
                    style.attributes.formUnion(.bold)
                }
            }
        }
        return cursor
    }
}
