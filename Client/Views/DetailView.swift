import RolecallProtocol
import Terminal
import WireJSON

/// All of one entry: the row as indented JSON, or what changed in it.
enum DetailView {
    /// The most characters that are laid out.
    static let limit = 100_000

    static func draw(_ state: ScreenState, in pane: Rect, of buffer: inout CellBuffer) {
        guard pane.rows > 0 else { return }
        buffer.draw(
            heading(state).truncated(to: max(0, pane.columns - 1)), row: pane.row, column: pane.column + 1,
            in: pane.columnRange)
        let lines = lines(state, width: pane.columns)
        let room = pane.rows - 1
        let top = min(state.detail.top, max(0, lines.count - max(1, room)))
        for (row, line) in lines.dropFirst(max(0, top)).prefix(room).enumerated() {
            buffer.draw(line, row: pane.row + 1 + row, column: pane.column + 1, in: pane.columnRange)
        }
    }

    private static func heading(_ state: ScreenState) -> StyledText {
        var heading = StyledText()
        guard let id = state.detailed, let entry = state.timeline[id] else { return heading }
        guard case .event(let line) = entry.content else {
            heading.append("\(entry.time)", Theme.heading)
            return heading
        }
        heading.append("\(line.model) ", Theme.heading)
        let key = SafeText(line.event.row["_id"]?.plainText ?? "").text
        heading.append(TextFitting.truncated(key, to: 24, keeping: .ends), Theme.heading)
        let last = state.timeline.latestVersion(of: line.event).flatMap { state.timeline.line($0)?.version }
        heading.append("  v\(line.version) of \(max(line.version, last ?? 0))", Theme.faint)
        heading.append("  \(state.detail.isDiff ? "changes" : "row")", Theme.faint)
        return heading
    }

    /// What there is to scroll through.
    static func lines(_ state: ScreenState, width: Int) -> [StyledText] {
        guard let id = state.detailed, let entry = state.timeline[id] else {
            return [StyledText("Nothing is selected.", Theme.faint)]
        }
        let room = max(1, width - 2)
        switch entry.content {
        case .note(let text), .divider(let text):
            return TextFitting.wrapped(text, to: room).map { StyledText(String($0)) }
        case .event(let line):
            // The row stands first: where the pane is low, it is what there is room for.
            let row =
                state.detail.isDiff
                ? changes(line, before: line.previous.flatMap { state.timeline.line($0) }) : pretty(line.event.row)
            let lines = row + [StyledText()] + facts(line)
            return lines.flatMap { $0.wrapped(to: room, .anywhere) }
        }
    }

    private static func facts(_ line: EventLine) -> [StyledText] {
        let event = line.event
        var who = "from outside the server"
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

    private static func pretty(_ row: JSON) -> [StyledText] {
        let text = row.prettyPrinted()
        let shown = text.prefix(limit)
        var lines = shown.split(separator: "\n", omittingEmptySubsequences: false).map {
            coloured(SafeText(String($0)).text)
        }
        if shown.utf8.count < text.utf8.count { lines.append(StyledText("… cut here", Theme.faint)) }
        return lines
    }

    /// A member's key in another colour than its value.
    private static func coloured(_ line: String) -> StyledText {
        guard let end = line.firstRange(of: "\": "), line.drop(while: { $0 == " " }).first == "\"" else {
            return StyledText(line)
        }
        let value = line.index(end.lowerBound, offsetBy: 1)
        return [Span(String(line[..<value]), Theme.name), Span(String(line[value...]))]
    }

    /// The row's members against those of its version before.
    private static func changes(_ line: EventLine, before: EventLine?) -> [StyledText] {
        guard let before else {
            return [StyledText("The version before is not known here.", Theme.faint), StyledText()]
                + pretty(line.event.row)
        }
        let old = before.event.row.objectValue ?? [:]
        let new = line.event.row.objectValue ?? [:]
        func member(_ sign: String, _ key: String, _ value: JSON, _ style: Style) -> StyledText {
            StyledText(SafeText(String("\(sign)\(JSON.string(key)): \(value)".prefix(limit))).text, style)
        }
        var lines: [StyledText] = []
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
