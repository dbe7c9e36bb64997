import ModelStore
import RolecallProtocol
import TestSupport
import Testing

@Suite("The store's contract: isolation")
struct IsolationTests {
    @Test("of two administrators who demote each other one stays", arguments: StoreKind.allCases)
    func demotions(_ kind: StoreKind) async throws {
        let store = try await kind.open().store
        for round in 0..<5 {
            let one = try await store.member("one\(round)", role: "admin")
            let other = try await store.member("other\(round)", role: "admin")
            // Both have read before either writes, if nothing keeps them from it.
            let meeting = Meeting(of: 2)
            async let first = Self.demote(one.id, in: store, isLocking: true) { meeting.wait() }
            async let second = Self.demote(other.id, in: store, isLocking: true) { meeting.wait() }
            let outcomes = try await [first, second]
            #expect(outcomes.sorted { !$0 && $1 } == [false, true])
            #expect(try await store.inspect { try $0.userCount(role: "admin") }.value == 1)
            try await store.transaction { transaction in
                for user in try transaction.users() { try transaction.removeUser(id: user.id) }
            }
        }
    }

    @Test(
        "where a body does not lock what it decides on, both go: the lock is what holds",
        arguments: StoreKind.concurrentBodies)
    func skew(_ kind: StoreKind) async throws {
        // The body that waits must be the one that counts.
        let store = MemoryTestStore(rerunsBodies: false).store
        let (one, other) = (
            try await store.member("one", role: "admin"), try await store.member("other", role: "admin")
        )
        let gate = Gate()
        async let first = Self.demote(one.id, in: store, isLocking: false) { gate.pass() }
        try await eventually { gate.hasArrived }
        #expect(try await Self.demote(other.id, in: store, isLocking: false))
        gate.open()
        #expect(try await first)
        #expect(try await store.inspect { try $0.userCount(role: "admin") }.value == 0)
    }

    /// - Returns: whether he was demoted: not where he is the last.
    private static func demote(
        _ id: Int64, in store: any Store, isLocking: Bool, afterReading: @escaping @Sendable () -> Void = {}
    ) async throws -> Bool {
        try await store.transaction { transaction in
            if isLocking { try transaction.lock(.administrators) }
            let count = try transaction.userCount(role: "admin")
            afterReading()
            guard count > 1 else { return false }
            try transaction.setRole("user", ofUser: id)
            return true
        }.value
    }

    @Test("of several changes that rely on the same reading exactly one is made", arguments: StoreKind.allCases)
    func conditions(_ kind: StoreKind) async throws {
        let store = try await kind.open().store
        let ada = try await store.member("ada")
        let key = try await store.make("boiler", as: ada).value.key
        for round in 0..<10 {
            let thing = try store.model("thing")
            let read = try await store.row(of: thing, key: key, positioned: true)
            let condition = WriteCondition.unchanged(since: [try #require(read.position)]) { _, _ in true }
            let winners = try await withThrowingTaskGroup(of: Bool.self) { group in
                for writer in 0..<4 {
                    group.addTask {
                        do {
                            try await store.rename(key, to: "\(round) \(writer)", as: ada, if: condition)
                            return true
                        } catch RowRefusal.changed {
                            return false
                        }
                    }
                }
                return try await group.reduce(0) { $0 + ($1 ? 1 : 0) }
            }
            #expect(winners == 1)
        }
    }

    @Test(
        "a condition looks past what the caller is not told, and at none of another log", arguments: StoreKind.allCases)
    func unseen(_ kind: StoreKind) async throws {
        let store = try await kind.open().store
        let ada = try await store.member("ada")
        let made = try await store.make("boiler", as: ada)
        let position = try await store.position(made.position)
        try await store.rename(made.value.key, to: "b", as: ada)
        await #expect(throws: RowRefusal.changed) {
            try await store.rename(made.value.key, to: "c", as: ada, if: .unchanged(since: [position]) { _, _ in true })
        }
        try await store.rename(made.value.key, to: "d", as: ada, if: .unchanged(since: [position]) { _, _ in false })
        let foreign = Position(era: .random(), sequence: position.sequence)
        let future = Position(era: position.era, sequence: 1 << 40)
        await #expect(throws: RowRefusal.changed) {
            try await store.rename(
                made.value.key, to: "e", as: ada, if: .unchanged(since: [foreign, future]) { _, _ in false })
        }
        #expect(try await store.names() == ["d"])
    }

