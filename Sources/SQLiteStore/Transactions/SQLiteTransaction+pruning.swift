import GRDB
import ModelStore
import RolecallProtocol

/// Forgetting what the log holds. Numbers that are gone are missing from then on, and are never given again.
extension SQLiteWriteTransaction {
    /// Forgets the log's oldest entries.
    ///
    /// - Parameters:
    ///   - before: entries older than this go; nil for none.
    ///   - keeping: entries beyond so many newest go; nil for none.
    ///   - through: none with a higher number goes.
    ///   - limit: at most so many go, so that no transaction is long.
    /// - Returns: how many went.
    func pruneEvents(before: Timestamp?, keeping: Int?, through: Int64, limit: Int) throws -> Int {
        try mapped {
            guard limit > 0, before != nil || keeping != nil else { return 0 }
            var last: Int64?
            if let before {
                // The oldest come first, and the first one that is young enough ends it: clocks that were set back may
                // keep some longer.
                try db.query(
                    "SELECT seq, at FROM rolecall_events WHERE seq <= ? ORDER BY seq LIMIT ?",
                    [.integer(through), .integer(Int64(limit))]
                ) { row in
                    guard row.text(1) < before.description else { return false }
                    last = row.integer(0)
                    return true
                }
            }
            if let keeping {
                // Counted by their numbers, which are dense but for a few: counting rows would read the whole log.
                let head = try EventLog.head(db)
                let excess = min(head - Int64(keeping), through)
                let edge = try db.first(
                    "SELECT max(seq) FROM (SELECT seq FROM rolecall_events WHERE seq <= ? ORDER BY seq LIMIT ?)",
                    [.integer(excess), .integer(Int64(limit))]
                ) { $0.isNull(0) ? nil : $0.integer(0) }
                if let edge = edge.flatMap(\.self) { last = max(last ?? edge, edge) }
            }
            guard let last else { return 0 }
            try IdentityLog.notePruning(through: last, in: db)
            try db.run("DELETE FROM rolecall_events WHERE seq <= ?", [.integer(last)])
            return db.changesCount
        }
    }

    /// See ``StoreUpkeep/eraseEvents(of:key:deadline:)``.
    func eraseEvents(of model: Model, key: Value) throws -> Int {
        try mapped {
            var found: [Int64] = []
            try EventLog.events(of: model.name, key: key, after: 0, in: db, logger: logger) { event in
                if event.change != .gap { found.append(event.sequence) }
                return true
            }
            for sequence in found { try db.run("DELETE FROM rolecall_events WHERE seq = ?", [.integer(sequence)]) }
            if !found.isEmpty { try EventLog.appendGap(of: model.name, in: db) }
            return found.count
        }
    }

    /// See ``StoreUpkeep/eraseAuthor(_:deadline:)``.
    func eraseActor(_ user: Int64) throws -> Int {
        try mapped {
            // What is no JSON was written by a statement from outside, and names no user.
            try db.run(
                """
                UPDATE rolecall_events SET actor = NULL WHERE actor IS NOT NULL AND json_valid(actor) \
                AND json_extract(actor, '$._id') = ?
                """, [.integer(user)])
            return db.changesCount
        }
    }
}
