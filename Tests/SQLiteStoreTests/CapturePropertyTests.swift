import Foundation
import GRDB
import ModelStore
import TestSupport
import Testing
import WireJSON

@testable import SQLiteStore

/// Every statement is run on two databases, of which only one has triggers.
///
/// `ROLECALL_SEEDS` in the environment asks for another number of databases than the ordinary run looks at.
@Suite("Any table, any statement", .computes)
struct CapturePropertyTests {
    private static let seeds = ProcessInfo.processInfo.environment["ROLECALL_SEEDS"].flatMap(UInt64.init) ?? 100
    private static let first = ProcessInfo.processInfo.environment["ROLECALL_FIRST_SEED"].flatMap(UInt64.init) ?? 0

    /// After how many statements all is compared. Long runs, and the search for what went wrong, look at each.
    private let interval = seeds == 100 ? 6 : 2

    @Test(
        "no statement of somebody else's fails or changes because of the triggers, and who folds the log has the table")
    func anything() throws {
        var statements = 0
        var errors = 0
        var events = 0
        for seed in Self.first..<Self.first + Self.seeds {
            var random = Seeded(seed)
            let table = RandomTable(&random)
            let failure = try Pair.with(table) { pair -> String? in
                for number in 1...24 {
                    let sql = table.statement(&random)
                    statements += 1
                    let (with, without) = (pair.run(sql, watched: true), pair.run(sql, watched: false))
                    if without.error != nil { errors += 1 }
                    guard with != without || number.isMultiple(of: interval) else { continue }
                    let difference =
                        with == without ? try pair.difference() : "\(with) with triggers, \(without) without"
                    if let difference { return "seed \(seed): \(sql)\n\(difference)\n\(pair.history)" }
                }
                events += pair.eventCount
                return nil
            }
            if let failure {
                Issue.record("\(failure)")
                return
            }
        }
        // Most statements must have done something for this to say anything.
        #expect(statements > 20 * Int(Self.seeds))
        #expect(errors * 2 < statements)
        #expect(events * 2 > statements)
    }
}

/// What a statement did, as its program sees it.
private struct Effect: Equatable {
    var error: String?
    var changes: Int
    var lastRowID: Int64
}

private final class Pair {
    private let watched: Database
    private let plain: Database
    private var tables: [String: ModelTable] = [:]
    private(set) var history: String
    private(set) var eventCount = 0

    /// Runs a body with two databases of the same tables.
    static func with<Output>(_ table: RandomTable, _ body: (Pair) throws -> Output) throws -> Output {
        var configuration = Configuration()
        configuration.allowsUnsafeTransactions = true
        let queues = try (0..<2).map { _ in try DatabaseQueue(configuration: configuration) }
        return try queues[0].unsafeReentrantWrite { watched in
            try queues[1].unsafeReentrantWrite { plain in
                try body(Pair(table, watched: watched, plain: plain))
            }
        }
    }

    private init(_ table: RandomTable, watched: Database, plain: Database) throws {
        (self.watched, self.plain) = (watched, plain)
        history = (table.schema + table.lateSchema + table.pragmas).joined(separator: ";\n") + ";\n"
        try StoreSchema.migrate(watched, path: "")
        for db in [plain, watched] {
            for sql in table.schema { try db.execute(sql: sql) }
        }
        var declarations = [ModelDeclaration(name: "t", path: "ts", table: "t", key: table.declaredKey)]
        if table.hasParent { declarations.append(ModelDeclaration(name: "p", path: "ps", table: "p")) }
        // Triggers of the owner's that come later fire in another order; and Rolecall's are looked after once more, as
        // they are after every change of the schema.
        for sql in [[], table.lateSchema] {
            for statement in sql { for db in [plain, watched] { try db.execute(sql: statement) } }
            for declaration in declarations {
                let model = try ModelTable(declaration, in: watched)
                _ = try watched.withoutForeignKeys { try CaptureTriggers(table: model).install(in: watched) }
                tables[declaration.name] = model
            }
        }
        for db in [plain, watched] {
            for sql in table.pragmas { try db.execute(sql: sql) }
            // From here on both connections have inserted the same row last.
            try db.execute(sql: "INSERT INTO log VALUES (0)")
        }
    }

