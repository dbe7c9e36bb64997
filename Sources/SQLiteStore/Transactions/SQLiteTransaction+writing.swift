import GRDB
import ModelStore
import RolecallProtocol
import WireJSON

extension SQLiteWriteTransaction {
    func act(as author: Author?) throws {
        try mapped {
            guard let author else { return try forgetActor() }
            try db.run(
                "INSERT OR REPLACE INTO rolecall_context(id, actor) VALUES (1, ?)", [.text(author.json.description)])
        }
    }

    /// Removes what is of no use beyond the transaction. Neither statement touches a page where there is nothing: one
    /// without a condition would be a truncation, and write the table's root.
    func clean() throws {
        // Before the commit: no other connection ever sees the actor, and a crash can't leave it behind.
        try forgetActor()
        // No statement is under way here, so that no note is needed any more; mostly there are none.
        try db.run("DELETE FROM rolecall_displaced WHERE id IS NOT NULL")
    }

    private func forgetActor() throws {
        try db.run("DELETE FROM rolecall_context WHERE id = 1")
    }

    func insert(_ values: [(column: String, value: Value)], into model: Model) throws -> ModelStore.Row {
        let table = try table(of: model)
        let names = try table.writable(values.map(\.column))
        return try mapped(table, written: names) {
            let list = names.map(SQL.name).joined(separator: ", ")
            let places = Array(repeating: "?", count: names.count).joined(separator: ", ")
            let what = names.isEmpty ? "DEFAULT VALUES" : "(\(list)) VALUES (\(places))"
            // The table's own triggers may change the row after this; it is read as it stands then.
            let key = try db.first(
                "INSERT INTO \(table.table) \(what) RETURNING \(table.keyList)", values.map(\.value), read: table.key)
            guard let key, let row = try row(of: table, key: key) else {
                throw StoreError.invalid("The table \(table.model.table) has not kept the row.", column: nil)
            }
            return row
        }
    }

    func update(
        _ model: Model, key: Value, set values: [(column: String, value: Value)]
    ) throws -> ModelStore.Row? {
        let table = try table(of: model)
        let names = try table.writable(values.map(\.column))
        return try mapped(table, written: names) {
            guard !names.isEmpty else { return try row(of: table, key: key) }
            guard let condition = table.condition(forKey: key) else { return nil }
            let list = names.map { "\(SQL.name($0)) = ?" }.joined(separator: ", ")
            let key = try db.first(
                "UPDATE \(table.table) SET \(list) WHERE \(condition.sql) RETURNING \(table.keyList)",
                values.map(\.value) + condition.arguments, read: table.key)
            return try key.flatMap { try row(of: table, key: $0) }
        }
    }

    func remove(_ model: Model, key: Value) throws -> ModelStore.Row? {
        let table = try table(of: model)
        return try mapped(table) {
            guard let condition = table.condition(forKey: key), let row = try row(of: table, key: key) else {
                return nil
            }
            try db.run("DELETE FROM \(table.table) WHERE \(condition.sql)", condition.arguments)
            return row
        }
    }
}

extension ModelTable {
    /// Reads a key that was selected by ``keyList``.
    fileprivate func key(_ row: StatementRow) -> Value {
        guard hasCompositeKey else { return row.value(0) }
        return .text(JSON.array(keys.indices.map { row.value($0).json }).description)
    }

    /// The names in the table of columns that are to be written.
    ///
    /// - Throws: ``StoreError/invalid(_:column:)`` for a column that is not there, not told or not writable, and for
    ///   one that comes twice.
    fileprivate func writable(_ columns: [String]) throws -> [String] {
        var names: [String] = []
        for column in columns {
            guard let field = field(column) else { throw unknown(column) }
            guard !field.isGenerated else {
                throw StoreError.invalid(
                    "The column \(column) of \(model.table) is computed and can't be written.", column: column)
            }
            guard !names.contains(field.name) else {
                throw StoreError.invalid("The column \(column) of \(model.table) is given twice.", column: column)
            }
            names.append(field.name)
        }
        return names
    }
}
