import GRDB
import ModelStore
import TestSupport
import Testing

@testable import SQLiteStore

/// What programs do to tables that say who belongs where, and whose memberships the log says may have changed.
@Suite("The log names each user whose memberships change")
struct MembershipCaptureTests {
    /// A shape of the table: row numbers or none, keys and indexes by which REPLACE displaces rows, columns that refer.
    struct Shape: Sendable, CustomTestStringConvertible {
        var title: String
        var sql: String
        var testDescription: String { title }
    }

    static let shapes = [
        Shape(
            title: "a row number, and one row for each user and team",
            sql: "CREATE TABLE member(id INTEGER PRIMARY KEY, u INTEGER, email TEXT, t, r TEXT, n, UNIQUE(u, t))"),
        Shape(
            title: "no row number",
            sql: "CREATE TABLE member(id INT PRIMARY KEY, u INTEGER, email TEXT, t, r TEXT, n) WITHOUT ROWID"),
        Shape(
            title: "no key at all, and an index with a condition",
            sql: """
                CREATE TABLE member(id, u REAL, email TEXT COLLATE NOCASE, t, r, n);
                CREATE UNIQUE INDEX one_owner ON member(t) WHERE r = 'owner';
                CREATE UNIQUE INDEX low ON member(lower(email), t);
                """),
        Shape(
            title: "rows that go with what they refer to",
            sql: """
                CREATE TABLE team(t PRIMARY KEY); INSERT INTO team VALUES (1), (2), (3);
                CREATE TABLE member(id INTEGER PRIMARY KEY, u INTEGER UNIQUE, email TEXT, \
                t REFERENCES team(t) ON DELETE CASCADE ON UPDATE CASCADE, r TEXT, n);
                """),
    ]
    static let sources = [
        MembershipSource(membership: "team", table: "MEMBER", user: "U", of: "t", role: "r"),
        MembershipSource(
            membership: "guest", table: "member", user: Ownership(column: "email", name: .email), of: "t"),
    ]
    private static let emails = ["ann@x", "ben@x", "cleo@x"]

    @Test("whatever the statement", arguments: shapes)
    func property(_ shape: Shape) async throws {
        let database = try TestDatabase()
        let foreign = try database.foreign()
        try await foreign.write { try $0.execute(sql: shape.sql) }
        let store = try SQLiteDatabaseStore.open(
            path: database.path, models: .standard, memberships: Self.sources, schema: [.thing], logger: .silent)
        try await store.transaction { transaction in
            for email in Self.emails {
                _ = try transaction.insertUser(email: email, name: email, role: "user", password: "-")
            }
        }
        var random = Seeded(UInt64(shape.sql.utf8.count))
        var (changed, named) = (0, 0)
        var before = try await memberships(store)
        for _ in 0..<400 {
            let statement = Self.statement(&random, hasTeams: shape.sql.contains("CREATE TABLE team"))
            let cursor = try await store.identityCursor()
            try await foreign.writeWithoutTransaction { db in
                // Constraints refuse some of them.
                do { try db.execute(sql: statement) } catch let error as DatabaseError {
                    guard error.resultCode == .SQLITE_CONSTRAINT else { throw error }
                }
                if db.isInsideTransaction { try db.execute(sql: "ROLLBACK") }
            }
            let after = try await memberships(store)
            let entries = try await store.read { try $0.identityEntries(after: cursor.upTo) }.value
            var told: [Int64: Memberships] = [:]
            for entry in entries { if case .memberships(let set, let id) = entry.subject { told[id] = set } }
            for id in after.keys where before[id] != after[id] {
                changed += 1
                guard told[id] == after[id] else {
                    Issue.record("\(statement): user \(id) is told \(String(describing: told[id]))")
                    return
                }
            }
            named += told.count
            before = after
        }
        #expect(changed > 60)
        // Entries too many are few.
        #expect(named < changed * 3)
        try await store.close()
    }

    private func memberships(_ store: SQLiteDatabaseStore) async throws -> [Int64: Memberships] {
        var all: [Int64: Memberships] = [:]
        for id in 1...Int64(Self.emails.count) {
            all[id] = try await store.claimant(user: id, session: nil)?.memberships
        }
        return all
    }

