import Foundation
import GRDB
import ModelStore
import Testing

@testable import SQLiteStore

@Suite("Opening a database")
struct OpeningTests {
    private func refusal(
        _ path: String, _ models: [ModelDeclaration] = .standard, schema: [String] = [.thing]
    )
        -> String
    {
        do throws(StoreError) {
            _ = try SQLiteDatabaseStore.open(path: path, models: models, schema: schema, logger: .silent)
            return "opened"
        } catch {
            guard case .unusable(let sentence, _) = error else { return "\(error)" }
            return sentence
        }
    }

    @Test("a new file becomes a database with a write-ahead log that is flushed at every commit")
    func fresh() async throws {
        let database = try TestDatabase()
        let store = try database.open()
        let settings = try await store.pool.writeWithoutTransaction { db in
            try (Int.fetchOne(db, sql: "PRAGMA synchronous"), String.fetchOne(db, sql: "PRAGMA journal_mode"))
        }
        #expect(settings.0 == 2)
        for file in [database.path, database.path + "-wal"] {
            let mode = try FileManager.default.attributesOfItem(atPath: file)[.posixPermissions] as? Int
            #expect(mode == 0o600)
        }
        #expect(settings.1 == "wal")
        #expect(store.models.map(\.name) == ["user", "message", "thing"])
        #expect(try await store.read { try $0.earliestSequence() }.value == 1)
    }

    @Test("a second opening keeps the log and its id, and writes nothing")
    func again() async throws {
        let database = try TestDatabase()
        let first = try database.open()
        let thing = try first.model("thing")
        let written = try await first.write(by: nil) { try $0.insert([("name", .text("x"))], into: thing) }
        let schema = try await version(of: database)
        // The first stays open: a pool that opens with an empty journal would write on its own account.
        let changes = try await dataVersion(of: first)
        let second = try database.open()
        #expect(try await second.head().era == first.head().era)
        #expect(try await second.read { _ in }.position == written.position)
        #expect(try await version(of: database) == schema)
        #expect(try await dataVersion(of: first) == changes)
    }

    private func version(of database: TestDatabase) async throws -> Int? {
        try await database.foreign().read { try Int.fetchOne($0, sql: "PRAGMA schema_version") }
    }

    private func dataVersion(of store: SQLiteDatabaseStore) async throws -> Int? {
        try await store.pool.writeWithoutTransaction { try Int.fetchOne($0, sql: "PRAGMA data_version") }
    }

    @Test("two databases have different logs")
    func eras() async throws {
        let one = try TestDatabase()
        let other = try TestDatabase()
        #expect(try await one.open().head().era != other.open().head().era)
    }

    @Test("triggers that say something else are replaced, missing ones put back")
    func repaired() async throws {
        let database = try TestDatabase()
        try await database.open().close()
        let foreign = try database.foreign()
        try await foreign.write { db in
            try db.execute(sql: "DROP TRIGGER rolecall_thing_after_insert")
            try db.execute(sql: "DROP TRIGGER rolecall_thing_after_delete")
            try db.execute(
                sql:
                    "CREATE TRIGGER rolecall_thing_after_delete AFTER DELETE ON thing BEGIN SELECT RAISE(FAIL, ''); END"
            )
        }
        let store = try database.open()
        try await foreign.write { db in
            try db.execute(sql: "INSERT INTO thing(name) VALUES ('a')")
            try db.execute(sql: "DELETE FROM thing")
        }
        #expect(try await store.events().map { $0.summary() } == ["gap null - -", "created 1 - a", "removed 1 a -"])
    }

    @Test("a column that was added is told after the next opening")
    func addedColumn() async throws {
        let database = try TestDatabase()
        try await database.open().close()
        let foreign = try database.foreign()
        try await foreign.write { try $0.execute(sql: "ALTER TABLE thing ADD COLUMN size INTEGER DEFAULT 4") }
        let store = try database.open()
        try await foreign.write { try $0.execute(sql: "INSERT INTO thing(name) VALUES ('a')") }
        #expect(try await store.events().first?.after?["size"] == .integer(4))
        #expect(try store.model("thing").column("size")?.kind == .integer)
    }

    @Test("an opening that names fewer models leaves the others' triggers")
    func fewerModels() async throws {
        let database = try TestDatabase()
        try await database.open().close()
        let store = try database.open([.user, .message], schema: [])
        try await database.foreign().write { try $0.execute(sql: "INSERT INTO thing(name) VALUES ('a')") }
        #expect(try await store.events().map(\.model) == ["thing"])
    }

