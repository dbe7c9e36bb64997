import GRDB
import ModelStore

extension StoreError {
    /// What a database error means to users of a store.
    ///
    /// The sentence names table and column. It repeats no statement and no value: both may hold what the reader of a
    /// message or a log is not meant to see.
    ///
    /// - Parameters:
    ///   - table: the table that was written, where there is one.
    ///   - written: the columns that were written, by their names in the table.
    init(_ error: DatabaseError, table: ModelTable? = nil, written: [String] = []) {
        let failure = ConstraintFailure(error: error, table: table, written: written)
        switch error.extendedResultCode {
        case .SQLITE_CONSTRAINT_UNIQUE, .SQLITE_CONSTRAINT_PRIMARYKEY, .SQLITE_CONSTRAINT_ROWID:
            self = .conflict(failure.duplicate, column: failure.column)
        case .SQLITE_CONSTRAINT_FOREIGNKEY,
            .SQLITE_CONSTRAINT_TRIGGER where error.isRestriction:
            self = .conflict(failure.reference, column: failure.column)
        case .SQLITE_CONSTRAINT_NOTNULL:
            self = .invalid("\(failure.place) needs a value.", column: failure.column)
        case .SQLITE_CONSTRAINT_CHECK:
            self = .invalid(
                "\(failure.place) does not take this value: a rule of the table is against it.", column: failure.column)
        case .SQLITE_CONSTRAINT_DATATYPE:
            self = .invalid("\(failure.place) does not take a value of this type.", column: failure.column)
        case .SQLITE_CONSTRAINT_TRIGGER:
            self = .invalid("A rule of the table \(failure.tableName) refuses this.", column: nil)
        case .SQLITE_MISMATCH:
            self = .invalid("The key of the table \(failure.tableName) must be an integer.", column: keyColumnName)
        case .SQLITE_TOOBIG:
            self = .invalid("A value is too long for the database.", column: nil)
        case .SQLITE_CONSTRAINT:
            self = .invalid("The table \(failure.tableName) does not allow this.", column: nil)
        case .SQLITE_BUSY, .SQLITE_LOCKED:
            self = .unavailable("The database is locked by another process: try again later.")
        case .SQLITE_FULL:
            self = .unavailable("The disk with the database is full: make room and try again.")
        case .SQLITE_READONLY:
            self = .unavailable("The database can't be written to: check its permissions and its directory's.")
        case .SQLITE_IOERR, .SQLITE_NOMEM, .SQLITE_PROTOCOL:
            self = .unavailable("The database can't be reached now: try again later.", cause: error.cause)
        case .SQLITE_MISUSE:
            self = .unavailable("The database is closed.")
        case .SQLITE_ABORT, .SQLITE_INTERRUPT:
            self = .unavailable("The database has stopped the transaction: try again.")
        case .SQLITE_CORRUPT:
            self = .unusable("The database is damaged: restore a backup.")
        case .SQLITE_NOTADB:
            self = .unusable("The file is no SQLite database.")
        case .SQLITE_CANTOPEN, .SQLITE_PERM, .SQLITE_AUTH:
            self = .unusable("The database can't be opened: check that its directory exists and can be written to.")
        case .SQLITE_ERROR where table != nil && error.isOfMissingPart:
            // It may come back: that is how many programs change a table.
            self = .unavailable(
                "The table \(failure.tableName) is gone or has lost a column since the server was started: "
                    + "put it back, or start again.")
        default:
            self = .unusable(
                "The database refuses what the program asks: if its tables were changed, start again.",
                cause: error.cause)
        }
    }
}

extension DatabaseError {
    /// Whether a trigger's refusal is SQLite's own: what RESTRICT asks for it does by a trigger, whose words are those of
    /// any reference that is in the way.
    fileprivate var isRestriction: Bool { message == "FOREIGN KEY constraint failed" }

    /// Whether a statement names what is not there.
    fileprivate var isOfMissingPart: Bool {
        ["no such table", "no such column", "has no column"].contains { message?.contains($0) ?? false }
    }

    /// SQLite's name for the error; its message may repeat values.
    fileprivate var cause: StoreError.Cause {
        StoreError.Cause("SQLite \(extendedResultCode)")
    }
}

/// Which columns a message of SQLite is about: `UNIQUE constraint failed: thing.name, thing.info`.
private struct ConstraintFailure {
    let table: ModelTable?
    let columns: [String]

    init(error: DatabaseError, table: ModelTable?, written: [String]) {
        self.table = table
        guard let table, let message = error.message else {
            columns = []
            return
        }
        let name = table.model.table
        switch error.extendedResultCode {
        case .SQLITE_CONSTRAINT_FOREIGNKEY:
            // SQLite does not say which one; where only one can be meant, it is that.
            let references = Set(table.references).intersection(written)
            columns = references.count == 1 ? Array(references) : []
        case .SQLITE_CONSTRAINT_CHECK:
            // The rule's text, or the name that it was given.
            let words = Set(SQLTokens(message).map { String($0.text.filter { !"\"`[]".contains($0) }).lowercased() })
            let named = table.sources.map(\.name).filter { words.contains($0.lowercased()) }
            columns = named.count == 1 ? named : []
        default:
            let list = message.split(separator: ": ", maxSplits: 1).last.map { $0.split(separator: ", ") } ?? []
            columns = table.sources.map(\.name).filter { column in
                list.contains { $0 == "\(name).\(column)" } || message.hasSuffix(" column \(name).\(column)")
            }
        }
    }

    var tableName: String { table?.model.table ?? "" }

    /// The first of the columns, as the contract names it. A column that is never told is not named either.
    var column: String? {
        columns.lazy.compactMap(wireName).first
    }

    var place: String {
        switch (table, column) {
        case (nil, _): "A column"
        case (.some(let table), nil): "A column of \(table.model.table)"
        case (.some(let table), .some(let column)): "The column \(column) of \(table.model.table)"
        }
    }

    var duplicate: String {
        let names = columns.compactMap(wireName)
        guard let table else { return "Such a row exists already." }
        return names.isEmpty
            ? "The table \(table.model.table) has a row like this already."
            : "The table \(table.model.table) has a row with this \(names.joined(separator: " and ")) already."
    }

    var reference: String {
        guard let table, let column else {
            return "Other rows depend on this one, or it refers to a row that does not exist."
        }
        return "The column \(column) of \(table.model.table) refers to a row that does not exist."
    }

    private func wireName(_ column: String) -> String? {
        table?.fields.first { $0.name == column }?.column.name
    }
}
