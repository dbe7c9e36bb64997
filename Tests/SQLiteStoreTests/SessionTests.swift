import GRDB
import ModelStore
import RolecallProtocol
import Testing
import WireJSON

@testable import SQLiteStore

@Suite("Sign-ins and what the log says of them")
struct SessionTests {
    private static let farAway = Timestamp(milliseconds: 4_000_000_000_000)

    private func session(_ id: String, of user: Int64 = 1, createdAt: Int64 = 1000) -> SessionRecord {
        SessionRecord(
            id: id, user: user, createdAt: Timestamp(milliseconds: createdAt), expiresAt: Self.farAway,
            address: "127.0.0.1", agent: "curl/8 \u{0}")
    }

    /// A store with the users 1 and 2.
    private func kept() async throws -> KeptStore {
        let kept = try TestDatabase().openKept()
        try await kept.store.write(by: nil) { transaction in
            for email in ["a", "b"] {
                _ = try transaction.insertUser(email: email, name: "n", role: "user", password: "p")
            }
        }
        return kept
    }

    private func changes(_ store: SQLiteDatabaseStore, after sequence: Int64 = 2) async throws -> [String] {
        try await store.read { try $0.identityEntries(after: sequence) }.value.map { change in
            switch change.subject {
            case .user(let id, let record): "user \(id) \(record?.summary.role ?? "gone")"
            case .sessionEnded(let id): "session \(id)"
            case .memberships(_, let id): "memberships \(id)"
            }
        }
    }

    @Test("a user's sign-ins are listed newest first, with all that is known of them")
    func listed() async throws {
        let kept = try await kept()
        let records = [session("s1"), session("s2", createdAt: 3000), session("s3", of: 2)]
        let listed = try await kept.store.write(by: nil) { transaction in
            for record in records { try transaction.insertSession(record) }
            try transaction.revokeSession(id: "s1", at: Timestamp(milliseconds: 9))
            return try (transaction.sessions(ofUser: 1), transaction.sessions(ofUser: 3))
        }.value
        var revoked = records[0]
        revoked.revokedAt = Timestamp(milliseconds: 9)
        #expect(listed.0 == [records[1], revoked])
        #expect(listed.1.isEmpty)
        #expect(records[1].isOpen(at: Timestamp(milliseconds: 1)))
        #expect(!records[1].isOpen(at: Self.farAway))
        #expect(!revoked.isOpen(at: Timestamp(milliseconds: 1)))
    }

    @Test("all of a user's sign-ins are revoked at once, and only his, and only those that are open")
    func allRevoked() async throws {
        let kept = try await kept()
        let count = try await kept.store.write(by: nil) { transaction in
            for id in ["s1", "s2", "s3"] { try transaction.insertSession(session(id)) }
            try transaction.insertSession(session("s4", of: 2))
            var over = session("s5")
            over.expiresAt = Timestamp(milliseconds: 2000)
            try transaction.insertSession(over)
            try transaction.revokeSession(id: "s3", at: Timestamp(milliseconds: 3000))
            return try transaction.revokeSessions(ofUser: 1, at: Timestamp(milliseconds: 5000))
        }.value
        #expect(count == 2)
        #expect(try await changes(kept.store).sorted() == ["session s1", "session s2", "session s3"])
        #expect(try await kept.store.read { try $0.session(id: "s4") }.value?.revokedAt == nil)
    }

