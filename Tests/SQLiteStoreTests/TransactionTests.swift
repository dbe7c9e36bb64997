import GRDB
import ModelStore
import RolecallProtocol
import Testing

@testable import SQLiteStore

@Suite("Transactions")
struct TransactionTests {
    struct Refusal: Error, Equatable {
        var number: Int
    }

    @Test("a write gives the row with its defaults, and appends one event with its author")
    func insert() async throws {
        let database = try TestDatabase()
        let store = try database.open()
        let thing = try store.model("thing")
        let actor = Author(id: 7, name: "A \"b\" é")
        let written = try await store.write(by: actor) { transaction in
            try transaction.insert([("name", .text("x")), ("admin_only", .boolean(true))], into: thing)
        }
        let row = ModelStore.Row([
            ("_id", .integer(1)), ("name", .text("x")), ("info", .null), ("active", .boolean(true)),
            ("admin_only", .boolean(true)),
        ])
        #expect(written.value == row)
        #expect(try await written.position == Position(era: store.head().era, sequence: 1))
        let events = try await store.events()
        let event = try #require(events.first)
        #expect(events.count == 1)
        #expect(event.sequence == 1)
        #expect(event.model == "thing")
        #expect(event.change == .created)
        #expect(event.key == .integer(1))
        #expect(event.before == nil)
        #expect(event.after == row)
        #expect(event.author == actor)
        #expect(Timestamp(event.at) != nil)
    }

