import GRDB
import ModelStore
import Testing

@testable import SQLiteStore

/// What the store says of a database is what SQLite does there.
@Suite("The schema")
struct SchemaTests {
    private static let literals = [
        "NULL", "0", "1", "7", "-7", "9007199254740993", "0.0", "1.0", "3.5", "9e999", "'7'", "'-7'", "'+7'", "'007'",
        "' 7 '", "'3.5'", "'1e3'", "'open'", "''", "TRUE", "x''", "x'01'", "x'37'",
    ]

    private static let types = ["INT", "INTEGER", "REAL", "TEXT", "BLOB", "ANY"]

    /// What rules may ask for, and more.
    private static let values: [Value] = [
        .null, .integer(0), .integer(1), .integer(7), .integer(-7), .real(1), .real(3.5), .real(1000),
        .real(.infinity), .text("7"), .text("+7"), .text("007"), .text("-7"), .text("3.5"), .text("open"), .text(""),
        .boolean(true), .boolean(false), .blob([]), .blob([1]),
    ]

    /// Makes a table, writes every literal into every column, and reads what came of it.
    private func stored(_ table: String, columns: [String], in database: TestDatabase) async throws -> [[Value]] {
        try await database.foreign().write { db in
            for column in columns {
                for literal in Self.literals {
                    // A STRICT table refuses some.
                    try? db.execute(sql: "INSERT INTO \(table)(\(column)) VALUES (\(literal))")
                }
            }
            let rows = try GRDB.Row.fetchAll(db, sql: "SELECT * FROM \(table)")
            return rows.map { row in row.databaseValues.map(Value.init(databaseValue:)) }
        }
    }

    @Test("no column holds a value of which the schema says that none can hold it")
    func holding() async throws {
        let database = try TestDatabase()
        let names = Self.types.map { "c_\($0)" }
        let columns = zip(names, Self.types).map { "\($0) \($1)" }.joined(separator: ", ")
        // A generated column's values are converted, in STRICT tables, too, but there not checked.
        let computed = zip(names, Self.types).map { "g_\($1) \($1) AS (c_ANY)" }.joined(separator: ", ")
        let queue = try DatabaseQueue(path: database.path)
        try await queue.write { db in
            try db.execute(sql: "CREATE TABLE loose(\(columns), flag BOOLEAN, n NUMERIC, v VARCHAR(9), \(computed))")
            try db.execute(sql: "CREATE TABLE tight(\(columns), \(computed)) STRICT")
        }
        try queue.close()
        let schema = try SQLiteDatabaseStore.schema(path: database.path)
        for (name, others) in [("loose", ["flag", "n", "v"]), ("tight", [])] {
            let rows = try await stored(name, columns: names + others, in: database)
            let table = try #require(schema.table(name))
            #expect(rows.count > 60)
            // A column of booleans is taken at its word.
            for (index, column) in table.columns.enumerated() where column.kind != .boolean {
                for value in Self.values where !column.canHold(value) {
                    let holds = rows.contains { $0[index].isSame(as: value) }
                    #expect(!holds, "\(name).\(column.name) holds \(value)")
                }
            }
        }
        // What is said is not too little either.
        #expect(try refused(of: "c_INTEGER", in: schema.table("tight")).contains(.text("open")))
        #expect(try !refused(of: "c_INTEGER", in: schema.table("loose")).contains(.text("open")))
        #expect(try refused(of: "c_INTEGER", in: schema.table("loose")).contains(.text("7")))
        #expect(try refused(of: "c_BLOB", in: schema.table("tight")).contains(.text("open")))
        #expect(try refused(of: "c_TEXT", in: schema.table("loose")).contains(.integer(7)))
    }

    private func refused(of column: String, in table: DatabaseSchema.Table?) throws -> [Value] {
        let column = try #require(table?.column(column, comparing: .exact))
        return Self.values.filter { !column.canHold($0) }
    }

    @Test("a table that can't be a model is told with the reason, a shadow table and a broken view, too")
    func obstacles() async throws {
        let database = try TestDatabase()
        let queue = try DatabaseQueue(path: database.path)
        try await queue.write { db in
            try db.execute(sql: "CREATE TABLE t(a); CREATE VIEW broken AS SELECT * FROM t; DROP TABLE t")
            try db.execute(sql: "CREATE VIRTUAL TABLE search USING fts5(body)")
        }
        try queue.close()
        let schema = try SQLiteDatabaseStore.schema(path: database.path)
        #expect(schema.table("broken")?.obstacle == "is a view; name the table that it shows")
        #expect(
            schema.table("search")?.obstacle == "is a virtual table; only ordinary ones can tell their changes")
        #expect(
            schema.table("search_data")?.obstacle
                == "belongs to a virtual table; only ordinary ones can tell their changes")
    }

    @Test("a schema says how SQLite compares names, and by what URL a file names the database")
    func nameAndURL() async throws {
        let database = try TestDatabase()
        let empty = SQLiteDatabaseStore.emptySchema(path: database.path)
        #expect(empty.tables.isEmpty)
        try DatabaseQueue(path: database.path).close()
        for schema in [empty, try SQLiteDatabaseStore.schema(path: database.path)] {
            #expect(schema.name == database.path)
            #expect(schema.storeURL == "sqlite:\(database.path)")
            #expect(schema.nameComparison == .ignoringASCIICase)
        }
        // As SQLite itself does it: É is not é, and K (U+212A) is not k.
        let clash = try await database.foreign().write { db in
            try db.execute(sql: "CREATE TABLE t(a, \"é\", \"É\", k, \"\u{212A}\")")
            return (try? db.execute(sql: "CREATE TABLE T(b)")) == nil
        }
        #expect(clash)
        let table = try #require(try SQLiteDatabaseStore.schema(path: database.path).table("T"))
        #expect(table.column("É", comparing: .ignoringASCIICase)?.name == "É")
        #expect(table.column("K", comparing: .ignoringASCIICase)?.name == "k")
    }
}

extension Value {
    fileprivate init(databaseValue: DatabaseValue) {
        self =
            switch databaseValue.storage {
            case .null: .null
            case .int64(let integer): .integer(integer)
            case .double(let real): .real(real)
            case .string(let text): .text(text)
            case .blob(let data): .blob(Array(data))
            }
    }
}
