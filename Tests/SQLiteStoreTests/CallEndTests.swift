import Dispatch
import GRDB
import GRDBSQLite
import ModelStore
import Synchronization
import TestSupport
import Testing

@testable import SQLiteStore

@Suite("Calls that have to end")
struct CallEndTests {
    @Test("a write whose deadline passes or whose task is cancelled at any moment is done whole, or said not to be")
    func randomEnds() async throws {
        let database = try TestDatabase()
        let store = try database.open()
        let thing = try store.model("thing")
        var random = Seeded(7)
        var done: Set<String> = []
        // The usual time of a write: the ends fall before it, into each part of it and behind it.
        let begin = ContinuousClock.now
        for _ in 0..<20 { try await store.write(by: nil) { try $0.row(of: thing, key: .integer(0)) } }
        let usual = max(Int((ContinuousClock.now - begin) / .microseconds(20)), 100)
        for number in 0..<5000 {
            let name = "\(number)"
            let end = Duration.microseconds(random.below(2 * usual))
            let isCancelled = number.isMultiple(of: 2)
            let call = Task {
                try await store.transaction(by: nil, deadline: isCancelled ? .standard : .within(end)) {
                    _ = try $0.insert([("name", .text(name))], into: thing)
                }
            }
            if isCancelled {
                let moment = ContinuousClock.now + end
                while ContinuousClock.now < moment {}
                call.cancel()
            }
            do {
                _ = try await call.value
                done.insert(name)
            } catch let error as StoreError {
                #expect(error == .overdue && !isCancelled)
            } catch is CancellationError {
                #expect(isCancelled)
            }
        }
        let rows = try await store.rows(of: "thing").compactMap { $0["name"] }
        #expect(rows.count == done.count)
        #expect(Set(rows) == Set(done.map(Value.text)))
        #expect((1..<5000).contains(done.count))
        #expect(try await store.hasOpenTransaction() == false)
    }

