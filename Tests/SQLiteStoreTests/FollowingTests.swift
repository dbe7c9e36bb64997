import Foundation
import GRDB
import ModelStore
import RolecallProtocol
import Synchronization
import TestSupport
import Testing

@testable import SQLiteStore

@Suite("Following the log")
struct FollowingTests {
    @Test("a follower has a turn at once, and after every commit of the store one that shows it")
    func own() async throws {
        let kept = try TestDatabase().openKept()
        let thing = try kept.store.model("thing")
        let follower = TestFollower(kept.store)
        try await follower.reaches { $0.turns == 1 }
        for number in 0..<5 {
            _ = try await kept.store.write(by: nil) { try $0.insert([("name", .text("\(number)"))], into: thing) }
            try await follower.reaches { $0.names.count == number + 1 }
        }
        #expect(follower.seen.names == ["0", "1", "2", "3", "4"])
        // The watch for foreign commits sees these, too, and must not call for further turns.
        try await Task.sleep(for: .milliseconds(200))
        #expect(follower.seen.turns <= 6)
    }

    @Test("followers have their turns while replays and claimants take all threads that read for them")
    func apart() async throws {
        let kept = try TestDatabase().openKept()
        let store = kept.store
        let readings = HeldReadings(
            store,
            [
                (store.readers.rows, SnapshotReader.Width.rows), (store.readers.log, SnapshotReader.Width.log),
                (store.readers.identities, SnapshotReader.Width.identities),
            ])
        try await readings.areUnderWay()
        let log = TestFollower(store)
        let feed = Mutex(0)
        let subscription = store.followIdentities(from: IdentityCursor(era: Era(rawValue: 1), upTo: 0)) { _, turn in
            feed.withLock { $0 += 1 }
            turn.end()
        }
        try await log.reaches { $0.turns == 1 }
        try await eventually { feed.withLock { $0 } > 0 }
        subscription.end()
        try await readings.end()
    }

    @Test("each kind of reading has its connections, however many the others take")
    func connections() async throws {
        let kept = try TestDatabase().openKept()
        let store = kept.store
        let readers = store.readers
        let readings = HeldReadings(
            store,
            [
                (readers.rows, SnapshotReader.Width.rows), (readers.log, SnapshotReader.Width.log),
                (readers.identities, SnapshotReader.Width.identities),
                (readers.logTurns, SnapshotReader.Width.logTurns),
                (readers.identityTurns, SnapshotReader.Width.identityTurns),
            ])
        try await readings.areUnderWay()
        #expect(store.pool.configuration.maximumReaderCount == readings.count)
        try await readings.end()
    }

    @Test("a turn lasts until it is ended; what is committed meanwhile is shown by one other")
    func lasting() async throws {
        let kept = try TestDatabase().openKept()
        let thing = try kept.store.model("thing")
        let follower = TestFollower(kept.store, endsTurns: false)
        try await follower.reaches { $0.turns == 1 }
        for number in 0..<5 {
            _ = try await kept.store.write(by: nil) { try $0.insert([("name", .text("\(number)"))], into: thing) }
        }
        try await kept.database.foreign().write { try $0.execute(sql: "INSERT INTO thing(name) VALUES ('5')") }
        // Longer than the watch for foreign commits takes between two looks.
        try await Task.sleep(for: .milliseconds(200))
        #expect(follower.seen.turns == 1)
        follower.endTurn()
        // A turn is counted when it begins, before it has read.
        try await follower.reaches { $0.names.count == 6 }
        #expect(follower.seen.names == ["0", "1", "2", "3", "4", "5"])
        #expect(follower.seen.turns == 2)
        follower.endTurn()
        try await Task.sleep(for: .milliseconds(200))
        #expect(follower.seen.turns == 2)
    }

    @Test("who wants more has his next turn at once")
    func more() async throws {
        let kept = try TestDatabase().openKept()
        let thing = try kept.store.model("thing")
        _ = try await kept.store.write(by: nil) { transaction in
            for number in 0..<95 { _ = try transaction.insert([("name", .text("\(number)"))], into: thing) }
        }
        let follower = TestFollower(kept.store, limit: 10)
        try await follower.reaches { $0.names.count == 95 }
        #expect(follower.seen.turns == 10)
        // A commit that is read elsewhere than on the writer's thread, since it is a large one.
        _ = try await kept.store.write(by: nil) { transaction in
            for number in 95..<200 { _ = try transaction.insert([("name", .text("\(number)"))], into: thing) }
        }
        try await follower.reaches { $0.names.count == 200 }
        #expect(follower.seen.names == (0..<200).map(String.init))
    }

