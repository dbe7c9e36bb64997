import GRDB
import ModelStore
import Testing

@testable import SQLiteStore

@Suite("Many changes at once")
struct BulkTests {
    private static let count = 100_000
    private static let batch = 1_000

    @Test(
        "100,000 rows of one transaction are read in their order, in batches that stay small", .timeLimit(.minutes(5)))
    func bulk() async throws {
        let kept = try TestDatabase().openKept()
        let foreign = try kept.database.foreign()
        let numbers = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < \(Self.count))"
        try await foreign.write { db in
            try db.execute(sql: "\(numbers) INSERT INTO thing(_id, name) SELECT i, 'n' || i FROM n")
        }
        var last: Int64 = 0
        var expected: Int64 = 1
        while true {
            let start = last
            let events = try await kept.store.read { try $0.events(after: start, limit: Self.batch) }.value
            guard let newest = events.last else { break }
            #expect(events.count <= Self.batch)
            let keys = events.map(\.key)
            #expect(keys == (expected..<expected + Int64(events.count)).map(Value.integer))
            expected += Int64(events.count)
            last = newest.sequence
        }
        #expect(expected == Int64(Self.count) + 1)
        // Notes of what might be displaced are few at any time, however large the statement.
        let notes = try await foreign.write { db in
            try db.execute(sql: "UPDATE OR REPLACE thing SET _id = _id + 1 WHERE _id > \(Self.count - 2000)")
            return try Int.fetchOne(db, sql: "SELECT count(*) FROM rolecall_displaced")
        }
        #expect(notes ?? 257 <= 256)
        // Each has displaced the next one, and moved on to displace the one after.
        let left = try await kept.store.rows(of: "thing").count
        #expect(left == Self.count - 2_000 + 1)
    }
}
