import Foundation
import GRDB
import ModelStore
import RolecallProtocol
import TestSupport
import Testing
import WireJSON

@testable import SQLiteStore

/// What a socket is told comes from the log, what a list holds comes from the table: both ways end in the same bytes.
@Suite("The same rows through the table and through the log")
struct VisibleRowsTests {
    static let columns = ["flag", "plain", "ratio", "number", "body", "data", "anything", "owner"]
    static let table = """
        CREATE TABLE IF NOT EXISTS note(id PRIMARY KEY NOT NULL, flag BOOLEAN, plain INTEGER, ratio REAL, \
        number NUMERIC, body TEXT, data BLOB, anything, owner INTEGER)
        """
    static let roles = ["guest", "user", "admin"]

    @Test(
        "what a view is told of any program's writes adds up to what it may read in the table", .computes,
        arguments: 0..<4)
    func receipts(_ part: Int) async throws {
        let database = try TestDatabase()
        let store = try database.open(
            [ModelDeclaration(name: "note", path: "notes", table: "note")], schema: [Self.table])
        let foreign = try database.foreign()
        var random = Seeded(UInt64(part) + 500)
        // The table after every few writes, as one reads it there.
        var moments: [(sequence: Int64, rows: [ModelStore.Row])] = []
        for _ in 0..<12 {
            let writes = (0..<25).map { _ in Self.write(&random) }
            try await foreign.write { db in
                for (sql, arguments) in writes { try db.execute(sql: sql, arguments: arguments) }
            }
            let model = try store.model("note")
            let snapshot = try await store.read { transaction in
                var rows: [ModelStore.Row] = []
                try transaction.rows(of: model, after: nil, equals: []) { row in
                    rows.append(row)
                    return true
                }
                return rows
            }
            moments.append((sequence: snapshot.position.sequence, rows: snapshot.value))
        }
        let events = try await store.events()
        #expect(events.count > 150)
        var visibleRows = 0
        for _ in 0..<10 {
            let policy = Self.policy(&random)
            for view in [policy.view(role: nil, user: nil), policy.view(role: "user", user: 1)]
                + Self.roles.map({ policy.view(role: $0, user: 2) })
            {
                visibleRows += Self.compare(events, moments, policy, view)
            }
        }
        #expect(visibleRows > 800)
    }

    /// Folds what the view is told as a client does, and compares at every moment.
    private static func compare(
        _ events: [ChangeRecord], _ moments: [(sequence: Int64, rows: [ModelStore.Row])], _ policy: Policy,
        _ view: View
    ) -> Int {
        var told: [String: String] = [:]
        var rest = events[...]
        var count = 0
        for moment in moments {
            while let event = rest.first, event.sequence <= moment.sequence {
                rest.removeFirst()
                switch policy.visibility(of: event, to: view) {
                case .nothing: break
                case .save(let row, _, _): told[row["_id"]?.json.description ?? ""] = row.wire.description
                case .remove: told[event.key.json.description] = nil
                }
            }
            let readable = moment.rows.compactMap { policy.visible($0, of: "note", to: view) }
            let expected = Dictionary(
                readable.map { ($0["_id"]?.json.description ?? "", $0.wire.description) }, uniquingKeysWith: { $1 })
            guard told == expected else {
                let missing = expected.filter { told[$0.key] != $0.value }
                let wrong = told.filter { expected[$0.key] != $0.value }
                Issue.record("at \(moment.sequence), \(view): told \(wrong), the table has \(missing), under \(policy)")
                return count
            }
            count += told.count
        }
        return count
    }

    private static func policy(_ random: inout Seeded) -> Policy {
        func role() -> String { roles[random.below(roles.count)] }
        let asked: [Value] = [
            .boolean(true), .boolean(false), .integer(1), .integer(0), .integer(2), .real(1), .null, .text("1"),
            .text("a"), .blob([1]), .integer(1 << 53 + 1), .real(0.5),
        ]
        var policy = ModelPolicy(read: [])
        for _ in 0...random.below(3) {
            var rule = Rule(role: random.below(3) == 0 ? nil : role())
            if random.below(2) == 0 {
                rule.when[columns[random.below(columns.count)]] = asked[random.below(asked.count)]
            }
            if random.below(3) == 0 { rule.owner = Ownership(column: columns[random.below(columns.count)]) }
            policy.read.append(rule)
        }
        for column in columns where random.below(5) == 0 { policy.fields[column] = ColumnAccess(role: role()) }
        return Policy(roles: roles, models: ["note": policy])
    }

