import ModelStore
import RolecallProtocol
import Testing

@Suite("The store's contract: memberships")
struct MembershipTests {
    @Test("a claimant is read with all that the user belongs to, from every table", arguments: StoreKind.allCases)
    func claimant(_ kind: StoreKind) async throws {
        let store = try await kind.open().store
        let ada = try await store.member("ada")
        let bob = try await store.member("bob")
        #expect(try await store.memberships(of: ada) == Memberships.none)
        try await store.transaction { transaction in
            try transaction.join(store, ada.id, team: 7, as: "editor")
            try transaction.join(store, ada.id, team: 7, as: "owner")
            try transaction.join(store, ada.id, team: 8)
            try transaction.join(store, ada.id, team: nil, as: "owner")
            try transaction.join(store, nil, team: 9, as: "owner")
            try transaction.join(store, bob.id, team: 10)
            try transaction.invite(store, "ADA@example.com", to: 11)
            try transaction.invite(store, "ada@example.org", to: 12)
            try transaction.invite(store, "ada@example.com", to: 7)
        }
        let expected: Memberships = [
            Membership(name: "team", value: .integer(7), roles: ["editor", "owner"]),
            Membership(name: "team", value: .integer(8)), Membership(name: "team", value: .integer(11)),
        ]
        #expect(try await store.memberships(of: ada) == expected)
        #expect(try await store.memberships(of: bob) == [Membership(name: "team", value: .integer(10))])
        // A write is judged by them, too.
        let seen = try await store.create(
            store.model("thing"), as: ada.claim, deadline: .standard, values: { _ in [("name", .text("a"))] },
            result: { caller, _ in caller.memberships })
        #expect(seen.value == expected)
    }

    @Test("the feed shows each change of what a user belongs to, with all of it", arguments: StoreKind.allCases)
    func feed(_ kind: StoreKind) async throws {
        let store = try await kind.open().store
        let ada = try await store.member("ada")
        let bob = try await store.member("bob")
        let feed = try await Feed(store)
        let model = try store.model("member")
        let joined = try await store.transaction { try $0.join(store, ada.id, team: 7, as: "editor") }
        try await eventually { feed.value.cursor.covers(joined.identity) }
        #expect(feed.last(of: ada.id) == [Membership(name: "team", value: .integer(7), roles: ["editor"])])

        let key = joined.value["_id"] ?? .null
        let raised = try await store.transaction { try $0.update(model, key: key, set: [("role", .text("owner"))]) }
        try await eventually { feed.value.cursor.covers(raised.identity) }
        #expect(feed.last(of: ada.id) == [Membership(name: "team", value: .integer(7), roles: ["owner"])])

        let moved = try await store.transaction { try $0.update(model, key: key, set: [("user_id", .integer(bob.id))]) }
        try await eventually { feed.value.cursor.covers(moved.identity) }
        #expect(feed.last(of: ada.id) == Memberships.none)
        #expect(feed.last(of: bob.id) == [Membership(name: "team", value: .integer(7), roles: ["owner"])])

        let left = try await store.transaction { try $0.remove(model, key: key) }
        try await eventually { feed.value.cursor.covers(left.identity) }
        #expect(feed.last(of: bob.id) == Memberships.none)
    }

    @Test("an address that changes takes its memberships along, or leaves them", arguments: StoreKind.allCases)
    func addresses(_ kind: StoreKind) async throws {
        let store = try await kind.open().store
        let ada = try await store.member("ada")
        try await store.transaction { try $0.invite(store, "new@example.com", to: 3) }
        let feed = try await Feed(store)
        let renamed = try await store.transaction { try $0.updateUser(id: ada.id, name: nil, email: "new@example.com") }
        try await eventually { feed.value.cursor.covers(renamed.identity) }
        #expect(feed.last(of: ada.id) == [Membership(name: "team", value: .integer(3))])
        let invited = try await store.transaction { try $0.invite(store, "New@Example.com", to: 4) }
        try await eventually { feed.value.cursor.covers(invited.identity) }
        #expect(
            feed.last(of: ada.id) == [
                Membership(name: "team", value: .integer(3)), Membership(name: "team", value: .integer(4)),
            ])
    }

    @Test(
        "a claimant who is read while a membership ends has it or has it not, and the cursor says which",
        arguments: StoreKind.allCases)
    func fence(_ kind: StoreKind) async throws {
        let store = try await kind.open().store
        let ada = try await store.member("ada")
        let model = try store.model("member")
        for _ in 0..<10 {
            let joined = try await store.transaction { try $0.join(store, ada.id, team: 7) }
            async let leaving = store.transaction { try $0.remove(model, key: joined.value["_id"] ?? .null) }
            var records: [ClaimantRecord] = []
            for _ in 0..<4 {
                records.append(try #require(try await store.claimant(user: ada.id, session: nil)))
            }
            let mark = try await leaving.identity
            for record in records { #expect(record.memberships.isEmpty == record.readAt.covers(mark)) }
        }
    }

    @Test(
        "no entry comes to a follower of the log before the memberships that had changed before it",
        arguments: StoreKind.allCases)
    func order(_ kind: StoreKind) async throws {
        let store = try await kind.open().store
        let ada = try await store.member("ada")
        let seen = Shared([String]())
        let subscription = store.follow(
            from: try await store.head(), identities: try await store.identityCursor(), limit: 100
        ) { news, turn in
            seen.change { seen in
                for entry in news.identities.entries {
                    if case .memberships(let memberships, _) = entry.subject { seen.append("\(memberships.count)") }
                }
                seen += news.stretch.entries.filter { $0.model == "thing" }.compactMap { $0.after?.name }
            }
            turn.end()
        }
        defer { subscription.end() }
        for number in 1...10 {
            try await store.transaction { try $0.join(store, ada.id, team: Int64(number)) }
            try await store.make("thing \(number)", as: ada)
        }
        try await eventually { seen.value.contains("thing 10") }
        for number in 1...10 {
            let thing = try #require(seen.value.firstIndex(of: "thing \(number)"))
            let known = seen.value[..<thing].compactMap { Int($0) }.max() ?? 0
            #expect(known >= number)
        }
    }
}

extension Store {
    fileprivate func memberships(of member: Member) async throws -> Memberships? {
        try await claimant(user: member.id, session: nil)?.memberships
    }
}

extension StoreTransaction {
    @discardableResult
    fileprivate func join(_ store: any Store, _ user: Int64?, team: Int64?, as role: String? = nil) throws -> Row {
        try insert(
            [
                ("user_id", user.map(Value.integer) ?? .null), ("team", team.map(Value.integer) ?? .null),
                ("role", role.map(Value.text) ?? .null),
            ], into: store.model("member"))
    }

    fileprivate func invite(_ store: any Store, _ email: String, to team: Int64) throws {
        _ = try insert([("email", .text(email)), ("team", .integer(team))], into: store.model("guest"))
    }
}

extension Feed {
    /// What the feed has said last of what a user belongs to.
    fileprivate func last(of user: Int64) -> Memberships? {
        for entry in value.entries.reversed() {
            if case .memberships(let memberships, user) = entry.subject { return memberships }
        }
        return nil
    }
}
