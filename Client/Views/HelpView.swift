import Terminal

/// All keys and commands, from the tables that decide what they do.
enum HelpView {
    /// Rows that are there for the text.
    static func listHeight(_ state: ScreenState) -> Int {
        guard case .help(let help) = state.page, help.search != nil else { return Layout(state).main.rows }
        return Layout(state).main.rows - 1
    }

    /// - Returns: where the cursor stands; nil where it has no place.
    static func draw(
        _ help: HelpPage, _ state: ScreenState, in pane: Rect, of buffer: inout CellBuffer
    ) -> Terminal.Position? {
        let lines = lines(state, width: pane.columns)
        var rest = pane
        var cursor: Terminal.Position?
        if let search = help.search, pane.rows > 0 {
            (_, rest) = pane.splitTop(1)
            let found = lines.isEmpty && !search.isEmpty ? "nothing" : ""
            let place = TypedLine.draw("Find: ", search, remark: found, state, in: pane, of: &buffer)
            if help.isTyping { cursor = place }
        }
        let first = min(max(0, help.top), max(0, lines.count - rest.rows))
        for (row, line) in lines.dropFirst(first).prefix(rest.rows).enumerated() {
            buffer.draw(line, row: rest.row + row, column: rest.column, in: rest.columnRange)
        }
        return cursor
    }

    private struct Section {
        let title: String
        /// - Parameter alias: is found, too, but not shown.
        let rows: [(name: String, explanation: String, alias: String)]
    }

    /// What there is to scroll through: everything, or what holds all the words that are looked for.
    static func lines(_ state: ScreenState, width: Int) -> [StyledText] {
        var words: [Substring] = []
        if case .help(let help) = state.page, let search = help.search {
            words = search.text.lowercased().split(separator: " ")
        }
        var lines: [StyledText] = []
        for section in sections(state) {
            let rows = section.rows.filter { row in
                let text = "\(section.title) \(row.name) \(row.explanation) \(row.alias)".lowercased()
                return words.allSatisfy { text.contains($0) }
            }
            guard !rows.isEmpty else { continue }
            lines.append(
                StyledText(" \(section.title)", Theme.heading).truncated(to: width, ellipsis: state.signs.ellipsis))
            for row in rows { lines += self.row(row.name, row.explanation, width, state) }
        }
        return lines
    }

    private static func sections(_ state: ScreenState) -> [Section] {
        let keys = KeyContext.allCases.map { context in
            Section(
                title: context.title,
                rows: state.keys.bindings.filter { $0.context == context }.map { binding in
                    (
                        binding.keys.map(\.description).joined(separator: " "), binding.request.explanation,
                        "\(binding.request.name) \(binding.request.synonyms)"
                    )
                })
        }
        let commands = SlashCommand.allCases.map { ("/\($0.rawValue)", $0.explanation, $0.synonyms) }
        let marks: [(Entry.Mark, String)] = [
            (.created, "a row was created"), (.updated, "a row was updated"),
            (.removed, "a row was removed, or hidden"),
            (.chat, "a chat message"), (.alarm, "an error, or text that was made safe"),
            (.notice, "identity and connection"),
        ]
        return keys + [
            Section(title: "Commands", rows: commands),
            Section(title: "Queries: terms that must all hold", rows: Query.grammar.map { ($0.term, $0.meaning, "") }),
            Section(
                title: "Configuration file", rows: ConfigurationFile.grammar.map { ($0.directive, $0.meaning, "") }),
            Section(
                title: "Marks", rows: marks.map { ($0.sign(isUnicode: state.isUnicode), $1, "") }),
        ]
    }

    /// What asks for it, and beside it in as many rows as it takes what it does.
    private static func row(
        _ keys: String, _ explanation: String, _ width: Int, _ state: ScreenState
    ) -> [StyledText] {
        let column = width >= 60 ? 24 : 12
        let room = max(8, width - column - 5)
        let isLong = DisplayWidth.of(keys) > column
        var lines = TextFitting.wrapped(explanation, to: room).map { text -> StyledText in
            [Span(String(repeating: " ", count: column + 4)), Span(String(text))]
        }
        let names: StyledText = [Span("   "), Span(isLong ? keys : state.padded(keys, to: column), Theme.key)]
        if isLong {
            lines.insert(names.truncated(to: width, ellipsis: state.signs.ellipsis), at: 0)
        } else if let first = lines.first {
            lines[0] = StyledText(names.spans + [Span(" ")] + first.spans.dropFirst())
        } else {
            lines = [names]
        }
        return lines
    }
}
