import RolecallProtocol
import Terminal

/// The lines under the list: whether it follows, and which mode and keys there are.
enum FooterView {
    static func status(_ state: ScreenState, width: Int) -> String {
        let dot = state.isUnicode ? "·" : "-"
        var parts = [state.view.isFollowing ? "FOLLOW" : "PAUSED"]
        if !state.view.isFollowing {
            let (matching, new) = state.newBelow
            let below = state.bottom.map { state.sieve.shownEvents(after: $0) } ?? 0
            if new > 0 {
                let match = state.sieve.isFiltering ? " (\(Words.number(matching)) match)" : ""
                parts.append("\(Words.number(new)) new below\(match)")
            } else if below > 0 {
                parts.append("\(Words.number(below)) below")
            }
        }
        parts.append(state.searchStatus)
        if !state.view.isFollowing {
            parts.append(state.keys.key(for: .last, in: .list).map { "\($0) to follow" } ?? "")
        }
        // Where there are no tabs, this is all that tells what is shown.
        if !Layout.hasBar(state.size), state.sieve.tab != .all { parts.append(state.sieve.tab.title) }
        if !Layout.barHoldsFilters(state.size) {
            if state.sieve.isFiltering {
                let titles = state.sieve.effective.map(\.title).joined(separator: ", ")
                parts.append("f \(titles) (\(TabLine.countText(state)))")
            }
        }
        return SafeText(parts.filter { !$0.isEmpty }.joined(separator: " \(dot) ")).text
    }

    /// The border under the list.
    static func drawStatus(_ state: ScreenState, _ layout: Layout, of buffer: inout CellBuffer) {
        let art = state.capabilities.lineArt
        let row = layout.status.row
        buffer.horizontalLine(row: row, columns: layout.status.columnRange, Theme.border, art)
        if layout.placement == .beside, let divider = layout.divider {
            buffer.draw(String(art.teeUp), row: row, column: divider.column, Theme.border)
        }
        let title =
            switch state.page {
            case .login, .account, .people, .explanation, .filters, .help, .palette: state.place.title
            case nil: status(state, width: layout.size.columns)
            }
        let style = state.view.isFollowing || state.page != nil ? Theme.faint : Theme.waiting
        let end = buffer.draw(
            " \(state.fitted(title, to: max(0, layout.size.columns - 5))) ", row: row,
            column: 2, style)
        guard state.page != nil, !state.view.isFollowing || state.newBelow.all > 0 else { return }
        let status = state.fitted(status(state, width: 0), to: layout.size.columns - end - 4)
        guard !status.isEmpty else { return }
        buffer.draw(" \(status) ", row: row, column: end + 1, Theme.waiting)
    }

    /// How many rows ``lines(_:width:)`` has; what is asked with each layout is not drawn for it.
    static func height(_ state: ScreenState, width: Int) -> Int {
        state.message == nil && state.confirmation == nil ? 1 : lines(state, width: width).count
    }

    /// The mode, then a message in as many rows as it takes, within reason, or the keys that matter there.
    static func lines(_ state: ScreenState, width: Int) -> [StyledText] {
        let (line, isSentence) = content(state, width: width)
        guard isSentence else { return [line] }
        let most = state.size.rows >= 18 ? 3 : state.size.rows >= 8 ? 2 : 1
        let rows = line.wrapped(to: max(1, width), .words)
        guard rows.count > most else { return rows }
        var last = rows[most - 1].truncated(to: max(1, width - 1), ellipsis: "")
        last.append(state.signs.ellipsis)
        return rows.prefix(most - 1) + [last]
    }

