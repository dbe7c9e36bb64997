import GRDB
import ModelStore
import RolecallProtocol
import Synchronization
import Testing

@testable import SQLiteStore

@Suite("Eras and the store's id")
struct EraTests {
    @Test("a database of the version before keeps its positions: what was the log's id is its first era")
    func migration() async throws {
        let database = try TestDatabase()
        let before = try database.open()
        let thing = try before.model("thing")
        let position = try await before.write(by: nil) {
            try $0.insert([("name", .text("a"))], into: thing)
        }.position
        try await before.close()
        try await database.foreign().write { db in
            try db.execute(sql: "DROP TABLE rolecall_era; DROP TABLE rolecall_members")
            try db.execute(sql: "DELETE FROM rolecall_meta WHERE key = 'store_id'")
            try db.execute(sql: "UPDATE rolecall_meta SET value = '3' WHERE key = 'schema_version'")
            try db.execute(sql: "UPDATE rolecall_meta SET value = '0123456789ab' WHERE key = 'log_id'")
        }
        let after = try database.open()
        let kept = try #require(Position("0123456789ab-\(position.description.suffix(16))"))
        #expect(try await after.judge(kept) == .known(LogCursor(kept)))
        #expect(try await after.head().position == kept)
        #expect(try await after.head().era == kept.era)
        #expect(after.storeID.description.utf8.count == 32)
        try await after.close()
    }

    @Test("the store's id and the eras outlive the process")
    func reopened() async throws {
        let database = try TestDatabase()
        let first = try database.open()
        let (id, start) = (first.storeID, try await first.head())
        let begun = try await first.beginEra()
        try await first.close()
        let second = try database.open()
        #expect(second.storeID == id)
        #expect(try await second.head() == begun)
        #expect(begun.era != start.era)
        #expect(try await second.judge(start.position) == .known(begun))
        #expect(try TestDatabase().open().storeID != id)
        try await second.close()
    }

    @Test("what another process changes of a user comes to the feed of identities and to followers of the log")
    func foreign() async throws {
        let database = try TestDatabase()
        let store = try database.open()
        let user = try await store.transaction {
            try $0.insertUser(email: "ada@example.com", name: "ada", role: "user", password: "")
        }.value
        let seen = Seen()
        let (head, cursor) = (try await store.head(), try await store.identityCursor())
        let feed = store.followIdentities(from: cursor) { reading, turn in
            for case .user(let id, let record) in reading.entries.map(\.subject) {
                seen.add("feed \(id) \(record?.summary.role ?? "")")
            }
            turn.end()
        }
        let log = store.follow(from: head, identities: cursor, limit: 10) { news, turn in
            for entry in news.stretch.entries { seen.add("log \(entry.key.json)") }
            turn.end()
        }
        try await database.foreign().write { try $0.execute(sql: "UPDATE rolecall_user SET role = 'admin'") }
        try await eventually { seen.all.count == 2 }
        #expect(seen.all.sorted() == ["feed \(user.id) admin", "log \(user.id)"])
        feed.end()
        log.end()
        try await store.close()
    }

    @Test("an era that another process begins comes to the feed and to followers of the log")
    func begunElsewhere() async throws {
        let database = try TestDatabase()
        let (store, other) = (try database.open(), try database.open())
        let seen = Seen()
        let (head, cursor) = (try await store.head(), try await store.identityCursor())
        let feed = store.followIdentities(from: cursor) { reading, turn in
            if reading.isReset { seen.add("feed \(reading.cursor.era)") }
            turn.end()
        }
        let log = store.follow(from: head, identities: cursor, limit: 10) { news, turn in
            seen.add("log \(news.stretch.end.era)")
            turn.end()
        }
        let begun = try await other.beginEra()
        try await eventually { seen.all.count == 2 }
        #expect(Set(seen.all) == ["feed \(begun.era)", "log \(begun.era)"])
        feed.end()
        log.end()
        try await store.close()
        try await other.close()
    }

    @Test("a reading that asks for no position does not look for one")
    func unpositioned() async throws {
        let store = try TestDatabase().open()
        let thing = try store.model("thing")
        let row = try await store.write(by: nil) { try $0.insert([("name", .text("a"))], into: thing) }.value
        // With no era there is no position, and a look for one fails.
        try await store.pool.writeWithoutTransaction { try $0.execute(sql: "DELETE FROM rolecall_era") }
        #expect(try await store.row(of: thing, key: .integer(1)).value == row)
        #expect(try await store.page(PageQuery(of: thing)).rows == [row])
        #expect(try await store.inspect { try $0.row(of: thing, key: .integer(1)) }.value == row)
        await #expect(throws: StoreError.self) {
            try await store.row(of: thing, key: .integer(1), positioned: true)
        }
        await #expect(throws: StoreError.self) { try await store.page(PageQuery(of: thing, positioned: true)) }
        await #expect(throws: StoreError.self) { try await store.inspect(positioned: true) { _ in } }
        try await store.close()
    }

    @Test("the statement that every write reads its place by looks into indexes alone")
    func plan() async throws {
        let database = try TestDatabase()
        let store = try database.open()
        let plan = try await database.foreign().read { db in
            try String.fetchAll(
                db,
                sql: """
                    EXPLAIN QUERY PLAN SELECT (SELECT min(seq) FROM rolecall_events), \
                    (SELECT max(seq) FROM rolecall_events WHERE \(IdentityLog.condition))
                    """, adapter: SuffixRowAdapter(fromIndex: 3))
        }
        #expect(plan.contains { $0.hasPrefix("SEARCH") && $0.contains("rolecall_events_of_identity") })
        #expect(!plan.contains { $0.hasPrefix("SCAN rolecall_events") })
        try await store.close()
    }
}

/// What several followers have seen.
private final class Seen: Sendable {
    private let lines = Mutex<[String]>([])
    var all: [String] { lines.withLock { $0 } }
    func add(_ line: String) { lines.withLock { $0.append(line) } }
}