    /// A statement of some other program.
    private static func write(_ random: inout Seeded) -> (sql: String, arguments: StatementArguments) {
        let keys: [any DatabaseValueConvertible] = [1, 2, 3, 1.5, "a", "é\"", Data([1, 255]), 1.0, -7, "1"]
        let key = keys[random.below(keys.count)]
        if random.below(6) == 0 { return ("DELETE FROM note WHERE id = ?", [key]) }
        if random.below(2) == 0 {
            let values = columns.map { _ in Self.value(&random) }
            return (
                """
                INSERT OR REPLACE INTO note(id, \(columns.joined(separator: ", "))) \
                VALUES (?, \(values.map(\.sql).joined(separator: ", ")))
                """, StatementArguments([key] + values.map(\.argument))
            )
        }
        let value = Self.value(&random)
        let column = columns[random.below(columns.count)]
        return ("UPDATE note SET \(column) = \(value.sql) WHERE id = ?", StatementArguments([value.argument, key]))
    }

    private static func value(_ random: inout Seeded) -> (sql: String, argument: (any DatabaseValueConvertible)?) {
        let simple: [(any DatabaseValueConvertible)?] = [
            nil, 0, 1, 2, 1, 0, 0.0, -0.0, 1.0, 0.5, Double.infinity, -Double.infinity, Int64.max, Int64.min,
            1 << 53 + 1, 0x1p53, "", "1", "a", "true", "e\u{301}", "\u{e9}", Data(), Data([1]),
            Double.leastNonzeroMagnitude, 1e300,
        ]
        if random.below(4) > 0 { return ("?", simple[random.below(simple.count)]) }
        // A text of any bytes.
        return ("CAST(? AS TEXT)", hostile(&random))
    }

    /// Bytes that are text in part: well-formed scalars, and their beginnings and ends.
    private static func hostile(_ random: inout Seeded) -> Data {
        let samples = ["é", "\u{20ac}", "\u{1f600}", "\"\\", "\u{0}"].map { Array($0.utf8) }
        return Data(
            random.hostileBytes(like: samples, alphabet: [0, 0x22, 0x5C, 0x61, 0x80, 0xC3, 0xE2, 0xED, 0xF0, 0xFF]))
    }

    @Test(
        "a text of any bytes is told as it is read, in UTF-8 and in UTF-16", .computes,
        arguments: ["UTF-8", "UTF-16le"])
    func hostileText(_ encoding: String) async throws {
        let database = try TestDatabase()
        try await DatabaseQueue(path: database.path).writeWithoutTransaction { db in
            try db.execute(sql: "PRAGMA encoding = '\(encoding)'")
            try db.execute(sql: "CREATE TABLE t(_id INTEGER PRIMARY KEY, body TEXT, other)")
        }
        let store = try database.open([ModelDeclaration(name: "t", path: "ts", table: "t")], schema: [])
        var random = Seeded(8)
        let texts = (0..<800).map { _ in (Self.hostile(&random), Self.hostile(&random)) }
        try await database.foreign().write { db in
            for (one, other) in texts {
                try db.execute(
                    sql: "INSERT INTO t(body, other) VALUES (CAST(? AS TEXT), CAST(? AS TEXT))",
                    arguments: [one, other])
            }
        }
        let rows = try await store.rows(of: "t")
        let told = try await store.events().map(\.after)
        #expect(rows.count == texts.count)
        #expect(told.count == texts.count)
        for (row, told) in zip(rows, told) where row.wire.encoded() != told?.wire.encoded() {
            Issue.record("\(row) was told as \(String(describing: told))")
            return
        }
        guard encoding == "UTF-8" else { return }
        #expect(zip(rows, texts).allSatisfy { $0["body"] == .text(String(decoding: $1.0, as: UTF8.self)) })
    }

    @Test("a negative zero is one zero on either way")
    func zeros() async throws {
        let database = try TestDatabase()
        let store = try database.open(
            [ModelDeclaration(name: "t", path: "ts", table: "t")],
            schema: ["CREATE TABLE IF NOT EXISTS t(_id INTEGER PRIMARY KEY, a, r REAL, n NUMERIC)"])
        try await database.foreign().write { db in
            try db.execute(sql: "INSERT INTO t(a, r, n) VALUES (?, ?, ?)", arguments: [-0.0, -0.0, -0.0])
        }
        let row = try await store.rows(of: "t").first
        #expect(row?.wire.description == #"{"_id":1,"a":0.0,"r":0.0,"n":0}"#)
        #expect(try await store.events().first?.after?.wire.description == row?.wire.description)
    }
}

extension ModelStore.Row {
    /// The row as clients get it.
    fileprivate var wire: JSON {
        var object = JSONObject()
        for (column, value) in fields { object[column] = value.json }
        return .object(object)
    }
}
