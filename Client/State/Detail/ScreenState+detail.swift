import RolecallProtocol
import Terminal
import WireJSON

/// The detail pane: what of an entry it shows, and the row in it that keys are about.
extension ScreenState {
    mutating func toggleDetail() {
        if detail.isOpen {
            detail = DetailPosition()
            focus = .list
            keepSelectionInSight()
        } else {
            openDetail(as: .json)
        }
    }

    private mutating func openDetail(as form: DetailForm) {
        guard selected != nil else { return }
        // What is being read stays, whatever comes.
        hold()
        detail = DetailPosition(isOpen: true, form: form)
        if Layout(self).placement == .full { focus = .detail }
        keepSelectionInSight()
    }

    /// Begins at the top of the selected entry, or of another version of its row. What is folded stays so.
    mutating func showDetail(of version: Int?) {
        detail.version = version
        detail.top = 0
        detail.cursor = 0
    }

    /// Shows the entry in another form; opens the pane for it.
    mutating func showForm(_ request: Request) {
        let form: DetailForm =
            switch request {
            case .showJSON: .json
            case .showRaw: .raw
            case .toggleDiff: detail.isOpen && detail.form == .changes ? .json : .changes
            default: .changes
            }
        guard detail.isOpen else { return openDetail(as: form) }
        guard detail.form != form else { return }
        detail.form = form
        detail.top = 0
        detail.cursor = 0
    }

    mutating func reduceDetail(_ request: Request) -> [Effect] {
        let rows = max(1, (Layout(self).detail?.rows ?? 2) - 1)
        switch request {
        case .down: moveInDetail(by: 1)
        case .up: moveInDetail(by: -1)
        case .pageDown: moveInDetail(by: rows)
        case .pageUp: moveInDetail(by: -rows)
        case .halfPageDown: moveInDetail(by: max(1, rows / 2))
        case .halfPageUp: moveInDetail(by: -max(1, rows / 2))
        case .first: moveInDetail(by: .min / 2)
        case .last: moveInDetail(by: .max / 2)
        case .open: toggleDetail()
        case .fold: toggleFold()
        case .foldAll: foldAll()
        case .unfoldAll: unfoldAll()
        case .toggleDiff, .showJSON, .showDiff, .showRaw: showForm(request)
        case .olderVersion: showVersion(older: true)
        case .newerVersion: showVersion(older: false)
        case .copyEvent: return copyEvent()
        case .copyValue: return copyValue()
        case .nextHit: goToHitInDetail(below: true)
        case .previousHit: goToHitInDetail(below: false)
        case .write: focus = .input
        default: break
        }
        return []
    }

    /// The row as an event leaves it. A removal tells no more than the key: then the last version that was told.
    func shownRow(of line: EventLine) -> (row: JSON, isLast: Bool) {
        switch line.event.operation {
        case .created, .updated: return (line.event.row, false)
        case .removed, .hidden:
            guard let last = line.previous.flatMap({ timeline.line($0) }) else { return (line.event.row, false) }
            return (last.event.row, true)
        }
    }

    // MARK: Moving

    /// Moves the cursor, and the view as little as it takes to show it.
    private mutating func moveInDetail(by step: Int) {
        guard let pane = Layout(self).detail else { return }
        let count = DetailPage(self, width: pane.columns).rows.count
        let height = max(1, pane.rows - 1)
        let now = min(max(0, detail.cursor), max(0, count - 1))
        detail.cursor = min(max(0, now + step), max(0, count - 1))
        detail.top = min(max(min(detail.top, detail.cursor), detail.cursor - height + 1), max(0, count - height))
    }

    /// The wheel moves the view; the cursor stays in it.
    mutating func scrollDetail(by rows: Int) {
        guard let pane = Layout(self).detail else { return }
        let count = DetailPage(self, width: pane.columns).rows.count
        let height = max(1, pane.rows - 1)
        detail.top = min(max(0, detail.top + rows), max(0, count - height))
        detail.cursor = min(max(detail.cursor, detail.top), max(0, min(detail.top + height, count) - 1))
    }

