import GRDB
import Logging
import ModelStore

/// Reading those entries of `rolecall_events` that decide who somebody is, without a look at any other.
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

    static func changes(
        after sequence: Int64, limit: Int, in db: Database, logger: Logger
    ) throws -> [IdentityChange] {
        var changes: [IdentityChange] = []
        guard limit > 0 else { return changes }
        try db.query(query, [.integer(sequence)]) { row in
            if let change = EventLog.event(row).flatMap(change) {
                changes.append(change)
            } else {
                logger.error("skipped an unreadable event of the log", metadata: ["sequence": "\(row.integer(0))"])
            }
            return changes.count < limit
        }
        return changes
    }

    /// All that the snapshot holds beyond a cursor.
    static func reading(
        behind cursor: IdentityCursor, at place: EventLog.Place, in db: Database, logger: Logger
    ) throws -> IdentityReading {
        let here = IdentityCursor(era: place.era, upTo: place.head)
        guard cursor.era == place.era else { return IdentityReading(entries: [], cursor: here, isReset: true) }
        guard place.identityHead > cursor.upTo else { return IdentityReading(entries: [], cursor: here) }
        let entries = try changes(after: cursor.upTo, limit: .max, in: db, logger: logger).map { change in
            IdentityFeedEntry(
                mark: IdentityMark(era: place.era, number: change.sequence), subject: subject(of: change), at: change.at
            )
        }
        return IdentityReading(entries: entries, cursor: here)
    }

    private static func subject(of change: IdentityChange) -> IdentityFeedEntry.Subject {
        switch change.subject {
        case .user(let id, let row): .user(id, row.flatMap(IdentityRecord.init))
        case .session(let id): .sessionEnded(id)
        }
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
    static func prunedThrough(_ db: Database) throws -> Int64 {
        try db.first("SELECT value FROM rolecall_meta WHERE key = 'identity_pruned_through'") { $0.integer(0) } ?? 0
    }

    private static func change(_ event: ChangeRecord) -> IdentityChange? {
        switch (event.model, event.key) {
        case (SessionTriggers.model, .text(let id)):
            IdentityChange(sequence: event.sequence, subject: .session(id), at: event.at)
        case (ModelName.user, .integer(let id)):
            IdentityChange(sequence: event.sequence, subject: .user(id, event.after), at: event.at)
        default:
            nil
        }
    }
}
