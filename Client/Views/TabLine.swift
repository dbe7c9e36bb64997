import Terminal

/// The line under the identity: the tabs, what the filters are, and how much of the list they let through.
///
/// Where there is not room for all, the count of events is cut first, then the keys at the right end, then the filters.
/// On a narrow screen the tabs stand alone, and the line under the list tells the filters.
enum TabLine {
    enum Place: Hashable {
        case list(Tab)
        case people
    }

    static func draw(_ state: ScreenState, in bar: Rect, of cells: inout CellBuffer) {
        var left = StyledText(" ")
        for (place, title) in titles(state) {
            left.append(title, isOpen(place, state) ? Theme.mode : Theme.faint)
            left.append("  ")
        }
        var keys = StyledText()
        if let replay = state.replay { keys.append("recording \(SafeText(replay.path))  ", Theme.faint) }
        for request in [Request.help, .account] where state.replay == nil || request == .help {
            guard let key = state.keys.key(for: request, in: .anywhere) else { continue }
            keys.append("\(key)", Theme.key)
            keys.append(" \(request.label)", Theme.faint)
            keys.append(request == .account || state.replay != nil ? " " : "  ")
        }
        let art = state.capabilities.lineArt
        let isWide = Layout.barHoldsFilters(state.size)
        let middle = isWide ? filters(state) : StyledText()
        var counts = isWide ? counts(state) : StyledText()
        let taken = left.width + middle.width + keys.width + 1
        if !state.sieve.isFiltering, taken + counts.width > bar.columns {
            counts = counts.truncated(to: bar.columns - taken, ellipsis: art.ellipsis)
        }
        let whole = left.width + middle.width + counts.width
        if whole + keys.width + 1 <= bar.columns {
            cells.draw(keys, row: bar.row, column: bar.columns - keys.width)
        } else if !isWide, let help = state.keys.key(for: .help, in: .anywhere) {
            let short = "\(help) "
            cells.draw(StyledText(short, Theme.key), row: bar.row, column: bar.columns - DisplayWidth.of(short))
        }
        let room = max(0, bar.columns - left.width - counts.width)
        left.spans += middle.truncated(to: room, ellipsis: art.ellipsis).spans + counts.spans
        cells.draw(left.truncated(to: bar.columns, ellipsis: art.ellipsis), row: bar.row, column: bar.column)
    }

    /// Which tab stands there, by the mouse.
    static func tab(at position: Terminal.Position, _ state: ScreenState) -> Place? {
        guard let bar = Layout(state).bar, bar.contains(position) else { return nil }
        var column = bar.column + 1
        for (place, title) in titles(state) {
            let width = DisplayWidth.of(title)
            if (column..<(column + width)).contains(position.column) { return place }
            column += width + 2
        }
        return nil
    }

    private static func isOpen(_ place: Place, _ state: ScreenState) -> Bool {
        switch place {
        case .list(let tab): state.page == nil && state.sieve.tab == tab
        case .people: state.page == .people
        }
    }

    private static func titles(_ state: ScreenState) -> [(Place, String)] {
        let tabs: [(Place, Request, String)] = [
            (.list(.all), .tabAll, Tab.all.title), (.list(.events), .tabEvents, Tab.events.title),
            (.list(.chat), .tabChat, chatTitle(state)), (.people, .people, "People"),
        ]
        return tabs.map { place, request, title in
            // The digit of Alt-1 is enough to know it by.
            let digit = state.keys.keysAnywhere(for: request).first { $0.modifiers == .alt }.map { "\($0)".suffix(1) }
            return (place, digit.map { "\($0) \(title)" } ?? title)
        }
    }

    static func chatTitle(_ state: ScreenState) -> String {
        guard state.unreadChat > 0 else { return Tab.chat.title }
        return "\(Tab.chat.title)\(state.isUnicode ? "·" : ":")\(Words.number(state.unreadChat))"
    }

    private static func filters(_ state: ScreenState) -> StyledText {
        let text = filterText(state)
        return text.isEmpty ? StyledText() : StyledText(" \(text)", Theme.waiting)
    }

    private static func counts(_ state: ScreenState) -> StyledText {
        let text = countText(state)
        guard text.isEmpty else { return StyledText("   (\(text))", Theme.faint) }
        let count = state.sieve.counts.all
        // Who has several identities wants to know whose screen it is.
        let profile = state.profile == "default" ? "" : "  profile \(SafeText(state.profile))"
        return StyledText("   \(Words.number(count)) event\(count == 1 ? "" : "s")\(profile)", Theme.faint)
    }

    /// `filter: -op:removed`; empty where there is none.
    static func filterText(_ state: ScreenState) -> String {
        let on = state.sieve.effective
        guard !on.isEmpty else { return state.sieve.filters.isEmpty ? "" : "filters off" }
        let titles = on.map { SafeText($0.title).text }.joined(separator: ", ")
        return "\(state.sieve.isDimming ? "dimmed but" : "filter"): \(titles)"
    }

    /// `812 of 4,096 shown`; empty where all is.
    static func countText(_ state: ScreenState) -> String {
        guard state.sieve.isFiltering else { return "" }
        let (matching, all) = state.sieve.counts
        return "\(Words.number(matching)) of \(Words.number(all)) \(state.sieve.isDimming ? "match" : "shown")"
    }
}