    /// - Parameter row: of the screen.
    mutating func pointAtDetail(row: Int) {
        guard let pane = Layout(self).detail, row > pane.row else { return }
        let count = DetailPage(self, width: pane.columns).rows.count
        let wanted = detail.top + row - pane.row - 1
        if wanted < count { detail.cursor = wanted }
    }

    /// Goes to the next hit of the pane; where there is none, to that of the next line that is a hit.
    private mutating func goToHitInDetail(below: Bool) {
        guard search != nil else { return say("Nothing is searched for; / does.") }
        if moveToHit(below: below, from: detail.cursor) { return }
        goToHit(below: below)
        _ = moveToHit(below: below, from: below ? -1 : .max)
    }

    private mutating func moveToHit(below: Bool, from place: Int) -> Bool {
        guard let pane = Layout(self).detail, let needles = search?.pattern.needles else { return false }
        let rows = DetailPage(self, width: pane.columns).rows
        func isHit(_ row: Int) -> Bool { needles.contains { $0.occurs(in: rows[row].text.string) } }
        let hit =
            below
            ? rows.indices.first { $0 > place && isHit($0) } : rows.indices.last { $0 < place && isHit($0) }
        guard let hit else { return false }
        moveInDetail(by: hit - min(max(0, detail.cursor), max(0, rows.count - 1)))
        return true
    }

    // MARK: Folding

    private mutating func toggleFold() {
        guard let pane = Layout(self).detail else { return }
        let page = DetailPage(self, width: pane.columns)
        guard let path = page.line(at: detail.cursor)?.fold else {
            return say(detail.form == .raw ? "Raw JSON does not fold." : "There is nothing to fold here.")
        }
        if detail.folded.remove(path) == nil { detail.folded.insert(path) }
        point(at: path)
    }

    private mutating func foldAll() {
        guard let detailed, let line = timeline.line(detailed) else { return }
        let row = shownRow(of: line).row
        let pane = Layout(self).detail
        let at = pane.flatMap { DetailPage(self, width: $0.columns).line(at: detail.cursor)?.path }
        detail.folded = JSONLayout.foldable(in: row)
        // What the cursor was in is seen as the outermost part of it.
        point(at: at.map { Array($0.prefix(1)) } ?? [])
    }

    private mutating func unfoldAll() {
        let at = Layout(self).detail.flatMap { DetailPage(self, width: $0.columns).line(at: detail.cursor)?.path }
        detail.folded = []
        point(at: at ?? [])
    }

    private mutating func point(at path: JSONPath) {
        guard let pane = Layout(self).detail else { return }
        detail.cursor = DetailPage(self, width: pane.columns).row(opening: path) ?? 0
        moveInDetail(by: 0)
    }

    // MARK: Versions

    mutating func showVersion(older: Bool) {
        guard detail.isOpen else {
            openDetail(as: .json)
            return
        }
        guard let detailed, let line = timeline.line(detailed) else {
            return say("This line is about no row, and so has no versions.")
        }
        let wanted = older ? line.previous : timeline.version(after: detailed)
        guard let wanted, timeline[wanted] != nil else { return say(noVersion(older: older, line)) }
        if isShown(wanted) {
            // The list and the pane are about the same line.
            select(wanted)
        } else {
            showDetail(of: wanted)
            say("The list does not show this version: a filter or the tab hides it.")
        }
    }

    /// Why there is no version on that side.
    private func noVersion(older: Bool, _ line: EventLine) -> String {
        switch (older, line.event.operation) {
        case (true, _) where line.previous != nil: "The version before has gone from the list (--buffer)."
        case (true, .created): "This is the first version: the row was created here."
        case (true, _): "This is the first version that was told here."
        case (false, .removed): "This is the last version: the row was removed here."
        case (false, _): "This is the newest version."
        }
    }
}
