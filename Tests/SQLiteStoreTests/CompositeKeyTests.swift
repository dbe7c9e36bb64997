import GRDB
import ModelStore
import Testing

@testable import SQLiteStore

@Suite("Rows whose key is made of several columns")
struct CompositeKeyTests {
    private static let table =
        """
        CREATE TABLE IF NOT EXISTS line(n INTEGER NOT NULL, sku TEXT NOT NULL, amount INTEGER, slot TEXT UNIQUE, \
        PRIMARY KEY (n, sku)) WITHOUT ROWID
        """
    private static let declaration = ModelDeclaration(name: "line", path: "lines", table: "line")

    private func store() throws -> (TestDatabase, SQLiteDatabaseStore, Model) {
        let database = try TestDatabase()
        let store = try database.open([Self.declaration], schema: [Self.table])
        return (database, store, try store.model("line"))
    }

    @Test("the key is one text in front of its columns, and is told so")
    func told() async throws {
        let (database, store, model) = try store()
        #expect(model.keyColumns == ["n", "sku"])
        #expect(model.columns.map(\.name) == ["_id", "n", "sku", "amount", "slot"])
        try await database.foreign().write { db in
            try db.execute(sql: "INSERT INTO line VALUES (1, 'a\"b', 2, NULL)")
            try db.execute(sql: "UPDATE line SET amount = 3")
            try db.execute(sql: "UPDATE line SET n = 2")
            try db.execute(sql: "DELETE FROM line")
        }
        let key = #"[1,"a\"b"]"#
        let events = try await store.events()
        #expect(events.map(\.change) == [.created, .updated, .removed, .created, .removed])
        #expect(events.map(\.key) == [key, key, key, #"[2,"a\"b"]"#, #"[2,"a\"b"]"#].map { .text($0) })
        #expect(events.first?.after?.columns == ["_id", "n", "sku", "amount", "slot"])
        #expect(events.first?.after?["_id"] == .text(key))
        #expect(events.first?.after?["sku"] == .text("a\"b"))
    }

    @Test("a row that another displaces is told, by the key and by a unique column")
    func displaced() async throws {
        let (database, store, _) = try store()
        try await database.foreign().write { db in
            try db.execute(sql: "INSERT INTO line VALUES (1, 'a', 1, 's'), (1, 'b', 2, 't')")
            try db.execute(sql: "REPLACE INTO line VALUES (1, 'a', 9, 's')")
            try db.execute(sql: "REPLACE INTO line VALUES (2, 'c', 0, 't')")
            try db.execute(sql: "INSERT OR IGNORE INTO line VALUES (1, 'a', 100, 'u')")
            try db.execute(sql: "INSERT INTO line VALUES (1, 'a', 5, 'v') ON CONFLICT DO UPDATE SET amount = 5")
            try db.execute(sql: "UPDATE OR REPLACE line SET n = 1, sku = 'a' WHERE n = 2")
        }
        let summaries = try await store.events().map { $0.summary("amount") }
        #expect(
            summaries == [
                "created [1,\"a\"] - 1", "created [1,\"b\"] - 2", "updated [1,\"a\"] 1 9", "removed [1,\"b\"] 2 -",
                "created [2,\"c\"] - 0", "updated [1,\"a\"] 9 5", "removed [2,\"c\"] 0 -", "updated [1,\"a\"] 5 0",
            ])
    }

    @Test("rows are read, listed, changed and removed by their key, whatever its spelling")
    func rows() async throws {
        let (_, store, model) = try store()
        try await store.write(by: nil) { transaction in
            for (n, sku) in [(2, "a"), (1, "b"), (1, "a"), (10, "a")] {
                let row = try transaction.insert(
                    [(column: "n", value: .integer(Int64(n))), (column: "sku", value: .text(sku))], into: model)
                #expect(row["_id"] == .text("[\(n),\"\(sku)\"]"))
            }
            var keys: [Value?] = []
            try transaction.rows(of: model, after: .text("[1,\"a\"]"), equals: []) { row in
                keys.append(row["_id"])
                return true
            }
            #expect(keys == ["[1,\"b\"]", "[2,\"a\"]", "[10,\"a\"]"].map { .text($0) })
            var backwards: [Value?] = []
            try transaction.rows(of: model, after: .text("[2,\"a\"]"), order: .descending, equals: []) { row in
                backwards.append(row["_id"])
                return true
            }
            #expect(backwards == ["[1,\"b\"]", "[1,\"a\"]"].map { .text($0) })
            let changed = try transaction.update(
                model, key: .text("[ 1, \"a\" ]"), set: [(column: "amount", value: .integer(4))])
            #expect(changed?["_id"] == .text("[1,\"a\"]"))
            #expect(try transaction.remove(model, key: .text("[10,\"a\"]"))?["n"] == .integer(10))
            for key in ["", "x", "[1]", "[1,\"a\",2]", "[1,[2]]", "{}"] {
                #expect(try transaction.row(of: model, key: .text(key)) == nil)
                #expect(try transaction.update(model, key: .text(key), set: []) == nil)
                #expect(try transaction.remove(model, key: .text(key)) == nil)
            }
            #expect(try transaction.row(of: model, key: .integer(1)) == nil)
        }
        #expect(try await store.events().last?.key == .text("[10,\"a\"]"))
    }

    @Test("a row that has no value in a part of its key can't be named, and is not told")
    func nulls() async throws {
        let database = try TestDatabase()
        let store = try database.open([Self.declaration], schema: ["CREATE TABLE line(a, b, c, PRIMARY KEY (a, b))"])
        try await database.foreign().write { db in
            try db.execute(sql: "INSERT INTO line VALUES (1, NULL, 1), (NULL, NULL, 2), (1, 2, 3)")
            try db.execute(sql: "UPDATE line SET c = c + 1")
            try db.execute(sql: "UPDATE line SET b = 5 WHERE a = 1 AND b IS NULL")
            try db.execute(sql: "DELETE FROM line")
        }
        let summaries = try await store.events().map { $0.summary("c") }
        #expect(
            summaries == [
                "created [1,2] - 3", "updated [1,2] 3 4", "created [1,5] - 2", "removed [1,2] 4 -", "removed [1,5] 2 -",
            ]
                || Set(summaries) == [
                    "created [1,2] - 3", "updated [1,2] 3 4", "created [1,5] - 2", "removed [1,2] 4 -",
                    "removed [1,5] 2 -",
                ])
    }

    @Test("another key than the primary one can name the rows, where it is unique and never NULL")
    func declared() async throws {
        let schema = ["CREATE TABLE t(id INTEGER PRIMARY KEY, code TEXT NOT NULL UNIQUE, loose TEXT UNIQUE)"]
        func open(_ key: [String]) throws -> (TestDatabase, SQLiteDatabaseStore) {
            let database = try TestDatabase()
            let store = try database.open(
                [ModelDeclaration(name: "t", path: "ts", table: "t", key: key)], schema: schema)
            return (database, store)
        }
        let (database, store) = try open(["CODE"])
        #expect(try store.model("t").keyColumns == ["code"])
        try await database.foreign().write { db in
            try db.execute(sql: "INSERT INTO t VALUES (1, 'a', NULL)")
            try db.execute(sql: "REPLACE INTO t VALUES (1, 'b', NULL)")
        }
        #expect(
            try await store.events().map { $0.summary("id") } == ["created a - 1", "removed a 1 -", "created b - 1"])
        for key in [["loose"], ["none"], ["id", "code"], ["id", "id"]] {
            #expect(throws: StoreError.self, "\(key)") { _ = try open(key) }
        }
    }
}