    @Test("use is noted once a minute, and a session only ever lasts longer; a revoked one does neither")
    func usedAndExtended() async throws {
        let kept = try await kept()
        let outcome = try await kept.store.write(by: nil) { transaction in
            var record = session("s1")
            record.expiresAt = Timestamp(milliseconds: 500_000)
            try transaction.insertSession(record)
            let touched = try [1_000_000, 1_059_999, 1_060_000].map {
                try transaction.touchSession(id: "s1", at: Timestamp(milliseconds: $0))
            }
            let extended = try [600_000, 550_000].map {
                try transaction.extendSession(id: "s1", expiresAt: Timestamp(milliseconds: $0))
            }
            let after = try transaction.session(id: "s1")
            try transaction.revokeSession(id: "s1", at: Timestamp(milliseconds: 1))
            let late = try [
                transaction.touchSession(id: "s1", at: Timestamp(milliseconds: 9_000_000)),
                transaction.extendSession(id: "s1", expiresAt: Timestamp(milliseconds: 9_000_000)),
                transaction.extendSession(id: "s9", expiresAt: Timestamp(milliseconds: 9_000_000)),
            ]
            return (touched, extended, after, late)
        }.value
        #expect(outcome.0 == [true, false, true])
        #expect(outcome.1 == [true, true])
        #expect(outcome.2?.lastUsedAt == Timestamp(milliseconds: 1_060_000))
        #expect(outcome.2?.expiresAt == Timestamp(milliseconds: 600_000))
        #expect(outcome.3 == [false, false, false])
        // Neither use nor extension is an end.
        #expect(try await changes(kept.store) == ["session s1"])
    }

    @Test("a user's name and address change together or alone, and a taken address is refused")
    func users() async throws {
        let kept = try await kept()
        let users = try await kept.store.write(by: nil) { transaction in
            try transaction.setRole("admin", ofUser: 1)
            return try (
                [
                    transaction.updateUser(id: 1, name: "Ann", email: nil),
                    transaction.updateUser(id: 1, name: nil, email: "ann@example.com"),
                    transaction.updateUser(id: 9, name: "x", email: "y"),
                ],
                [transaction.userCount(role: "admin"), transaction.userCount(role: "guest")]
            )
        }.value
        #expect(users.0.map { $0?.name } == ["Ann", "Ann", nil])
        #expect(users.0.map { $0?.email } == ["a", "ann@example.com", nil])
        #expect(users.1 == [1, 0])
        await #expect(
            throws: StoreError.conflict("The table rolecall_user has a row with this email already.", column: "email")
        ) {
            _ = try await kept.store.write(by: nil) { try $0.updateUser(id: 2, name: nil, email: "ANN@example.com") }
        }
    }

    @Test("whoever ends a session, the log says so, once, and to nobody but those who ask for identities")
    func endsAreLogged() async throws {
        let kept = try await kept()
        let start = try await kept.store.write(by: nil) { transaction in
            for number in 1...7 { try transaction.insertSession(session("s\(number)")) }
            var over = session("over")
            over.expiresAt = Timestamp(milliseconds: 2000)
            try transaction.insertSession(over)
        }.position.sequence
        try await kept.store.write(by: nil) { _ = try $0.revokeSession(id: "s1", at: Timestamp(milliseconds: 1)) }
        let foreign = try kept.database.foreign()
        try await foreign.write { db in
            for sql in [
                "UPDATE rolecall_session SET revoked_at = 5 WHERE id = 's2'",
                "UPDATE rolecall_session SET revoked_at = 6 WHERE id = 's2'",
                "DELETE FROM rolecall_session WHERE id = 's3'",
                "DELETE FROM rolecall_session WHERE id = 's1'",
                "DELETE FROM rolecall_session WHERE id = 'over'",
                "UPDATE rolecall_session SET user = 2 WHERE id = 's4'",
                "UPDATE rolecall_session SET id = 'other' WHERE id = 's5'",
                "UPDATE rolecall_session SET last_used_at = 1, expires_at = expires_at + 1, agent = 'x'",
                "UPDATE rolecall_session SET id = x'00' WHERE id = 's6'",
                "UPDATE rolecall_session SET revoked_at = 9 WHERE id = x'00'",
            ] { try db.execute(sql: sql) }
        }
        #expect(
            try await changes(kept.store, after: start)
                == ["session s1", "session s2", "session s3", "session s4", "session s5", "session s6"])
        #expect(try await kept.store.events(after: start).isEmpty)
        #expect(try await kept.store.read { _ in }.position.sequence == start + 6)
    }

    @Test("a user who is removed takes sessions along without a word of their own")
    func removedUser() async throws {
        let kept = try await kept()
        try await kept.store.write(by: nil) { transaction in
            try transaction.insertSession(session("s1"))
            try transaction.removeUser(id: 1)
        }
        #expect(try await changes(kept.store) == ["user 1 gone"])
    }

    @Test("what the log says of identities is found without a look at anything else in it")
    func indexed() async throws {
        let kept = try await kept()
        try await kept.store.write(by: nil) { transaction in
            let thing = try kept.store.model("thing")
            for number in 0..<500 { _ = try transaction.insert([("name", .text("\(number)"))], into: thing) }
            try transaction.setRole("admin", ofUser: 2)
            for number in 0..<500 { _ = try transaction.insert([("name", .text("\(number)"))], into: thing) }
            try transaction.insertSession(session("s1"))
            try transaction.revokeSession(id: "s1", at: Timestamp(milliseconds: 1))
        }
        #expect(try await changes(kept.store) == ["user 2 admin", "session s1"])
        let all = try await kept.store.read { try $0.identityEntries(after: 0) }.value
        #expect(all.prefix(2).map(\.mark.number) == [1, 2])
        let plan = try await kept.database.foreign().read {
            try Row.fetchAll($0, sql: "EXPLAIN QUERY PLAN \(IdentityLog.query)", arguments: [0]).map { "\($0)" }
        }
        #expect(plan.count == 1)
        #expect(plan.first?.contains("USING INDEX rolecall_events_of_identity (seq>?)") == true)
    }
}