    @Test("two that lock the same rows in opposite order both come to their end", arguments: StoreKind.allCases)
    func deadlock(_ kind: StoreKind) async throws {
        let store = try await kind.open().store
        let ada = try await store.member("ada")
        let keys = [try await store.make("a", as: ada).value.key, try await store.make("b", as: ada).value.key]
        let thing = try store.model("thing")
        try await withThrowingTaskGroup(of: Void.self) { group in
            for writer in 0..<8 {
                group.addTask {
                    try await store.transaction { transaction in
                        for key in writer.isMultiple(of: 2) ? keys : keys.reversed() {
                            try transaction.lock(row: key, of: thing)
                            let row = try #require(try transaction.row(of: thing, key: key))
                            _ = try transaction.update(thing, key: key, set: [("name", .text(row.name + "+"))])
                        }
                    }
                }
            }
            try await group.waitForAll()
        }
        // However often a body ran, it counts once.
        #expect(try await store.names() == ["a++++++++", "b++++++++"])
    }

    @Test("a call that waits past its deadline is overdue and leaves nothing", arguments: StoreKind.allCases)
    func overdue(_ kind: StoreKind) async throws {
        let store = try await kind.open().store
        let gate = Gate()
        async let holder: Committed<Void> = store.transaction { transaction in
            try transaction.lock(.administrators)
            gate.pass()
        }
        try await eventually { gate.hasArrived }
        let begin = ContinuousClock.now
        await #expect(throws: StoreError.overdue) {
            try await store.transaction(by: nil, deadline: .within(.milliseconds(100))) { transaction in
                try transaction.lock(.administrators)
                _ = try transaction.insertUser(email: "a@b", name: "a", role: "user", password: "")
            }
        }
        #expect(ContinuousClock.now - begin < .seconds(4))
        gate.open()
        _ = try await holder
        #expect(try await store.credentials(email: "a@b") == nil)
    }

    @Test("a call whose task is cancelled while it waits leaves nothing", arguments: StoreKind.allCases)
    func cancelledWaiting(_ kind: StoreKind) async throws {
        let store = try await kind.open().store
        let gate = Gate()
        async let holder: Committed<Void> = store.transaction { transaction in
            try transaction.lock(.administrators)
            gate.pass()
        }
        try await eventually { gate.hasArrived }
        let waiting = Task {
            try await store.transaction { transaction in
                try transaction.lock(.administrators)
                _ = try transaction.insertUser(email: "a@b", name: "a", role: "user", password: "")
            }
        }
        waiting.cancel()
        await #expect(throws: CancellationError.self) { try await waiting.value }
        gate.open()
        _ = try await holder
        #expect(try await store.credentials(email: "a@b") == nil)
    }

    @Test("a body whose task is cancelled while it runs is not committed", arguments: StoreKind.allCases)
    func cancelledRunning(_ kind: StoreKind) async throws {
        let store = try await kind.open().store
        let gate = Gate()
        let running = Task {
            try await store.transaction { transaction in
                _ = try transaction.insertUser(email: "a@b", name: "a", role: "user", password: "")
                gate.pass()
            }
        }
        try await eventually { gate.hasArrived }
        running.cancel()
        gate.open()
        await #expect(throws: CancellationError.self) { try await running.value }
        #expect(try await store.credentials(email: "a@b") == nil)
    }

    @Test(
        "a reading whose task is cancelled, or whose deadline passes, ends between two rows",
        arguments: StoreKind.allCases)
    func readings(_ kind: StoreKind) async throws {
        let store = try await kind.open().store
        let ada = try await store.member("ada")
        for number in 0..<3 { try await store.make("\(number)", as: ada) }
        let query = PageQuery(of: try store.model("thing"))
        let (gate, seen) = (Gate(), Shared(0))
        let reading = Task {
            try await store.page(query) { row in
                seen.change { $0 += 1 }
                gate.pass()
                return row
            }
        }
        try await eventually { gate.hasArrived }
        reading.cancel()
        gate.open()
        await #expect(throws: CancellationError.self) { try await reading.value }
        #expect(seen.value == 1)
        let begin = ContinuousClock.now
        await #expect(throws: StoreError.overdue) {
            try await store.page(query, deadline: .at(begin + .milliseconds(50))) { row in
                while ContinuousClock.now < begin + .milliseconds(60) {}
                return row
            }
        }
    }
}
