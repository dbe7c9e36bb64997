import GRDB
import ModelStore

/// Takes out of a database what the store has put there.
enum Detachment {
    /// The models that a server can't be without.
    private static let own: Set<String> = [ModelName.user, ModelName.message]

    static func takeOut(_ models: [String], in db: Database) throws -> [String] {
        var done: [String] = []
        try db.inTransaction(.immediate) {
            let attached = try Preparation.attached(in: db)
            for model in models {
                guard !own.contains(model) else {
                    throw StoreError.unusable(
                        "The model \(model) is Rolecall's own and goes with everything else only: --everything.")
                }
                guard let table = attached[model] else {
                    let names = attached.keys.filter { !own.contains($0) }.sorted().joined(separator: ", ")
                    throw StoreError.unusable(
                        "No model \(model) is attached; \(names.isEmpty ? "there is none" : "there are \(names)").")
                }
                for name in CaptureTriggers.names(of: model) { try drop("TRIGGER", name, in: db) }
                try db.run("DELETE FROM rolecall_displaced WHERE model = ?", [.text(model)])
                try db.run("DELETE FROM rolecall_model WHERE name = ?", [.text(model)])
                done.append("took the triggers off \(table); what the log holds of \(model) stays until it is pruned")
            }
            return .commit
        }
        return done
    }

    static func takeOutEverything(of path: String, in db: Database) throws -> [String] {
        var done: [String] = []
        let journalMode = try db.first("SELECT value FROM rolecall_meta WHERE key = 'journal_mode'") { $0.text(0) }
        // Tables that refer to others go first or last as they like: nothing of them is left.
        try db.execute(sql: "PRAGMA foreign_keys = OFF")
        try db.inTransaction(.immediate) {
            for type in ["trigger", "table"] {
                var names: [String] = []
                try db.query(
                    """
                    SELECT name FROM sqlite_master WHERE type = ? AND (name LIKE 'rolecall!_%' ESCAPE '!' \
                    OR name LIKE 'rolecall:%') ORDER BY name
                    """,
                    [.text(type)], isCached: false
                ) { row in
                    names.append(row.text(0))
                    return true
                }
                for name in names { try drop(type.uppercased(), name, in: db) }
                if !names.isEmpty {
                    done.append("took out \(names.count) \(names.count == 1 ? type : type + "s")")
                }
            }
            return .commit
        }
        guard let journalMode, journalMode.lowercased() != "wal", !done.isEmpty else { return done }
        let mode = try? db.first("PRAGMA journal_mode = \(SQL.name(journalMode))") { $0.text(0) }
        done.append(
            mode?.lowercased() == journalMode.lowercased()
                ? "journal mode \(journalMode), as it was"
                : "the journal mode stays WAL, since another program has the database open; it was \(journalMode)")
        return done
    }

    private static func drop(_ type: String, _ name: String, in db: Database) throws {
        try db.execute(sql: "DROP \(type) IF EXISTS \(SQL.name(name))")
    }
}
