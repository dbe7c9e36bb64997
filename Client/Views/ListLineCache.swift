import Terminal

/// The lines of the events that the last frame showed, so that a list that moves up lays out only what is new in it.
///
/// An event never changes, and a note that was amended has another text; what else the lines follow from stands in
/// ``Conditions``. Where the time is told as a difference, all is laid out anew each time.
struct ListLineCache {
    /// What all lines depend on besides their entries.
    private struct Conditions: Hashable {
        let width: Int
        let rows: Int
        let timeMode: TimeMode
        let isWrapped: Bool
        let scrolledColumns: Int
        let isUnicode: Bool
    }

    private struct Layout {
        /// Of a note or a divider; nil of an event.
        let text: String?
        let lines: [StyledText]
    }

    private var conditions: Conditions?
    private var shown: [Int: Layout] = [:]
    private var next: [Int: Layout] = [:]

    /// A frame begins.
    mutating func begin(_ state: ScreenState, width: Int) {
        let conditions = Conditions(
            width: width, rows: state.size.rows, timeMode: state.timeMode, isWrapped: state.isWrapped,
            scrolledColumns: state.scrolledColumns, isUnicode: state.isUnicode)
        // Numbers of entries are never given again, not even after the list was cleared.
        shown = conditions == self.conditions ? next : [:]
        next = [:]
        self.conditions = conditions
    }

    mutating func lines(_ id: Int, _ entry: Entry, _ state: ScreenState, width: Int) -> [StyledText] {
        guard state.timeMode == .clock || state.timeMode == .utc else {
            let before = state.timeMode == .delta ? state.shown(before: id).flatMap { state.timeline[$0]?.time } : nil
            return EntryView.lines(entry, state, width: width, after: before)
        }
        let text: String? =
            switch entry.content {
            case .event: nil
            case .note(let text), .divider(let text): text
            }
        let layout =
            shown[id].flatMap { $0.text == text ? $0 : nil }
            ?? Layout(text: text, lines: EntryView.lines(entry, state, width: width))
        next[id] = layout
        return layout.lines
    }
}
