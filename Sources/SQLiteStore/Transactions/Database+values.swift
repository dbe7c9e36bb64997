import GRDB
import GRDBSQLite
import ModelStore

extension Database {
    /// Runs a statement with typed arguments and hands each of its rows to `visit` until that returns false.
    ///
    /// GRDB's own conversions end a text at its first NUL in both directions; these go by length.
    ///
    /// - Parameters:
    ///   - isCached: whether the prepared statement is kept. Only for a fixed text, and only where `visit` can't run
    ///     the same text again while this one is under way.
    ///   - visit: must not keep the row.
    func query(
        _ sql: String, _ arguments: [Value] = [], isCached: Bool = true, visit: (StatementRow) throws -> Bool
    ) throws {
        let statement = isCached ? try cachedStatement(sql: sql) : try makeStatement(sql: sql)
        try statement.bind(arguments)
        let cursor = StatementRowCursor(statement)
        // A statement that is left in the middle would hold its snapshot beyond the transaction.
        defer { cursor.reset() }
        while let row = try cursor.next() {
            guard try visit(row) else { return }
        }
    }

    /// The first row of a statement, read by `read`; nil where there is none. The statement runs to its end.
    func first<Output>(
        _ sql: String, _ arguments: [Value] = [], read: (StatementRow) throws -> Output
    ) throws
        -> Output?
    {
        var output: Output?
        try query(sql, arguments) { row in
            if output == nil { output = try read(row) }
            return true
        }
        return output
    }

    /// Runs a statement for its effect.
    func run(_ sql: String, _ arguments: [Value] = []) throws {
        try query(sql, arguments) { _ in true }
    }
}

/// The row that a running statement stands on. Valid until its next step.
struct StatementRow {
    fileprivate let statement: SQLiteStatement

    /// The column's value with the type that the database stored; never `.boolean`.
    func value(_ column: Int) -> Value {
        switch sqlite3_column_type(statement, CInt(column)) {
        case SQLITE_INTEGER: .integer(integer(column))
        case SQLITE_FLOAT: .real(sqlite3_column_double(statement, CInt(column)))
        case SQLITE_TEXT: .text(text(column))
        case SQLITE_BLOB: .blob(bytes(column))
        default: .null
        }
    }

    /// The column converted to an integer; 0 for NULL.
    func integer(_ column: Int) -> Int64 {
        sqlite3_column_int64(statement, CInt(column))
    }

    func isNull(_ column: Int) -> Bool {
        sqlite3_column_type(statement, CInt(column)) == SQLITE_NULL
    }

    /// The column converted to text; empty for NULL. What is not UTF-8 in it is repaired to U+FFFD.
    func text(_ column: Int) -> String {
        withUTF8(column) { String(decoding: $0, as: UTF8.self) }
    }

    /// The column's text as it is stored, in UTF-8 as far as it is that; empty for NULL.
    func withUTF8<Output>(_ column: Int, _ body: (UnsafeRawBufferPointer) throws -> Output) rethrows -> Output {
        // In this order: the length is that of the converted text.
        let start = sqlite3_column_text(statement, CInt(column))
        let count = sqlite3_column_bytes(statement, CInt(column))
        return try body(UnsafeRawBufferPointer(start: start, count: start == nil ? 0 : Int(count)))
    }

    private func bytes(_ column: Int) -> [UInt8] {
        let start = sqlite3_column_blob(statement, CInt(column))
        let count = sqlite3_column_bytes(statement, CInt(column))
        return Array(UnsafeRawBufferPointer(start: start, count: start == nil ? 0 : Int(count)))
    }
}

private final class StatementRowCursor: DatabaseCursor {
    typealias Element = StatementRow

    let _statement: Statement
    var _isDone = false

    init(_ statement: Statement) {
        _statement = statement
    }

    func _element(sqliteStatement: SQLiteStatement) throws -> StatementRow {
        StatementRow(statement: sqliteStatement)
    }

    func reset() {
        // Repeats the code of a failed step, which has been thrown already.
        _ = sqlite3_reset(_statement.sqliteStatement)
    }
}

extension Statement {
    /// The longest text or blob that is bound. SQLite's own limit is 10^9 bytes for a whole row.
    private static let longestValue = 500_000_000

    /// Binds the statement's arguments, in order.
    ///
    /// - Throws: ``StoreError/invalid(_:column:)`` for a value that is too long.
    fileprivate func bind(_ values: [Value]) throws {
        setUncheckedArguments(StatementArguments())
        for (index, value) in zip(CInt(1)..., values) {
            let code =
                switch value {
                case .null: sqlite3_bind_null(sqliteStatement, index)
                case .integer(let value): sqlite3_bind_int64(sqliteStatement, index, value)
                case .boolean(let value): sqlite3_bind_int64(sqliteStatement, index, value ? 1 : 0)
                case .real(let value): sqlite3_bind_double(sqliteStatement, index, value)
                case .text(var text): text.withUTF8 { bind(text: $0, at: index) }
                case .blob(let bytes): bytes.withUnsafeBufferPointer { bind(blob: $0, at: index) }
                }
            switch code {
            case SQLITE_OK: break
            case SQLITE_TOOBIG: throw StoreError.invalid("A value is too long for the database.", column: nil)
            default: throw DatabaseError(resultCode: ResultCode(rawValue: code))
            }
        }
    }

    private func bind(text: UnsafeBufferPointer<UInt8>, at index: CInt) -> CInt {
        guard text.count <= Self.longestValue else { return SQLITE_TOOBIG }
        return text.withMemoryRebound(to: CChar.self) { text in
            // A nil pointer would bind NULL.
            guard let start = text.baseAddress else {
                return sqlite3_bind_text64(sqliteStatement, index, "", 0, transient, UInt8(SQLITE_UTF8))
            }
            return sqlite3_bind_text64(
                sqliteStatement, index, start, UInt64(text.count), transient, UInt8(SQLITE_UTF8))
        }
    }

    private func bind(blob: UnsafeBufferPointer<UInt8>, at index: CInt) -> CInt {
        guard blob.count <= Self.longestValue else { return SQLITE_TOOBIG }
        guard let start = blob.baseAddress, !blob.isEmpty else {
            return sqlite3_bind_zeroblob(sqliteStatement, index, 0)
        }
        return sqlite3_bind_blob64(sqliteStatement, index, start, UInt64(blob.count), transient)
    }

    /// Tells SQLite to copy the bytes before the call returns; a macro in C that Swift does not import.
    private var transient: sqlite3_destructor_type? {
        unsafeBitCast(-1, to: sqlite3_destructor_type.self)
    }
}
