import ModelStore
import RolecallProtocol
import Testing

@Suite("The store's contract: identities")
struct IdentityTests {
    @Test(
        "a claim is confirmed by one call, and refused for what the records have against it",
        arguments: StoreKind.allCases)
    func claims(_ kind: StoreKind) async throws {
        let store = try await kind.open().store
        let ada = try await store.member("ada")
        let bob = try await store.member("bob")
        let record = try #require(try await store.claimant(user: ada.id, session: ada.session))
        #expect(record.identity.summary == UserSummary(id: ada.id, email: "ada@example.com", name: "ada", role: "user"))
        #expect(record.session == .open)
        #expect(record.memberships.isEmpty)
        try record.confirm(ada.claim)
        #expect(try await store.claimant(user: ada.id, session: nil)?.session == ClaimantRecord.Session.unclaimed)
        #expect(try await store.claimant(user: ada.id, session: bob.session)?.session == .ended)
        #expect(try await store.claimant(user: ada.id, session: "x")?.session == .ended)
        #expect(try await store.claimant(user: 4711, session: nil) == nil)

        #expect(try await store.endSession(ada.session, at: .now).value)
        #expect(try await !store.endSession(ada.session, at: .now).value)
        await #expect(throws: ClaimRefusal.sessionEnded) { try await store.make("a", as: ada) }
        try await store.transaction { try $0.voidTokens(ofUser: bob.id) }
        await #expect(throws: ClaimRefusal.tokensVoided) { try await store.make("a", as: bob) }
        try await store.transaction { try $0.removeUser(id: bob.id) }
        await #expect(throws: ClaimRefusal.unknownUser) { try await store.make("a", as: bob) }
        #expect(try await store.names() == [])
    }

