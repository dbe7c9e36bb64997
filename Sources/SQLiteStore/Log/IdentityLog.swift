import GRDB
import Logging
import ModelStore

/// Reading those entries of `rolecall_events` that decide who somebody is, without a look at any other.
enum IdentityLog {
    /// Holds for the entries that are meant. Word for word in the index and in the query: SQLite uses a partial index only
    /// where it finds the index's own condition again.
    private static let condition = "model IN ('\(ModelName.user)', '\(SessionTriggers.model)')"

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
