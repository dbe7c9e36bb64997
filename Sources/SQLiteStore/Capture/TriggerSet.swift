import GRDB
import ModelStore

/// Triggers that are put on a table together.
protocol TriggerSet {
    /// Each trigger's name and the statement that makes it, as SQLite keeps it.
    var statements: [(name: String, sql: String)] { get }

    /// Compiles a write of each kind, and with it the triggers, which SQLite reads only then. Better no start than
    /// triggers that fail the statements of other programs.
    ///
    /// - Throws: ``StoreError/unusable(_:cause:)`` where the table can't be written with them.
    func check(in db: Database) throws
}

extension TriggerSet {
    /// The end of every statement that appends to the log. The actor is known only inside the server's own
    /// transactions; see ``StoreSchema``.
    static var actorAndTime: String {
        "(SELECT actor FROM rolecall_context LIMIT 1), strftime('%Y-%m-%dT%H:%M:%fZ', 'now')"
    }

    /// Puts the triggers in place where they are missing or say something else.
    ///
    /// - Returns: how many were written.
    /// - Throws: ``StoreError/unusable(_:cause:)`` where the table can't be written with them; the transaction must then be
    ///   rolled back.
    func install(in db: Database) throws -> Int {
        var written = 0
        for (name, sql) in statements {
            let present = try present(name, in: db)
            guard present != sql else { continue }
            if present != nil { try db.execute(sql: "DROP TRIGGER \(SQL.name(name))") }
            try db.execute(sql: sql)
            written += 1
        }
        if written > 0 { try check(in: db) }
        return written
    }

    /// Whether all of them are on the table, whatever they say.
    func areThere(in db: Database) throws -> Bool {
        try statements.allSatisfy { try present($0.name, in: db) != nil }
    }

    /// Whether they are as they would be installed.
    func areUpToDate(in db: Database) throws -> Bool {
        try statements.allSatisfy { try present($0.name, in: db) == $0.sql }
    }

    private func present(_ name: String, in db: Database) throws -> String? {
        try db.first("SELECT sql FROM sqlite_master WHERE type = 'trigger' AND name = ?", [.text(name)]) { $0.text(0) }
    }
}

extension Database {
    /// Compiles a write of each kind.
    ///
    /// - Parameters:
    ///   - table: as it stands in a statement.
    ///   - column: one that can be written.
    func compileWrites(of table: String, column: String) throws {
        _ = try makeStatement(sql: "INSERT INTO \(table) DEFAULT VALUES")
        _ = try makeStatement(sql: "UPDATE \(table) SET \(column) = \(column)")
        _ = try makeStatement(sql: "DELETE FROM \(table)")
    }
}
