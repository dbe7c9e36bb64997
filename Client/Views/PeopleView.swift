import RolecallProtocol
import Terminal

/// Who is on: a line for each user, and under it, for those who may know, one for each socket.
enum PeopleView {
    /// Rows that are there for people, under the heading.
    static func listHeight(_ state: ScreenState) -> Int { Layout(state).main.rows - 1 }

    /// The first row in sight that shows a row with the least movement.
    static func top(_ top: Int, showing index: Int, of count: Int, height: Int) -> Int {
        min(max(min(top, index), index - height + 1), max(0, count - height))
    }

    /// - Returns: where the cursor stands.
    static func draw(_ state: ScreenState, in pane: Rect, of buffer: inout CellBuffer) -> Terminal.Position? {
        guard pane.rows > 0 else { return nil }
        let rows = state.people.rows
        buffer.draw(
            heading(state, rows).truncated(to: max(0, pane.columns - 1), ellipsis: state.signs.ellipsis), row: pane.row,
            column: pane.column + 1,
            in: pane.columnRange)
        let height = max(0, pane.rows - 1)
        let selected = state.people.selectedIndex(in: rows)
        let first = top(state.people.top, showing: selected ?? 0, of: rows.count, height: max(1, height))
        let columns = Columns(width: pane.columns)
        var cursor: Terminal.Position?
        for (offset, index) in (first..<rows.count).prefix(height).enumerated() {
            let row = pane.row + 1 + offset
            let line =
                switch rows[index] {
                case .person(let person): self.line(person, state, columns)
                case .socket(let socket): self.line(socket, state, columns)
                }
            buffer.draw(
                line.truncated(to: pane.columns - 1, ellipsis: state.signs.ellipsis), row: row, column: pane.column + 1,
                in: pane.columnRange)
            guard index == selected else { continue }
            buffer.draw(">", row: row, column: pane.column, Theme.key)
            buffer.restyle(Rect(row: row, column: pane.column, rows: 1, columns: pane.columns)) { style in
                style.attributes.formUnion(.bold)
            }
            cursor = Terminal.Position(row: row, column: pane.column)
        }
        return cursor
    }

    private static func heading(_ state: ScreenState, _ rows: [People.Row]) -> StyledText {
        let dot = state.isUnicode ? "·" : "-"
        var line = StyledText()
        var people = 0
        var sockets = 0
        for case .person(let person) in rows {
            people += person.id == nil ? 0 : 1
            sockets += person.sockets
        }
        guard state.user != nil else {
            let why = state.connection.isOnline ? "F2 logs in; others are not told who is on" : "there is no connection"
            return StyledText("People \(dot) \(why)", Theme.heading)
        }
        line.append("\(people) \(people == 1 ? "person" : "people") on", Theme.heading)
        line.append(" \(dot) \(Words.count(sockets, "socket"))", Theme.faint)
        let listing = state.people.sockets
        if let fault = listing.fault, !listing.isDenied {
            line.append(" \(dot) ", Theme.faint)
            line.append(fault, Theme.alarm)
        } else if !state.people.showsSockets, listing.isLoading {
            line.append(" \(dot) asking\(state.signs.ellipsis)", Theme.faint)
        }
        return line
    }

    private static func line(_ person: People.Person, _ state: ScreenState, _ columns: Columns) -> StyledText {
        let isOwn = person.id != nil && person.id == state.user?.id
        let name = person.id == nil ? "unassociated" : person.name
        let style = person.id == nil ? Theme.nobody : Theme.identity
        let count = Words.count(person.sockets, "socket")
        var line = StyledText()
        guard let nameWidth = columns.name else {
            line.append(state.fitted(name, to: columns.narrow), style)
            if let role = person.role { line.append(" (\(state.fitted(role, to: 10)))") }
            line.append("  \(person.sockets)", Theme.faint)
            if isOwn { line.append("  you", Theme.faint) }
            return line
        }
        line.append(state.padded(name, to: nameWidth), style)
        line.append("  \(state.padded(person.role ?? "", to: columns.role))")
        if state.people.showsSockets {
            line.append("  \(state.padded(person.email ?? "", to: columns.email))", Theme.faint)
        }
        line.append("  \(state.padded(count, to: 11))", Theme.faint)
        if isOwn { line.append("  you", Theme.faint) }
        return line
    }

    private static func line(_ socket: SocketRecord, _ state: ScreenState, _ columns: Columns) -> StyledText {
        var parts = [state.padded(SafeText(socket.id).text, to: columns.socket)]
        if columns.name == nil {
            parts.append(socket.address)
        } else {
            parts.append(state.padded(socket.transport, to: 9))
            parts.append(state.padded(socket.address, to: columns.address))
            if let since = socket.connectedAt {
                parts.append(state.padded(Words.ago(since, now: state.now.wall), to: columns.since))
            }
            if socket.queuedBytes > 0 { parts.append("\(Words.size(Int(clamping: socket.queuedBytes))) waiting") }
        }
        if case .online(let own) = state.connection.phase, own == SafeText(socket.id).text {
            parts.append("this socket")
        }
        return StyledText("  " + parts.joined(separator: "  "), Theme.faint)
    }

    /// What there is room for.
    private struct Columns {
        /// Nil where a line is as short as it can be.
        let name: Int?
        /// The most columns of a name in such a line.
        let narrow: Int
        let role: Int
        let email: Int
        let socket: Int
        let address: Int
        let since: Int

        init(width: Int) {
            let isWide = width >= 100
            name = width >= 60 ? (isWide ? 24 : 14) : nil
            narrow = max(8, width - 20)
            role = isWide ? 10 : 8
            email = isWide ? 34 : width >= 80 ? 24 : 14
            socket = isWide ? 24 : width >= 60 ? 10 : 8
            address = isWide ? 24 : 16
            since = isWide ? 16 : 10
        }
    }
}
