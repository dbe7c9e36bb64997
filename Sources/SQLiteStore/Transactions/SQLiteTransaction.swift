import GRDB
import Logging
import ModelStore
import RolecallProtocol

/// A snapshot on one connection, as the body of a reading sees it.
struct SQLiteReadTransaction: SQLiteTransaction {
    let db: Database
    let tables: [String: ModelTable]
    let memberships: MembershipReader
    let logger: Logger
    let control: CallControl?
}

/// A transaction of the writer, as its body sees it.
struct SQLiteWriteTransaction: SQLiteTransaction {
    let db: Database
    let tables: [String: ModelTable]
    let memberships: MembershipReader
    let logger: Logger
    let control: CallControl?
}

/// What both kinds of transaction can do.
protocol SQLiteTransaction: RowReader, AccountReader {
    var db: Database { get }
    /// By the model's name.
    var tables: [String: ModelTable] { get }
    var memberships: MembershipReader { get }
    var logger: Logger { get }
    /// When the call has to end that this belongs to; nil where nothing but locks limits it.
    var control: CallControl? { get }
}

extension SQLiteTransaction {
    /// - Throws: ``StoreError/unusable(_:cause:)`` for a model of another store.
    func table(of model: Model) throws -> ModelTable {
        guard let table = tables[model.name] else {
            throw StoreError.unusable("This store has no model \(model.name).")
        }
        return table
    }

    /// Runs a body with the database's errors turned into those of the contract.
    func mapped<Output>(
        _ table: ModelTable? = nil, written: [String] = [], _ body: () throws -> Output
    ) throws -> Output {
        do {
            try control?.check()
            try db.checkTransaction()
            return try body()
        } catch let error as DatabaseError {
            // A statement is interrupted because its call has to end.
            if error.resultCode == .SQLITE_INTERRUPT { try control?.check() }
            throw StoreError(error, table: table, written: written)
        }
    }

    func row(of model: Model, key: Value) throws -> ModelStore.Row? {
        let table = try table(of: model)
        return try mapped(table) { try row(of: table, key: key) }
    }

    func row(of table: ModelTable, key: Value) throws -> ModelStore.Row? {
        guard let condition = table.condition(forKey: key) else { return nil }
        return try db.first(
            "SELECT \(table.selection) FROM \(table.table) WHERE \(condition.sql)", condition.arguments,
            read: table.row)
    }

    func rows(
        of model: Model, after: Value?, order: KeyOrder, equals: [(column: ModelStore.Column, value: Value)],
        visit: (ModelStore.Row) throws -> Bool
    ) throws {
        let table = try table(of: model)
        var conditions = table.keyNames.map { "\($0) IS NOT NULL" }
        var arguments: [Value] = []
        if let after {
            guard let behind = table.condition(behindKey: after, order) else { return }
            conditions.append(behind.sql)
            arguments += behind.arguments
        }
        for (column, value) in equals {
            guard let field = table.field(column.name) else { throw table.unknown(column.name) }
            conditions.append("\(SQL.name(field.name)) IS ?")
            arguments.append(value)
        }
        try mapped(table) {
            // Not cached: `visit` may ask for rows of the same model.
            try db.query(
                """
                SELECT \(table.selection) FROM \(table.table) WHERE \(conditions.joined(separator: " AND ")) \
                ORDER BY \(table.keyNames.map { order == .ascending ? $0 : "\($0) DESC" }.joined(separator: ", "))
                """, arguments, isCached: false
            ) { row in
                try control?.check()
                return try visit(table.row(row))
            }
        }
    }

    /// The log's entries of models with numbers above `sequence`, lowest first.
    ///
    /// - Parameter limit: at most so many.
    func events(after sequence: Int64, limit: Int) throws -> [ChangeRecord] {
        try mapped { try EventLog.events(after: sequence, limit: limit, in: db, logger: logger) }
    }

    /// Hands the log's entries of one row with numbers above `sequence` to `visit`, lowest first, until it returns false.
    /// It costs what the log holds of the model above that.
    func events(
        of model: Model, key: Value, after sequence: Int64, visit: (ChangeRecord) throws -> Bool
    ) throws {
        try mapped {
            try EventLog.events(of: model.name, key: key, after: sequence, in: db, logger: logger, visit: visit)
        }
    }
}

extension ModelTable {
    func unknown(_ column: String) -> StoreError {
        .invalid("The table \(model.table) has no column \(column).", column: column)
    }
}
