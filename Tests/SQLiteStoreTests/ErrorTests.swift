import Foundation
import GRDB
import ModelStore
import Testing

@testable import SQLiteStore

@Suite("Errors of the database")
struct ErrorTests {
    static let schema = [
        """
        CREATE TABLE IF NOT EXISTS part(id INTEGER PRIMARY KEY, name TEXT NOT NULL CHECK (length(name) < 9), \
        code TEXT UNIQUE, size INTEGER CHECK (size > 0 AND code <> ''), owner INTEGER REFERENCES rolecall_user(_id), \
        whole INTEGER REFERENCES part(id) DEFERRABLE INITIALLY DEFERRED, pin TEXT UNIQUE, up AS (upper(name)))
        """,
        "CREATE UNIQUE INDEX IF NOT EXISTS part_pair ON part(name, size)",
        "CREATE UNIQUE INDEX IF NOT EXISTS part_low ON part(lower(name)) WHERE size = 5",
        "CREATE TABLE IF NOT EXISTS strict(_id INTEGER PRIMARY KEY, n INTEGER NOT NULL, a ANY) STRICT",
        """
        CREATE TRIGGER IF NOT EXISTS part_rule BEFORE INSERT ON part WHEN NEW.name = 'bad' \
        BEGIN SELECT RAISE(ABORT, 'secret sentence'); END
        """,
        """
        CREATE TRIGGER IF NOT EXISTS part_skip BEFORE INSERT ON part WHEN NEW.name = 'skip' \
        BEGIN SELECT RAISE(IGNORE); END
        """,
    ]

    private func open(_ database: TestDatabase) throws -> SQLiteDatabaseStore {
        try database.open(
            [
                .user, ModelDeclaration(name: "part", path: "parts", table: "part", secret: ["pin"]),
                ModelDeclaration(name: "strict", path: "stricts", table: "strict"),
            ], schema: Self.schema)
    }

    struct Example: Sendable, CustomTestStringConvertible {
        var values: [(column: String, value: Value)]
        var error: StoreError
        var model = "part"
        var testDescription: String { error.description }
    }

    static let examples: [Example] = [
        .init(
            values: [("name", .text("x")), ("code", .text("taken"))],
            error: .conflict("The table part has a row with this code already.", column: "code")),
        .init(
            values: [("_id", .integer(1)), ("name", .text("x"))],
            error: .conflict("The table part has a row with this _id already.", column: "_id")),
        .init(
            values: [("name", .text("one")), ("size", .integer(1))],
            error: .conflict("The table part has a row with this name and size already.", column: "name")),
        .init(
            values: [("name", .text("FIVE")), ("size", .integer(5))],
            error: .conflict("The table part has a row like this already.", column: nil)),
        .init(
            values: [("name", .text("x")), ("owner", .integer(99))],
            error: .conflict("The column owner of part refers to a row that does not exist.", column: "owner")),
        .init(
            values: [("name", .text("x")), ("owner", .integer(99)), ("whole", .integer(1))],
            error: .conflict("Other rows depend on this one, or it refers to a row that does not exist.", column: nil)),
        .init(values: [("name", .null)], error: .invalid("The column name of part needs a value.", column: "name")),
        .init(
            values: [("name", .text("much too long"))],
            error: .invalid(
                "The column name of part does not take this value: a rule of the table is against it.",
                column: "name")),
        .init(
            values: [("name", .text("x")), ("size", .integer(-1))],
            error: .invalid(
                "A column of part does not take this value: a rule of the table is against it.", column: nil)),
        .init(
            values: [("_id", .text("x")), ("name", .text("x"))],
            error: .invalid("The key of the table part must be an integer.", column: "_id")),
        .init(
            values: [("name", .text("bad"))], error: .invalid("A rule of the table part refuses this.", column: nil)),
        .init(values: [("name", .text("skip"))], error: .invalid("The table part has not kept the row.", column: nil)),
        .init(
            values: [("nome", .text("x"))], error: .invalid("The table part has no column nome.", column: "nome")),
        .init(values: [("pin", .text("1"))], error: .invalid("The table part has no column pin.", column: "pin")),
        .init(values: [("id", .integer(1))], error: .invalid("The table part has no column id.", column: "id")),
        .init(
            values: [("name", .text("x")), ("name", .text("y"))],
            error: .invalid("The column name of part is given twice.", column: "name")),
        .init(
            values: [("name", .text("x")), ("up", .text("X"))],
            error: .invalid("The column up of part is computed and can't be written.", column: "up")),
        .init(
            values: [("n", .text("x"))],
            error: .invalid("The column n of strict does not take a value of this type.", column: "n"),
            model: "strict"),
    ]

