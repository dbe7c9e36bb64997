import Foundation
import GRDB
import ModelStore
import TestSupport
import Testing

@testable import SQLiteStore

/// What a statement of another program does to a small table, and what the log tells of it.
struct ReplaceCase: Sendable, CustomTestStringConvertible {
    var title: String
    var statement: String
    var events: [String]
    var testDescription: String { title }
}

@Suite("What REPLACE, IGNORE and upserts tell")
struct ReplaceTests {
    static let table = """
        CREATE TABLE IF NOT EXISTS item(_id INTEGER PRIMARY KEY, name TEXT UNIQUE, mail TEXT COLLATE NOCASE UNIQUE, \
        slug TEXT NOT NULL DEFAULT 'none', kind TEXT, live BOOLEAN)
        """
    static let indexes = [
        "CREATE UNIQUE INDEX IF NOT EXISTS item_kind ON item(kind, slug)",
        """
        CREATE UNIQUE INDEX IF NOT EXISTS item_low ON item(lower(trim(slug, ' ,()')) DESC /* , */)
        WHERE live AND _id < 100
        """,
    ]
    static let rows = """
        INSERT INTO item(_id, name, mail, slug, kind, live) VALUES \
        (1, 'a', 'a@x', 's1', 'k', 1), (2, 'b', 'b@x', 's2', 'k', 1), (3, 'c', 'c@x', 'none', 'k', 0)
        """

    static let cases: [ReplaceCase] = [
        .init(
            title: "replacing a row by its key is an update", statement: "REPLACE INTO item(_id, name) VALUES (1, 'z')",
            events: ["updated 1 a z"]),
        .init(
            title: "replacing by another unique column removes the row that was there",
            statement: "INSERT OR REPLACE INTO item(_id, name) VALUES (9, 'a')",
            events: ["removed 1 a -", "created 9 - a"]),
        .init(
            title: "one row can displace several",
            statement: "INSERT OR REPLACE INTO item(_id, name, mail, kind, slug) VALUES (1, 'b', 'C@X', 'k', 's7')",
            events: ["removed 2 b -", "removed 3 c -", "updated 1 a b"]),
        .init(
            title: "a collation decides what is the same",
            statement: "REPLACE INTO item(_id, name, mail) VALUES (9, 'z', 'A@X')",
            events: ["removed 1 a -", "created 9 - z"]),
        .init(
            title: "a row is displaced on an index of several columns",
            statement: "REPLACE INTO item(_id, name, kind, slug) VALUES (9, 'z', 'k', 's2')",
            events: ["removed 2 b -", "created 9 - z"]),
        .init(
            title: "a row is displaced on an index of an expression with a condition",
            statement: "REPLACE INTO item(_id, name, slug, live) VALUES (9, 'z', ' (S2)', 1)",
            events: ["removed 2 b -", "created 9 - z"]),
        .init(
            title: "a row outside an index's condition is not displaced",
            statement: "REPLACE INTO item(_id, name, slug, live) VALUES (9, 'z', 'S2', 0)",
            events: ["created 9 - z"]),
        .init(
            title: "REPLACE puts the default for NULL, and that displaces",
            statement: "REPLACE INTO item(_id, name, kind, slug) VALUES (9, 'z', 'k', NULL)",
            events: ["removed 3 c -", "created 9 - z"]),
        .init(
            title: "an ignored insert tells nothing",
            statement: "INSERT OR IGNORE INTO item(_id, name) VALUES (1, 'z'), (9, 'a')", events: []),
        .init(
            title: "what follows an ignored insert is told as usual",
            statement: "INSERT OR IGNORE INTO item(_id, name) VALUES (1, 'z'), (9, 'y')", events: ["created 9 - y"]),
        .init(
            title: "an upsert is an update",
            statement:
                "INSERT INTO item(_id, name) VALUES (1, 'z') ON CONFLICT(_id) DO UPDATE SET name = excluded.name",
            events: ["updated 1 a z"]),
        .init(
            title: "an upsert that does nothing tells nothing",
            statement: "INSERT INTO item(_id, name) VALUES (7, 'a') ON CONFLICT DO NOTHING", events: []),
        .init(
            title: "an upsert can change the key",
            statement: "INSERT INTO item(_id, name) VALUES (1, 'z') ON CONFLICT(_id) DO UPDATE SET _id = 8",
            events: ["removed 1 a -", "created 8 - a"]),
        .init(
            title: "an update can displace a row",
            statement: "UPDATE OR REPLACE item SET name = 'b' WHERE _id = 1",
            events: ["removed 2 b -", "updated 1 a b"]),
        .init(
            title: "an update can take the key of another row",
            statement: "UPDATE OR REPLACE item SET _id = 2 WHERE _id = 1",
            events: ["removed 1 a -", "updated 2 b a"]),
        .init(
            title: "an update can take the key of one row and a name of another",
            statement: "UPDATE OR REPLACE item SET _id = 2, name = 'c' WHERE _id = 1",
            events: ["removed 3 c -", "removed 1 a -", "updated 2 b c"]),
        .init(
            title: "an ignored update tells nothing",
            statement: "UPDATE OR IGNORE item SET name = 'b' WHERE _id = 1", events: []),
        .init(
            title: "a changed key is a removal and a creation", statement: "UPDATE item SET _id = 5 WHERE _id = 1",
            events: ["removed 1 a -", "created 5 - a"]),
        .init(
            title: "an update without a change is told", statement: "UPDATE item SET name = name WHERE _id = 1",
            events: ["updated 1 a a"]),
        .init(
            title: "rows of one statement displace each other",
            statement: "REPLACE INTO item(_id, name, mail) VALUES (11, 'p', 'p'), (12, 'p', 'q'), (11, 'q', 'p')",
            events: ["created 11 - p", "removed 11 p -", "created 12 - p", "created 11 - q"]),
        .init(
            title: "deleting everything tells every row", statement: "DELETE FROM item",
            events: ["removed 1 a -", "removed 2 b -", "removed 3 c -"]),
    ]

