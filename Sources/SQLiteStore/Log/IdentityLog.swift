import GRDB
import Logging
import ModelStore
import RolecallProtocol

/// Reading those entries of `rolecall_events` that change identities, without a look at any other.
enum IdentityLog {
    /// Holds for the entries that are meant. Word for word in the index and in the query: SQLite uses a partial index only
    /// where it finds the index's own condition again.
    static let condition = "model IN ('\(ModelName.user)', '\(SessionTriggers.model)')"

    /// Costs a write of any other row nothing but the comparison.
    static let index = """
        CREATE INDEX rolecall_events_of_identity ON rolecall_events(seq) WHERE \(condition)
        """

    static let query = """
        SELECT \(EventLog.columns) FROM rolecall_events WHERE \(condition) AND seq > ? ORDER BY seq
        """

    /// All that the snapshot holds beyond a cursor; a reset where the log has lost some of it, to a new era, to pruning
    /// or to what has left a gap.
    static func reading(
        behind cursor: IdentityCursor, at place: EventLog.Place, in db: Database, logger: Logger
    ) throws -> IdentityReading {
        let here = IdentityCursor(era: place.era, upTo: place.head)
        guard cursor.era == place.era else { return IdentityReading(entries: [], cursor: here, isReset: true) }
        // The log's earliest entry first: it says for nothing that most cursors have missed none.
        if cursor.upTo < place.earliest - 1, cursor.upTo < (try prunedThrough(db)) {
            return IdentityReading(entries: [], cursor: here, isReset: true)
        }
        var (entries, hasGap): ([IdentityFeedEntry], Bool) = ([], false)
        guard place.identityHead > cursor.upTo else { return IdentityReading(entries: entries, cursor: here) }
        try db.query(query, [.integer(cursor.upTo)]) { row in
            let event = EventLog.event(row)
            if event?.change == .gap {
                hasGap = true
            } else if let entry = event.flatMap({ entry($0, era: place.era) }) {
                entries.append(entry)
            } else {
                logger.error("skipped an unreadable event of the log", metadata: ["sequence": "\(row.integer(0))"])
            }
            return true
        }
        return IdentityReading(entries: hasGap ? [] : entries, cursor: here, isReset: hasGap)
    }

    /// Notes, before entries go, how far those about identities have gone: a reader from before that has missed some.
    static func notePruning(through sequence: Int64, in db: Database) throws {
        let last = try db.first(
            "SELECT max(seq) FROM rolecall_events WHERE \(condition) AND seq <= ?", [.integer(sequence)]
        ) { $0.integer(0) }
        guard let last, last > 0 else { return }
        try db.run(
            "INSERT OR REPLACE INTO rolecall_meta(key, value) VALUES ('identity_pruned_through', ?)", [.integer(last)])
    }

    /// Up to here entries about identities have been pruned; 0 for none.
    private static func prunedThrough(_ db: Database) throws -> Int64 {
        try db.first("SELECT value FROM rolecall_meta WHERE key = 'identity_pruned_through'") { $0.integer(0) } ?? 0
    }

    private static func entry(_ event: ChangeRecord, era: Era) -> IdentityFeedEntry? {
        let subject: IdentityFeedEntry.Subject
        switch (event.model, event.key) {
        case (SessionTriggers.model, .text(let id)): subject = .sessionEnded(id)
        case (ModelName.user, .integer(let id)): subject = .user(id, event.after.flatMap(IdentityRecord.init))
        default: return nil
        }
        return IdentityFeedEntry(
            mark: IdentityMark(era: era, number: event.sequence), subject: subject, at: event.at)
    }
}
