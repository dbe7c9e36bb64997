import RolecallProtocol
import Terminal

/// One entry of the list, as one line or several.
enum EntryView {
    /// The most rows that one entry takes in the list; the detail pane shows the rest.
    private static func tallest(_ state: ScreenState) -> Int { min(6, max(1, state.size.rows / 4)) }

    static func height(_ entry: Entry?, _ state: ScreenState, width: Int) -> Int {
        guard let entry else { return 1 }
        let room = textWidth(entry, state, width: width)
        // Most entries are one line, which is known without laying them out.
        guard wraps(entry, state), case .event(let line) = entry.content else {
            if case .note(let text) = entry.content { return rows(of: text, room, state).count }
            return 1
        }
        if line.text.utf8.count <= room, !line.text.utf8.contains(UInt8(ascii: "\n")), line.marks == 0 { return 1 }
        return rows(of: line.wholeText, room, state).count
    }

    /// The rows of an entry, without the column of the selection.
    ///
    /// - Parameter before: when the line above happened, where that is of interest.
    static func lines(
        _ entry: Entry, _ state: ScreenState, width: Int, after before: Timestamp? = nil
    ) -> [StyledText] {
        let columns = Columns(width: width, state.timeMode)
        switch entry.content {
        case .divider(let text):
            let art = state.capabilities.lineArt
            // Before it stand two columns of the line and a space; behind it the line gives way.
            let text = state.fitted(text, to: max(1, width - 4))
            let line = String(
                repeating: String(art.horizontal), count: max(2, (width - 1 - DisplayWidth.of(text) - 2) / 2))
            let whole = StyledText("\(line) \(text) \(line)", Theme.border)
            return [whole.truncated(to: max(0, width - 1), ellipsis: "")]
        case .note(let text):
            let head = self.head(entry, state, columns, before)
            return compose(head, rows(of: text, textWidth(entry, state, width: width), state), Theme.faint)
        case .event(let line):
            var head = self.head(entry, state, columns, before)
            if let model = columns.model, !line.isChat || columns.label != nil {
                head.append(state.padded(line.model, to: model), Theme.faint)
                head.append(" ")
            } else if !line.isChat {
                head.append("\(state.fitted(line.model, to: columns.narrow)) ", Theme.faint)
            }
            let style = line.isChat ? Theme.name : .bold
            if let label = columns.label {
                head.append(state.padded(line.label, to: label), style)
            } else {
                head.append(state.fitted(line.label, to: columns.narrow), style)
            }
            head.append("  ")
            let whole = line.wholeText
            let room = textWidth(entry, state, width: width)
            let rows =
                wraps(entry, state)
                ? rows(of: whole, room, state)
                : [state.fitted(scrolled(whole.replacingBreaks, state), to: room)]
            return compose(head, rows, .plain)
        }
    }

    private static func wraps(_ entry: Entry, _ state: ScreenState) -> Bool {
        if case .event(let line) = entry.content { return line.isChat || state.isWrapped }
        return true
    }

    private static func rows(of text: String, _ width: Int, _ state: ScreenState) -> [String] {
        let tallest = tallest(state)
        let rows = TextFitting.wrapped(text, to: max(1, width))
        guard rows.count > tallest else { return rows.map(String.init) }
        let shown = rows.prefix(tallest).map(String.init)
        let last = "\(shown.last ?? "")\(String(repeating: " ", count: width))"
        return shown.dropLast() + [state.fitted(last, to: max(1, width))]
    }

    private static func compose(_ head: StyledText, _ rows: [String], _ style: Style) -> [StyledText] {
        let indent = String(repeating: " ", count: head.width)
        return rows.enumerated().map { number, row in
            var line = number == 0 ? head : StyledText(indent)
            line.append(row, style)
            return line
        }
    }

    /// Time and mark.
    private static func head(
        _ entry: Entry, _ state: ScreenState, _ columns: Columns, _ before: Timestamp?
    ) -> StyledText {
        var head = StyledText()
        let time = state.timeMode.text(entry.time, after: before, now: state.now.wall, width: columns.time)
        head.append("\(time) ", Theme.faint)
        head.append(entry.mark.sign(isUnicode: state.isUnicode), Theme.mark(entry.mark))
        head.append(" ")
        return head
    }

    /// How many columns of an entry's text are out of sight because its line is cut.
    static func hidden(_ entry: Entry, _ state: ScreenState, width: Int) -> Int {
        guard case .event(let line) = entry.content, !wraps(entry, state) else { return 0 }
        return max(0, DisplayWidth.of(line.wholeText) - textWidth(entry, state, width: width))
    }

    /// What is left of a line that is scrolled sideways.
    private static func scrolled(_ text: String, _ state: ScreenState) -> String {
        guard state.scrolledColumns > 0 else { return text }
        return state.fitted(text, to: DisplayWidth.of(text) - state.scrolledColumns, keeping: .end)
    }

    private static func textWidth(_ entry: Entry, _ state: ScreenState, width: Int) -> Int {
        let columns = Columns(width: width, state.timeMode)
        var taken = 1 + columns.time + 3
        if case .event(let line) = entry.content {
            if let model = columns.model, !line.isChat || columns.label != nil {
                taken += model + 1
            } else if !line.isChat {
                taken += min(DisplayWidth.of(line.model), columns.narrow) + 1
            }
            taken += (columns.label ?? min(DisplayWidth.of(line.label), columns.narrow)) + 2
        }
        return max(1, width - taken)
    }

    /// What there is room for.
    private struct Columns {
        /// Of the time.
        let time: Int
        /// Nil where the columns are as wide as their text.
        let model: Int?
        let label: Int?
        /// The most columns of a model's or a row's name where the columns are as wide as their text.
        let narrow: Int

        init(width: Int, _ mode: TimeMode) {
            time = mode.columns(width >= 60 ? (width >= 64 ? 12 : 8) : width >= 45 ? 8 : 5)
            model = width >= 64 ? 8 : nil
            label = width >= 64 ? 13 : nil
            narrow = width >= 45 ? 16 : 9
        }
    }
}

extension String {
    /// On one line.
    fileprivate var replacingBreaks: String {
        utf8.contains(UInt8(ascii: "\n")) ? split(separator: "\n").joined(separator: " / ") : self
    }
}