    @Test("a write whose deadline passes while another process holds the lock leaves no transaction open")
    func foreignLock() async throws {
        let database = try TestDatabase()
        let store = try database.open()
        let thing = try store.model("thing")
        let foreign = try database.foreign()
        try await foreign.writeWithoutTransaction { try $0.execute(sql: "BEGIN IMMEDIATE") }
        let locked = StoreError.unavailable("The database is locked by another process: try again later.")
        await #expect(throws: locked) {
            try await store.transaction(by: nil, deadline: .within(.milliseconds(50))) {
                _ = try $0.insert([("name", .text("lost"))], into: thing)
            }
        }
        #expect(try await store.hasOpenTransaction() == false)
        // The lock goes behind the deadline, but before the write has given up on it.
        let moment = ContinuousClock.now
        let late = Task {
            try await store.transaction(by: nil, deadline: .at(moment + .milliseconds(50))) {
                _ = try $0.insert([("name", .text("lost"))], into: thing)
            }
        }
        try await foreign.writeWithoutTransaction { db in
            while ContinuousClock.now < moment + .milliseconds(100) {}
            try db.execute(sql: "ROLLBACK")
        }
        await #expect(throws: StoreError.overdue) { try await late.value }
        #expect(try await store.hasOpenTransaction() == false)
        try await store.write(by: nil) { _ = try $0.insert([("name", .text("kept"))], into: thing) }
        #expect(try await store.rows(of: "thing").map { $0["name"] } == [.text("kept")])
    }

    @Test("a beginning that is interrupted once it has begun is rolled back")
    func interruptedBeginning() async throws {
        let store = try TestDatabase().open()
        try await store.pool.writeWithoutTransaction { db in
            let interruption = Interruption(of: db, isInsideTransaction: true)
            #expect(throws: DatabaseError.self) { try db.transaction(.immediate) {} }
            #expect(interruption.end(of: db))
            #expect(!db.isInsideTransaction)
        }
    }

    @Test("a commit that is interrupted once it is done counts as done")
    func interruptedCommit() async throws {
        let database = try TestDatabase()
        let store = try database.open()
        try await store.pool.writeWithoutTransaction { db in
            let interruption = try db.transaction(.immediate) {
                try db.run("INSERT INTO thing(name) VALUES ('done')")
                return Interruption(of: db, isInsideTransaction: false)
            }
            #expect(interruption.end(of: db))
            #expect(!db.isInsideTransaction)
        }
        #expect(try await store.rows(of: "thing").count == 1)
    }

    @Test("a commit that SQLite has turned into a rollback is said not to be done, and leaves nothing")
    func refusedCommit() async throws {
        let database = try TestDatabase()
        let store = try database.open()
        try await store.pool.writeWithoutTransaction { db in
            #expect(throws: DatabaseError.self) {
                try db.transaction(.immediate) {
                    try db.run("INSERT INTO thing(name) VALUES ('lost')")
                    sqlite3_commit_hook(db.sqliteConnection, { _ in 1 }, nil)
                }
            }
            sqlite3_commit_hook(db.sqliteConnection, nil, nil)
            #expect(!db.isInsideTransaction)
        }
        #expect(try await store.rows(of: "thing").isEmpty)
    }

    @Test("a long search that finds no row is overdue at its deadline, and ends when its task is cancelled")
    func longSearch() async throws {
        let database = try TestDatabase()
        // Before the store's triggers, which would log each row.
        try await database.foreign().write { db in
            try db.execute(sql: .thing)
            try db.execute(
                sql: """
                    WITH RECURSIVE number(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM number WHERE n < 300000) \
                    INSERT INTO thing(name) SELECT 'a thing ' || n FROM number
                    """)
        }
        let store = try database.open()
        let thing = try store.model("thing")
        let name = try #require(thing.column("name"))
        let started = DispatchSemaphore(value: 0)
        let search: @Sendable (SQLiteReadTransaction) throws -> Void = { transaction in
            started.signal()
            try transaction.rows(of: thing, after: nil, equals: [(name, .text("none"))]) { _ in true }
        }
        await #expect(throws: StoreError.overdue) {
            try await store.reading(store.readers.rows, .within(.milliseconds(5)), search)
        }
        _ = started.wait(timeout: .now())
        let cancelled = Task { try await store.reading(store.readers.rows, .standard, search) }
        await withCheckedContinuation { (continuation: CheckedContinuation<Void, Never>) in
            DispatchQueue.global().async {
                _ = started.wait(timeout: .now() + 30)
                continuation.resume()
            }
        }
        cancelled.cancel()
        await #expect(throws: CancellationError.self) { try await cancelled.value }
    }

    @Test("a call that had to wait is released when it has ended, not at its deadline", arguments: [false, true])
    func released(isCancelled: Bool) async throws {
        let reference = try await endedCall(isCancelled: isCancelled)
        try await eventually { reference.call == nil }
    }

    private final class Flag: Sendable {
        private let value = Atomic(false)
        var isRaised: Bool { value.load(ordering: .acquiring) }
        func raise() { value.store(true, ordering: .releasing) }
    }

    private struct Reference: Sendable {
        weak let call: PendingCall<Int>?
    }

    /// A call that has waited for its turn, with much time left.
    private func endedCall(isCancelled: Bool) async throws -> Reference {
        let call = PendingCall<Int>()
        let reference = Reference(call: call)
        let control = CallControl(until: .now + .seconds(600))
        let isScheduled = Flag()
        let turn = DispatchSemaphore(value: 0)
        let task = Task {
            try await call.answer(control) { call in
                DispatchQueue.global().async {
                    _ = turn.wait(timeout: .now() + 30)
                    call.run { 1 }
                }
                isScheduled.raise()
                return true
            }
        }
        try await eventually { isScheduled.isRaised }
        if isCancelled { task.cancel() }
        turn.signal()
        let result = await task.result
        #expect((try? result.get()) == (isCancelled ? nil : 1))
        return reference
    }
}

extension SQLiteDatabaseStore {
    fileprivate func hasOpenTransaction() async throws -> Bool {
        try await pool.writeWithoutTransaction { $0.isInsideTransaction }
    }
}

/// Interrupts the first statement of a connection that gets to a moment.
private final class Interruption: Sendable {
    private let isInsideTransaction: Bool
    private let connection: UInt
    private let hasCome = Atomic(false)

    /// - Parameter isInsideTransaction: whether it comes once a transaction has begun, or once there is none.
    init(of db: Database, isInsideTransaction: Bool) {
        self.isInsideTransaction = isInsideTransaction
        connection = UInt(bitPattern: db.sqliteConnection)
        sqlite3_progress_handler(
            db.sqliteConnection, 1,
            { pointer in
                guard let pointer else { return 0 }
                return Unmanaged<Interruption>.fromOpaque(pointer).takeUnretainedValue().comesNow() ? 1 : 0
            }, Unmanaged.passUnretained(self).toOpaque())
    }

    private func comesNow() -> Bool {
        let isInside = sqlite3_get_autocommit(OpaquePointer(bitPattern: connection)) == 0
        return isInside == isInsideTransaction && !hasCome.exchange(true, ordering: .relaxed)
    }

    /// Ends it.
    ///
    /// - Returns: whether it has come.
    func end(of db: Database) -> Bool {
        sqlite3_progress_handler(db.sqliteConnection, 0, nil, nil)
        return hasCome.load(ordering: .relaxed)
    }
}
