import Foundation
import GRDB
import ModelStore
import SQLiteStore
import TestSupport
import Testing

@Suite("Being woken")
struct ChangesTests {
    @Test("a stream yields at once, and then after every commit of the store")
    func own() async throws {
        let kept = try TestDatabase().openKept()
        let thing = try kept.store.model("thing")
        var signals = kept.store.changes().makeAsyncIterator()
        #expect(await signals.next(within: .seconds(5)))
        for number in 0..<5 {
            _ = try await kept.store.write(by: nil) { try $0.insert([("name", .text("\(number)"))], into: thing) }
            #expect(await signals.next(within: .seconds(5)))
        }
    }

    @Test("a signal that nobody takes is kept, once")
    func kept() async throws {
        let kept = try TestDatabase().openKept()
        let thing = try kept.store.model("thing")
        var signals = kept.store.changes().makeAsyncIterator()
        for _ in 0..<5 {
            _ = try await kept.store.write(by: nil) { try $0.insert([("name", .text("x"))], into: thing) }
        }
        #expect(await signals.next(within: .seconds(5)))
        // The watch for foreign commits sees these, too, and must not make further signals of them.
        #expect(await !signals.next(within: .milliseconds(200)))
    }

    @Test("a commit of another connection wakes every follower")
    func foreign() async throws {
        let kept = try TestDatabase().openKept()
        let foreign = try kept.database.foreign()
        var first = kept.store.changes().makeAsyncIterator()
        var second = kept.store.changes().makeAsyncIterator()
        #expect(await first.next(within: .seconds(5)))
        #expect(await second.next(within: .seconds(5)))
        var fastest = Duration.seconds(5)
        var commits = 0
        // Each takes up to twenty milliseconds on an idle machine; on a crowded one, one in many is held to less than
        // five times that.
        while commits < 10 || (fastest >= .milliseconds(100) && commits < 100) {
            commits += 1
            try await foreign.write { try $0.execute(sql: "INSERT INTO thing(name) VALUES ('x')") }
            let start = ContinuousClock.now
            #expect(await first.next(within: .seconds(5)))
            fastest = min(fastest, ContinuousClock.now - start)
            #expect(await second.next(within: .seconds(5)))
        }
        #expect(fastest < .milliseconds(100))
    }

    @Test("a commit that tells nothing wakes nobody")
    func nothing() async throws {
        let kept = try TestDatabase().openKept()
        var signals = kept.store.changes().makeAsyncIterator()
        #expect(await signals.next(within: .seconds(5)))
        try await kept.database.foreign().write { try $0.execute(sql: "CREATE TABLE other(x)") }
        _ = try await kept.store.write(by: nil) { _ in }
        #expect(await !signals.next(within: .milliseconds(200)))
    }

    @Test("a follower that leaves does not stop the others, nor does one that sleeps")
    func leaving() async throws {
        let kept = try TestDatabase().openKept()
        let thing = try kept.store.model("thing")
        let sleeper = kept.store.changes()
        let leaver = Task { for await _ in kept.store.changes() {} }
        var signals = kept.store.changes().makeAsyncIterator()
        #expect(await signals.next(within: .seconds(5)))
        leaver.cancel()
        await leaver.value
        _ = try await kept.store.write(by: nil) { try $0.insert([("name", .text("x"))], into: thing) }
        #expect(await signals.next(within: .seconds(5)))
        var late = sleeper.makeAsyncIterator()
        #expect(await late.next(within: .seconds(5)))
    }

    @Test("a store that is let go ends its streams")
    func released() async throws {
        let database = try TestDatabase()
        var store: SQLiteDatabaseStore? = try database.open()
        let changes = try #require(store?.changes())
        store = nil
        for await _ in changes {}
    }

    @Test(
        "the plain sqlite3 shell in another process writes, appends one event, and is seen", .enabled(if: Shell.isThere)
    )
    func shell() async throws {
        let kept = try TestDatabase().openKept()
        var signals = kept.store.changes().makeAsyncIterator()
        #expect(await signals.next(within: .seconds(5)))
        try Shell.run(kept.database.path, "insert into thing(name, admin_only) values('x',1)")
        #expect(await signals.next(within: .seconds(5)))
        let events = try await kept.store.events()
        #expect(events.count == 1)
        #expect(events.first?.change == .created)
        #expect(events.first?.actor == nil)
        #expect(
            events.first?.after
                == ModelStore.Row([
                    ("_id", .integer(1)), ("name", .text("x")), ("info", .null), ("active", .boolean(true)),
                    ("admin_only", .boolean(true)),
                ]))
        try Shell.run(kept.database.path, "update thing set active=0; replace into thing(_id,name) values(1,'y')")
        let deadline = ContinuousClock.now + .seconds(5)
        while try await kept.store.events(after: 1).count < 2, ContinuousClock.now < deadline {
            #expect(await signals.next(within: .seconds(5)))
        }
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

extension AsyncStream<Void>.Iterator {
    /// Whether an element comes in time.
    mutating func next(within limit: Duration) async -> Bool {
        // The iterator is given to the task for its time: an unsafe hand-over, since nothing else touches it meanwhile.
        nonisolated(unsafe) var iterator = self
        defer { self = iterator }
        let waiting = Task { await iterator.next() != nil }
        let timer = Task {
            try await Task.sleep(for: limit)
            waiting.cancel()
        }
        defer { timer.cancel() }
        return await waiting.value
    }
}
