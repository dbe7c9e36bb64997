import Terminal

/// Moving through the list and the detail pane.
extension ScreenState {
    // MARK: Holding and following

    /// Keeps the view where it is, whatever comes.
    mutating func hold() {
        guard view.isFollowing, let last = timeline.lastID else { return }
        let shown = lastShown ?? last
        view = ListPosition(isFollowing: false, bottom: shown, selected: shown, heldAt: last)
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
        case .first: if let firstShown { select(firstShown) }
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
            guard !input.text.hasPrefix("/") else { break }
            if !input.isEmpty {
                // A message that was begun must not go out with a command in it.
                input.remember()
                say("What was begun is kept: Up brings it back.")
            }
            input.set("/")
        case .filters: page = .filters(selected: 0)
        case .toggleDimming: toggleDimming()
        case .nextHit: goToHit(below: true)
        case .previousHit: goToHit(below: false)
        case .timeMode: setTimeMode(timeMode.next)
        case .setMark: awaitedMark = .set
        case .goToMark: awaitedMark = .go
        case .scrollLeft: scrollSideways(by: -max(1, Layout(self).list.columns / 4))
        case .scrollRight: scrollSideways(by: max(1, Layout(self).list.columns / 4))
        default: break
        }
        return []
    }

    private mutating func select(by step: Int) {
        guard let selected else { return }
        if view.isFollowing, step > 0 { return }
        if let next = shown(selected, offsetBy: step) { select(next) }
    }

    /// Holds the list with an entry selected, or the nearest one that is shown.
    mutating func select(_ id: Int) {
        guard let shown = shown(at: id) else { return }
        hold()
        view.selected = shown
        showDetail(of: nil)
        keepSelectionInSight()
    }

    /// Moves view and selection by so many rows.
    private mutating func turn(by rows: Int) {
        guard let selected, let bottom = self.bottom, !(view.isFollowing && rows > 0) else { return }
        let list = Layout(self).list
        hold()
        var lowest = bottom
        var left = abs(rows)
        var steps = 0
        while left > 0, let next = rows < 0 ? shown(before: lowest) : shown(after: lowest) {
            left -= EntryView.height(timeline[rows < 0 ? lowest : next], self, width: list.columns)
            lowest = next
            steps += rows < 0 ? -1 : 1
        }
        if steps == 0 {
            if let end = rows < 0 ? firstShown : lastShown { select(end) }
            return
        }
        view.bottom = lowest
        if let next = shown(selected, offsetBy: steps) { select(next) }
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
            while let next = shown(after: bottom) {
                left -= EntryView.height(timeline[next], self, width: list.columns)
                if left < 0 { break }
                bottom = next
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
        if case .press(.left) = mouse.kind, let tab = TabLine.tab(at: mouse.position, self) {
            switch tab {
            case .list(let tab): show(tab)
            case .people: return page == .people ? [] : openPeople()
            }
            return []
        }
        guard page == nil else { return [] }
        let layout = Layout(self)
        let isOnDetail = layout.detail?.contains(mouse.position) ?? false
        switch mouse.kind {
        case .scrollUp: if isOnDetail { scrollDetail(by: -3) } else { turn(by: -3) }
        case .scrollDown: if isOnDetail { scrollDetail(by: 3) } else { turn(by: 3) }
        case .press(.left) where prompt == nil:
            awaitedMark = nil
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
