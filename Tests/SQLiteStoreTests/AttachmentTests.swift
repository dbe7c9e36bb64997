import Foundation
import GRDB
import ModelStore
import RolecallProtocol
import Testing

@testable import SQLiteStore

@Suite("What is put into somebody's database, and taken out")
struct AttachmentTests {
    private static let orders = ModelDeclaration(name: "order", path: "orders", table: "orders")
    private static let own = [ModelDeclaration.user, .message]

    /// A database of somebody's, with a row.
    private func somebodys() async throws -> TestDatabase {
        let database = try TestDatabase()
        let queue = try DatabaseQueue(path: database.path)
        try await queue.write { db in
            try db.execute(
                sql: "CREATE TABLE orders(id INTEGER PRIMARY KEY, note TEXT); INSERT INTO orders VALUES (7, 'x')")
        }
        try queue.close()
        return database
    }

    private func bytes(_ database: TestDatabase) throws -> Data {
        try Data(contentsOf: URL(fileURLWithPath: database.path))
    }

    private func open(_ database: TestDatabase, _ models: [ModelDeclaration]) throws -> SQLiteDatabaseStore {
        try SQLiteDatabaseStore.open(path: database.path, models: models, consent: .required, logger: .silent)
    }

    @Test("without consent nothing is put there, not a byte, and the refusal says how to give it")
    func consent() async throws {
        let database = try await somebodys()
        let before = try bytes(database)
        for models in [Self.own, Self.own + [Self.orders]] {
            let error = #expect(throws: StoreError.self) { _ = try open(database, models) }
            #expect(error?.description.contains("models attach") == true)
            #expect(error?.description.contains("--attach") == true)
        }
        let plan = try SQLiteDatabaseStore.plan(path: database.path, models: Self.own + [Self.orders])
        #expect(plan.needsConsent)
        #expect(plan.isNewToDatabase)
        #expect(plan.strangers == ["orders"])
        #expect(plan.steps.contains { $0.model == "order" && $0.sentence.hasPrefix("5 triggers on orders") })
        #expect(plan.steps.contains { $0.sql == "PRAGMA journal_mode = WAL" })
        #expect(plan.steps.contains { $0.model == nil && $0.sql.contains("CREATE TABLE rolecall_events") })
        #expect(try bytes(database) == before)
        #expect(try FileManager.default.contentsOfDirectory(atPath: database.directory) == ["rolecall.db"])
    }

