import RolecallProtocol

/// A query that says which events are shown.
struct Filter: Hashable, Sendable {
    /// As it was typed, without spaces around it.
    let text: String
    let query: Query
    /// What `since:` counts back from: the moment when the filter was set. So a line that is shown stays.
    let setAt: Timestamp
    var isOn = true
    /// Shows what the query does not hold for.
    var isFlipped = false

    /// - Throws: where the text is no query.
    init(_ text: String, at now: Timestamp) throws(QueryError) {
        query = try Query(parsing: text)
        let inner = text.drop(while: \.isWhitespace)
        self.text = String(inner.reversed().drop(while: \.isWhitespace).reversed())
        setAt = now
    }

    func lets(_ line: EventLine) -> Bool { query.matches(line, now: setAt) != isFlipped }

    /// As it reads where there is little room.
    var title: String { isFlipped ? "not (\(text))" : text }
}

/// A part of the list that has a place of its own on the line of tabs.
enum Tab: Hashable, Sendable, CaseIterable {
    case all
    /// What is not chat.
    case events
    case chat

    /// Notes and dividers tell of identity and connection, and so belong everywhere.
    func holds(_ entry: Entry) -> Bool {
        guard case .event(let line) = entry.content else { return true }
        return switch self {
        case .all: true
        case .events: line.event.model != "message"
        case .chat: line.event.model == "message"
        }
    }

    var title: String {
        switch self {
        case .all: "All"
        case .events: "Events"
        case .chat: "Chat"
        }
    }
}

/// What of the list is shown: by tab, and by filters that must all hold.
///
/// What was decided of an entry is kept. New entries are asked about once, by ``update(_:)``; all are asked about again
/// only where the question changes. Drawing asks nothing.
struct Sieve: Sendable {
    private(set) var filters: [Filter] = []
    /// What does not match is dimmed in place of being hidden.
    var isDimming = false
    private(set) var tab = Tab.all
    /// What the filters would be if the one that is being typed were among them.
    private var preview: [Filter]?
    /// Nil where all are in the tab.
    private var inTab: EntryIndex?
    /// Of those that are in the tab; nil where no filter is on.
    private var matching: EntryIndex?
    /// Of both the events alone, which are what is counted: a note is none, and stays whatever is filtered.
    private var eventsInTab = EntryIndex()
    private var matchingEvents = EntryIndex()

    // MARK: The question

    mutating func change(_ filters: [Filter]) {
        let before = effective
        self.filters = filters
        preview = nil
        askAnew(before: before)
    }

    /// Shows what these filters would show; nil ends that.
    mutating func show(preview filters: [Filter]?) {
        let before = effective
        preview = filters
        askAnew(before: before)
    }

    mutating func change(_ tab: Tab) {
        guard tab != self.tab else { return }
        self.tab = tab
        inTab = tab == .all ? nil : EntryIndex()
        eventsInTab = EntryIndex()
        matching = effective.isEmpty ? nil : EntryIndex()
        matchingEvents = EntryIndex()
    }

    private mutating func askAnew(before: [Filter]) {
        guard effective != before else { return }
        matching = effective.isEmpty ? nil : EntryIndex()
        matchingEvents = EntryIndex()
    }

    /// Those that decide.
    var effective: [Filter] { (preview ?? filters).filter(\.isOn) }

    // MARK: The answers

    mutating func update(_ timeline: Timeline) {
        let tab = tab
        inTab?.update(timeline) { _, entry in tab.holds(entry) }
        eventsInTab.update(timeline) { _, entry in entry.isEvent && tab.holds(entry) }
        guard matching != nil else { return }
        let filters = effective
        matching?.update(timeline) { _, entry in
            guard tab.holds(entry) else { return false }
            guard case .event(let line) = entry.content else { return true }
            return filters.allSatisfy { $0.lets(line) }
        }
        let matching = matching
        matchingEvents.update(timeline) { id, entry in entry.isEvent && matching?.contains(id) ?? true }
    }

    /// What is listed; nil for every entry.
    var listed: EntryIndex? { isDimming ? inTab : matching ?? inTab }

    var isFiltering: Bool { matching != nil }

    /// Whether it is only dimmed that it does not match.
    func isDimmed(_ id: Int) -> Bool { isDimming && matching.map { !$0.contains(id) } ?? false }

    /// Whether the filters, and the tab, let it through.
    func matches(_ id: Int) -> Bool { (matching ?? inTab)?.contains(id) ?? true }

    /// Whether any event is there, in any tab.
    func hasEvents(_ timeline: Timeline) -> Bool {
        eventsInTab.count > 0 || timeline.ids.contains { timeline[$0]?.isEvent ?? false }
    }

    /// How many events match, and how many there are in the tab.
    var counts: (matching: Int, all: Int) {
        (isFiltering ? matchingEvents.count : eventsInTab.count, eventsInTab.count)
    }

    /// How many events of the tab came after an entry, and how many of these match.
    func counts(after id: Int) -> (matching: Int, all: Int) {
        let all = eventsInTab.count(after: id)
        return (isFiltering ? matchingEvents.count(after: id) : all, all)
    }

    /// How many events stand below an entry.
    func shownEvents(after id: Int) -> Int {
        let counts = counts(after: id)
        return isDimming ? counts.all : counts.matching
    }
}
