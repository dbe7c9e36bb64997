import RolecallProtocol
import Terminal

/// The line, or the lines, where messages and commands are written.
enum InputView {
    /// One row of the input: which characters, and whether they begin a line.
    struct Line: Hashable {
        let range: Range<Int>
    }

    static func prompt(_ state: ScreenState, width: Int) -> String {
        guard let user = state.user else { return "> " }
        let room = max(4, min(16, width / (state.rooms.current == nil || width < 60 ? 4 : 6)))
        let place = state.rooms.current.map { "[\(state.fitted(SafeText(String($0.prefix(80))).text, to: room))]" }
        // Who one is stands at the top; where there is not room for both, the room is what would be unknown.
        if let place, width < 60 { return "\(place)> " }
        let name = state.fitted(SafeText(String(user.name.prefix(80))).text, to: room)
        return "\(name)\(place.map { " \($0)" } ?? "")> "
    }

    /// The text's rows at that width; at least one.
    static func lines(_ state: ScreenState, width: Int) -> [Line] {
        let characters = state.input.characters
        guard !characters.isEmpty else { return [Line(range: 0..<0)] }
        let room = max(1, width - DisplayWidth.of(prompt(state, width: width)) - 1)
        var lines: [Line] = []
        var start = 0
        var taken = 0
        for (place, character) in characters.enumerated() {
            if character == "\n" {
                lines.append(Line(range: start..<place))
                (start, taken) = (place + 1, 0)
                continue
            }
            let columns = DisplayWidth.of(String(character))
            if taken + columns > room, place > start {
                lines.append(Line(range: start..<place))
                (start, taken) = (place, 0)
            }
            taken += columns
        }
        lines.append(Line(range: start..<characters.count))
        return lines
    }

    /// - Returns: where the cursor stands.
    static func draw(_ state: ScreenState, in pane: Rect, of buffer: inout CellBuffer) -> Terminal.Position? {
        guard pane.rows > 0 else { return nil }
        let prompt = prompt(state, width: pane.columns)
        let indent = DisplayWidth.of(prompt)
        let lines = lines(state, width: pane.columns)
        let characters = state.input.characters
        let cursor = state.input.cursor
        // At the end of a full row the cursor stands behind its last character, not before the next row's first.
        let at = lines.lastIndex { $0.range.lowerBound <= cursor } ?? 0
        let top = max(0, at - pane.rows + 1)
        let isActive = state.focus == .input && state.page == nil
        for (row, line) in lines.dropFirst(top).prefix(pane.rows).enumerated() {
            if row + top == 0 {
                buffer.draw(prompt, row: pane.row, column: pane.column, isActive ? Theme.key : Theme.faint)
            }
            buffer.draw(
                String(characters[line.range]), row: pane.row + row, column: pane.column + indent, in: pane.columnRange)
        }
        let before = String(characters[lines[at].range.lowerBound..<min(cursor, lines[at].range.upperBound)])
        return Terminal.Position(
            row: pane.row + at - top, column: min(pane.column + indent + DisplayWidth.of(before), pane.columns - 1))
    }
}
