import GRDB
import Logging
import ModelStore
import RolecallProtocol
import WireJSON

/// Reading `rolecall_events`.
enum EventLog {
    /// The number of the last event that was ever committed; 0 before the first.
    ///
    /// The table's own counter keeps it when old events, or all of them, are pruned. Where that was reset, the newest
    /// event still counts.
    static func head(_ db: Database) throws -> Int64 {
        try db.first(
            """
            SELECT max(coalesce((SELECT seq FROM sqlite_sequence WHERE name = 'rolecall_events'), 0), \
            coalesce((SELECT max(seq) FROM rolecall_events), 0))
            """
        ) { $0.integer(0) } ?? 0
    }

    /// Where the log stands: its head, the lowest number that it holds or would hold next, the number of its newest
    /// entry about an identity, and its era.
    struct Place {
        var head: Int64
        var earliest: Int64
        var identityHead: Int64
        var era: Era
    }

    /// By indexes only, in one statement: every write reads it.
    static func place(_ db: Database) throws -> Place {
        let place = try db.first(
            """
            SELECT max(coalesce((SELECT seq FROM sqlite_sequence WHERE name = 'rolecall_events'), 0), \
            coalesce((SELECT max(seq) FROM rolecall_events), 0)), (SELECT min(seq) FROM rolecall_events), \
            (SELECT max(seq) FROM rolecall_events WHERE \(IdentityLog.condition)), \
            (SELECT token FROM rolecall_era ORDER BY place DESC LIMIT 1)
            """
        ) { row in
            let head = row.integer(0)
            return Place(
                head: head, earliest: row.isNull(1) ? head + 1 : row.integer(1), identityHead: row.integer(2),
                era: EraTable.era(row.text(3)) ?? Era(rawValue: 0))
        }
        guard let place, place.era.rawValue != 0 else {
            throw StoreError.unusable("The database has lost its log's era: restore a backup.")
        }
        return place
    }

    /// What ``event(_:)`` reads.
    static let columns = #"seq, model, op, "key", "before", "after", actor, at"#

    /// Leaves out the entries that are for the identity feed alone.
    private static let isTold =
        "AND model IS NOT '\(SessionTriggers.model)' AND model IS NOT '\(MembershipTriggers.model)'"

    static func events(
        after sequence: Int64, limit: Int, in db: Database, logger: Logger
    ) throws -> [ChangeRecord] {
        var events: [ChangeRecord] = []
        guard limit > 0 else { return events }
        try db.query(
            """
            SELECT \(columns) FROM rolecall_events WHERE seq > ? \(isTold) ORDER BY seq
            """, [.integer(sequence)]
        ) { row in
            if let event = event(row) {
                events.append(event)
            } else {
                // Only a statement from outside can have written it; it must not stop everything behind it.
                logger.error("skipped an unreadable event of the log", metadata: ["sequence": "\(row.integer(0))"])
            }
            return events.count < limit
        }
        return events
    }

    /// Keys are compared as values: their texts in the log are the triggers', and JSON has several for one value.
    static func events(
        of model: String, key: Value, after sequence: Int64, in db: Database, logger: Logger,
        visit: (ChangeRecord) throws -> Bool
    ) throws {
        try db.query(
            "SELECT \(columns) FROM rolecall_events WHERE seq > ? AND model = ? ORDER BY seq",
            [.integer(sequence), .text(model)], isCached: false
        ) { row in
            let isGap = row.text(2) == ChangeRecord.Change.gap.rawValue
            guard isGap || json(row, 3).flatMap(Value.init(json:)) == key, let event = event(row) else { return true }
            return try visit(event)
        }
    }

    /// Says that changes of a model have been missed.
    static func appendGap(of model: String, in db: Database) throws {
        try db.run(
            "INSERT INTO rolecall_events(model, op, at) VALUES (?, ?, strftime('%Y-%m-%dT%H:%M:%fZ', 'now'))",
            [.text(model), .text(ChangeRecord.Change.gap.rawValue)])
    }

    /// The entry that was selected by ``columns``; nil where it can't be read.
    static func event(_ row: StatementRow) -> ChangeRecord? {
        guard let change = ChangeRecord.Change(rawValue: row.text(2)),
            let key = change == .gap ? .null : json(row, 3).flatMap(Value.init(json:))
        else { return nil }
        let before = json(row, 4).flatMap(ModelStore.Row.init(json:))
        let after = json(row, 5).flatMap(ModelStore.Row.init(json:))
        guard (before == nil) == row.isNull(4), (after == nil) == row.isNull(5) else { return nil }
        return ChangeRecord(
            sequence: row.integer(0), model: row.text(1), change: change, key: key, before: before, after: after,
            author: json(row, 6).flatMap(Author.init(json:)), at: row.text(7))
    }

    /// A column's JSON. Texts of a row may hold bytes that are no UTF-8, which the triggers pass on as they are.
    private static func json(_ row: StatementRow, _ column: Int) -> JSON? {
        guard !row.isNull(column) else { return nil }
        return row.withUTF8(column) { bytes in
            do throws(JSONSyntaxError) {
                return try JSON(parsing: bytes)
            } catch {
                guard error.code == .invalidUTF8 else { return nil }
                return try? JSON(parsing: String(decoding: bytes, as: UTF8.self))
            }
        }
    }
}
