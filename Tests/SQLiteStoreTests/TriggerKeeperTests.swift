import GRDB
import ModelStore
import Testing

@testable import SQLiteStore

@Suite("When others change the schema")
struct TriggerKeeperTests {
    /// What is needed of a database to wait for its triggers.
    private func waitForTriggers(_ count: Int, _ foreign: DatabaseQueue) async throws {
        let deadline = ContinuousClock.now + .seconds(10)
        var found: Int?
        while ContinuousClock.now < deadline {
            found = try await foreign.read { db in
                try Int.fetchOne(
                    db,
                    sql: "SELECT count(*) FROM sqlite_master WHERE type = 'trigger' AND name LIKE 'rolecall_thing_%'")
            }
            if found == count { return }
            try await Task.sleep(for: .milliseconds(5))
        }
        Issue.record("there are \(found ?? -1) triggers, not \(count)")
    }

    private func rebuild(_ columns: String, _ copied: String) -> String {
        """
        BEGIN IMMEDIATE;
        CREATE TABLE rebuilt(\(columns));
        INSERT INTO rebuilt(\(copied)) SELECT \(copied) FROM thing;
        DROP TABLE thing;
        ALTER TABLE rebuilt RENAME TO thing;
        COMMIT;
        """
    }

    @Test("triggers that are lost when a table is rebuilt come back, and tell what they told before")
    func rebuilt() async throws {
        let kept = try TestDatabase().openKept()
        let foreign = try kept.database.foreign()
        let columns = """
            _id INTEGER PRIMARY KEY, name TEXT NOT NULL, info TEXT, active BOOLEAN NOT NULL DEFAULT 1, \
            admin_only BOOLEAN NOT NULL DEFAULT 0, pin TEXT DEFAULT 'secret', code TEXT UNIQUE
            """
        try await foreign.writeWithoutTransaction { db in
            try db.execute(sql: "INSERT INTO thing(name) VALUES ('a')")
            try db.execute(sql: rebuild(columns, "_id, name, info, active, admin_only"))
        }
        try await waitForTriggers(5, foreign)
        try await foreign.write { db in
            try db.execute(sql: "UPDATE thing SET name = 'b', code = 'c'")
            try db.execute(sql: "REPLACE INTO thing(_id, name, code) VALUES (9, 'z', 'c')")
        }
        let events = try await kept.store.events()
        #expect(
            events.map { $0.summary() }
                == ["created 1 - a", "gap null - -", "updated 1 a b", "removed 1 b -", "created 9 - z"])
        #expect(events.last?.after?.columns == ["_id", "name", "info", "active", "admin_only"])
    }

    @Test("a table that has lost a column is not told any more, and the others are")
    func lostColumn() async throws {
        let kept = try TestDatabase().openKept()
        let foreign = try kept.database.foreign()
        try await foreign.writeWithoutTransaction { db in
            try db.execute(sql: rebuild("_id INTEGER PRIMARY KEY, name TEXT", "_id, name"))
            try db.execute(sql: "DROP TRIGGER rolecall_message_after_insert")
        }
        let deadline = ContinuousClock.now + .seconds(10)
        while ContinuousClock.now < deadline {
            try await foreign.write { try $0.execute(sql: "INSERT INTO rolecall_message(body) VALUES ('hello')") }
            if try await !kept.store.events().isEmpty { break }
        }
        try await foreign.write { try $0.execute(sql: "INSERT INTO thing(name) VALUES ('a')") }
        #expect(Set(try await kept.store.events().map(\.model)) == ["message"])
    }
}