    @Test("what a table refuses is told in a sentence with its column, and without values", arguments: examples)
    func refused(_ example: Example) async throws {
        let database = try TestDatabase()
        let store = try open(database)
        let part = try store.model("part")
        let model = try store.model(example.model)
        _ = try await store.write(by: nil) { transaction in
            _ = try transaction.insert(
                [("name", .text("one")), ("code", .text("taken")), ("size", .integer(1))], into: part)
            _ = try transaction.insert([("name", .text("five")), ("size", .integer(5))], into: part)
        }
        await #expect(throws: example.error) {
            _ = try await store.write(by: nil) { try $0.insert(example.values, into: model) }
        }
        #expect(try await store.events().count == 2)
    }

    @Test("updates are refused in the same way, and a removal that others need")
    func updates() async throws {
        let database = try TestDatabase()
        let store = try open(database)
        let part = try store.model("part")
        _ = try await store.write(by: nil) { transaction in
            let user = try transaction.insertUser(email: "a@x", name: "a", role: "user", password: "p")
            _ = try transaction.insert([("name", .text("one")), ("code", .text("taken"))], into: part)
            _ = try transaction.insert([("name", .text("two")), ("owner", .integer(user.id))], into: part)
        }
        await #expect(throws: StoreError.conflict("The table part has a row with this code already.", column: "code")) {
            _ = try await store.write(by: nil) {
                try $0.update(part, key: .integer(2), set: [("code", .text("taken"))])
            }
        }
        let user = try store.model("user")
        let needed = StoreError.conflict(
            "Other rows depend on this one, or it refers to a row that does not exist.", column: nil)
        await #expect(throws: needed) { _ = try await store.write(by: nil) { try $0.remove(user, key: .integer(1)) } }
        await #expect(throws: needed) { _ = try await store.write(by: nil) { try $0.removeUser(id: 1) } }
    }

    @Test("a constraint that is checked at the commit undoes the whole")
    func deferred() async throws {
        let database = try TestDatabase()
        let store = try open(database)
        let part = try store.model("part")
        let error = await #expect(throws: StoreError.self) {
            _ = try await store.write(by: nil) {
                try $0.insert([("name", .text("x")), ("whole", .integer(77))], into: part)
            }
        }
        guard case .conflict = error else {
            Issue.record("\(String(describing: error))")
            return
        }
        #expect(try await store.events().isEmpty)
        #expect(try await store.rows(of: "part").isEmpty)
    }

    @Test("a lock that another process holds for too long is unavailable; when it is gone, writing goes on")
    func locked() async throws {
        let database = try TestDatabase()
        let store = try SQLiteDatabaseStore.open(
            path: database.path, models: .standard, schema: [.thing], patience: .milliseconds(100), logger: .silent)
        let thing = try store.model("thing")
        let foreign = try database.foreign()
        try await foreign.writeWithoutTransaction { try $0.execute(sql: "BEGIN IMMEDIATE; DELETE FROM thing") }
        let locked = StoreError.unavailable("The database is locked by another process: try again later.")
        await #expect(throws: locked) {
            _ = try await store.write(by: nil) { try $0.insert([("name", .text("x"))], into: thing) }
        }
        // Readers wait for nobody.
        #expect(try await store.rows(of: "thing").isEmpty)
        try await foreign.writeWithoutTransaction { try $0.execute(sql: "COMMIT") }
        _ = try await store.write(by: nil) { try $0.insert([("name", .text("x"))], into: thing) }
        #expect(try await store.events().count == 1)
    }

    @Test("the time that a write has waited in the store's own queue is taken from its patience")
    func patience() async throws {
        let database = try TestDatabase()
        let store = try SQLiteDatabaseStore.open(
            path: database.path, models: .standard, schema: [.thing], patience: .seconds(60), logger: .silent)
        let body: @Sendable (SQLiteWriteTransaction) throws -> Int64? = { transaction in
            defer { Thread.sleep(forTimeInterval: 0.4) }
            return try transaction.db.first("PRAGMA busy_timeout") { $0.integer(0) }
        }
        // Both calls are made before the first body ends, so that the other one waits for most of its sleep.
        async let one = store.write(by: nil, body)
        async let other = store.write(by: nil, body)
        let timeouts = try await [one.value, other.value].map { try #require($0) }
        #expect((250...59_800).contains(timeouts.min() ?? 0))
        #expect((250...60_000).contains(timeouts.max() ?? 0))
    }

    @Test("a table that somebody has dropped is told as such, without the statement")
    func dropped() async throws {
        let database = try TestDatabase()
        let store = try database.open()
        let thing = try store.model("thing")
        try await database.foreign().write { try $0.execute(sql: "DROP TABLE thing") }
        let error = await #expect(throws: StoreError.self) {
            _ = try await store.write(by: nil) { try $0.insert([("name", .text("the value"))], into: thing) }
        }
        guard case .unavailable(let sentence, _) = error else {
            Issue.record("\(String(describing: error))")
            return
        }
        #expect(sentence.contains("The table thing is gone"))
        #expect(!sentence.contains("INSERT"))
        #expect(!sentence.contains("the value"))
    }

    @Test(
        "clients read what they can do, and neither a path nor the database's own words; logs have all of it",
        arguments: [
            ResultCode.SQLITE_BUSY, .SQLITE_FULL, .SQLITE_READONLY, .SQLITE_IOERR, .SQLITE_MISUSE, .SQLITE_INTERRUPT,
            .SQLITE_CORRUPT, .SQLITE_CANTOPEN, .SQLITE_NOTADB, .SQLITE_ERROR,
        ])
    func messages(_ code: ResultCode) {
        let failure = DatabaseError(resultCode: code, message: "the database's words")
        let path = "/a/path/rolecall.db"
        for error in [StoreError(failure), SQLiteDatabaseStore.openingError(failure, path: path)] {
            switch error {
            case .unavailable: #expect(error.message == error.sentence)
            default: #expect(error.message == "The database can't be used: the server's log says more.")
            }
            for secret in [path, "SQLite", "the database's words"] { #expect(!error.message.contains(secret)) }
            #expect(error.description.hasPrefix(error.sentence))
            if let cause = error.cause { #expect(error.description.contains(cause.description)) }
        }
        #expect(SQLiteDatabaseStore.openingError(failure, path: path).description.contains(path))
    }

    @Test("a model of another store is refused")
    func strangers() async throws {
        let database = try TestDatabase()
        let store = try database.open()
        let column = ModelStore.Column(name: "_id", kind: .integer, isRequired: false, isNullable: false)
        let model = Model(name: "x", path: "xs", table: "thing", key: column, columns: [column])
        await #expect(throws: StoreError.unusable("This store has no model x.")) {
            _ = try await store.read { try $0.row(of: model, key: .integer(1)) }
        }
    }
}