    @Test("commits of the store and of others at once: each follower reads every event, once and in order")
    func both() async throws {
        let kept = try TestDatabase().openKept()
        let thing = try kept.store.model("thing")
        let foreign = try kept.database.foreign()
        let followers = [
            TestFollower(kept.store), TestFollower(kept.store, limit: 3), TestFollower(kept.store, endsTurns: false),
        ]
        let slow = followers[2]
        let ending = Task {
            while !Task.isCancelled {
                slow.endTurn()
                try await Task.sleep(for: .milliseconds(3))
            }
        }
        defer { ending.cancel() }
        try await withThrowingTaskGroup(of: Void.self) { group in
            for writer in 0..<4 {
                group.addTask {
                    for number in 0..<50 {
                        _ = try await kept.store.write(by: nil) {
                            try $0.insert([("name", .text("\(writer)/\(number)"))], into: thing)
                        }
                    }
                }
            }
            group.addTask {
                for number in 0..<100 {
                    try await foreign.write {
                        try $0.execute(sql: "INSERT INTO thing(name) VALUES (?)", arguments: ["foreign/\(number)"])
                    }
                }
            }
            try await group.waitForAll()
        }
        let all = try await kept.store.events()
        #expect(all.count == 300)
        for follower in followers {
            try await follower.reaches { $0.sequences.count >= all.count }
            #expect(follower.seen.sequences == all.map(\.sequence))
            #expect(!follower.seen.overlapped)
        }
    }

    @Test("one foreign commit between two of the store is read between them")
    func between() async throws {
        let kept = try TestDatabase().openKept()
        let thing = try kept.store.model("thing")
        let foreign = try kept.database.foreign()
        let follower = TestFollower(kept.store)
        var expected: [String] = []
        for number in 0..<20 {
            for writer in ["own", "foreign", "other"] {
                let name = "\(writer) \(number)"
                expected.append(name)
                if writer == "foreign" {
                    try await foreign.write {
                        try $0.execute(sql: "INSERT INTO thing(name) VALUES (?)", arguments: [name])
                    }
                } else {
                    _ = try await kept.store.write(by: nil) { try $0.insert([("name", .text(name))], into: thing) }
                }
            }
        }
        try await follower.reaches { $0.names.count == expected.count }
        #expect(follower.seen.names == expected)
    }

    @Test("a follower that fails has another turn, and misses nothing")
    func failing() async throws {
        let kept = try TestDatabase().openKept()
        let thing = try kept.store.model("thing")
        let follower = TestFollower(kept.store, failures: 2)
        _ = try await kept.store.write(by: nil) { try $0.insert([("name", .text("a"))], into: thing) }
        try await follower.reaches { $0.names == ["a"] }
        #expect(follower.seen.turns >= 3)
        _ = try await kept.store.write(by: nil) { try $0.insert([("name", .text("b"))], into: thing) }
        try await follower.reaches { $0.names == ["a", "b"] }
    }

