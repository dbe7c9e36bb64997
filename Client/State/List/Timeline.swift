import RolecallProtocol
import WireJSON

/// What happened, the oldest first, as far back as memory is granted.
///
/// Each entry has a number that grows and is never given again, so that a view can stay with an entry whatever comes
/// and goes. The events of one row, from its creation or the first that was told to its removal, are its history: each
/// event knows the one before, and the timeline the last one, so that what is in the list can be walked both ways.
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
    /// Where the last version of each row stands that another one may follow.
    private var latest: [RowKey: Latest] = [:]
    /// Where each history ends, by where it began.
    private var ends: [Int: Int] = [:]
    /// Counts the times at which versions may have been missed, and those at which somebody else came to look.
    private var era = (gaps: 0, eyes: 0)

    private struct Latest {
        var id: Int
        /// When it was told.
        var era: (gaps: Int, eyes: Int)
    }

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
        // An array that grows by itself grows to twice its size. What is never used is never there.
        slots.reserveCapacity(min(self.limit + self.limit / 7 + 1100, 1 << 16))
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

    /// Where the last version in the list stands of the row that an event is about.
    func latestVersion(of line: EventLine) -> Int? { ends[line.history] }

    /// Where the version after one stands; nil where there is none.
    func version(after id: Int) -> Int? {
        guard let line = line(id) else { return nil }
        var candidate = latestVersion(of: line)
        while let current = candidate, current > id, let newer = self.line(current) {
            if newer.previous == id { return current }
            candidate = newer.previous
        }
        return nil
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
    mutating func append(_ event: ModelEvent, receivedAt now: Timestamp, isUnicode: Bool = true) -> Int {
        let key = RowKey(event)
        var before: EventLine.Before?
        // What is created anew is another row, whatever is known of that key.
        if event.operation != .created, let last = key.flatMap({ latest[$0] }), let line = self.line(last.id) {
            before = EventLine.Before(id: last.id, line: line, link: link(from: last))
        }
        let line = EventLine(event, id: baseID + slots.count, before: before, isUnicode: isUnicode)
        ends[line.history] = baseID + slots.count
        let id = append(
            Entry(time: Timestamp(event.at) ?? now, mark: Entry.Mark(line), content: .event(line)))
        if let key {
            switch event.operation {
            case .created, .updated: latest[key] = Latest(id: id, era: era)
            // The row is still there, and changes unseen.
            case .hidden: latest[key] = Latest(id: id, era: (-1, era.eyes))
            // A row of that key that comes later is another one.
            case .removed: latest[key] = nil
            }
        }
        return id
    }

    /// Adds an event of long ago, which is no version of a row as it is known here.
    @discardableResult
    mutating func append(
        past event: ModelEvent, receivedAt now: Timestamp, isUnicode: Bool = true
    ) -> Int {
        let line = EventLine(event, id: baseID + slots.count, before: nil, isUnicode: isUnicode)
        ends[line.history] = baseID + slots.count
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

    /// Some of what happened was missed: what is told of a row next still belongs to its history, but need not follow
    /// what was told last.
    mutating func missedVersions() { era.gaps += 1 }

    /// Somebody else looks at the rows: what he is told of them he need not have been told before.
    mutating func changedEyes() { era.eyes += 1 }

    private func link(from last: Latest) -> EventLine.Link {
        last.era.eyes != era.eyes ? .otherEyes : last.era.gaps != era.gaps ? .gap : .direct
    }

    /// What follows is about other rows.
    mutating func forgetVersions() { latest.removeAll() }

    /// Takes every entry away. Numbers go on.
    mutating func clear() {
        baseID = ids.upperBound
        slots.removeAll(keepingCapacity: true)
        gone = 0
        bytes = 0
        latest.removeAll()
        ends.removeAll()
    }

    private mutating func evict() {
        let id = baseID + gone
        if let entry = slots[gone] {
            bytes -= entry.cost
            if case .event(let line) = entry.content {
                if ends[line.history] == id { ends[line.history] = nil }
                if let key = RowKey(line.event), latest[key]?.id == id { latest[key] = nil }
            }
        }
        slots[gone] = nil
        gone += 1
        // Moving the rest to the front costs little when it is done seldom; the places of those gone cost memory.
        if gone > 1024, gone > slots.count / 8 {
            slots.removeFirst(gone)
            baseID += gone
            gone = 0
        }
    }
}