@Suite("A database of an earlier version")
struct MigrationTests {
    @Test("it is brought to this version with all that is in it, and its triggers tell from then on")
    func fromFirst() async throws {
        let database = try TestDatabase()
        let other = try database.foreign()
        let logID = Era(rawValue: 4711)
        try await other.write { db in
            try db.execute(sql: "CREATE TABLE rolecall_meta(key TEXT PRIMARY KEY NOT NULL, value TEXT NOT NULL)")
            try db.execute(
                sql: "INSERT INTO rolecall_meta VALUES ('schema_version', '1'), ('log_id', '\(logID)')")
            for statement in StoreSchema.steps[0] { try db.execute(sql: statement) }
            try db.execute(
                sql: """
                    INSERT INTO rolecall_user(email, name, role, password) VALUES ('a', 'n', 'admin', 'p');
                    INSERT INTO rolecall_session(id, user, created_at, expires_at) VALUES ('s1', 1, 5, 4000000000000);
                    INSERT INTO rolecall_events(model, op, "key", "after", at) VALUES ('user', 'created', '1', \
                    '{"_id":1,"email":"a","name":"n","role":"admin","generation":0}', '2026-11-22T13:45:01.123Z')
                    """)
        }
        try other.close()
        let store = try database.open()
        #expect(try await store.head().era == logID)
        let found = try await store.read { try ($0.session(id: "s1"), $0.events(after: 0, limit: 9)) }.value
        #expect(
            found.0
                == SessionRecord(
                    id: "s1", user: 1, createdAt: Timestamp(milliseconds: 5),
                    expiresAt: Timestamp(milliseconds: 4_000_000_000_000)))
        #expect(found.1.map(\.sequence) == [1])
        try await database.foreign().write { try $0.execute(sql: "DELETE FROM rolecall_session") }
        let changes = try await store.read { try $0.identityEntries(after: 0) }.value
        #expect(
            changes.map(\.subject) == [.user(1, found.1[0].after.flatMap(IdentityRecord.init)), .sessionEnded("s1")])
        #expect(changes[0].at == "2026-11-22T13:45:01.123Z")
        try await store.close()
        // And only once.
        let again = try database.open()
        #expect(try await again.read { try $0.identityEntries(after: 0) }.value == changes)
    }
}