    private static func content(_ state: ScreenState, width: Int) -> (line: StyledText, isSentence: Bool) {
        var line = StyledText("[\(state.context.title)]", Theme.mode)
        line.append(" ")
        if state.recording != nil {
            line.append("REC", Theme.alarm)
            line.append(" ")
        }
        if let confirmation = state.confirmation {
            line.append(confirmation.question, Theme.alarm)
            return (line, true)
        }
        if let message = state.message {
            line.append(message.text, message.isAlarm ? Theme.alarm : .plain)
            return (line, true)
        }
        let isReadOnly = state.connection.isOnline && state.identity?.user == nil && state.page == nil
        if isReadOnly {
            line.append("read only", Theme.nobody)
            line.append("  ")
        }
        let help = hint(.help, state).map { name -> StyledText in
            [Span(name.key, Theme.key), Span(" keys", Theme.faint)]
        }
        let room = width - (help?.width ?? 0) - 1
        var requests = requests(state)
        // Where there is room for one, it is the way out.
        if width < 45, let back = requests.firstIndex(of: .back) { requests.insert(requests.remove(at: back), at: 0) }
        for request in requests {
            guard let hint = hint(request, state) else { continue }
            guard line.width + DisplayWidth.of(hint.key) + DisplayWidth.of(hint.label) + 3 <= room else { break }
            line.append(hint.key, Theme.key)
            line.append(" \(hint.label)  ", Theme.faint)
        }
        guard let help, line.width + help.width <= width else {
            return (line.truncated(to: width, ellipsis: state.signs.ellipsis), false)
        }
        line.append(String(repeating: " ", count: width - line.width - help.width))
        return (StyledText(line.spans + help.spans), false)
    }

    private static func hint(_ request: Request, _ state: ScreenState) -> (key: String, label: String)? {
        guard let key = state.keys.key(for: request, in: state.context) else { return nil }
        switch request {
        case .togglePause where !state.view.isFollowing: return ("\(key)", "follow")
        case .open where state.detail.isOpen: return ("\(key)", "close")
        // The two ways along a row's versions are one thing.
        case .olderVersion:
            guard let newer = state.keys.key(for: .newerVersion, in: state.context) else { break }
            return ("\(key) \(newer)", "versions")
        // Tab is no way to the next line here, as it is on pages.
        case .write where state.context == .list && state.keys.request(for: .tab, in: .list) == .write && key != .tab:
            return ("\(key)/\(Key.tab)", request.label)
        default: break
        }
        return ("\(key)", request.label)
    }

    /// The most useful first.
    private static func requests(_ state: ScreenState) -> [Request] {
        switch state.context {
        case .list:
            let versions: [Request] = state.detail.isOpen ? [.olderVersion] : []
            let retry: [Request] = state.connection.isOnline ? [] : [.retryNow]
            return state.identity?.user == nil
                ? retry + [.account, .down, .open] + versions + [.togglePause, .quit]
                : retry + [.down, .open] + versions
                    + [.write, .togglePause, .toggleDiff, .search, .filter, .account, .people, .quit]
        case .detail:
            let hits: [Request] = state.search == nil ? [] : [.nextHit]
            return [.down, .back] + hits + [.olderVersion, .fold, .toggleDiff, .copyValue, .nextPane]
        case .input: return [.send, .back, .newLine, .historyOlder, .account]
        case .form: return [.nextField, .choose, .back]
        case .account: return [.down, .choose, .reload, .back]
        case .people:
            let kicks: [Request] = state.people.showsSockets ? [.kick, .kickAndClose] : []
            return [.down] + kicks + [.reload, .back]
        case .whom: return [.choose, .completeName, .back]
        case .explanation: return [.down, .explain, .reload, .back]
        case .confirmation: return [.confirm, .decline]
        case .filter: return [.choose, .back, .completeTerm, .historyOlder]
        case .search: return [.choose, .back, .completeTerm, .historyOlder]
        case .filters: return [.down, .back, .toggle, .flip, .remove, .clearFilters, .choose, .filter]
        case .mark: return [.back]
        case .help: return [.down, .pageDown, .narrow, .back]
        case .helpSearch, .palette: return [.choose, .down, .back]
        case .anywhere: return []
        }
    }
}