    @Test("every way of a row out of the table is told", arguments: cases)
    func told(_ example: ReplaceCase) async throws {
        let database = try TestDatabase()
        let store = try database.open(
            [ModelDeclaration(name: "item", path: "items", table: "item")], schema: [Self.table] + Self.indexes)
        let foreign = try database.foreign()
        try await foreign.write { try $0.execute(sql: Self.rows) }
        let head = try #require(try await store.events().last?.sequence)
        try await foreign.write { try $0.execute(sql: example.statement) }
        let events = try await store.events(after: head)
        #expect(events.map { $0.summary() } == example.events)
        try await expectLogEqualsTable(store, "item")
    }

    @Test("a statement that fails tells nothing, and one that fails halfway tells the first half")
    func failures() async throws {
        let database = try TestDatabase()
        let store = try database.open(
            [ModelDeclaration(name: "item", path: "items", table: "item")], schema: [Self.table] + Self.indexes)
        let foreign = try database.foreign()
        try await foreign.write { try $0.execute(sql: Self.rows) }
        for sql in [
            "INSERT INTO item(_id, name) VALUES (20, 'x'), (21, 'a')",
            "INSERT OR FAIL INTO item(_id, name) VALUES (20, 'x'), (21, 'a')",
            "UPDATE OR FAIL item SET name = CASE _id WHEN 1 THEN 'y' ELSE 'y' END",
        ] {
            await #expect(throws: DatabaseError.self) {
                try await foreign.writeWithoutTransaction { try $0.execute(sql: sql) }
            }
        }
        #expect(try await store.events(after: 3).map { $0.summary() } == ["created 20 - x", "updated 1 a y"])
        try await expectLogEqualsTable(store, "item")
    }

    @Test("with recursive_triggers a displaced row is told by its own trigger, once")
    func recursiveTriggers() async throws {
        let database = try TestDatabase()
        let store = try database.open(
            [ModelDeclaration(name: "item", path: "items", table: "item")], schema: [Self.table] + Self.indexes)
        let foreign = try database.foreign()
        try await foreign.writeWithoutTransaction { db in
            try db.execute(sql: Self.rows)
            try db.execute(sql: "PRAGMA recursive_triggers = ON")
            try db.execute(sql: "REPLACE INTO item(_id, name) VALUES (1, 'b')")
        }
        let events = try await store.events(after: 3).map { $0.summary() }
        #expect(Set(events.dropLast()) == ["removed 1 a -", "removed 2 b -"])
        #expect(events.last == "created 1 - b")
        try await expectLogEqualsTable(store, "item")
    }

    static let keys: [(key: String, statement: String, events: [String])] = [
        ("TEXT COLLATE NOCASE", "REPLACE INTO t(k, name) VALUES ('A', 'z')", ["removed a x -", "created A - z"]),
        ("TEXT COLLATE NOCASE", "UPDATE t SET k = 'A'", ["removed a x -", "created A - x"]),
        ("TEXT COLLATE NOCASE", "UPDATE t SET k = 'a'", ["updated a x x"]),
        ("TEXT COLLATE NOCASE", "DELETE FROM t WHERE k = 'A'", ["removed a x -"]),
        ("", "UPDATE t SET k = 3", ["removed a x -", "created 3 - x"]),
        (
            "", "UPDATE t SET k = 3; REPLACE INTO t(k, name) VALUES (3.0, 'z')",
            [
                "removed a x -", "created 3 - x", "removed 3 x -", "created 3.0 - z",
            ]
        ),
        (
            "", "UPDATE t SET k = 3; UPDATE t SET k = 3.0",
            [
                "removed a x -", "created 3 - x", "removed 3 x -", "created 3.0 - x",
            ]
        ),
        ("", "UPDATE t SET k = NULL; UPDATE t SET name = 'z'; UPDATE t SET k = 4", ["removed a x -", "created 4 - z"]),
    ]

    @Test("keys that the table takes for equal, and that are not the same, are two", arguments: keys.indices)
    func equalKeys(_ index: Int) async throws {
        let example = Self.keys[index]
        let database = try TestDatabase()
        let store = try database.open(
            [ModelDeclaration(name: "t", path: "ts", table: "t")],
            schema: ["CREATE TABLE IF NOT EXISTS t(k \(example.key) PRIMARY KEY, name TEXT)"])
        try await database.foreign().write { db in
            try db.execute(sql: "INSERT INTO t VALUES ('a', 'x')")
            try db.execute(sql: example.statement)
        }
        #expect(try await store.events(after: 1).map { $0.summary() } == example.events)
    }

    @Test("a row that a table's own trigger brings back at once is not told as gone", arguments: [false, true])
    func broughtBack(isLater: Bool) async throws {
        let trigger = """
            CREATE TRIGGER IF NOT EXISTS own AFTER DELETE ON thing \
            BEGIN INSERT INTO thing(_id, name) VALUES (OLD._id, 'again'); END
            """
        let database = try TestDatabase()
        let store = try database.open(.standard, schema: [.thing] + (isLater ? [] : [trigger]))
        try await database.foreign().write { db in
            if isLater { try db.execute(sql: trigger) }
            try db.execute(sql: "INSERT INTO thing(name) VALUES ('a')")
            try db.execute(sql: "DELETE FROM thing")
        }
        #expect(try await store.events().last?.after?["name"] == .text("again"))
        try await expectLogEqualsTable(store, "thing")
    }

    /// The kinds of tables that differ in how SQLite stores and finds a row.
    static let shapes: [String] = [
        "k INTEGER PRIMARY KEY, a TEXT UNIQUE, b INT NOT NULL DEFAULT 3 UNIQUE, c",
        "k TEXT COLLATE NOCASE PRIMARY KEY, a TEXT UNIQUE, b INT NOT NULL DEFAULT 3, c, UNIQUE (b, c)",
        "k PRIMARY KEY, a TEXT COLLATE RTRIM UNIQUE, b INT NOT NULL DEFAULT 3, c UNIQUE",
        "k TEXT PRIMARY KEY NOT NULL, a TEXT UNIQUE, b INT NOT NULL DEFAULT 3, c UNIQUE",
        "a TEXT UNIQUE, k INTEGER PRIMARY KEY DESC, b INT NOT NULL, c, g AS (b || ':' || c) UNIQUE",
        "k REAL PRIMARY KEY, a TEXT UNIQUE, b INT NOT NULL DEFAULT 3, c, g AS (lower(a)) STORED UNIQUE",
    ]

    @Test(
        "random statements: the log, event by event, is the table's history", .computes, arguments: shapes,
        [false, true])
    func history(_ shape: String, isWithoutRowID: Bool) async throws {
        // Keys of these two may be NULL, which WITHOUT ROWID rules out; nothing else differs.
        let database = try TestDatabase()
        let suffix = isWithoutRowID ? " WITHOUT ROWID" : ""
        let store = try database.open(
            [ModelDeclaration(name: "t", path: "ts", table: "t")],
            schema: [
                "CREATE TABLE IF NOT EXISTS t(\(shape))\(suffix)",
                "CREATE UNIQUE INDEX IF NOT EXISTS t_low ON t(lower(a), b) WHERE c > 1",
                "CREATE UNIQUE INDEX IF NOT EXISTS t_mod ON t(b % 7 DESC, abs(c)) WHERE typeof(c) = 'integer'",
            ])
        let foreign = try database.foreign()
        var random = Seeded(UInt64(shape.utf8.count) * 2 + (isWithoutRowID ? 1 : 0))
        var state: [Value: ModelStore.Row] = [:]
        var sequence: Int64 = 0
        for _ in 0..<11 {
            let statements = (0..<10).map { _ in Statements.random(using: &random) }
            try await foreign.writeWithoutTransaction { db in
                for statement in statements {
                    do {
                        try db.execute(sql: statement)
                    } catch let error as DatabaseError where error.resultCode == .SQLITE_CONSTRAINT {
                        // As meant: nothing may be told of it.
                    } catch let error as DatabaseError where error.resultCode == .SQLITE_MISMATCH {
                    }
                }
            }
            for event in try await store.events(after: sequence) {
                #expect(state[event.key] == event.before, "event \(event.sequence) after \(statements)")
                #expect(event.before != nil || event.after != nil)
                state[event.key] = event.after
                sequence = event.sequence
            }
            let rows = try await store.rows(of: "t")
            #expect(Set(state.values) == Set(rows), "after \(statements)")
            #expect(state.count == rows.count)
        }
        // Most statements must have done something, or the test shows nothing.
        #expect(sequence > 25)
    }

    @Test("a table's own triggers do not confuse the log", arguments: [false, true])
    func ownTriggers(areLater: Bool) async throws {
        let triggers = [
            "own1 AFTER INSERT ON t BEGIN UPDATE t SET c = coalesce(c, 0) + 1 WHERE k = NEW.k; END",
            "own2 AFTER UPDATE OF b ON t WHEN NEW.b < 20 BEGIN UPDATE t SET b = b + 13 WHERE k = NEW.k; END",
            """
            own3 AFTER DELETE ON t WHEN OLD.k % 3 = 0 \
            BEGIN INSERT OR REPLACE INTO t(k, a, b) VALUES (OLD.k, 'back', 50); END
            """,
            """
            own4 BEFORE INSERT ON t WHEN NEW.a = 'x' \
            BEGIN DELETE FROM t WHERE a = 'y'; UPDATE t SET c = 9 WHERE a = 'x'; END
            """,
            "own5 AFTER INSERT ON t WHEN NEW.k % 5 = 0 BEGIN DELETE FROM t WHERE k = NEW.k; END",
            "own6 AFTER INSERT ON t WHEN NEW.k = 7 BEGIN UPDATE OR REPLACE t SET k = 8 WHERE k = 7; END",
        ].map { "CREATE TRIGGER IF NOT EXISTS \($0)" }
        let table = "CREATE TABLE IF NOT EXISTS t(k INTEGER PRIMARY KEY, a TEXT UNIQUE, b INT NOT NULL DEFAULT 3, c)"
        let database = try TestDatabase()
        let store = try database.open(
            [ModelDeclaration(name: "t", path: "ts", table: "t")], schema: [table] + (areLater ? [] : triggers))
        let foreign = try database.foreign()
        if areLater {
            try await foreign.write { db in for trigger in triggers { try db.execute(sql: trigger) } }
        }
        var random = Seeded(areLater ? 5 : 4)
        for _ in 0..<11 {
            // Where OR FAIL stops at an error of the owner's trigger, the row stays, and triggers that have not fired
            // yet never do.
            let statements = (0..<10).map { _ in
                Statements.random(using: &random).replacingOccurrences(of: "OR FAIL", with: "OR ABORT")
            }
            try await foreign.writeWithoutTransaction { db in
                for statement in statements {
                    do {
                        try db.execute(sql: statement)
                    } catch let error as DatabaseError where error.resultCode == .SQLITE_CONSTRAINT {
                    } catch let error as DatabaseError where error.resultCode == .SQLITE_MISMATCH {
                    }
                }
            }
            try await expectLogEqualsTable(store, "t", "\(statements)")
        }
    }
}

