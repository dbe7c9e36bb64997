import RolecallProtocol
import Terminal
import WireJSON

/// All of one entry: the row as indented JSON, or what changed in it.
enum DetailView {
    /// The most characters that are laid out.
    static let limit = 100_000

    /// - Returns: where the cursor stands.
    static func draw(_ state: ScreenState, in pane: Rect, of buffer: inout CellBuffer) -> Terminal.Position? {
        guard pane.rows > 0 else { return nil }
        buffer.draw(
            heading(state, width: max(0, pane.columns - 1)), row: pane.row, column: pane.column + 1,
            in: pane.columnRange)
        let page = DetailPage(state, width: pane.columns)
        let room = pane.rows - 1
        let top = max(0, min(state.detail.top, page.rows.count - max(1, room)))
        var cursor: Terminal.Position?
        for (offset, line) in page.rows.dropFirst(top).prefix(room).enumerated() {
            let row = pane.row + 1 + offset
            let text = state.search.map { $0.pattern.highlighted(line.text) } ?? line.text
            buffer.draw(text, row: row, column: pane.column + 1, in: pane.columnRange)
            guard state.focus == .detail, top + offset == state.detail.cursor else { continue }
            buffer.draw(">", row: row, column: pane.column, Theme.key)
            buffer.restyle(Rect(row: row, column: pane.column, rows: 1, columns: pane.columns)) { style in
                style.attributes.formUnion(.bold)
            }
            cursor = Terminal.Position(row: row, column: pane.column)
        }
        return cursor ?? Terminal.Position(row: pane.row, column: pane.column)
    }

    /// What it is, which version of how many, and at the right which forms there are; those give way first.
    private static func heading(_ state: ScreenState, width: Int) -> StyledText {
        let ellipsis = state.signs.ellipsis
        guard let id = state.detailed, let entry = state.timeline[id] else { return StyledText() }
        guard case .event(let line) = entry.content else {
            return StyledText("\(entry.time)", Theme.heading).truncated(to: width, ellipsis: ellipsis)
        }
        var heading = StyledText("\(line.model) ", Theme.heading)
        let key = SafeText(line.event.row["_id"]?.plainText ?? "").text
        heading.append(state.fitted(key, to: 24, keeping: .ends), Theme.heading)
        let last = state.timeline.latestVersion(of: line).flatMap { state.timeline.line($0)?.version }
        let ofLast = max(line.version, last ?? 0)
        heading.append("  v\(line.version) of \(ofLast)", Theme.faint)
        for isShort in [false, true] {
            let forms = forms(state, isShort: isShort)
            guard heading.width + forms.width + 2 <= width else { continue }
            heading.append(String(repeating: " ", count: width - heading.width - forms.width))
            return StyledText(heading.spans + forms.spans)
        }
        return heading.truncated(to: width, ellipsis: ellipsis)
    }

    /// `[J]son [D]iff [R]aw`, by the keys that ask for them; the one that is shown stands out.
    private static func forms(_ state: ScreenState, isShort: Bool) -> StyledText {
        let all: [(DetailForm, Request)] = [(.json, .showJSON), (.changes, .showDiff), (.raw, .showRaw)]
        var line = StyledText()
        for (form, request) in all {
            let style = state.detail.form == form ? Theme.mode : Theme.faint
            let key = state.keys.key(for: request, in: .detail).map(\.description) ?? ""
            if !line.spans.isEmpty { line.append(" ") }
            let isInitial = key.count == 1 && request.label.lowercased().hasPrefix(key.lowercased())
            if isShort {
                line.append(isInitial ? key : String(request.label.prefix(1)), style)
            } else {
                line.append(isInitial ? "[\(key)]\(request.label.dropFirst())" : "\(key) \(request.label)", style)
            }
        }
        return line
    }

    /// What there is to scroll through.
    static func lines(_ state: ScreenState) -> [DetailLine] {
        guard let id = state.detailed, let entry = state.timeline[id] else {
            return [notice("Nothing is selected.")]
        }
        switch entry.content {
        case .note(let text), .divider(let text): return [DetailLine(text: StyledText(text), isSentence: true)]
        case .event(let line):
            let row =
                switch state.detail.form {
                case .json: json(line, state)
                case .changes: changes(line, before: line.previous.flatMap { state.timeline.line($0) }, state)
                case .raw: [raw(line.event, state)]
                }
            // The row stands first: where the pane is low, it is what there is room for.
            return row + ([StyledText()] + facts(line)).map { DetailLine(text: $0, isSentence: true) }
        }
    }