    @Test("a write that fails or is cancelled shows nothing, and the next one is shown as ever")
    func undone() async throws {
        let kept = try TestDatabase().openKept()
        let thing = try kept.store.model("thing")
        let follower = TestFollower(kept.store)
        try await follower.reaches { $0.turns == 1 }
        await #expect(throws: Undone.self) {
            _ = try await kept.store.write(by: nil) { transaction in
                _ = try transaction.insert([("name", .text("undone"))], into: thing)
                throw Undone()
            }
        }
        await #expect(throws: CancellationError.self) {
            _ = try await kept.store.writeCancelled { transaction, cancel in
                _ = try transaction.insert([("name", .text("cancelled"))], into: thing)
                cancel()
            }
        }
        _ = try await kept.store.write(by: nil) { try $0.insert([("name", .text("kept"))], into: thing) }
        try await follower.reaches { !$0.names.isEmpty }
        #expect(follower.seen.names == ["kept"])
    }

    @Test("a commit of another connection wakes every follower")
    func foreign() async throws {
        let kept = try TestDatabase().openKept()
        let foreign = try kept.database.foreign()
        let first = TestFollower(kept.store)
        let second = TestFollower(kept.store)
        var fastest = Duration.seconds(60)
        var commits = 0
        // Each takes up to twenty milliseconds on an idle machine; on a crowded one, one in many is held to less than
        // five times that.
        while commits < 10 || (fastest >= .milliseconds(100) && commits < 100) {
            commits += 1
            try await foreign.write { try $0.execute(sql: "INSERT INTO thing(name) VALUES ('x')") }
            let (start, count) = (ContinuousClock.now, commits)
            try await first.reaches { $0.names.count == count }
            fastest = min(fastest, ContinuousClock.now - start)
            try await second.reaches { $0.names.count == count }
        }
        #expect(fastest < .milliseconds(100))
    }

    @Test("a commit that tells nothing wakes nobody")
    func nothing() async throws {
        let kept = try TestDatabase().openKept()
        let follower = TestFollower(kept.store)
        try await follower.reaches { $0.turns == 1 }
        try await kept.database.foreign().write { try $0.execute(sql: "CREATE TABLE other(x)") }
        _ = try await kept.store.write(by: nil) { _ in }
        try await Task.sleep(for: .milliseconds(200))
        #expect(follower.seen.turns == 1)
    }

    @Test("a follower that leaves does not stop the others, nor does one whose turn lasts")
    func leaving() async throws {
        let kept = try TestDatabase().openKept()
        let thing = try kept.store.model("thing")
        let lasting = TestFollower(kept.store, endsTurns: false)
        let leaver = TestFollower(kept.store)
        let follower = TestFollower(kept.store)
        for each in [lasting, leaver, follower] { try await each.reaches { $0.turns == 1 } }
        leaver.leave()
        lasting.leave()
        lasting.endTurn()
        _ = try await kept.store.write(by: nil) { try $0.insert([("name", .text("x"))], into: thing) }
        try await follower.reaches { $0.names == ["x"] }
        try await Task.sleep(for: .milliseconds(100))
        #expect(leaver.seen.turns == 1)
        #expect(lasting.seen.turns == 1)
    }

    @Test("a store that is let go lets its followers go")
    func released() async throws {
        final class Held: Sendable {}
        let database = try TestDatabase()
        var store: SQLiteDatabaseStore? = try database.open()
        var held: Held? = Held()
        weak let follower = held
        let subscription = store?.followers.add { [held] _, turn in
            _ = held
            turn.end()
        }
        held = nil
        #expect(follower != nil)
        store = nil
        let deadline = ContinuousClock.now + .seconds(60)
        while follower != nil, ContinuousClock.now < deadline { try await Task.sleep(for: .milliseconds(1)) }
        #expect(follower == nil)
        subscription?.end()
    }

    @Test(
        "the plain sqlite3 shell in another process writes, appends one event, and is seen", .enabled(if: Shell.isThere)
    )
    func shell() async throws {
        let kept = try TestDatabase().openKept()
        let follower = TestFollower(kept.store)
        try Shell.run(kept.database.path, "insert into thing(name, admin_only) values('x',1)")
        try await follower.reaches { $0.names.count == 1 }
        let events = try await kept.store.events()
        #expect(events.count == 1)
        #expect(events.first?.change == .created)
        #expect(events.first?.author == nil)
        #expect(
            events.first?.after
                == ModelStore.Row([
                    ("_id", .integer(1)), ("name", .text("x")), ("info", .null), ("active", .boolean(true)),
                    ("admin_only", .boolean(true)),
                ]))
        try Shell.run(kept.database.path, "update thing set active=0; replace into thing(_id,name) values(1,'y')")
        try await follower.reaches { $0.names.count == 3 }
        #expect(
            try await kept.store.events(after: 1).map { $0.summary("active") } == [
                "updated 1 true false", "updated 1 false true",
            ])
    }

    @Test("a shell that is killed in the middle of a transaction leaves nothing", .enabled(if: Shell.isThere))
    func killed() async throws {
        let kept = try TestDatabase().openKept()
        try Shell.run(kept.database.path, "begin; insert into thing(name) values('x');")
        #expect(try await kept.store.events().isEmpty)
        let thing = try kept.store.model("thing")
        _ = try await kept.store.write(by: nil) { try $0.insert([("name", .text("y"))], into: thing) }
        #expect(try await kept.store.events().map { $0.summary() } == ["created 1 - y"])
    }
}

/// The `sqlite3` program.
enum Shell {
    static let isThere = (try? run(":memory:", "select 1")) != nil

    struct Failure: Error {
        var status: Int32
    }

    static func run(_ path: String, _ sql: String) throws {
        let process = try spawn(
            ["sqlite3", path, sql], environment: ProcessInfo.processInfo.environment,
            descriptors: [.nothing, .nothing, .nothing])
        var status: Int32 = 0
        while waitpid(process, &status, 0) < 0, errno == EINTR {}
        guard status == 0 else { throw Failure(status: status) }
    }
}

private struct Undone: Error {}

/// Readings that are under way until they are ended.
private final class HeldReadings: Sendable {
    let count: Int
    private let tasks: [Task<Void, any Error>]
    private let begun: Counter
    private let ending = DispatchSemaphore(value: 0)

    private struct HeldForTooLong: Error {}

    private final class Counter: Sendable {
        private let value = Atomic(0)
        var count: Int { value.load(ordering: .acquiring) }
        func add() { value.add(1, ordering: .releasing) }
    }

    init(_ store: SQLiteDatabaseStore, _ readers: [(SnapshotReader, width: Int)]) {
        let (begun, ending) = (Counter(), ending)
        self.begun = begun
        tasks = readers.flatMap { reader, width in
            (0..<width).map { _ in
                Task {
                    try await store.reading(reader, .within(.seconds(60))) { _ in
                        begun.add()
                        guard ending.wait(timeout: .now() + 30) == .success else { throw HeldForTooLong() }
                    }
                }
            }
        }
        count = tasks.count
    }

    func areUnderWay() async throws { try await eventually { begun.count == count } }

    /// - Throws: where they have not lasted until now.
    func end() async throws {
        for _ in tasks { ending.signal() }
        for task in tasks { try await task.value }
    }
}