    @Test("what the plan shows is what is put there, and then nothing is left to do")
    func planned() async throws {
        let database = try await somebodys()
        let models = Self.own + [Self.orders]
        let plan = try SQLiteDatabaseStore.attach(path: database.path, models: models, logger: .silent)
        let statements = try await database.foreign().read { db in
            try String.fetchAll(
                db, sql: "SELECT sql || ';' FROM sqlite_master WHERE name LIKE 'rolecall%' AND sql NOTNULL")
        }
        let shown = plan.steps.map(\.sql).joined(separator: "\n")
        for statement in statements { #expect(shown.contains(statement)) }
        #expect(try SQLiteDatabaseStore.plan(path: database.path, models: models).isEmpty)
        try await open(database, models).close()
        let status = try SQLiteDatabaseStore.status(path: database.path, models: models)
        #expect(status.map(\.state) == [.attached, .attached, .attached])
    }

    @Test("a file that is new, and a database that is the store's own, need nobody's consent")
    func own() async throws {
        let database = try TestDatabase()
        try await open(database, Self.own).close()
        try await open(database, Self.own).close()
        let demo = try SQLiteDatabaseStore.open(
            path: database.path, models: Self.own + [.thing], schema: [.thing], consent: .required,
            logger: .silent)
        try await demo.close()
        #expect(try !SQLiteDatabaseStore.plan(path: database.path, models: Self.own + [.thing]).needsConsent)
    }

    @Test("a further table of a database that is attached needs consent of its own")
    func further() async throws {
        let database = try await somebodys()
        try SQLiteDatabaseStore.attach(path: database.path, models: Self.own, logger: .silent)
        #expect(throws: StoreError.self) { _ = try open(database, Self.own + [Self.orders]) }
        let plan = try SQLiteDatabaseStore.plan(path: database.path, models: Self.own + [Self.orders])
        #expect(plan.strangers == ["orders"])
        #expect(!plan.isNewToDatabase)
    }

    @Test("a detached model is told no more, and its table is as it was")
    func detached() async throws {
        let database = try await somebodys()
        let models = Self.own + [Self.orders]
        try SQLiteDatabaseStore.attach(path: database.path, models: models, logger: .silent)
        let done = try SQLiteDatabaseStore.detach(path: database.path, models: ["order"], logger: .silent)
        #expect(done.count == 1)
        let left = try await database.foreign().read { db in
            try Int.fetchOne(db, sql: "SELECT count(*) FROM sqlite_master WHERE tbl_name = 'orders'")
        }
        #expect(left == 1)
        #expect(
            try SQLiteDatabaseStore.status(path: database.path, models: models).map(\.state)
                == [.attached, .attached, .notAttached])
        for name in ["order", "user", "nothing"] {
            #expect(throws: StoreError.self) {
                _ = try SQLiteDatabaseStore.detach(path: database.path, models: [name], logger: .silent)
            }
        }
    }

    @Test("with everything out, the database is as if the store had never come")
    func everything() async throws {
        let database = try await somebodys()
        let before = try dump(database)
        let store = try SQLiteDatabaseStore.open(
            path: database.path, models: Self.own + [Self.orders], logger: .silent)
        try await store.write(by: nil) {
            _ = try $0.insertUser(email: "a@b", name: "a", role: "user", password: "-")
        }
        try await store.close()
        let done = try SQLiteDatabaseStore.detach(path: database.path, models: [], everything: true, logger: .silent)
        #expect(done.last == "journal mode delete, as it was")
        #expect(try dump(database) == before)
        #expect(
            try SQLiteDatabaseStore.detach(path: database.path, models: [], everything: true, logger: .silent) == [])
    }

    private func dump(_ database: TestDatabase) throws -> [String] {
        let queue = try DatabaseQueue(path: database.path)
        defer { try? queue.close() }
        return try queue.read { db in
            try String.fetchAll(
                db, sql: "SELECT coalesce(sql, name) FROM sqlite_master WHERE name != 'sqlite_sequence'")
                + String.fetchAll(db, sql: "SELECT id || note FROM orders")
                + [String.fetchOne(db, sql: "PRAGMA journal_mode") ?? ""]
        }
    }

    @Test(
        "a column that was added makes a model out of date, until it is attached once more; nothing is missed by that")
    func outdated() async throws {
        let database = try await somebodys()
        let models = Self.own + [Self.orders]
        try SQLiteDatabaseStore.attach(path: database.path, models: models, logger: .silent)
        try await database.foreign().write { try $0.execute(sql: "ALTER TABLE orders ADD COLUMN city TEXT") }
        #expect(try SQLiteDatabaseStore.status(path: database.path, models: models).last?.state == .outdated)
        let plan = try SQLiteDatabaseStore.plan(path: database.path, models: models)
        #expect(!plan.needsConsent)
        #expect(plan.steps.map(\.model) == ["order"])
        let store = try open(database, models)
        #expect(try store.model("order").column("city") != nil)
        #expect(try await store.events().isEmpty)
        #expect(try SQLiteDatabaseStore.status(path: database.path, models: models).last?.state == .attached)
        try await store.close()
    }

    @Test("a table that refers to one that is gone can be a model all the same")
    func dangling() async throws {
        let database = try TestDatabase()
        let queue = try DatabaseQueue(path: database.path)
        try await queue.write { db in
            try db.execute(sql: "CREATE TABLE orders(id INTEGER PRIMARY KEY, shop INTEGER REFERENCES shops(id))")
        }
        try queue.close()
        let models = Self.own + [Self.orders]
        try SQLiteDatabaseStore.attach(path: database.path, models: models, logger: .silent)
        try await open(database, models).close()
    }

    @Test("a model called session is told beside the ends of sign-ins")
    func sessionModel() async throws {
        let database = try TestDatabase()
        let session = ModelDeclaration(name: "session", path: "sessions", table: "sessions")
        let store = try database.open(
            Self.own + [session], schema: ["CREATE TABLE IF NOT EXISTS sessions(id INTEGER PRIMARY KEY, name TEXT)"])
        try await store.write(by: nil) {
            let user = try $0.insertUser(email: "a@b", name: "a", role: "user", password: "-")
            let moment = Timestamp(seconds: 4_000_000_000)
            try $0.insertSession(SessionRecord(id: "s", user: user.id, createdAt: moment, expiresAt: moment))
        }
        try await database.foreign().write { db in
            try db.execute(sql: "INSERT INTO sessions(name) VALUES ('x')")
            try db.execute(sql: "UPDATE sessions SET name = 'y'")
            try db.execute(sql: "DELETE FROM rolecall_session")
        }
        #expect(try await store.events().filter { $0.model == "session" }.map(\.change) == [.created, .updated])
        let changes = try await store.read { try $0.identityEntries(after: 0) }.value
        #expect(changes.map(\.subject).contains(.sessionEnded("s")))
    }

    @Test("a database of an earlier version knows what it had attached")
    func migrated() async throws {
        let database = try TestDatabase()
        let queue = try DatabaseQueue(path: database.path)
        try await queue.write { db in
            for step in StoreSchema.steps[..<2] { for statement in step { try db.execute(sql: statement) } }
            try db.execute(sql: "CREATE TABLE rolecall_meta(key TEXT PRIMARY KEY NOT NULL, value TEXT NOT NULL)")
            try db.execute(sql: "INSERT INTO rolecall_meta VALUES ('schema_version', '2'), ('log_id', '0123456789ab')")
            try db.execute(sql: .thing)
            try db.execute(sql: "CREATE TRIGGER rolecall_thing_after_insert AFTER INSERT ON thing BEGIN SELECT 1; END")
        }
        try queue.close()
        let store = try SQLiteDatabaseStore.open(
            path: database.path, models: Self.own + [.thing], consent: .required, logger: .silent)
        try await store.close()
    }

    @Test("the schema tells tables, keys and columns, which tables are the store's own, and none of SQLite's")
    func schema() async throws {
        let database = try TestDatabase()
        let queue = try DatabaseQueue(path: database.path)
        try await queue.write { db in
            try db.execute(
                sql: """
                    CREATE TABLE b(y TEXT NOT NULL, x INT NOT NULL, z AS (x + 1), u TEXT UNIQUE, PRIMARY KEY (x, y)) \
                    WITHOUT ROWID;
                    CREATE TABLE a(id INTEGER PRIMARY KEY AUTOINCREMENT, mail VARCHAR(9) NOT NULL UNIQUE, on_ BOOLEAN);
                    CREATE VIEW v AS SELECT * FROM a;
                    """)
        }
        try queue.close()
        try await database.open(Self.own, schema: []).close()
        let schema = try SQLiteDatabaseStore.schema(path: database.path)
        #expect(schema.tables.filter { !$0.isOwn }.map(\.name) == ["a", "b", "v"])
        let own = schema.tables.filter(\.isOwn).map(\.name)
        #expect(own.contains("rolecall_events") && own.contains("rolecall_user"))
        #expect(own.allSatisfy { $0.hasPrefix("rolecall_") })
        #expect(schema.table("B")?.primaryKey == ["x", "y"])
        #expect(schema.table("b")?.column("z", comparing: .exact)?.isGenerated == true)
        #expect(schema.table("b")?.otherKeys == [])
        #expect(schema.table("a")?.otherKeys == [["mail"]])
        #expect(schema.table("a")?.column("mail", comparing: .exact)?.declaredType == "VARCHAR(9)")
        #expect(schema.table("a")?.column("on_", comparing: .exact)?.kind == .boolean)
        #expect(schema.table("a")?.obstacle == nil)
        #expect(schema.table("v")?.obstacle == "is a view; name the table that it shows")
        #expect(throws: StoreError.self) { _ = try SQLiteDatabaseStore.schema(path: database.path + ".none") }
    }
}