/// Folds the whole log and compares it with the table.
func expectLogEqualsTable(
    _ store: SQLiteDatabaseStore, _ model: String, _ comment: String = "", location: SourceLocation = #_sourceLocation
) async throws {
    var state: [Value: ModelStore.Row] = [:]
    for event in try await store.events() where event.model == model { state[event.key] = event.after }
    let rows = try await store.rows(of: model)
    #expect(Set(state.values) == Set(rows), "\(comment)", sourceLocation: location)
}

/// Random writes to a table `t(k, a, b, c)`.
enum Statements {
    static func random(using random: inout Seeded) -> String {
        let conflict =
            ["", "", "OR REPLACE ", "OR REPLACE ", "OR REPLACE ", "OR IGNORE ", "OR FAIL "]
            .randomElement(using: &random) ?? ""
        switch Int.random(in: 0..<10, using: &random) {
        case 0..<5:
            let rows = (0..<Int.random(in: 1...3, using: &random)).map { _ in
                "(\(key(&random)), \(text(&random)), \(number(&random)), \(any(&random)))"
            }
            return "INSERT \(conflict)INTO t(k, a, b, c) VALUES \(rows.joined(separator: ", "))"
        case 5:
            return """
                INSERT INTO t(k, a, b, c) VALUES (\(key(&random)), \(text(&random)), \(number(&random)), 1) \
                ON CONFLICT DO UPDATE SET \(assignment(&random))
                """
        case 6..<9:
            return "UPDATE \(conflict)t SET \(assignment(&random)) WHERE \(condition(&random))"
        default:
            return "DELETE FROM t WHERE \(condition(&random))"
        }
    }

