import Foundation
import GRDB
import ModelStore
import RolecallProtocol
import TestSupport
import Testing

@testable import SQLiteStore

@Suite("Values on their way")
struct ValueTests {
    static let table = """
        CREATE TABLE IF NOT EXISTS "va""l ues"("the key" PRIMARY KEY, i INTEGER, r REAL, t TEXT, b BLOB, \
        "flag's" BOOLEAN, n NUMERIC, a, "q""uo\\te é" ANY)
        """
    static let declaration = ModelDeclaration(name: "value", path: "values", table: "va\"l ues")
    static let columns = ["_id", "i", "r", "t", "b", "flag's", "n", "a", "q\"uo\\te é"]

    @Test(
        "random values of every type are the same in the table, through a row, and through trigger and log", .computes)
    func roundTrip() async throws {
        let database = try TestDatabase()
        let store = try database.open([Self.declaration], schema: [Self.table])
        let model = try store.model("value")
        #expect(model.columns.map(\.name) == Self.columns)
        var random = Seeded(77)
        for round in 0..<12 {
            let rows = (0..<50).map { index in
                [("_id", Self.key(round * 50 + index, &random))]
                    + Self.columns.dropFirst().map { ($0, Self.value(&random)) }
            }
            let head = try await store.read { _ in }.position.sequence
            let written = try await store.write(by: nil) { transaction in
                try rows.map { row in
                    try transaction.insert(row.map { (column: $0.0, value: $0.1) }, into: model)
                }
            }.value
            let read = try await store.read { transaction in
                try rows.map { try transaction.row(of: model, key: $0[0].1) }
            }.value
            #expect(read == written)
            let events = try await store.events(after: head)
            #expect(events.map(\.after) == written)
            #expect(events.map(\.key) == written.map { $0["_id"] })
            // A column without a type keeps every value as it was given.
            for (row, asked) in zip(written, rows) {
                #expect(Self.isStored(row["a"], from: asked[7].1), "\(asked[7].1)")
            }
        }
    }

    /// SQLite has no booleans of its own.
    private static func isStored(_ stored: Value?, from value: Value) -> Bool {
        if case .boolean(let flag) = value { return stored == .integer(flag ? 1 : 0) }
        return stored == value
    }

    private static func key(_ number: Int, _ random: inout Seeded) -> Value {
        switch number % 4 {
        case 0: .integer(Int64(number))
        case 1: .text("k\(number)\u{0}\"")
        case 2: .real(Double(number) + 0.1)
        default: .blob(Array("b\(number)".utf8))
        }
    }

    private static func value(_ random: inout Seeded) -> Value {
        switch Int.random(in: 0..<7, using: &random) {
        case 0: return .null
        case 1:
            let edges: [Int64] = [0, 1, -1, .min, .max, 1 << 53, 2]
            return .integer(edges.randomElement(using: &random) ?? 0)
        case 2: return .integer(Int64(truncatingIfNeeded: random.next()))
        case 3:
            let edges: [Double] = [
                0, 1, -1, .infinity, -.infinity, .greatestFiniteMagnitude, .leastNonzeroMagnitude, .pi, 0.1, 1e15, 1e17,
            ]
            let any = Double(bitPattern: random.next())
            if Bool.random(using: &random), !any.isNaN { return .real(any) }
            return .real(edges.randomElement(using: &random) ?? 0)
        case 4:
            let scalars = (0..<Int.random(in: 0..<12, using: &random)).compactMap { _ in
                Unicode.Scalar(UInt32.random(in: 0..<(Bool.random(using: &random) ? 0x30 : 0x11_0000), using: &random))
            }
            return .text(String(String.UnicodeScalarView(scalars)))
        case 5:
            return .blob((0..<Int.random(in: 0..<9, using: &random)).map { _ in .random(in: 0...255, using: &random) })
        default: return .boolean(.random(using: &random))
        }
    }

    @Test("thousands of random reals come out of the log bit by bit as they went in")
    func reals() async throws {
        let database = try TestDatabase()
        let store = try database.open(
            [ModelDeclaration(name: "n", path: "ns", table: "n")],
            schema: ["CREATE TABLE IF NOT EXISTS n(_id INTEGER PRIMARY KEY, r REAL)"])
        let model = try store.model("n")
        var random = Seeded(3)
        let numbers = (0..<4000).map { _ in Double(bitPattern: random.next()) }.filter { !$0.isNaN }
        _ = try await store.write(by: nil) { transaction in
            for number in numbers { _ = try transaction.insert([("r", .real(number))], into: model) }
        }
        let told = try await store.events().map { $0.after?["r"] }
        #expect(told.count == numbers.count)
        #expect(zip(told, numbers).allSatisfy { $0 == .real($1) })
    }

