import GRDB
import ModelStore
import RolecallProtocol

/// `rolecall_era`: the eras of the log, oldest first.
enum EraTable {
    static let creation = [
        """
        CREATE TABLE rolecall_era(place INTEGER PRIMARY KEY, token TEXT NOT NULL, first_seq INTEGER NOT NULL, \
        written_at TEXT NOT NULL)
        """,
        // What was the log's id is its first era, so that positions that were given stay good.
        """
        INSERT INTO rolecall_era(place, token, first_seq, written_at) \
        SELECT 1, value, 1, strftime('%Y-%m-%dT%H:%M:%fZ', 'now') FROM rolecall_meta WHERE key = 'log_id'
        """,
        "INSERT OR IGNORE INTO rolecall_meta(key, value) VALUES ('store_id', lower(hex(randomblob(16))))",
    ]

    /// An era as the table has it.
    static func era(_ token: String) -> Era? {
        // A position's text begins with the era, and a position has only one spelling.
        Position("\(token)-0000000000000000")?.era
    }

    static func chain(_ db: Database) throws -> EraChain {
        var eras: [EraRecord] = []
        try db.query("SELECT token, first_seq FROM rolecall_era ORDER BY place") { row in
            if let era = era(row.text(0)) { eras.append(EraRecord(era: era, first: row.integer(1))) }
            return true
        }
        guard !eras.isEmpty else {
            throw StoreError.unusable("The database has lost its log's era: restore a backup.")
        }
        return EraChain(eras)
    }

    /// Begins an era behind all that has been committed.
    static func begin(in db: Database) throws -> LogCursor {
        let (head, era) = (try EventLog.head(db), Era.random())
        try db.run(
            """
            INSERT INTO rolecall_era(place, token, first_seq, written_at) \
            SELECT max(place) + 1, ?, ?, strftime('%Y-%m-%dT%H:%M:%fZ', 'now') FROM rolecall_era
            """, [.text(era.description), .integer(head + 1)])
        return LogCursor(era: era, sequence: head)
    }
}
