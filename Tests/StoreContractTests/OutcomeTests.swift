import MemoryStore
import ModelStore
import RolecallProtocol
import Testing

@Suite("The store's contract: what a write comes to")
struct OutcomeTests {
    @Test("a write that returns is committed, and its position has all of it before it", arguments: StoreKind.allCases)
    func committed(_ kind: StoreKind) async throws {
        let store = try await kind.open().store
        let ada = try await store.member("ada")
        let start = try await store.head()
        let made = try await store.make("boiler", as: ada)
        #expect(made.value["active"] == .boolean(true))
        let position = try await store.position(made.position)
        let stretch = try await store.stretch(behind: start, limit: 10)
        #expect(stretch.entries.map(\.change) == [.created])
        #expect(stretch.entries.first?.after == made.value)
        #expect(stretch.entries.first?.author == Author(id: ada.id, name: "ada"))
        #expect(stretch.end.position == position)
    }

    @Test("a body that throws leaves nothing, and the next write is none the wiser", arguments: StoreKind.allCases)
    func throwing(_ kind: StoreKind) async throws {
        let store = try await kind.open().store
        let thing = try store.model("thing")
        let start = try await store.head()
        struct Refusal: Error {}
        await #expect(throws: Refusal.self) {
            try await store.transaction { transaction -> Void in
                _ = try transaction.insert([("name", .text("a"))], into: thing)
                _ = try transaction.insertUser(email: "a@b", name: "a", role: "user", password: "")
                throw Refusal()
            }
        }
        #expect(try await store.names() == [])
        #expect(try await store.credentials(email: "a@b") == nil)
        #expect(try await store.stretch(behind: start, limit: 10).entries.isEmpty)
    }

    @Test(
        "a commit that is cut off before it is done is unknown, and settled as rolled back",
        arguments: StoreKind.allCases)
    func cutOffBefore(_ kind: StoreKind) async throws {
        let tested = try await kind.open()
        let store = tested.store
        let ada = try await store.member("ada")
        let start = try await store.head()
        tested.cutOffNextCommit()
        let receipt = try await unknown { try await store.make("boiler", as: ada) }
        tested.repairAfterCutOff()
        #expect(try await store.settle(receipt) == .rolledBack)
        #expect(try await store.settle(receipt) == .rolledBack)
        #expect(try await store.names() == [])
        try await store.make("pump", as: ada)
        #expect(try await store.names() == ["pump"])
        #expect(try await store.stretch(behind: start, limit: 10).entries.count == 1)
    }

    @Test(
        "a commit that is cut off after it was done is unknown, and settled as committed",
        arguments: StoreKind.commitsDoneUnseen)
    func cutOffAfter(_ kind: StoreKind) async throws {
        let tested = try #require(await kind.open() as? MemoryTestStore)
        let store = tested.store
        let ada = try await store.member("ada")
        tested.memory.cutOffNextCommit(.afterCommit)
        let receipt = try await unknown { try await store.make("boiler", as: ada) }
        guard case .committed(let place) = try await store.settle(receipt) else {
            Issue.record("it was committed")
            return
        }
        #expect(try await store.position(place) == store.head().position)
        #expect(try await store.names() == ["boiler"])
    }

    @Test("what no store has given can't be settled", arguments: StoreKind.allCases)
    func foreignReceipt(_ kind: StoreKind) async throws {
        let store = try await kind.open().store
        #expect(try await store.settle(CommitReceipt(rawValue: "x")) == .unknown)
        await #expect(throws: StoreError.self) {
            try await store.position(.pending(CommitReceipt(rawValue: "x")), deadline: .within(.seconds(1)))
        }
    }

    @Test(
        "a position that is pending comes, and a list before that shows the row already",
        arguments: StoreKind.pendingPositions)
    func pending(_ kind: StoreKind) async throws {
        let tested = try #require(await kind.open() as? MemoryTestStore)
        let store = tested.store
        let ada = try await store.member("ada")
        tested.memory.holdPositions()
        let made = try await store.make("boiler", as: ada)
        guard case .pending = made.position else {
            Issue.record("it can't have a position yet")
            return
        }
        let list = try await store.page(PageQuery(of: store.model("thing"), positioned: true))
        #expect(list.rows.map(\.name) == ["boiler"])
        await #expect(throws: StoreError.overdue) {
            try await store.position(made.position, deadline: .within(.milliseconds(50)))
        }
        async let position = store.position(made.position)
        tested.memory.releasePositions()
        let behind = try await store.stretch(behind: LogCursor(#require(list.position)), limit: 10)
        #expect(behind.entries.map(\.after) == [made.value])
        #expect(try await position == behind.end.position)
    }

    /// The receipt of a write whose outcome is unknown.
    private func unknown(_ write: () async throws -> some Any) async throws -> CommitReceipt {
        do {
            _ = try await write()
        } catch StoreError.unknown(_, let receipt) {
            return receipt
        }
        Issue.record("its outcome is known")
        return CommitReceipt(rawValue: "")
    }
}