    func run(_ sql: String, watched isWatched: Bool) -> Effect {
        let db = isWatched ? watched : plain
        if isWatched { history += sql + ";\n" }
        var error: String?
        do {
            try db.execute(sql: sql)
        } catch let thrown as DatabaseError {
            error = "\(thrown.extendedResultCode) \(thrown.message ?? "")"
        } catch let thrown {
            error = "\(thrown)"
        }
        let effect = Effect(error: error, changes: db.changesCount, lastRowID: error == nil ? db.lastInsertedRowID : 0)
        // A failed statement leaves one row number or another as the last, which its program has no use for.
        if error != nil { try? db.execute(sql: "INSERT INTO log VALUES (0)") }
        return effect
    }

    /// What is wrong now, in words; nil where all is as it should be.
    func difference() throws -> String? {
        for table in ["t", "log", "p"] where table != "p" || tables["p"] != nil {
            let (with, without) = (try contents(of: table, in: watched), try contents(of: table, in: plain))
            guard with == without else { return "\(table) with triggers: \(with)\nwithout: \(without)" }
        }
        return try logDifference()
    }

    private func contents(of table: String, in db: Database) throws -> [String] {
        let columns = try String.fetchAll(db, sql: "SELECT name FROM pragma_table_xinfo('\(table)')")
        let list = columns.map { "typeof(\($0)) || ' ' || coalesce(hex(CAST(\($0) AS BLOB)), '')" }
        return try String.fetchAll(
            db, sql: "SELECT \(list.joined(separator: " || ', ' || ")) AS row FROM \(table) ORDER BY row")
    }

    /// The log from the start: savepoints may have taken back what was read before.
    private func logDifference() throws -> String? {
        let events = try EventLog.events(
            after: 0, limit: .max, in: watched, logger: .silent)
        eventCount = events.count
        for (name, table) in tables {
            var rows: [Value: ModelStore.Row] = [:]
            let complete = table.keyNames.map { "\($0) IS NOT NULL" }.joined(separator: " AND ")
            try watched.query("SELECT \(table.selection) FROM \(table.table) WHERE \(complete)") { found in
                let row = table.row(found)
                rows[row[keyColumnName] ?? .null] = row
                return true
            }
            for rank in Self.policy.roles.indices {
                let view = View(rank: rank, owner: nil)
                let visible = rows.compactMapValues { Self.policy.visible($0, of: name, to: view) }
                let told = fold(events.filter { $0.model == name }, for: view)
                guard told == visible else {
                    return "\(name) is to rank \(rank) \(visible)\nand told as \(told)\n\(Self.summary(of: events))"
                }
            }
        }
        return nil
    }

    private static func summary(of events: [ChangeRecord]) -> String {
        func text(_ row: ModelStore.Row?) -> String {
            row.map { "(\($0.values.map(\.json.description).joined(separator: ", ")))" } ?? "-"
        }
        return events.map { "\($0.model) \($0.change) \($0.key.json): \(text($0.before)) \(text($0.after))" }
            .joined(separator: "\n")
    }

    private func fold(_ events: [ChangeRecord], for view: View) -> [Value: ModelStore.Row] {
        var rows: [Value: ModelStore.Row] = [:]
        for event in events {
            switch Self.policy.visibility(of: event, to: view) {
            case .save(let row, _, _): rows[event.key] = row
            case .remove: rows[event.key] = nil
            case .nothing: break
            }
        }
        return rows
    }

    /// The last role sees all, the others some rows and not every column: to them a change can be one in what they do not
    /// see, and a row can come and go while it stays.
    private static let policy: Policy = {
        let read = [Rule(role: "all"), Rule(role: "some", when: ["c0": .integer(2)]), Rule(when: ["c0": .text("n")])]
        let rules = ModelPolicy(read: read, fields: ["c1": "all", "k1": "some"])
        return Policy(roles: ["few", "some", "all"], models: ["t": rules, "p": ModelPolicy(read: [Rule()])])
    }()
}
