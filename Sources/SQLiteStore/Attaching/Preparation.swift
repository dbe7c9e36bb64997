import GRDB
import ModelStore

/// Puts what the store needs into a database: its tables, and the triggers of the models. The same for an opening, for
/// an attachment, and for the plan of one, which is carried out on a database without rows.
struct Preparation {
    let path: String
    let models: [ModelDeclaration]
    let memberships: [MembershipSource]
    /// Statements that make tables where they are missing.
    let schema: [String]

    struct Outcome {
        var tables: [ModelTable]
        var memberships: [MembershipTable] = []
        /// The models whose triggers were written, and whether some of them had been there before and were lost.
        var written: [(table: ModelTable, hadLost: Bool)] = []
        /// The tables of memberships whose triggers were written.
        var writtenMemberships: [MembershipTable] = []
    }

    /// The part of it that needs the owner's consent.
    func strangers(in db: Database) throws -> (tables: [String], isNewToDatabase: Bool) {
        let tables = try Self.foreignTables(in: db)
        let attached = try Self.attached(in: db)
        let unknown = models.filter { model in
            attached[model.name]?.lowercased() != model.table.lowercased()
                && tables.contains { $0.lowercased() == model.table.lowercased() }
        }
        let known = try Self.attachedMemberships(in: db)
        let members = Set(memberships.map { $0.table.lowercased() }).subtracting(known)
            .subtracting(unknown.map { $0.table.lowercased() })
        let isStranger = try !db.hasTable("rolecall_meta") && !tables.isEmpty
        return (unknown.map(\.table) + tables.filter { members.contains($0.lowercased()) }, isStranger)
    }

    /// In one transaction of the caller's.
    ///
    /// - Parameter journalMode: what the database had before the store came; nil where that is not known.
    func carryOut(in db: Database, journalMode: String? = nil) throws -> Outcome {
        try StoreSchema.migrate(db, path: path, journalMode: journalMode)
        for statement in schema { try db.execute(sql: statement) }
        var outcome = Outcome(tables: try models.map { try ModelTable($0, in: db) })
        let attached = try Self.attached(in: db)
        for table in outcome.tables {
            let wasAttached = attached[table.model.name]?.lowercased() == table.model.table.lowercased()
            let triggers = CaptureTriggers(table: table)
            let isComplete = try triggers.areThere(in: db)
            let count = try triggers.install(in: db)
            if !wasAttached { try Self.record(table.model, in: db) }
            guard count > 0 else { continue }
            let hadLost = wasAttached && !isComplete
            if hadLost { try EventLog.appendGap(of: table.model.name, in: db) }
            outcome.written.append((table, hadLost))
        }
        try prepareMemberships(in: db, &outcome)
        return outcome
    }

    private func prepareMemberships(in db: Database, _ outcome: inout Outcome) throws {
        outcome.memberships = try MembershipTable.all(memberships, in: db)
        for table in outcome.memberships {
            guard try MembershipTriggers(table: table).install(in: db) > 0 else { continue }
            // What the table said meanwhile has made no entry.
            try EventLog.appendGap(of: MembershipTriggers.model, in: db)
            try db.run(
                """
                INSERT OR REPLACE INTO rolecall_members(table_name, attached_at) \
                VALUES (?, strftime('%Y-%m-%dT%H:%M:%fZ', 'now'))
                """, [.text(table.name)])
            outcome.writtenMemberships.append(table)
        }
    }

    // MARK: Parts

    /// The tables that are neither the store's nor SQLite's own.
    static func foreignTables(in db: Database) throws -> [String] {
        var names: [String] = []
        try db.query(
            """
            SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite!_%' ESCAPE '!' \
            AND name NOT LIKE 'rolecall!_%' ESCAPE '!' ORDER BY name
            """
        ) { row in
            names.append(row.text(0))
            return true
        }
        return names
    }

    /// What has been attached: tables by the models' names.
    static func attached(in db: Database) throws -> [String: String] {
        // Before that was written down, the triggers themselves said it.
        let source =
            try db.hasTable("rolecall_model")
            ? "SELECT name, table_name FROM rolecall_model" : StoreSchema.attachedByTriggers
        var tables: [String: String] = [:]
        try db.query(source) { row in
            tables[row.text(0)] = row.text(1)
            return true
        }
        return tables
    }

    /// The tables of memberships that have been attached, in lower case.
    static func attachedMemberships(in db: Database) throws -> Set<String> {
        guard try db.hasTable("rolecall_members") else { return [] }
        var names: Set<String> = []
        try db.query("SELECT table_name FROM rolecall_members") { row in
            names.insert(row.text(0).lowercased())
            return true
        }
        return names
    }

    private static func record(_ model: Model, in db: Database) throws {
        try db.run(
            """
            INSERT OR REPLACE INTO rolecall_model(name, table_name, attached_at) \
            VALUES (?, ?, strftime('%Y-%m-%dT%H:%M:%fZ', 'now'))
            """, [.text(model.name), .text(model.table)])
    }
}

extension Database {
    func hasTable(_ name: String) throws -> Bool {
        try first("SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = ?", [.text(name)]) { _ in true } ?? false
    }
}