    @Test("a database of a newer version is refused with both versions, and not touched")
    func newer() async throws {
        let database = try TestDatabase()
        let other = try DatabaseQueue(path: database.path)
        try await other.write { db in
            try db.execute(sql: "CREATE TABLE rolecall_meta(key TEXT PRIMARY KEY, value)")
            try db.execute(sql: "INSERT INTO rolecall_meta VALUES ('schema_version', 12)")
        }
        try other.close()
        let before = try Data(contentsOf: URL(fileURLWithPath: database.path))
        let sentence = refusal(database.path)
        #expect(sentence.contains("version 12"))
        #expect(sentence.contains("version \(StoreSchema.version):"))
        #expect(sentence.contains("newer program"))
        #expect(try Data(contentsOf: URL(fileURLWithPath: database.path)) == before)
        #expect(try FileManager.default.contentsOfDirectory(atPath: database.directory) == ["rolecall.db"])
    }

    @Test("a file that is no database is refused, and not touched")
    func noDatabase() throws {
        let database = try TestDatabase()
        let text = Data(String(repeating: "These are my letters. ", count: 100).utf8)
        try text.write(to: URL(fileURLWithPath: database.path))
        #expect(refusal(database.path).contains("is no SQLite database"))
        #expect(try Data(contentsOf: URL(fileURLWithPath: database.path)) == text)
    }

    @Test("paths that can't hold a database are refused with the reason")
    func paths() throws {
        let database = try TestDatabase()
        try Data("x".utf8).write(to: URL(fileURLWithPath: database.directory + "/file"))
        #expect(refusal(database.directory + "/file/rolecall.db").contains("is no directory"))
        #expect(refusal(database.directory + "/none/rolecall.db").contains("does not exist"))
        #expect(refusal(database.directory).contains("it is a directory"))
    }

    @Test("a file that can't be written is refused", .enabled(if: getuid() != 0, "root may write every file"))
    func readOnly() async throws {
        let database = try TestDatabase()
        try await database.open().close()
        try FileManager.default.setAttributes([.posixPermissions: 0o444], ofItemAtPath: database.path)
        #expect(refusal(database.path).contains("must be readable and writable"))
    }