    /// What SQL puts into columns, and what comes out; of the row and of the event alike.
    static let stored: [(column: String, sql: String, value: Value)] = [
        ("flag's", "1", .boolean(true)), ("flag's", "0", .boolean(false)), ("flag's", "TRUE", .boolean(true)),
        ("flag's", "2", .integer(2)), ("flag's", "'yes'", .text("yes")), ("flag's", "NULL", .null),
        ("flag's", "0.5", .real(0.5)), ("flag's", "x'01'", .blob([1])),
        ("i", "1", .integer(1)), ("i", "'7'", .integer(7)), ("i", "'x'", .text("x")), ("r", "3", .real(3)),
        ("a", "3.0", .real(3)), ("a", "9e999", .real(.infinity)), ("a", "-9e999", .real(-.infinity)),
        ("a", "0.0/0.0", .null),
        ("t", "json('{\"a\":1}')", .text("{\"a\":1}")), ("a", "json('[1]')", .text("[1]")),
        ("t", "'a' || char(0) || 'b'", .text("a\u{0}b")),
        ("t", "char(1, 31, 127, 8, 12, 34, 92)", .text("\u{1}\u{1f}\u{7f}\u{8}\u{c}\"\\")),
        ("t", "CAST(x'61ff62' AS TEXT)", .text("a\u{fffd}b")), ("t", "CAST(x'c3' AS TEXT)", .text("\u{fffd}")),
        ("t", "CAST(x'eda080' AS TEXT)", .text("\u{fffd}\u{fffd}\u{fffd}")), ("t", "''", .text("")),
        ("b", "zeroblob(3)", .blob([0, 0, 0])), ("b", "x''", .blob([])),
        ("a", "'{\"$blob\":\"00\"}'", .text("{\"$blob\":\"00\"}")),
        ("t", "'\u{2028}\u{1f600}'", .text("\u{2028}\u{1f600}")),
    ]

    @Test("what other programs store is told with the type that the database gave it", arguments: stored.indices)
    func foreign(_ index: Int) async throws {
        let example = Self.stored[index]
        let database = try TestDatabase()
        let store = try database.open([Self.declaration], schema: [Self.table])
        let column = SQLName(example.column).quoted
        try await database.foreign().write { db in
            try db.execute(sql: "INSERT INTO \"va\"\"l ues\"(\"the key\", \(column)) VALUES (1, \(example.sql))")
            try db.execute(sql: "UPDATE \"va\"\"l ues\" SET \(column) = \(example.sql)")
            try db.execute(sql: "DELETE FROM \"va\"\"l ues\" WHERE \"the key\" < 0")
        }
        let row = try #require(try await store.rows(of: "value").first)
        #expect(row[example.column] == example.value)
        let events = try await store.events()
        #expect(events.map(\.after) == [row, row])
        #expect(events.map(\.before) == [nil, row])
        #expect(events.map(\.key) == [.integer(1), .integer(1)])
    }

    @Test("a text too long for the log stands there as null, and the write goes through")
    func tooLong() async throws {
        let database = try TestDatabase()
        let store = try database.open()
        try await database.foreign().write { db in
            try db.execute(sql: "INSERT INTO thing(name, info) VALUES ('a', printf('%.*c', 17000000, 'x'))")
        }
        #expect(try await store.events().first?.after?["info"] == .null)
        guard case .text(let text) = try await store.rows(of: "thing").first?["info"] else {
            Issue.record("no text")
            return
        }
        #expect(text.utf8.count == 17_000_000)
    }

    @Test("a table with very many columns is told")
    func wide() async throws {
        let database = try TestDatabase()
        let columns = (0..<900).map { "c\($0) INTEGER DEFAULT \($0)" }.joined(separator: ", ")
        let store = try database.open(
            [ModelDeclaration(name: "w", path: "ws", table: "w")],
            schema: ["CREATE TABLE IF NOT EXISTS w(_id INTEGER PRIMARY KEY, \(columns))"])
        try await database.foreign().write { db in
            try db.execute(sql: "INSERT INTO w DEFAULT VALUES")
            try db.execute(sql: "UPDATE w SET c899 = 0")
        }
        let events = try await store.events()
        #expect(events.count == 2)
        #expect(events.last?.before?["c899"] == .integer(899))
        #expect(events.last?.after?.columns.count == 901)
    }

    @Test("a database in UTF-16 is read and told like any other")
    func utf16() async throws {
        let database = try TestDatabase()
        let other = try DatabaseQueue(path: database.path)
        try await other.writeWithoutTransaction { db in
            try db.execute(sql: "PRAGMA encoding = 'UTF-16le'")
            try db.execute(sql: .thing)
        }
        let store = try database.open()
        let thing = try store.model("thing")
        let text = "a\u{0}é\u{1f600}\""
        let row = try await store.write(by: nil) { try $0.insert([("name", .text(text))], into: thing) }.value
        #expect(row["name"] == .text(text))
        #expect(try await store.events().first?.after == row)
    }
}

/// A name in SQL, quoted by hand: the tests do not trust the store's own quoting.
struct SQLName {
    var quoted: String
    init(_ name: String) {
        quoted = "\"" + name.split(separator: "\"", omittingEmptySubsequences: false).joined(separator: "\"\"") + "\""
    }
}
