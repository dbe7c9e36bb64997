import Terminal

/// All keys and commands, from the tables that decide what they do.
enum HelpView {
    static func draw(top: Int, _ state: ScreenState, in pane: Rect, of buffer: inout CellBuffer) {
        let lines = lines(state, width: pane.columns)
        let first = min(max(0, top), max(0, lines.count - pane.rows))
        for (row, line) in lines.dropFirst(first).prefix(pane.rows).enumerated() {
            buffer.draw(line, row: pane.row + row, column: pane.column, in: pane.columnRange)
        }
    }

    static func lines(_ state: ScreenState, width: Int) -> [StyledText] {
        var lines: [StyledText] = []
        for context in KeyContext.allCases {
            lines.append(StyledText(" \(context.title)", Theme.heading))
            for binding in state.keys.bindings where binding.context == context {
                let keys = binding.keys.map(\.description).joined(separator: " ")
                lines.append(row(keys, binding.request.explanation, width))
            }
        }
        lines.append(StyledText(" Commands", Theme.heading))
        for command in SlashCommand.allCases {
            lines.append(row("/\(command.rawValue)", command.explanation, width))
        }
        lines.append(StyledText(" Marks", Theme.heading))
        let marks: [(Entry.Mark, String)] = [
            (.created, "a row was created"), (.updated, "a row was updated"),
            (.removed, "a row was removed, or hidden"),
            (.chat, "a chat message"), (.alarm, "an error, or text that was made safe"),
            (.notice, "identity and connection"),
        ]
        for (mark, meaning) in marks { lines.append(row(mark.sign(isUnicode: state.isUnicode), meaning, width)) }
        return lines
    }

    private static func row(_ keys: String, _ explanation: String, _ width: Int) -> StyledText {
        let column = width >= 60 ? 24 : 12
        let names =
            DisplayWidth.of(keys) > column ? "\(keys) " : TextFitting.padded(keys, to: column)
        let line: StyledText = [Span("   "), Span(names, Theme.key), Span(" \(explanation)")]
        return line.truncated(to: width)
    }
}
