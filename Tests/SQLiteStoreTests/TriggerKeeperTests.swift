import GRDB
import Logging
import ModelStore
import Synchronization
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

    @Test(
        "a table that vanishes is told of once and costs the others nothing; when it is back, it is told, after a gap")
    func vanished() async throws {
        let sentences = Sentences()
        let database = try TestDatabase()
        let store = try SQLiteDatabaseStore.open(
            path: database.path, models: .standard, schema: [.thing], logger: sentences.logger)
        let foreign = try database.foreign()
        try await foreign.write { db in
            try db.execute(sql: "INSERT INTO thing(name) VALUES ('a')")
            try db.execute(sql: "DROP TABLE thing")
        }
        try await eventually { sentences.count(of: "does not exist") > 0 }
        // Each of these has the schema looked at again.
        for number in 1...3 {
            try await foreign.write { db in
                try db.execute(sql: "CREATE TABLE other\(number)(a)")
                try db.execute(sql: "DROP TRIGGER rolecall_message_after_insert")
            }
            try await eventually { try await store.events().filter { $0.change == .gap }.count == number }
        }
        #expect(sentences.count(of: "does not exist") == 1)
        try await foreign.write { try $0.execute(sql: .thing) }
        try await eventually { try await store.events().last?.model == "thing" }
        try await foreign.write { try $0.execute(sql: "INSERT INTO thing(name) VALUES ('b')") }
        let things = try await store.events().filter { $0.model == "thing" }
        #expect(things.map { $0.summary() } == ["created 1 - a", "gap null - -", "created 1 - b"])
    }
}

/// What is logged.
private final class Sentences: LogHandler, @unchecked Sendable {
    // Only the level and the metadata would be written, and nobody does.
    var metadata: Logger.Metadata = [:]
    var logLevel = Logger.Level.info
    private let lines = Mutex<[String]>([])

    var logger: Logger { Logger(label: "test") { _ in self } }

    func count(of text: String) -> Int { lines.withLock { $0.filter { $0.contains(text) }.count } }

    func log(event: Logging.LogEvent) { lines.withLock { $0.append("\(event.message)") } }

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }
}
