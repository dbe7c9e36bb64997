import GRDB
import ModelStore
import RolecallProtocol
import WireJSON

extension SQLiteWriteTransaction: WriteTransaction {
    func act(as actor: RolecallProtocol.Actor?) throws {
        try mapped {
            guard let actor else { return try forgetActor() }
            try db.run(
                "INSERT OR REPLACE INTO rolecall_context(id, actor) VALUES (1, ?)", [.text(actor.json.description)])
        }
    }

    /// Removes what is of no use beyond the transaction. Neither statement touches a page where there is nothing: one
    /// without a condition would be a truncation, and write the table's root.
    func clean() throws {
        // Before the commit: nobody else ever sees the actor, and a crash can't leave it behind.
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
                "INSERT INTO \(table.table) \(what) RETURNING \(table.keyName)", values.map(\.value)
            ) { $0.value(0) }
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
            let list = names.map { "\(SQL.name($0)) = ?" }.joined(separator: ", ")
            let key = try db.first(
                "UPDATE \(table.table) SET \(list) WHERE \(table.keyName) = ? RETURNING \(table.keyName)",
                values.map(\.value) + [key]
            ) { $0.value(0) }
            return try key.flatMap { try row(of: table, key: $0) }
        }
    }

    func remove(_ model: Model, key: Value) throws -> ModelStore.Row? {
        let table = try table(of: model)
        return try mapped(table) {
            guard let row = try row(of: table, key: key) else { return nil }
            try db.run("DELETE FROM \(table.table) WHERE \(table.keyName) = ?", [key])
            return row
        }
    }
}

extension ModelTable {
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