    private static func key(_ random: inout Seeded) -> String {
        Bool.random(using: &random)
            ? "\(Int.random(in: -1...9, using: &random))"
            : ["'a'", "'A'", "'b'", "2.5", "NULL", "3.0", "x'61'"].randomElement(using: &random) ?? "1"
    }

    private static func text(_ random: inout Seeded) -> String {
        ["'x'", "'X'", "'y'", "'y '", "'z'", "NULL", "'w' || char(0)"].randomElement(using: &random) ?? "''"
    }

    private static func number(_ random: inout Seeded) -> String {
        Int.random(in: 0..<6, using: &random) == 0 ? "NULL" : "\(Int.random(in: 1...12, using: &random))"
    }

    private static func any(_ random: inout Seeded) -> String {
        ["1", "2", "3", "-2", "'1'", "2.0", "NULL", "NULL", "x'00'"].randomElement(using: &random) ?? "1"
    }

    private static func assignment(_ random: inout Seeded) -> String {
        switch Int.random(in: 0..<5, using: &random) {
        case 0: "k = \(key(&random))"
        case 1: "a = \(text(&random))"
        case 2: "b = \(number(&random))"
        case 3: "c = \(any(&random))"
        default: "k = \(key(&random)), a = \(text(&random)), b = b + 1"
        }
    }

    private static func condition(_ random: inout Seeded) -> String {
        switch Int.random(in: 0..<4, using: &random) {
        case 0: "k = \(key(&random))"
        case 1: "a = \(text(&random))"
        case 2: "b < \(Int.random(in: 1...8, using: &random))"
        default: "c IS \(any(&random))"
        }
    }
}
