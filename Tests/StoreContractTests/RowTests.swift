import ModelStore
import RolecallProtocol
import Testing

@Suite("The store's contract: rows")
struct RowTests {
    @Test(
        "a page ends at its bounds, says where to go on, and asks the closure of each row",
        arguments: StoreKind.allCases)
    func pages(_ kind: StoreKind) async throws {
        let store = try await kind.open().store
        let ada = try await store.member("ada")
        for number in 0..<7 { try await store.make("\(number % 2)", as: ada) }
        let thing = try store.model("thing")
        let first = try await store.page(PageQuery(of: thing, limit: 3))
        #expect(first.rows.count == 3)
        #expect(first.position == nil)
        let rest = try await store.page(PageQuery(of: thing, after: first.next, limit: 10))
        #expect(rest.rows.count == 4)
        #expect(rest.next == nil)
        let down = try await store.page(PageQuery(of: thing, after: rest.rows[0].key, order: .descending))
        #expect(down.rows.map(\.key) == first.rows.map(\.key).reversed())
        let name = try #require(thing.column("name"))
        #expect(try await store.page(PageQuery(of: thing, equals: [(name, .text("1"))])).rows.count == 3)
        let examined = try await store.page(PageQuery(of: thing, examined: 4)) { $0.name == "1" ? $0 : nil }
        #expect(examined.rows.count == 2)
        #expect(examined.next == rest.rows[0].key)
        #expect(try await store.page(PageQuery(of: thing, bytes: 1)).rows.count == 1)
        let positioned = try await store.page(PageQuery(of: thing, limit: 1, positioned: true))
        #expect(try await positioned.position == store.head().position)
    }

    @Test("a reading has the log's position where that is asked for, and none otherwise", arguments: StoreKind.allCases)
    func positions(_ kind: StoreKind) async throws {
        let store = try await kind.open().store
        let ada = try await store.member("ada")
        let made = try await store.make("a", as: ada)
        let position = try await store.position(made.position)
        let thing = try store.model("thing")
        let key = made.value.key
        #expect(try await store.row(of: thing, key: key).position == nil)
        #expect(try await store.page(PageQuery(of: thing)).position == nil)
        #expect(try await store.inspect { try $0.row(of: thing, key: key) }.position == nil)
        #expect(try await store.row(of: thing, key: key, positioned: true).position == position)
        #expect(try await store.page(PageQuery(of: thing, positioned: true)).position == position)
        let inspected = try await store.inspect(positioned: true) { try $0.row(of: thing, key: key) }
        #expect(inspected.position == position)
    }

    @Test(
        "a caller is judged with the row, before and after, and what is thrown undoes the write",
        arguments: StoreKind.allCases)
    func judging(_ kind: StoreKind) async throws {
        let store = try await kind.open().store
        let ada = try await store.member("ada", role: "admin")
        let key = try await store.make("a", as: ada).value.key
        let thing = try store.model("thing")
        struct Refusal: Error {}
        await #expect(throws: Refusal.self) {
            try await store.update(
                thing, key: key, as: ada.claim, if: .none, deadline: .standard,
                values: { caller, before in [("name", .text("\(caller.identity.summary.role) of \(before.name)"))] },
                result: { _, before, after in
                    if before.name == "a", after.name == "admin of a" { throw Refusal() }
                })
        }
        await #expect(throws: Refusal.self) {
            try await store.create(
                thing, as: ada.claim, deadline: .standard, values: { _ in [("name", .text("b"))] },
                result: { _, _ -> Void in throw Refusal() })
        }
        await #expect(throws: Refusal.self) {
            try await store.remove(
                thing, key: key, as: ada.claim, if: .none, deadline: .standard,
                judging: { _, _ -> Void in throw Refusal() })
        }
        await #expect(throws: RowRefusal.noRow) { try await store.rename(.integer(4711), to: "c", as: ada) }
        #expect(try await store.names() == ["a"])
        _ = try await store.remove(
            thing, key: key, as: ada.claim, if: .none, deadline: .standard, judging: { _, _ in })
        #expect(try await store.row(of: thing, key: key).value == nil)
    }

    @Test("what the table does not take is refused, and a taken address is a conflict", arguments: StoreKind.allCases)
    func refusals(_ kind: StoreKind) async throws {
        let store = try await kind.open().store
        let ada = try await store.member("ada")
        let thing = try store.model("thing")
        for values in [[("name", Value.null)], [("nme", .text("a"))], []] as [[(column: String, value: Value)]] {
            let error = await #expect(throws: StoreError.self) {
                try await store.create(
                    thing, as: ada.claim, deadline: .standard, values: { _ in values }, result: { _, _ in })
            }
            guard case .invalid = error else {
                Issue.record("\(String(describing: error))")
                continue
            }
        }
        let taken = StoreError.conflict("The table rolecall_user has a row with this email already.", column: "email")
        await #expect(throws: taken) {
            try await store.transaction {
                _ = try $0.insertUser(email: "ADA@example.com", name: "", role: "user", password: "")
            }
        }
    }

    @Test("a store that is closed answers nothing and gives no turns", arguments: StoreKind.allCases)
    func closed(_ kind: StoreKind) async throws {
        let store = try await kind.open().store
        let ada = try await store.member("ada")
        try await store.probe()
        try await store.prepareForService()
        try await store.close()
        await #expect(throws: StoreError.self) { try await store.probe() }
        await #expect(throws: StoreError.self) { try await store.make("a", as: ada) }
        await #expect(throws: StoreError.self) { try await store.head() }
        await #expect(throws: StoreError.self) { try await store.claimant(user: ada.id, session: nil) }
    }
}
