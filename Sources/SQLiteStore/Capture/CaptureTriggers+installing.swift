import GRDB
import ModelStore

extension CaptureTriggers {
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

    /// Compiles a write of each kind, and with it the triggers, which SQLite reads only then. Better no start than
    /// triggers that fail the statements of other programs.
    private func check(in db: Database) throws {
        do {
            let column = table.sources.first { source in
                table.fields.contains { $0.name == source.name && !$0.isGenerated }
            }
            let name = SQL.name(column?.name ?? table.keys[0].name)
            _ = try db.makeStatement(sql: "INSERT INTO \(table.table) DEFAULT VALUES")
            _ = try db.makeStatement(sql: "UPDATE \(table.table) SET \(name) = \(name)")
            _ = try db.makeStatement(sql: "DELETE FROM \(table.table)")
        } catch let error as DatabaseError {
            throw StoreError.unusable(
                """
                The table \(table.model.table) of model \(table.model.name) can't tell its changes: \
                \(error.message ?? "SQLite \(error.resultCode)").
                """)
        }
    }
}