    private static func statement(_ random: inout Seeded, hasTeams: Bool = false) -> String {
        if hasTeams, random.below(8) == 0 {
            return random.below(2) == 0
                ? "DELETE FROM team WHERE t = \(1 + random.below(3)); INSERT OR IGNORE INTO team VALUES (1), (2), (3)"
                : "UPDATE OR IGNORE team SET t = 4 WHERE t = 2; UPDATE OR IGNORE team SET t = 2 WHERE t = 4"
        }
        func one(_ texts: [String]) -> String { texts[random.below(texts.count)] }
        func user() -> String { one(["1", "2", "3", "1", "2.0", "2.5", "'1'", "NULL", "x'01'", "4711"]) }
        func email() -> String { one(["'ann@x'", "'BEN@x'", "'cleo@x'", "NULL", "x'01'", "'nobody@x'", "7"]) }
        func team() -> String { one(["1", "2", "3", "NULL", "2.0", "'3'"]) }
        func role() -> String { one(["'owner'", "'editor'", "NULL", "1"]) }
        func row() -> String {
            let id = one(["1", "2", "3", "4", "5", "6"])
            return "(\(id), \(user()), \(email()), \(team()), \(role()), \(random.below(9)))"
        }
        let condition = one(["id = 1", "id = 2", "u = 1", "t = 2", "id > 2", "1", "r = 'owner'"])
        let way = one(["", "OR REPLACE", "OR IGNORE", "OR FAIL"])
        switch random.below(12) {
        case 0: return "DELETE FROM member WHERE \(condition)"
        case 1: return "UPDATE \(way) member SET u = \(user()) WHERE \(condition)"
        case 2: return "UPDATE \(way) member SET t = \(team()), r = \(role()) WHERE \(condition)"
        case 3: return "UPDATE \(way) member SET id = \(1 + random.below(6)), email = \(email()) WHERE \(condition)"
        case 4: return "UPDATE member SET n = \(random.below(9)) WHERE \(condition)"
        case 5:
            return "INSERT INTO member VALUES \(row()) ON CONFLICT DO UPDATE SET u = excluded.u, t = excluded.t"
        case 6: return "BEGIN; DELETE FROM member; INSERT OR REPLACE INTO member VALUES \(row()), \(row()); COMMIT"
        case 7: return "BEGIN; DELETE FROM member WHERE id < 4; ROLLBACK"
        case 8 where random.below(4) == 0: return "UPDATE rolecall_user SET email = 'other@x' WHERE _id = 3"
        case 8: return "UPDATE rolecall_user SET email = 'cleo@x' WHERE _id = 3"
        default: return "INSERT \(way) INTO member VALUES \(row()), \(row())"
        }
    }

    @Test("two addresses that look alike and differ in their bytes are two users")
    func bytes() async throws {
        let database = try TestDatabase()
        let foreign = try database.foreign()
        try await foreign.write { try $0.execute(sql: Self.shapes[0].sql) }
        let store = try SQLiteDatabaseStore.open(
            path: database.path, models: .standard, memberships: Self.sources, schema: [.thing], logger: .silent)
        let addresses = ["\u{e9}@x", "e\u{301}@x"]
        try await store.transaction { transaction in
            for address in addresses {
                _ = try transaction.insertUser(email: address, name: "e", role: "user", password: "-")
            }
        }
        let cursor = try await store.identityCursor()
        try await foreign.write { db in
            try db.execute(
                sql: "INSERT INTO member(email, t) VALUES (?, 1), (?, 2)", arguments: [addresses[0], addresses[1]])
        }
        let entries = try await store.read { try $0.identityEntries(after: cursor.upTo) }.value
        #expect(
            entries.map(\.subject) == [
                .memberships([Membership(name: "guest", value: .integer(1))], ofUser: 1),
                .memberships([Membership(name: "guest", value: .integer(2))], ofUser: 2),
            ])
        try await store.close()
    }

    @Test("statements of others do the same as without: what is inserted, refused, ignored")
    func innocence() async throws {
        for shape in Self.shapes {
            let (watched, plain) = (try TestDatabase(), try TestDatabase())
            let (one, other) = (try watched.foreign(), try plain.foreign())
            for queue in [one, other] { try await queue.write { try $0.execute(sql: shape.sql) } }
            let store = try SQLiteDatabaseStore.open(
                path: watched.path, models: .standard, memberships: Self.sources, schema: [.thing], logger: .silent)
            var random = Seeded(11)
            for _ in 0..<300 {
                let statement = Self.statement(&random)
                // An update of several rows can take them in another order beside any trigger.
                guard !statement.contains("rolecall_user"), !statement.hasPrefix("UPDATE OR") else { continue }
                func run(_ queue: DatabaseQueue) async throws -> String {
                    try await queue.writeWithoutTransaction { db in
                        var outcome = "done"
                        do { try db.execute(sql: statement) } catch let error as DatabaseError {
                            outcome = "\(error.resultCode)"
                        }
                        if db.isInsideTransaction { try db.execute(sql: "ROLLBACK") }
                        let rows = try Row.fetchAll(db, sql: "SELECT * FROM member ORDER BY id, u, t, email")
                        return outcome + rows.map { "\($0)" }.joined(separator: "\n")
                    }
                }
                let (here, there) = (try await run(one), try await run(other))
                guard here == there else {
                    Issue.record("\(shape.title): \(statement): \(here), without \(there)")
                    return
                }
            }
            try await store.close()
        }
    }
}
