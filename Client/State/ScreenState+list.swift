import Terminal

/// Moving through the list and the detail pane.
extension ScreenState {
    // MARK: Holding and following

    /// Keeps the view where it is, whatever comes.
    mutating func hold() {
        guard view.isFollowing, let last = timeline.lastID else { return }
        view = ListPosition(isFollowing: false, bottom: last, selected: last, heldAt: last)
    }

    mutating func follow() {
        view = ListPosition()
        showDetail(of: nil)
    }

    // MARK: The list

    mutating func reduceList(_ request: Request) -> [Effect] {
        let height = max(1, Layout(self).list.rows)
        switch request {
        case .down: select(by: 1)
        case .up: select(by: -1)
        case .pageDown: turn(by: max(1, height - 1))
        case .pageUp: turn(by: -max(1, height - 1))
        case .halfPageDown: turn(by: max(1, height / 2))
        case .halfPageUp: turn(by: -max(1, height / 2))
        case .first: select(timeline.ids.lowerBound)
        case .last: follow()
        case .open: toggleDetail()
        case .toggleDiff, .showJSON, .showDiff, .showRaw: showForm(request)
        case .olderVersion: showVersion(older: true)
        case .newerVersion: showVersion(older: false)
        case .copyEvent: return copyEvent()
        case .copyValue: return copyRow()
        case .toggleWrap:
            isWrapped.toggle()
            keepSelectionInSight()
        case .write: focus = .input
        case .command:
            focus = .input
            if input.isEmpty { input.set("/") }
        default: break
        }
        return []
    }

    private mutating func select(by step: Int) {
        guard let selected else { return }
        if view.isFollowing, step > 0 { return }
        select(selected + step)
    }

    private mutating func select(_ id: Int) {
        guard let last = timeline.lastID else { return }
        hold()
        view.selected = min(max(id, timeline.ids.lowerBound), last)
        showDetail(of: nil)
        keepSelectionInSight()
    }

    /// Moves view and selection by so many rows.
    private mutating func turn(by rows: Int) {
        guard let selected, let last = timeline.lastID, !(view.isFollowing && rows > 0) else { return }
        let first = timeline.ids.lowerBound
        let list = Layout(self).list
        hold()
        var bottom = view.bottom
        var left = abs(rows)
        var steps = 0
        while left > 0 {
            let next = rows < 0 ? bottom - 1 : bottom + 1
            guard (first...last).contains(next) else { break }
            left -= EntryView.height(timeline[rows < 0 ? bottom : next], self, width: list.columns)
            bottom = next
            steps += rows < 0 ? -1 : 1
        }
        if steps == 0 {
            select(rows < 0 ? first : last)
            return
        }
        view.bottom = bottom
        select(selected + steps)
    }

    /// Moves the held view as little as it takes to show the selected entry.
    mutating func keepSelectionInSight() {
        guard !view.isFollowing, let selected else { return }
        let list = Layout(self).list
        guard list.rows > 0 else { return }
        let window = ListWindow(self, list)
        if let top = window.rows.first(where: { $0.line == 0 })?.entry, selected < top {
            // The selected entry on top, and below it as many as fit.
            var bottom = selected
            var left = list.rows - EntryView.height(timeline[selected], self, width: list.columns)
            while let next = timeline[bottom + 1] {
                left -= EntryView.height(next, self, width: list.columns)
                if left < 0 { break }
                bottom += 1
            }
            view.bottom = bottom
        } else if let last = window.rows.last?.entry, selected > last {
            view.bottom = selected
        } else if window.rows.isEmpty {
            view.bottom = selected
        }
    }

    mutating func reduce(_ mouse: Mouse) -> [Effect] {
        if page == .people { reducePeople(mouse) }
        if case .explanation = page, mouse.kind == .scrollUp { scrollExplanation(by: -3) }
        if case .explanation = page, mouse.kind == .scrollDown { scrollExplanation(by: 3) }
        guard page == nil else { return [] }
        let layout = Layout(self)
        let isOnDetail = layout.detail?.contains(mouse.position) ?? false
        switch mouse.kind {
        case .scrollUp: if isOnDetail { scrollDetail(by: -3) } else { turn(by: -3) }
        case .scrollDown: if isOnDetail { scrollDetail(by: 3) } else { turn(by: 3) }
        case .press(.left):
            if layout.list.contains(mouse.position) {
                let window = ListWindow(self, layout.list)
                let row = mouse.position.row - layout.list.row
                guard window.rows.indices.contains(row) else { return [] }
                focus = .list
                if window.rows[row].entry != selected { select(window.rows[row].entry) }
            } else if isOnDetail {
                focus = .detail
                pointAtDetail(row: mouse.position.row)
            } else if layout.input.contains(mouse.position) {
                focus = .input
            }
        default: break
        }
        return []
    }
}