    @Test("a database that another process keeps locked is unavailable, not unusable")
    func locked() async throws {
        let database = try TestDatabase()
        let other = try DatabaseQueue(path: database.path)
        try await other.write { try $0.execute(sql: "CREATE TABLE x(y)") }
        try await other.writeWithoutTransaction { db in
            try db.execute(sql: "PRAGMA locking_mode = EXCLUSIVE")
            try db.execute(sql: "BEGIN EXCLUSIVE")
            let error = #expect(throws: StoreError.self) {
                _ = try SQLiteDatabaseStore.open(
                    path: database.path, models: [], schema: [], patience: .milliseconds(100), logger: .silent)
            }
            guard case .unavailable = error else {
                Issue.record("\(String(describing: error))")
                return
            }
            try db.execute(sql: "ROLLBACK")
        }
    }

    /// A model that can't be: its table and what the refusal says.
    static let misfits: [(table: String, schema: String, secret: Set<String>, sentence: String)] = [
        ("none", "CREATE TABLE other(a)", [], "does not exist"),
        ("v", "CREATE VIEW v AS SELECT 1 AS _id", [], "is a view"),
        ("t", "CREATE TABLE t(a)", [], "no primary key"),
        ("t", "CREATE TABLE t(a, b, c, d, e, f, g, h, i, PRIMARY KEY (a, b, c, d, e, f, g, h, i))", [], "of 9 columns"),
        ("t", "CREATE TABLE t(a, b, _id, PRIMARY KEY (a, b))", [], "beside its key a, b"),
        ("t", "CREATE TABLE t(a, b, PRIMARY KEY (a, b))", ["b"], "can't be secret"),
        ("t", "CREATE TABLE t(id INTEGER PRIMARY KEY, _ID TEXT)", [], "beside its key"),
        ("t", "CREATE TABLE t(id INTEGER PRIMARY KEY, a)", ["pasword"], "no column pasword"),
        ("t", "CREATE TABLE t(id INTEGER PRIMARY KEY, a)", ["ID"], "can't be secret"),
        ("rolecall_Events", "CREATE TABLE other(a)", [], "Rolecall's own"),
        ("sqlite_sequence", "CREATE TABLE other(a)", [], "no primary key"),
        ("f", "CREATE VIRTUAL TABLE f USING fts5(a)", [], "is a virtual"),
    ]

    @Test("a table that does not fit is refused with the reason, and nothing is made", arguments: misfits.indices)
    func misfit(_ index: Int) async throws {
        let example = Self.misfits[index]
        let database = try TestDatabase()
        let declaration = ModelDeclaration(name: "m", path: "ms", table: example.table, secret: example.secret)
        #expect(refusal(database.path, [declaration], schema: [example.schema]).contains(example.sentence))
        let tables = try await database.foreign().read { db in
            try Int.fetchOne(db, sql: "SELECT count(*) FROM sqlite_master")
        }
        #expect(tables == 0)
    }

    @Test("names of models are checked")
    func names() throws {
        let database = try TestDatabase()
        #expect(refusal(database.path, [.thing, .thing]).contains("Two models are called thing"))
        var other = ModelDeclaration.message
        other.path = "things"
        #expect(refusal(database.path, [.thing, other]).contains("Two models have the path things"))
        #expect(refusal(database.path, [ModelDeclaration(name: "a:b", path: "a", table: "thing")]).contains("no colon"))
    }

    @Test("the columns are described as the table declares them")
    func columns() throws {
        let database = try TestDatabase()
        let store = try database.open(
            [ModelDeclaration(name: "m", path: "ms", table: "M", secret: ["HIDDEN"])],
            schema: [
                """
                CREATE TABLE m(a VARCHAR(10) NOT NULL, "b c" bool NOT NULL DEFAULT 0, id INTEGER PRIMARY KEY, \
                d NUMERIC, e DOUBLE, f BLOB, g, h BIGINT NOT NULL, hidden TEXT, i AS (a || 'x'), \
                j TEXT AS (a) STORED NOT NULL)
                """
            ])
        let model = try store.model("m")
        #expect(model.key == Column(name: "_id", kind: .integer, isRequired: false, isNullable: false))
        #expect(
            model.columns == [
                Column(name: "a", kind: .text, isRequired: true, isNullable: false),
                Column(name: "b c", kind: .boolean, isRequired: false, isNullable: false),
                Column(name: "_id", kind: .integer, isRequired: false, isNullable: false),
                Column(name: "d", kind: .any, isRequired: false, isNullable: true),
                Column(name: "e", kind: .real, isRequired: false, isNullable: true),
                Column(name: "f", kind: .blob, isRequired: false, isNullable: true),
                Column(name: "g", kind: .any, isRequired: false, isNullable: true),
                Column(name: "h", kind: .integer, isRequired: true, isNullable: false),
                Column(name: "i", kind: .any, isRequired: false, isNullable: true, isGenerated: true),
                Column(name: "j", kind: .text, isRequired: false, isNullable: false, isGenerated: true),
            ])
    }

    @Test("room in the journal is made ahead, and neither what stands there nor what others write is lost by it")
    func reserved() async throws {
        let database = try TestDatabase()
        func journalSize() throws -> Int {
            let attributes = try FileManager.default.attributesOfItem(atPath: database.path + "-wal")
            return try #require(attributes[.size] as? Int)
        }
        do {
            let store = try database.open()
            let thing = try store.model("thing")
            let foreign = try database.foreign()
            func add(_ name: String) async throws {
                _ = try await store.write(by: nil) { try $0.insert([("name", .text(name))], into: thing) }
            }
            try await add("before")
            let former = try journalSize()
            #expect(former < 1_000_000)
            async let others: Void = {
                for number in 0..<20 {
                    try await foreign.write {
                        try $0.execute(sql: "INSERT INTO thing(name) VALUES (?)", arguments: ["foreign \(number)"])
                    }
                }
            }()
            try await store.reserveJournal()
            try await others
            let reserved = try journalSize()
            #expect(reserved > 4_000_000)
            try await add("after")
            try await store.reserveJournal()
            try await add("last")
            #expect(try journalSize() == reserved)
            let names = try await store.rows(of: "thing").map { $0["name"] }
            #expect(names.count == 23)

            // What a crash leaves behind: the database and its journal as they are now.
            let copy = try TestDatabase()
            for suffix in ["", "-wal"] {
                try FileManager.default.copyItem(atPath: database.path + suffix, toPath: copy.path + suffix)
            }
            let recovered = try copy.open()
            #expect(try await recovered.rows(of: "thing").map { $0["name"] } == names)
            #expect(try await recovered.events().count == 23)
            try await recovered.close()
            try await store.close()
        }
        let store = try database.open()
        #expect(try await store.rows(of: "thing").count == 23)
        try await store.close()
    }
}