    @Test("updates and removals give the row, and events its states")
    func updateAndRemove() async throws {
        let database = try TestDatabase()
        let store = try database.open()
        let thing = try store.model("thing")
        let rows = try await store.write(by: nil) { transaction in
            let created = try transaction.insert([("name", .text("x"))], into: thing)
            let updated = try transaction.update(thing, key: .integer(1), set: [("name", .text("y"))])
            let same = try transaction.update(thing, key: .integer(1), set: [])
            let moved = try transaction.update(thing, key: .integer(1), set: [("_id", .integer(5))])
            let removed = try transaction.remove(thing, key: .integer(5))
            #expect(try transaction.remove(thing, key: .integer(5)) == nil)
            #expect(try transaction.update(thing, key: .integer(5), set: [("name", .text("y"))]) == nil)
            #expect(try transaction.row(of: thing, key: .integer(5)) == nil)
            #expect(same == updated)
            return [created, updated, moved, removed]
        }
        #expect(rows.value.map { $0?["name"] } == [.text("x"), .text("y"), .text("y"), .text("y")])
        #expect(rows.value.map { $0?["_id"] } == [.integer(1), .integer(1), .integer(5), .integer(5)])
        let events = try await store.events()
        #expect(
            events.map { $0.summary() }
                == ["created 1 - x", "updated 1 x y", "removed 1 y -", "created 5 - y", "removed 5 y -"])
        #expect(events.allSatisfy { $0.author == nil })
        #expect(rows.position.sequence == 5)
    }

    @Test("a body that throws leaves neither row nor event, and its error passes unchanged")
    func atomic() async throws {
        let database = try TestDatabase()
        let store = try database.open()
        let thing = try store.model("thing")
        _ = try await store.write(by: nil) { try $0.insert([("name", .text("kept"))], into: thing) }
        await #expect(throws: Refusal(number: 4)) {
            _ = try await store.write(by: Author(id: 1, name: "a")) { transaction in
                _ = try transaction.insert([("name", .text("lost"))], into: thing)
                _ = try transaction.remove(thing, key: .integer(1))
                #expect(try transaction.events(after: 1, limit: 9).count == 2)
                throw Refusal(number: 4)
            }
        }
        #expect(try await store.rows(of: "thing").map { $0["name"] } == [.text("kept")])
        #expect(try await store.events().count == 1)
        // The author of the lost transaction is not that of the next foreign one.
        try await database.foreign().write { try $0.execute(sql: "DELETE FROM thing") }
        #expect(try await store.events(after: 1).map(\.author) == [nil])
    }

    @Test("a statement that is refused leaves what the body did before, if the body goes on")
    func refusedStatement() async throws {
        let database = try TestDatabase()
        let store = try database.open()
        let thing = try store.model("thing")
        _ = try await store.write(by: nil) { transaction in
            _ = try transaction.insert([("name", .text("a"))], into: thing)
            #expect(throws: StoreError.self) { try transaction.insert([("name", .null)], into: thing) }
            #expect(throws: StoreError.self) { try transaction.insert([("name", .null)], into: thing) }
            _ = try transaction.insert([("name", .text("b"))], into: thing)
        }
        #expect(try await store.events().map { $0.summary() } == ["created 1 - a", "created 2 - b"])
    }

    @Test("nobody sees a part of a transaction, nor its author")
    func isolated() async throws {
        let database = try TestDatabase()
        let store = try database.open()
        let thing = try store.model("thing")
        let foreign = try database.foreign()
        _ = try await store.write(by: Author(id: 1, name: "a")) { transaction in
            _ = try transaction.insert([("name", .text("a"))], into: thing)
            let seen = try foreign.read { db in
                try (
                    Int.fetchOne(db, sql: "SELECT count(*) FROM thing"),
                    Int.fetchOne(db, sql: "SELECT count(*) FROM rolecall_events"),
                    Int.fetchOne(db, sql: "SELECT count(*) FROM rolecall_context")
                )
            }
            #expect(seen == (0, 0, 0))
        }
        let left = try await foreign.read { try Int.fetchOne($0, sql: "SELECT count(*) FROM rolecall_context") }
        #expect(left == 0)
    }

    @Test("a cancelled write leaves nothing")
    func cancelled() async throws {
        let database = try TestDatabase()
        let store = try database.open()
        let thing = try store.model("thing")
        await #expect(throws: CancellationError.self) {
            _ = try await store.writeCancelled { transaction, cancel in
                cancel()
                return try transaction.insert([("name", .text("a"))], into: thing)
            }
        }
        #expect(try await store.events().isEmpty)
        _ = try await store.write(by: nil) { try $0.insert([("name", .text("b"))], into: thing) }
        #expect(try await store.events().count == 1)
    }

    @Test("concurrent writers: positions are unique, events are in the order of commits, nothing is missing")
    func ordered() async throws {
        let database = try TestDatabase()
        let store = try database.open()
        let thing = try store.model("thing")
        let foreign = try database.foreign()
        let positions = try await withThrowingTaskGroup(of: [Position].self) { group in
            for writer in 0..<6 {
                group.addTask {
                    var positions: [Position] = []
                    for number in 0..<20 {
                        let name = "\(writer)-\(number)"
                        positions.append(
                            try await store.write(by: nil) { transaction in
                                _ = try transaction.insert([("name", .text(name))], into: thing)
                                return try transaction.insert([("name", .text(name + "+"))], into: thing)
                            }.position)
                    }
                    return positions
                }
            }
            group.addTask {
                for number in 0..<20 {
                    try await foreign.write { try $0.execute(sql: "INSERT INTO thing(name) VALUES ('f-\(number)')") }
                }
                return []
            }
            // A follower, as the server has it: what it has seen is never amended.
            group.addTask {
                var seen: Int64 = 0
                var names: [String: Int] = [:]
                while names.values.reduce(0, +) < 6 * 20 * 2 + 20 {
                    let read = try await store.read { [seen] in try $0.events(after: seen, limit: 7) }
                    for event in read.value {
                        #expect(event.sequence > seen)
                        seen = event.sequence
                        guard case .text(let name) = event.after?["name"] else { continue }
                        names[name, default: 0] += 1
                    }
                    #expect(read.position.sequence >= seen)
                }
                #expect(names.values.allSatisfy { $0 == 1 })
                return []
            }
            return try await group.reduce(into: []) { $0 += $1 }
        }
        #expect(Set(positions).count == 120)
        let events = try await store.events()
        #expect(events.map(\.sequence) == Array(1...260))
        let era = try await store.head().era
        for event in events {
            guard case .text(let name) = event.after?["name"], name.hasSuffix("+") else { continue }
            #expect(positions.contains(Position(era: era, sequence: event.sequence)))
            #expect(events[Int(event.sequence) - 2].after?["name"] == .text(String(name.dropLast())))
        }
    }

    @Test("the position never goes back, and numbers never come again, whatever is pruned")
    func pruned() async throws {
        let database = try TestDatabase()
        let store = try database.open()
        let thing = try store.model("thing")
        let foreign = try database.foreign()
        for _ in 0..<3 {
            _ = try await store.write(by: nil) { try $0.insert([("name", .text("a"))], into: thing) }
        }
        try await foreign.write { try $0.execute(sql: "DELETE FROM rolecall_events WHERE seq < 3") }
        #expect(try await store.read { try $0.earliestSequence() }.value == 3)
        try await foreign.write { try $0.execute(sql: "DELETE FROM rolecall_events") }
        let empty = try await store.read { try $0.earliestSequence() }
        #expect(empty.value == 4)
        #expect(empty.position.sequence == 3)
        #expect(try await store.write(by: nil) { _ in }.position.sequence == 3)
        let next = try await store.write(by: nil) { try $0.insert([("name", .text("b"))], into: thing) }
        #expect(next.position.sequence == 4)
        #expect(try await store.events(after: 3).map(\.sequence) == [4])
    }

    @Test("events are read in pages, and one that somebody has spoilt is stepped over")
    func pages() async throws {
        let database = try TestDatabase()
        let store = try database.open()
        let thing = try store.model("thing")
        for number in 0..<5 {
            _ = try await store.write(by: nil) { try $0.insert([("name", .text("\(number)"))], into: thing) }
        }
        try await database.foreign().write { db in
            try db.execute(sql: "UPDATE rolecall_events SET \"after\" = '{' WHERE seq = 2")
            try db.execute(sql: "UPDATE rolecall_events SET op = 'eaten' WHERE seq = 3")
        }
        let page = try await store.read { try $0.events(after: 1, limit: 2) }.value
        #expect(page.map(\.sequence) == [4, 5])
        #expect(try await store.read { try $0.events(after: 0, limit: 1) }.value.map(\.sequence) == [1])
        #expect(try await store.read { try $0.events(after: 5, limit: 1) }.value.isEmpty)
        #expect(try await store.read { try $0.events(after: 0, limit: 0) }.value.isEmpty)
    }

    @Test("rows come in the order of their keys, from a key on, by their columns' values, as many as are wanted")
    func rows() async throws {
        let database = try TestDatabase()
        let store = try database.open()
        let thing = try store.model("thing")
        _ = try await store.write(by: nil) { transaction in
            for key in [5, 3, 9, 1, 7] as [Int64] {
                _ = try transaction.insert(
                    [("_id", .integer(key)), ("name", .text("n\(key)")), ("active", .boolean(key > 4))], into: thing)
            }
        }
        let active = try #require(thing.column("active"))
        let info = try #require(thing.column("info"))
        func keys(
            after: Value?, _ equals: [(column: ModelStore.Column, value: Value)], limit: Int = .max
        ) async throws -> [Value?] {
            try await store.read { transaction in
                var keys: [Value?] = []
                try transaction.rows(of: thing, after: after, equals: equals) { row in
                    keys.append(row["_id"])
                    return keys.count < limit
                }
                return keys
            }.value
        }
        #expect(try await keys(after: nil, []) == [1, 3, 5, 7, 9].map(Value.integer))
        #expect(try await keys(after: .integer(3), []) == [5, 7, 9].map(Value.integer))
        #expect(try await keys(after: .integer(5), [(active, .boolean(true))]) == [7, 9].map(Value.integer))
        #expect(try await keys(after: nil, [(info, .null)], limit: 2) == [1, 3].map(Value.integer))
        #expect(try await keys(after: .integer(9), []) == [])
    }

    @Test("a visit can read on in the same transaction, and its error stops it")
    func nestedVisits() async throws {
        let database = try TestDatabase()
        let store = try database.open()
        let thing = try store.model("thing")
        _ = try await store.write(by: nil) { transaction in
            for name in ["a", "b", "c"] { _ = try transaction.insert([("name", .text(name))], into: thing) }
        }
        let pairs = try await store.read { transaction in
            var pairs = 0
            try transaction.rows(of: thing, after: nil, equals: []) { _ in
                try transaction.rows(of: thing, after: nil, equals: []) { row in
                    pairs += try transaction.row(of: thing, key: row["_id"] ?? .null) == row ? 1 : 0
                    return true
                }
                return true
            }
            return pairs
        }.value
        #expect(pairs == 9)
        await #expect(throws: Refusal(number: 1)) {
            _ = try await store.read { transaction in
                try transaction.rows(of: thing, after: nil, equals: []) { _ in throw Refusal(number: 1) }
            }
        }
        #expect(try await store.rows(of: "thing").count == 3)
    }

    @Test("keys of every kind name their rows; a row whose key is NULL is nowhere to be seen")
    func keys() async throws {
        let database = try TestDatabase()
        let store = try database.open(
            [ModelDeclaration(name: "doc", path: "docs", table: "doc")],
            schema: ["CREATE TABLE IF NOT EXISTS doc(id TEXT PRIMARY KEY DEFAULT (lower(hex(randomblob(4)))), body)"])
        let doc = try store.model("doc")
        try await database.foreign().write { db in
            try db.execute(sql: "INSERT INTO doc(id, body) VALUES (NULL, 1)")
            try db.execute(sql: "UPDATE doc SET body = 2")
        }
        #expect(try await store.rows(of: "doc").isEmpty)
        #expect(try await store.events().isEmpty)
        try await database.foreign().write { try $0.execute(sql: "UPDATE doc SET id = 'now'") }
        try await database.foreign().write { try $0.execute(sql: "UPDATE doc SET id = NULL") }
        #expect(try await store.events().map { $0.summary("body") } == ["created now - 2", "removed now 2 -"])
        let row = try await store.write(by: nil) { try $0.insert([("body", .text("x"))], into: doc) }.value
        guard case .text(let key) = row["_id"] else {
            Issue.record("the key is \(String(describing: row["_id"]))")
            return
        }
        #expect(key.utf8.count == 8)
        #expect(try await store.read { try $0.row(of: doc, key: .text(key)) }.value == row)
        #expect(try await store.read { try $0.row(of: doc, key: .null) }.value == nil)
    }

    @Test("after closing, calls throw and nobody is called any more")
    func closed() async throws {
        let database = try TestDatabase()
        let store = try database.open()
        let former = TestFollower(store)
        try await former.reaches { $0.turns == 1 }
        try await store.close()
        let latter = TestFollower(store)
        try await database.foreign().write { try $0.execute(sql: "INSERT INTO thing(name) VALUES ('x')") }
        await #expect(throws: StoreError.unavailable("The database is closed.")) { _ = try await store.read { _ in } }
        await #expect(throws: StoreError.unavailable("The database is closed.")) {
            _ = try await store.write(by: nil) { _ in }
        }
        try await Task.sleep(for: .milliseconds(100))
        #expect(former.seen.turns == 1)
        #expect(latter.seen.turns == 0)
    }
}
