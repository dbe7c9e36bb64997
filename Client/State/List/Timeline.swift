import RolecallProtocol
import WireJSON

/// What happened, the oldest first, as far back as memory is granted.
///
/// Each entry has a number that grows and is never given again, so that a view can stay with an entry whatever comes
/// and goes. Of each row the versions are kept that are still in the list.
struct Timeline: Sendable {
    /// The most entries.
    let limit: Int
    /// The most bytes that entries may keep, roughly.
    let byteLimit: Int

    /// Nil where an entry has gone; those stand at the front.
    private var slots: [Entry?] = []
    private var baseID = 0
    private var gone = 0
    private var bytes = 0
    /// Where the last version of each row stands.
    private var latest: [RowKey: Int] = [:]

    private struct RowKey: Hashable {
        let model: String
        let key: JSON

        init?(_ event: ModelEvent) {
            guard let key = event.row["_id"] else { return nil }
            model = event.model
            self.key = key
        }
    }

    /// - Parameters:
    ///   - limit: at least 1.
    ///   - byteLimit: a single entry is kept even if it is larger.
    init(limit: Int = 10_000, byteLimit: Int = 64 << 20) {
        self.limit = max(1, limit)
        self.byteLimit = byteLimit
    }

    /// The numbers of the entries that are there.
    var ids: Range<Int> { (baseID + gone)..<(baseID + slots.count) }
    var count: Int { slots.count - gone }
    var isEmpty: Bool { count == 0 }
    var lastID: Int? { isEmpty ? nil : ids.upperBound - 1 }

    /// The entry of that number; nil where it has gone, or has not come yet.
    subscript(id: Int) -> Entry? {
        ids.contains(id) ? slots[id - baseID] : nil
    }

    /// The event's line of that number.
    func line(_ id: Int) -> EventLine? {
        guard case .event(let line) = self[id]?.content else { return nil }
        return line
    }

    /// The last version of the row that an event is about.
    func latestVersion(of event: ModelEvent) -> Int? {
        RowKey(event).flatMap { latest[$0] }
    }

    @discardableResult
    mutating func append(_ entry: Entry) -> Int {
        let id = baseID + slots.count
        slots.append(entry)
        bytes += entry.cost
        while count > 1, count > limit || bytes > byteLimit { evict() }
        return id
    }

    /// Adds an event, told apart from the version before.
    @discardableResult
    mutating func append(_ event: ModelEvent, receivedAt now: Timestamp, arrow: String = "→") -> Int {
        let key = RowKey(event)
        let before = key.flatMap { latest[$0] }.flatMap { id in self.line(id).map { (id: id, line: $0) } }
        let line = EventLine(event, before: before, arrow: arrow)
        let id = append(
            Entry(time: Timestamp(event.at) ?? now, mark: Entry.Mark(line), content: .event(line)))
        if let key {
            switch event.operation {
            case .created, .updated: latest[key] = id
            // A row of that key that comes later is another one.
            case .removed, .hidden: latest[key] = nil
            }
        }
        return id
    }

    /// Adds an event of long ago, which is no version of a row as it is known here.
    @discardableResult
    mutating func append(past event: ModelEvent, receivedAt now: Timestamp) -> Int {
        let line = EventLine(event, before: nil)
        return append(Entry(time: Timestamp(event.at) ?? now, mark: Entry.Mark(line), content: .event(line)))
    }

    /// Says something else in place of a note's or a divider's text; nothing where the entry has gone.
    mutating func amend(_ id: Int, _ text: String) {
        guard let entry = self[id] else { return }
        var amended = entry
        switch entry.content {
        case .event: return
        case .note: amended.content = .note(text)
        case .divider: amended.content = .divider(text)
        }
        bytes += amended.cost - entry.cost
        slots[id - baseID] = amended
    }

    /// What follows is not about the rows as they were told so far: somebody else looks at them, or some was missed.
    mutating func forgetVersions() {
        latest.removeAll()
    }

    /// Takes every entry away. Numbers go on.
    mutating func clear() {
        baseID = ids.upperBound
        slots.removeAll()
        gone = 0
        bytes = 0
        latest.removeAll()
    }

    private mutating func evict() {
        let id = baseID + gone
        if let entry = slots[gone] {
            bytes -= entry.cost
            if case .event(let line) = entry.content, let key = RowKey(line.event), latest[key] == id {
                latest[key] = nil
            }
        }
        slots[gone] = nil
        gone += 1
        // Moving the rest to the front costs little when it is done seldom.
        if gone > 1024, gone > slots.count / 2 {
            slots.removeFirst(gone)
            baseID += gone
            gone = 0
        }
    }
}
