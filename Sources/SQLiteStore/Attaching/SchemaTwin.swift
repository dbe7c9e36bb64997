import GRDB
import ModelStore

/// A database in memory with the tables of another and without their rows: what is done to it shows what would be done
/// to the other.
struct SchemaTwin {
    private struct Object: Hashable {
        var type: String
        var name: String
        var table: String
        var sql: String
    }

    private let queue: DatabaseQueue

    init(of db: Database) throws {
        queue = try DatabaseQueue()
        // Views and triggers name what may stand behind them; nothing of them is compiled here.
        let order = ["table", "index", "view", "trigger"]
        let objects = try Self.objects(in: db).sorted { one, other in
            (order.firstIndex(of: one.type) ?? 9) < (order.firstIndex(of: other.type) ?? 9)
        }
        let rows = try Self.ownRows(in: db)
        try queue.writeWithoutTransaction { twin in
            for object in objects {
                do {
                    try twin.execute(sql: object.sql)
                } catch  where object.sql.uppercased().hasPrefix("CREATE VIRTUAL") || object.type == "table" {
                    // A virtual table whose module is not here, or the tables that such a one has made already; neither
                    // can be a model.
                    continue
                }
            }
            for (sql, values) in rows { try twin.run(sql, values) }
        }
    }

    /// What a preparation changes.
    ///
    /// - Parameter original: for what does not stand in the schema.
    func plan(_ preparation: Preparation, for original: Database) throws -> AttachmentPlan {
        let journalMode = try original.first("PRAGMA journal_mode") { $0.text(0) } ?? "delete"
        return try queue.writeWithoutTransaction { twin in
            try twin.execute(sql: "PRAGMA foreign_keys = OFF")
            let strangers = try preparation.strangers(in: twin)
            let before = Set(try Self.objects(in: twin))
            let outcome = try preparation.carryOut(in: twin)
            let new = try Self.objects(in: twin).filter { !before.contains($0) }
            var steps: [AttachmentPlan.Step] = []
            if journalMode.lowercased() != "wal" {
                steps.append(
                    AttachmentPlan.Step(
                        model: nil,
                        sentence:
                            "journal mode WAL (it is \(journalMode)): readers no longer wait for writers, and two "
                            + "files stand beside the database while it is open",
                        sql: "PRAGMA journal_mode = WAL"))
            }
            let own = new.filter { $0.table.lowercased().hasPrefix("rolecall_") && !Self.isCapture($0, outcome.tables) }
            if !own.isEmpty {
                let tables = own.filter { $0.type == "table" }.map(\.name)
                steps.append(
                    AttachmentPlan.Step(
                        model: nil,
                        sentence: tables.isEmpty
                            ? "changes of its own tables" : "tables of its own: \(tables.joined(separator: ", "))",
                        sql: own.map { $0.sql + ";" }.joined(separator: "\n")))
            }
            for table in outcome.tables {
                let triggers = new.filter { Self.isCapture($0, [table]) }
                guard !triggers.isEmpty else { continue }
                steps.append(
                    AttachmentPlan.Step(
                        model: table.model.name,
                        sentence:
                            "\(triggers.count) triggers on \(table.model.table), for the model \(table.model.name)",
                        sql: triggers.map { $0.sql + ";" }.joined(separator: "\n")))
            }
            for table in outcome.memberships {
                let names = Set(MembershipTriggers(table: table).statements.map(\.name))
                let triggers = new.filter { $0.type == "trigger" && names.contains($0.name) }
                guard !triggers.isEmpty else { continue }
                let memberships = Set(table.sources.map(\.membership)).sorted().joined(separator: ", ")
                steps.append(
                    AttachmentPlan.Step(
                        model: nil,
                        sentence: "\(triggers.count) triggers on \(table.name), for the membership \(memberships)",
                        sql: triggers.map { $0.sql + ";" }.joined(separator: "\n")))
            }
            return AttachmentPlan(
                steps: steps, strangers: strangers.tables, isNewToDatabase: strangers.isNewToDatabase)
        }
    }

    private static func isCapture(_ object: Object, _ tables: [ModelTable]) -> Bool {
        object.type == "trigger"
            && tables.contains { CaptureTriggers.names(of: $0.model.name).contains(object.name) }
    }

    private static func objects(in db: Database) throws -> [Object] {
        var objects: [Object] = []
        try db.query(
            """
            SELECT type, name, tbl_name, sql FROM sqlite_master WHERE sql IS NOT NULL \
            AND name NOT LIKE 'sqlite!_%' ESCAPE '!' ORDER BY rowid
            """
        ) { row in
            objects.append(Object(type: row.text(0), name: row.text(1), table: row.text(2), sql: row.text(3)))
            return true
        }
        return objects
    }

    /// What the store has noted of itself, as statements that note it again.
    private static func ownRows(in db: Database) throws -> [(sql: String, values: [Value])] {
        var rows: [(sql: String, values: [Value])] = []
        if try db.hasTable("rolecall_meta") {
            try db.query("SELECT key, value FROM rolecall_meta") { row in
                rows.append(("INSERT INTO rolecall_meta(key, value) VALUES (?, ?)", [row.value(0), row.value(1)]))
                return true
            }
        }
        if try db.hasTable("rolecall_model") {
            try db.query("SELECT name, table_name, attached_at FROM rolecall_model") { row in
                rows.append(
                    (
                        "INSERT INTO rolecall_model(name, table_name, attached_at) VALUES (?, ?, ?)",
                        [row.value(0), row.value(1), row.value(2)]
                    ))
                return true
            }
        }
        if try db.hasTable("rolecall_members") {
            try db.query("SELECT table_name, attached_at FROM rolecall_members") { row in
                rows.append(
                    (
                        "INSERT INTO rolecall_members(table_name, attached_at) VALUES (?, ?)",
                        [row.value(0), row.value(1)]
                    ))
                return true
            }
        }
        return rows
    }
}