    /// The event as it travels: its name and its arguments.
    private static func raw(_ event: ModelEvent, _ state: ScreenState) -> DetailLine {
        let packet = JSON.array([.string(event.name)] + event.arguments)
        let text = "\(packet)"
        let end = "\(state.signs.ellipsis) cut here"
        let cut = text.utf8.count > limit ? "\(text.prefix(limit))\(end)" : text
        return DetailLine(text: StyledText(SafeText(cut).text), value: packet)
    }

    private static func facts(_ line: EventLine) -> [StyledText] {
        let event = line.event
        var who = "in the database, not through the server"
        if let by = event.by { who = "by \(SafeText(String(by.name.prefix(80)))) (\(by.id))" }
        let at = Timestamp(event.at)?.description ?? "at an unknown time"
        var facts = [StyledText("\(event.operation.rawValue) \(who)"), StyledText(at, Theme.faint)]
        facts.append(StyledText("\(event.position)", Theme.faint))
        if event.operation == .updated, !event.changed.isEmpty {
            facts.append(StyledText("changed: \(SafeText(String(event.changed.joined(separator: ", ").prefix(400))))"))
        }
        if let folded = event.folded { facts.append(StyledText("stands for \(folded) more")) }
        if line.marks > 0 {
            facts.append(StyledText("\(line.marks) character\(line.marks == 1 ? "" : "s") made safe", Theme.alarm))
        }
        return facts
    }

    private static func json(_ line: EventLine, _ state: ScreenState) -> [DetailLine] {
        let (row, isLast) = state.shownRow(of: line)
        guard isLast else { return pretty(row, state) }
        let what = line.event.operation == .hidden ? "No longer visible to you." : "Removed."
        return [notice("\(what) The last version that was told:")] + pretty(row, state)
    }

    private static func notice(_ text: String) -> DetailLine {
        DetailLine(text: StyledText(text, Theme.faint), isSentence: true)
    }

    private static func pretty(_ row: JSON, _ state: ScreenState) -> [DetailLine] {
        JSONLayout.lines(
            row, folded: state.detail.folded, limit: limit, ellipsis: state.signs.ellipsis)
    }

    /// The row's members against those of its version before.
    private static func changes(_ line: EventLine, before: EventLine?, _ state: ScreenState) -> [DetailLine] {
        let isNew = line.event.operation == .created
        guard before != nil && line.link != .otherEyes || isNew else {
            let why =
                line.previous == nil
                ? "The version before was not told here; this is all of the row."
                : before == nil
                    ? "The version before has gone from the list; this is all of the row."
                    : "The version before was told to another identity; this is all of the row."
            return [notice(why), DetailLine(text: StyledText())] + pretty(line.event.row, state)
        }
        let old = before?.event.row.objectValue ?? [:]
        let new = line.event.row.objectValue ?? [:]
        func member(_ sign: String, _ key: String, _ value: JSON, _ style: Style) -> DetailLine {
            let text = SafeText(String("\(sign)\(JSON.string(key)): \(value)".prefix(limit))).text
            return DetailLine(text: StyledText(text, style), value: value)
        }
        var lines: [DetailLine] = []
        if isNew { lines.append(notice("Created: all of it is new.")) }
        if let before, line.link == .gap {
            lines.append(
                notice("Since v\(before.version), with which this is compared, changes may not have been told."))
        }
        for (key, value) in new {
            switch old[key] {
            case value?: lines.append(member(" ", key, value, .plain))
            case let was?:
                lines.append(member("-", key, was, Theme.removed))
                lines.append(member("+", key, value, Theme.added))
            case nil: lines.append(member("+", key, value, Theme.added))
            }
        }
        // A removal tells the key alone.
        if line.event.operation == .updated || line.event.operation == .created {
            for (key, value) in old where new[key] == nil { lines.append(member("-", key, value, Theme.removed)) }
        } else {
            for (key, value) in old where key != "_id" { lines.append(member("-", key, value, Theme.removed)) }
        }
        return lines
    }
}