    @Test(
        "a sign-in begins for the password that was checked, lasts longer when renewed, and ends",
        arguments: StoreKind.allCases)
    func signIns(_ kind: StoreKind) async throws {
        let store = try await kind.open().store
        let ada = try await store.member("ada")
        let credentials = try #require(try await store.credentials(email: "ADA@example.com"))
        #expect(credentials.password == "hash")
        let now = Timestamp.now
        let session = SessionRecord(
            id: "second", user: ada.id, createdAt: now, expiresAt: Timestamp(milliseconds: now.milliseconds + 1000))
        let begun = try await store.beginSession(session, generation: credentials.generation, upgraded: "better")
        #expect(begun.value.id == ada.id)
        #expect(try await store.credentials(email: "ada@example.com")?.password == "better")

        var later = session
        later.id = "fresh"
        later.expiresAt = Timestamp(milliseconds: now.milliseconds + 9000)
        let claim = Claim(user: ada.id, session: "second", generation: 0)
        let renewed = try await store.renewSession(of: claim, as: later, deadline: .standard)
        #expect(renewed.value.session == "second")
        let sessions = try await store.inspect { try $0.sessions(ofUser: ada.id) }.value
        #expect(sessions.first { $0.id == "second" }?.expiresAt == later.expiresAt)
        let without = Claim(user: ada.id, session: nil, generation: 0)
        #expect(try await store.renewSession(of: without, as: later, deadline: .standard).value.session == "fresh")

        try await store.noteUse(of: ["second", "unknown"], at: now, deadline: .standard)
        #expect(try await store.inspect { try $0.session(id: "second") }.value?.lastUsedAt == now)
        try await store.transaction { try $0.setPassword("other", ofUser: ada.id) }
        var stale = session
        stale.id = "stale"
        await #expect(throws: ClaimRefusal.tokensVoided) {
            try await store.beginSession(stale, generation: credentials.generation)
        }
        #expect(try await store.inspect { try $0.session(id: "stale") }.value == nil)
    }

    @Test(
        "a claimant who is read while a demotion commits is the one or the other, and his cursor says which",
        arguments: StoreKind.allCases)
    func demotion(_ kind: StoreKind) async throws {
        let store = try await kind.open().store
        let ada = try await store.member("ada")
        for round in 0..<20 {
            let role = round.isMultiple(of: 2) ? "admin" : "user"
            async let write: Committed<Void> = store.transaction { try $0.setRole(role, ofUser: ada.id) }
            var records: [ClaimantRecord] = []
            for _ in 0..<4 {
                records.append(try #require(try await store.claimant(user: ada.id, session: nil)))
            }
            let mark = try await write.identity
            for record in records {
                #expect((record.identity.summary.role == role) == record.readAt.covers(mark))
            }
            let after = try #require(try await store.claimant(user: ada.id, session: nil))
            #expect(after.identity.summary.role == role)
            #expect(after.readAt.covers(mark))
        }
    }

    @Test(
        "the feed shows each change of an identity once, and covers a write once it has", arguments: StoreKind.allCases)
    func feed(_ kind: StoreKind) async throws {
        let store = try await kind.open().store
        let ada = try await store.member("ada")
        let feed = try await Feed(store)
        try await store.make("no identity", as: ada)
        try await store.transaction { try $0.setRole("admin", ofUser: ada.id) }
        _ = try await store.endSession(ada.session, at: .now)
        let removed = try await store.transaction { try $0.removeUser(id: ada.id) }
        // `settled`: the answer to a write waits for this.
        try await eventually { feed.value.cursor.covers(removed.identity) }
        let record = IdentityRecord(
            summary: UserSummary(id: ada.id, email: "ada@example.com", name: "ada", role: "admin"), generation: 0)
        #expect(
            feed.value.entries.map(\.subject) == [
                .user(ada.id, record), .sessionEnded(ada.session), .user(ada.id, nil),
            ])
    }

    @Test("the feed covers a write that changed no identity, too", arguments: StoreKind.allCases)
    func unconcerned(_ kind: StoreKind) async throws {
        let store = try await kind.open().store
        let ada = try await store.member("ada")
        let feed = try await Feed(store)
        let made = try await store.make("a", as: ada)
        try await eventually { feed.value.cursor.covers(made.identity) }
    }

    @Test(
        "neither a follower that sits in its turn nor slow readers of rows hold up a demotion or a claimant",
        arguments: StoreKind.allCases)
    func apart(_ kind: StoreKind) async throws {
        let store = try await kind.open().store
        let ada = try await store.member("ada")
        try await store.make("a", as: ada)
        let turn = Kept<FollowerTurn>()
        let sitting = store.follow(
            from: try await store.head(), identities: try await store.identityCursor(), limit: 10
        ) { turn.value = $1 }
        let feed = try await Feed(store)
        try await store.make("b", as: ada)
        try await eventually { turn.value != nil }
        let gate = Gate()
        let query = PageQuery(of: try store.model("thing"))
        let readers = (0..<6).map { _ in
            Task {
                try await store.page(query) { row in
                    gate.pass()
                    return row
                }
            }
        }
        try await eventually { gate.hasArrived }
        let demoted = try await store.transaction { try $0.setRole("guest", ofUser: ada.id) }
        try await eventually { feed.value.cursor.covers(demoted.identity) }
        #expect(try await store.claimant(user: ada.id, session: ada.session)?.identity.summary.role == "guest")
        #expect(try await store.stretch(behind: store.head(), limit: 1).entries.isEmpty)
        gate.open()
        for reader in readers { #expect(try await reader.value.rows.count == 2) }
        turn.value?.end()
        sitting.end()
    }

    @Test(
        "a follower whose body is still at work holds up neither claimants nor the identity feed",
        arguments: StoreKind.allCases)
    func busy(_ kind: StoreKind) async throws {
        let store = try await kind.open().store
        let ada = try await store.member("ada")
        let (start, cursor) = (try await store.head(), try await store.identityCursor())
        let made = try await store.make("a", as: ada)
        _ = try await store.position(made.position)
        let gate = Gate()
        let busy = store.follow(from: start, identities: cursor, limit: 10) { _, turn in
            gate.pass()
            turn.end()
        }
        defer { busy.end() }
        let feed = try await Feed(store)
        try await eventually { gate.hasArrived }
        let demoted = try await store.transaction { try $0.setRole("guest", ofUser: ada.id) }
        try await eventually { feed.value.cursor.covers(demoted.identity) }
        #expect(try await store.claimant(user: ada.id, session: ada.session)?.identity.summary.role == "guest")
        gate.open()
    }

    @Test(
        "no entry comes to a follower of the log before the identities that had changed before it",
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
                    if case .user(_, let record?) = entry.subject { seen.append(record.summary.role) }
                }
                seen += news.stretch.entries.filter { $0.model == "thing" }.compactMap { $0.after?.name }
            }
            turn.end()
        }
        for number in 0..<10 {
            try await store.transaction { try $0.setRole("role \(number)", ofUser: ada.id) }
            try await store.make("thing \(number)", as: ada)
        }
        try await eventually { seen.value.count == 20 }
        for number in 0..<10 {
            let role = try #require(seen.value.firstIndex(of: "role \(number)"))
            let thing = try #require(seen.value.firstIndex(of: "thing \(number)"))
            #expect(role < thing)
        }
        subscription.end()
    }

    @Test(
        "a reader of the feed from before what was pruned gets the changes, or a reset",
        arguments: StoreKind.allCases)
    func pruned(_ kind: StoreKind) async throws {
        let store = try await kind.open().store
        let ada = try await store.member("ada")
        let cursor = try await store.identityCursor()
        let promoted = try await store.transaction { try $0.setRole("admin", ofUser: ada.id) }
        try await store.make("a", as: ada)
        let head = try await store.head()
        while try await store.prune(PruneOrder(before: nil, keeping: 0, through: head, limit: 10)) > 0 {}
        let late = try await Feed(store, from: cursor)
        try await eventually { late.value.cursor.covers(promoted.identity) }
        let isTold = late.value.entries.contains { $0.mark == promoted.identity }
        #expect(isTold || late.value.resets == 1)
        // Who comes from behind it has missed nothing.
        let punctual = try await Feed(store)
        try await eventually { punctual.value.turns > 0 }
        #expect(punctual.value.resets == 0)
    }

    @Test(
        "a reader of the feed from before a user's events were erased gets the changes, or a reset",
        arguments: StoreKind.allCases)
    func erased(_ kind: StoreKind) async throws {
        let store = try await kind.open().store
        let ada = try await store.member("ada")
        let cursor = try await store.identityCursor()
        let promoted = try await store.transaction { try $0.setRole("admin", ofUser: ada.id) }
        let users = try #require(store.models.first { $0.name == ModelName.user })
        let count = try await store.eraseEvents(of: users, key: .integer(ada.id), deadline: .within(.seconds(10))).value
        #expect(count > 0)
        let late = try await Feed(store, from: cursor)
        try await eventually { late.value.cursor.covers(promoted.identity) }
        let isTold = late.value.entries.contains { $0.mark == promoted.identity }
        #expect(isTold || late.value.resets == 1)
    }

    @Test(
        "a follower of the log from before what was pruned gets the changes of identities, or a reset",
        arguments: StoreKind.allCases)
    func prunedForFollowers(_ kind: StoreKind) async throws {
        let store = try await kind.open().store
        let ada = try await store.member("ada")
        let (start, cursor) = (try await store.head(), try await store.identityCursor())
        let promoted = try await store.transaction { try $0.setRole("admin", ofUser: ada.id) }
        try await store.make("a", as: ada)
        let head = try await store.head()
        while try await store.prune(PruneOrder(before: nil, keeping: 0, through: head, limit: 10)) > 0 {}
        // It does not matter whether the follower has read the log itself that far.
        for place in [start, head] {
            let news = Shared([LogNews]())
            let subscription = store.follow(from: place, identities: cursor, limit: 10) { reading, turn in
                news.change { $0.append(reading) }
                turn.end()
            }
            try await store.make("b", as: ada)
            try await eventually { news.value.last?.identities.cursor.covers(promoted.identity) == true }
            let readings = news.value.map(\.identities)
            let isTold = readings.contains { $0.entries.contains { $0.mark == promoted.identity } }
            #expect(isTold || readings.contains(where: \.isReset))
            // A follower from behind it has missed nothing.
            #expect(readings.filter(\.isReset).count <= 1)
            subscription.end()
        }
    }

    @Test("a new era resets the feed: everything is to be read anew", arguments: StoreKind.allCases)
    func reset(_ kind: StoreKind) async throws {
        let tested = try await kind.open()
        let store = tested.store
        let ada = try await store.member("ada")
        try await tested.save()
        let feed = try await Feed(store)
        let promoted = try await store.transaction { try $0.setRole("admin", ofUser: ada.id) }
        try await eventually { feed.value.cursor.covers(promoted.identity) }
        try await tested.restore()
        try await eventually { feed.value.resets == 1 }
        #expect(try await store.claimant(user: ada.id, session: nil)?.identity.summary.role == "user")
        let again = try await store.transaction { try $0.setRole("guest", ofUser: ada.id) }
        try await eventually { feed.value.cursor.covers(again.identity) }
        #expect(!feed.value.cursor.covers(promoted.identity))
    }
}

/// Follows the feed of identities.
final class Feed: Sendable {
    struct State: Sendable {
        var entries: [IdentityFeedEntry] = []
        var cursor: IdentityCursor
        var resets = 0
        var turns = 0
    }

    private let state: Shared<State>
    private let subscription = Kept<LogSubscription>()

    /// - Parameter start: nil for the feed's end.
    init(_ store: any Store, from start: IdentityCursor? = nil) async throws {
        let end = try await store.identityCursor()
        let cursor = start ?? end
        state = Shared(State(cursor: cursor))
        subscription.value = store.followIdentities(from: cursor) { [state] reading, turn in
            state.change { state in
                state.entries += reading.entries
                state.cursor = reading.cursor
                state.turns += 1
                state.resets += reading.isReset ? 1 : 0
            }
            turn.end()
        }
    }

    deinit { subscription.value?.end() }

    var value: State { state.value }
}
