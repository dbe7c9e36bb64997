import RolecallProtocol
import Terminal
import WireJSON

/// Into the user's clipboard, by way of the terminal.
extension ScreenState {
    /// The event that keys are about, as the line that `watch` prints.
    mutating func copyEvent() -> [Effect] {
        guard let entry = pointedEntry else { return nothingToCopy() }
        switch entry.content {
        case .event(let line):
            return copy(String(decoding: OutputLine.event(line.event).jsonBytes, as: UTF8.self), "1 event")
        case .note(let text), .divider(let text): return copy(text, "1 line")
        }
    }

    /// The row of that event, indented.
    mutating func copyRow() -> [Effect] {
        guard let entry = pointedEntry else { return nothingToCopy() }
        guard case .event(let line) = entry.content else { return copyEvent() }
        return copy(line.event.row.inertPrettyText, "1 row")
    }

    /// The value under the cursor of the detail pane; where none is, the whole row.
    mutating func copyValue() -> [Effect] {
        guard let pane = Layout(self).detail,
            let line = DetailPage(self, width: pane.columns).line(at: detail.cursor), let value = line.value
        else { return copyRow() }
        if detail.form == .raw { return copy(value.inertText, "1 packet") }
        return copy(value.inertPrettyText, line.path?.isEmpty == true ? "1 row" : "1 value")
    }

    private var pointedEntry: Entry? {
        (detail.isOpen ? detailed : selected).flatMap { timeline[$0] }
    }

    private mutating func nothingToCopy() -> [Effect] {
        say("There is nothing to copy here.")
        return []
    }

    private mutating func copy(_ text: String, _ what: String) -> [Effect] {
        guard text.utf8.count <= TerminalMessage.longestClipboard else {
            alarm(
                "Too long for a terminal's clipboard: \(Words.size(text.utf8.count)) of \(what), and "
                    + "\(Words.size(TerminalMessage.longestClipboard)) are the most. /export FILE writes it.")
            return []
        }
        say("\(isUnicode ? "✓ " : "")copied \(what)")
        return [.copy(text)]
    }
}

extension JSON {
    /// Compact JSON in which no character acts on a terminal: where it is pasted into one, nothing happens.
    var inertText: String { String(decoding: OutputLine.safe(encoded()), as: UTF8.self) }

    /// The same for people, a line for each member and element.
    var inertPrettyText: String {
        prettyPrinted().split(separator: "\n", omittingEmptySubsequences: false)
            .map { String(decoding: OutputLine.safe(Array($0.utf8)), as: UTF8.self) }.joined(separator: "\n")
    }
}
