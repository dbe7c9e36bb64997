import GRDB
import Glibc
import ModelStore
import RolecallProtocol
import Testing

@testable import SQLiteStore

@Suite("What is forgotten of the log")
struct PruningTests {
    /// A store with so many entries, their times an hour apart from each other, the last one now.
    private func store(_ count: Int) async throws -> (TestDatabase, SQLiteDatabaseStore) {
        let database = try TestDatabase()
        let store = try database.open()
        try await database.foreign().write { db in
            for number in 1...count {
                try db.execute(sql: "INSERT INTO thing(name) VALUES (?)", arguments: ["\(number)"])
            }
            try db.execute(
                sql: """
                    UPDATE rolecall_events SET at = strftime('%Y-%m-%dT%H:%M:%fZ', 'now', '-' || (? - seq) || ' hours')
                    """, arguments: [count])
        }
        return (database, store)
    }

    private func numbers(_ store: SQLiteDatabaseStore) async throws -> [Int64] {
        try await store.events().map(\.sequence)
    }

    private func ago(hours: Double) -> Timestamp {
        Timestamp(seconds: nowSeconds() - hours * 3600)
    }

    private func nowSeconds() -> Double {
        var now = timespec()
        clock_gettime(CLOCK_REALTIME, &now)
        return Double(now.tv_sec)
    }

    @Test("by age the old ones go, by count all but the newest, and the head stays what it was")
    func prunes() async throws {
        let (_, store) = try await store(10)
        let before = ago(hours: 6.5)
        #expect(
            try await store.write(by: nil) {
                try $0.pruneEvents(before: before, keeping: nil, through: .max, limit: 100)
            }.value == 3)
        #expect(try await numbers(store) == Array(4...10))
        #expect(
            try await store.write(by: nil) {
                try $0.pruneEvents(before: nil, keeping: 5, through: .max, limit: 100)
            }.value == 2)
        #expect(try await numbers(store) == Array(6...10))
        let snapshot = try await store.read { (try $0.earliestSequence(), try $0.latestSequence()) }
        #expect(snapshot.value == (6, 10))
        #expect(
            try await store.write(by: nil) {
                try $0.pruneEvents(before: nil, keeping: 0, through: .max, limit: 100)
            }.value == 5)
        #expect(try await store.read { try $0.latestSequence() }.value == 10, "Numbers are never given again.")
    }

    @Test("no transaction takes more than it may, and nothing past the bound goes")
    func bounded() async throws {
        let (_, store) = try await store(10)
        #expect(
            try await store.write(by: nil) {
                try $0.pruneEvents(before: nil, keeping: 0, through: .max, limit: 4)
            }.value == 4)
        #expect(
            try await store.write(by: nil) {
                try $0.pruneEvents(before: nil, keeping: 0, through: 6, limit: 4)
            }.value == 2)
        #expect(try await numbers(store) == Array(7...10))
        #expect(
            try await store.write(by: nil) {
                try $0.pruneEvents(before: nil, keeping: nil, through: .max, limit: 4)
            }.value == 0)
    }

    @Test("a row's past is erased, with a gap in its place; the row and the others' past stay")
    func erases() async throws {
        let (database, store) = try await store(3)
        try await database.foreign().write { try $0.execute(sql: "UPDATE thing SET name = 'x' WHERE _id = 2") }
        let model = try store.model("thing")
        #expect(try await store.write(by: nil) { try $0.eraseEvents(of: model, key: .integer(2)) }.value == 2)
        #expect(try await store.events().map { $0.summary() } == ["created 1 - 1", "created 3 - 3", "gap null - -"])
        #expect(try await store.read { try $0.row(of: model, key: .integer(2)) }.value?["name"] == .text("x"))
        #expect(try await store.write(by: nil) { try $0.eraseEvents(of: model, key: .integer(77)) }.value == 0)
    }

    @Test("a name is taken off all that somebody has done, and off nobody else's")
    func actors() async throws {
        let (_, store) = try await store(1)
        let model = try store.model("thing")
        for id in [1, 2, 1] as [Int64] {
            try await store.write(by: Author(id: id, name: "n")) {
                _ = try $0.insert([(column: "name", value: .text("by \(id)"))], into: model)
            }
        }
        #expect(try await store.write(by: nil) { try $0.eraseActor(1) }.value == 2)
        #expect(try await store.events().map { $0.author?.id } == [nil, nil, 2, nil])
    }
}
