import GRDB
import ModelStore
import RolecallProtocol
import Testing

@testable import SQLiteStore

@Suite("Users and sessions")
struct AccountTests {
    @Test("a user is found by id and by address in any case; the address is taken once")
    func users() async throws {
        let store = try TestDatabase().openKept()
        let made = try await store.store.write(by: nil) { transaction in
            try transaction.insertUser(email: "Ann@Example.com", name: "Ann", role: "admin", password: "hash")
        }.value
        #expect(
            made
                == UserRecord(
                    id: 1, email: "Ann@Example.com", name: "Ann", role: "admin", password: "hash", generation: 0))
        let found = try await store.store.read { transaction in
            try [
                transaction.user(id: 1), transaction.user(email: "ann@example.COM"), transaction.user(email: "b@c"),
                transaction.user(id: 2),
            ]
        }.value
        #expect(found == [made, made, nil, nil])
        #expect(try await store.store.read { try $0.users() }.value == [made])
        let taken = StoreError.conflict("The table rolecall_user has a row with this email already.", column: "email")
        await #expect(throws: taken) {
            _ = try await store.store.write(by: nil) {
                try $0.insertUser(email: "ANN@example.com", name: "x", role: "user", password: "x")
            }
        }
    }

    @Test("an id of a removed user is never given again")
    func ids() async throws {
        let kept = try TestDatabase().openKept()
        let ids = try await kept.store.write(by: nil) { transaction in
            var ids: [Int64] = []
            for number in 0..<3 {
                let user = try transaction.insertUser(email: "\(number)", name: "n", role: "user", password: "p")
                ids.append(user.id)
                try transaction.removeUser(id: user.id)
            }
            return ids
        }.value
        #expect(ids == [1, 2, 3])
    }

    @Test("a new password raises the generation, a better hash of the same does not")
    func passwords() async throws {
        let kept = try TestDatabase().openKept()
        let generations = try await kept.store.write(by: nil) { transaction in
            let user = try transaction.insertUser(email: "a", name: "n", role: "user", password: "first")
            try transaction.upgradePassword("second", ofUser: user.id)
            let upgraded = try transaction.user(id: user.id)
            try transaction.setPassword("third", ofUser: user.id)
            try transaction.setRole("admin", ofUser: user.id)
            return try [upgraded, transaction.user(id: user.id)]
        }.value
        #expect(generations.map { $0?.password } == ["second", "third"])
        #expect(generations.map { $0?.generation } == [0, 1])
        #expect(generations.last??.role == "admin")
    }

    @Test("no password and no hash stands in the log, in an event or in a description, whoever writes")
    func secrets() async throws {
        let kept = try TestDatabase().openKept()
        let foreign = try kept.database.foreign()
        let user = try await kept.store.write(by: nil) { transaction in
            let user = try transaction.insertUser(email: "a", name: "n", role: "user", password: "SeCrEt1")
            try transaction.setPassword("SeCrEt2", ofUser: user.id)
            try transaction.upgradePassword("SeCrEt3", ofUser: user.id)
            return user
        }.value
        try await foreign.write { db in
            try db.execute(sql: "UPDATE rolecall_user SET password = 'SeCrEt4', name = 'm'")
            try db.execute(
                sql: "REPLACE INTO rolecall_user(email, name, role, password) VALUES ('A', 'o', 'user', 'SeCrEt5')")
            try db.execute(
                sql:
                    "INSERT OR IGNORE INTO rolecall_user(email, name, role, password) VALUES ('A', 'o', 'u', 'SeCrEt6')"
            )
            try db.execute(sql: "DELETE FROM rolecall_user")
        }
        let found = try await foreign.read { db in
            try Int.fetchOne(
                db,
                sql: """
                    SELECT (SELECT count(*) FROM rolecall_events WHERE concat LIKE '%SeCrEt%') + \
                    (SELECT count(*) FROM rolecall_displaced WHERE image LIKE '%SeCrEt%') FROM (SELECT 1) LIMIT 1
                    """.replacing(
                        "concat", with: #"(model || op || "key" || coalesce("before", '') || coalesce("after", ''))"#))
        }
        #expect(found == 0)
        #expect(!"\(user)".contains("SeCrEt"))
        let events = try await kept.store.events()
        // The better hash alone is told to nobody; the new generation is, since the server must see it.
        #expect(
            events.map { $0.summary("generation") }
                == [
                    "created 1 - 0", "updated 1 0 1", "updated 1 1 1", "removed 1 1 -", "created 2 - 0",
                    "removed 2 0 -",
                ])
        #expect(
            events.allSatisfy { ($0.after ?? $0.before)?.columns == ["_id", "email", "name", "role", "generation"] })
    }

    @Test("the password is secret even where the declaration forgets to say so")
    func alwaysSecret() async throws {
        let database = try TestDatabase()
        let store = try database.open(
            [ModelDeclaration(name: "user", path: "users", table: "Rolecall_User")], schema: [])
        #expect(try store.model("user").columns.map(\.name) == ["_id", "email", "name", "role", "generation"])
    }

    @Test("a session is revoked once, forgotten after its tokens' end, and goes with its user")
    func sessions() async throws {
        let kept = try TestDatabase().openKept()
        let session = SessionRecord(
            id: "s1", user: 1, createdAt: Timestamp(milliseconds: 1000), expiresAt: Timestamp(milliseconds: 5000))
        let results = try await kept.store.write(by: nil) { transaction in
            for email in ["a", "b"] {
                _ = try transaction.insertUser(email: email, name: "n", role: "user", password: "p")
            }
            try transaction.insertSession(session)
            var other = session
            other.id = "s2"
            other.user = 2
            try transaction.insertSession(other)
            let first = try transaction.session(id: "s1")
            let revocations = try [
                transaction.revokeSession(id: "s1", at: Timestamp(milliseconds: 2000)),
                transaction.revokeSession(id: "s1", at: Timestamp(milliseconds: 3000)),
                transaction.revokeSession(id: "s9", at: Timestamp(milliseconds: 3000)),
            ]
            let revoked = try transaction.session(id: "s1")
            try transaction.removeUser(id: 2)
            let gone = try transaction.session(id: "s2")
            try transaction.pruneSessions(expiredBefore: Timestamp(milliseconds: 5000))
            let kept = try transaction.session(id: "s1")
            try transaction.pruneSessions(expiredBefore: Timestamp(milliseconds: 5001))
            return (revocations, [first, revoked, gone, kept, try transaction.session(id: "s1")])
        }.value
        var revoked = session
        revoked.revokedAt = Timestamp(milliseconds: 2000)
        #expect(results.0 == [true, false, false])
        #expect(results.1 == [session, revoked, nil, revoked, nil])
        let orphan = SessionRecord(
            id: "s3", user: 99, createdAt: session.createdAt, expiresAt: session.expiresAt, revokedAt: nil)
        await #expect(throws: StoreError.self) {
            _ = try await kept.store.write(by: nil) { try $0.insertSession(orphan) }
        }
    }
}

/// A store, and the database that others open, too.
struct KeptStore: Sendable {
    let database: TestDatabase
    let store: SQLiteDatabaseStore
}

extension TestDatabase {
    func openKept(schema: [String] = [.thing]) throws -> KeptStore {
        KeptStore(database: self, store: try open(schema: schema))
    }
}
