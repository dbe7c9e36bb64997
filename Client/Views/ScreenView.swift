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
        var lines = ListLineCache()
        return frame(state, &lines)
    }

    /// - Parameter lines: of the frame before.
    static func frame(_ state: ScreenState, _ lines: inout ListLineCache) -> Frame {
        var frame = drawn(state, &lines)
        state.theme.apply(to: &frame.cells, depth: state.capabilities.colors)
        return frame
    }

    private static func drawn(_ state: ScreenState, _ lines: inout ListLineCache) -> Frame {
        var cells = CellBuffer(state.size)
        let layout = Layout(state)
        guard layout.isUsable else {
            let notice = "\(state.size): \(Layout.smallest) is the least"
            cells.draw(state.fitted(notice, to: state.size.columns), row: 0, column: 0)
            return Frame(cells: cells, cursor: nil)
        }
        let end = cells.draw(IdentityLine.text(state, width: state.size.columns), row: 0, column: 0)
        if let clock = ClockView.text(state, room: state.size.columns - end) {
            cells.draw(clock, row: 0, column: state.size.columns - clock.width)
        }
        if let bar = layout.bar { TabLine.draw(state, in: bar, of: &cells) }
        FooterView.drawStatus(state, layout, of: &cells)
        for (offset, line) in FooterView.lines(state, width: state.size.columns).enumerated() {
            cells.draw(line, row: layout.footer.row + offset, column: 0)
        }
        let prompt = state.page == nil ? state.prompt : nil
        let inputCursor =
            prompt.map { PromptView.draw($0, state, in: layout.input, of: &cells) }
            ?? InputView.draw(state, in: layout.input, of: &cells)
        var cursor: Terminal.Position?
        switch state.page {
        case .login(let form): cursor = AccountView.draw(form, state, in: layout.main, of: &cells)
        case .account(let selected): cursor = AccountView.draw(selected: selected, state, in: layout.main, of: &cells)
        case .people: cursor = PeopleView.draw(state, in: layout.main, of: &cells)
        case .explanation(let page): cursor = ExplanationView.draw(page, state, in: layout.main, of: &cells)
        case .filters(let selected):
            cursor = FiltersView.draw(selected: selected, state, in: layout.main, of: &cells)
        case .help(let help): cursor = HelpView.draw(help, state, in: layout.main, of: &cells)
        case .palette(let palette): cursor = PaletteView.draw(palette, state, in: layout.main, of: &cells)
        case nil:
            cursor = drawList(state, layout.list, of: &cells, &lines)
            if let detail = layout.detail {
                drawDivider(state, layout, of: &cells)
                let detailCursor = DetailView.draw(state, in: detail, of: &cells)
                // Where it takes the list's place, it is the selected entry.
                if state.focus == .detail || layout.placement == .full { cursor = detailCursor }
            }
            if state.focus == .input || prompt != nil { cursor = inputCursor }
        }
        return Frame(cells: cells, cursor: cursor)
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
    private static func drawList(
        _ state: ScreenState, _ list: Rect, of cells: inout CellBuffer, _ cache: inout ListLineCache
    ) -> Terminal.Position? {
        let window = ListWindow(state, list)
        cache.begin(state, width: list.columns)
        let selected = state.selected
        var cursor: Terminal.Position?
        let marks = Dictionary(state.marks.map { ($0.value, $0.key) }) { min($0, $1) }
        var lines: (entry: Int, lines: [StyledText])?
        for (offset, place) in window.rows.enumerated() {
            if lines?.entry != place.entry, let entry = state.timeline[place.entry] {
                lines = (place.entry, ListLine.lines(place.entry, entry, state, width: list.columns, &cache))
            }
            let row = list.row + offset
            if let lines, lines.lines.indices.contains(place.line) {
                cells.draw(lines.lines[place.line], row: row, column: list.column + 1, in: list.columnRange)
            }
            if place.line == 0, let mark = marks[place.entry] {
                cells.draw(String(mark), row: row, column: list.column, Theme.waiting)
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
