import TestSupport

/// A table as somebody might have it, at random, and statements that write it in every form there is.
///
/// What ``CaptureTriggers`` says is left is not made: BEFORE triggers that insert rows, defaults that are no literals,
/// OR FAIL where a trigger of the table's own fails behind a write, foreign keys of another type than what they refer to.
struct RandomTable {
    struct Column {
        var name: String
        var isGenerated = false
    }

    /// All that makes the tables, without what Rolecall puts there.
    private(set) var schema: [String] = []
    /// Triggers of the owner's that are made after Rolecall's, and so fire in another order.
    private(set) var lateSchema: [String] = []
    private(set) var columns: [Column] = []
    private(set) var key: [String] = []
    /// What the declaration names; empty where the key is the primary key.
    private(set) var declaredKey: [String] = []
    private(set) var hasRowID = true
    private(set) var hasParent = false
    private(set) var foreignKeys: Bool
    private(set) var recursiveTriggers: Bool
    /// Whether triggers of the table's own write or refuse.
    private var hasTriggers = false
    /// The column that is the row number.
    private var rowID: String?
    /// Sets of columns for the targets of upserts.
    private var uniqueSets: [[String]] = []

    init(_ random: inout Seeded) {
        foreignKeys = random.below(2) == 0
        recursiveTriggers = random.below(3) == 0
        hasParent = random.below(3) == 0
        makeTable(&random)
        makeIndexes(&random)
        makeTriggers(&random)
    }

    var pragmas: [String] {
        ["PRAGMA foreign_keys = \(foreignKeys)", "PRAGMA recursive_triggers = \(recursiveTriggers)"]
    }

    // MARK: - The schema

    private static let types = ["INTEGER", "TEXT", "REAL", "BLOB", "BOOLEAN", "NUMERIC", "", "DATE", "INT"]
    private static let conflicts = ["REPLACE", "IGNORE", "FAIL", "ABORT", "ROLLBACK"]

    private mutating func makeTable(_ random: inout Seeded) {
        var definitions: [String] = []
        var constraints: [String] = []
        let keyCount = random.pick([1, 1, 1, 2, 2, 3, 4])
        let isNamed = random.below(5) == 0
        var isWithoutRowID = false
        key = (0..<keyCount).map { "k\($0)" }
        if isNamed {
            declaredKey = key
            let conflict = conflictClause(&random)
            for name in key { definitions.append("\(name) \(random.pick(Self.types))\(collation(&random)) NOT NULL") }
            constraints.append("UNIQUE (\(key.joined(separator: ", ")))\(conflict)")
            if random.below(2) == 0 {
                definitions.insert("id INTEGER PRIMARY KEY", at: 0)
                rowID = "id"
            }
        } else if keyCount == 1, random.below(2) == 0 {
            let suffix = random.pick(["", "", " AUTOINCREMENT", " DESC"])
            definitions.append("k0 INTEGER PRIMARY KEY\(suffix)")
            if suffix != " DESC" { rowID = "k0" }
        } else {
            isWithoutRowID = random.below(3) == 0
            for name in key {
                let type = random.pick(Self.types)
                definitions.append("\(name) \(type)\(collation(&random))\(random.below(3) == 0 ? " NOT NULL" : "")")
            }
            constraints.append("PRIMARY KEY (\(key.joined(separator: ", ")))\(conflictClause(&random))")
        }
        hasRowID = !isWithoutRowID
        uniqueSets.append(key)
        let keyWords = definitions.first { $0.hasPrefix("k0") }?.split(separator: " ") ?? []
        let keyType = keyWords.dropFirst().first.map(String.init).flatMap { Self.types.contains($0) ? $0 : nil } ?? ""
        columns = key.map { Column(name: $0) }
        if definitions.first == "id INTEGER PRIMARY KEY" { columns.insert(Column(name: "id"), at: 0) }
        for index in 0...random.below(4) {
            let name = "c\(index)"
            let refersToParent = hasParent && index == 0
            let refersToSelf = !refersToParent && key.count == 1 && random.below(8) == 0
            // A foreign key has the type of what it refers to.
            let type = refersToParent ? "INTEGER" : refersToSelf ? keyType : random.pick(Self.types)
            var definition = "\(name) \(type)\(collation(&random))"
            switch random.below(5) {
            case 0: definition += " NOT NULL DEFAULT \(random.pick(["1", "'a'", "-2.5"]))"
            case 1: definition += " DEFAULT 'd'"
            case 2: definition += " CHECK (\(name) IS NOT 3)"
            default: break
            }
            if random.below(6) == 0, !definition.contains("DEFAULT") {
                definition += " UNIQUE\(conflictClause(&random))"
                uniqueSets.append([name])
            }
            if refersToParent {
                let actions = ["CASCADE", "SET NULL", "SET DEFAULT", "RESTRICT", "NO ACTION"]
                definition += " REFERENCES p(id) ON DELETE \(random.pick(actions)) ON UPDATE \(random.pick(actions))"
            } else if refersToSelf {
                definition += " REFERENCES t(k0) ON DELETE CASCADE ON UPDATE CASCADE"
            }
            definitions.append(definition)
            columns.append(Column(name: name))
        }
        if random.below(3) == 0 {
            definitions.append("g AS (c0 || 'x')\(random.below(2) == 0 ? " STORED" : "")")
            columns.append(Column(name: "g", isGenerated: true))
        }
        if hasParent { schema.append("CREATE TABLE p(id INTEGER PRIMARY KEY, a)") }
        schema.append("CREATE TABLE log(n)")
        let list = (definitions + constraints).joined(separator: ", ")
        schema.append("CREATE TABLE t(\(list))\(isWithoutRowID ? " WITHOUT ROWID" : "")")
        self.definitions = definitions
    }

    private var definitions: [String] = []

    /// Whether REPLACE may put a default into the column, which an index on an expression does not foresee.
    private func hasDefault(_ column: String) -> Bool {
        definitions.contains { $0.hasPrefix("\(column) ") && $0.contains("NOT NULL DEFAULT") }
    }

    private func conflictClause(_ random: inout Seeded) -> String {
        random.below(4) == 0 ? " ON CONFLICT \(random.pick(Self.conflicts.filter { $0 != "FAIL" }))" : ""
    }

    private func collation(_ random: inout Seeded) -> String {
        random.below(5) == 0 ? " COLLATE NOCASE" : ""
    }

    private mutating func makeIndexes(_ random: inout Seeded) {
        for index in 0..<random.below(3) {
            let names = plainColumns
            var terms = [random.pick(names)]
            if random.below(2) == 0, let other = names.first(where: { $0 != terms[0] }) { terms.append(other) }
            var sql = "CREATE UNIQUE INDEX i\(index) ON t"
            switch random.below(5) {
            case 0: sql += "(lower(\(terms[0])))"
            case 1:
                sql += "(\(terms.joined(separator: ", "))) WHERE \(random.pick(names)) IS NOT 2"
            case 2 where columns.contains { $0.isGenerated } && !hasDefault("c0"): sql += "(g)"
            case 3: sql += "(\(terms[0]) COLLATE NOCASE DESC)"
            default:
                sql += "(\(terms.joined(separator: ", ")))"
                uniqueSets.append(terms)
            }
            schema.append(sql)
        }
    }

    private mutating func makeTriggers(_ random: inout Seeded) {
        if recursiveTriggers {
            // With this setting and a trigger behind removals, whichever, SQLite can find a row in its own way.
            schema.append("CREATE TRIGGER behind AFTER DELETE ON t BEGIN SELECT 1; END")
        }
        for index in 0..<max(0, random.below(5) - 2) {
            hasTriggers = true
            let same = key.map { "\($0) IS NEW.\($0)" }.joined(separator: " AND ")
            let bodies: [(event: String, body: String)] = [
                ("AFTER INSERT", "INSERT INTO log VALUES (NEW.k0)"),
                ("AFTER UPDATE", "INSERT INTO log SELECT count(*) FROM t"),
                ("AFTER DELETE", "DELETE FROM log WHERE n = OLD.k0; INSERT INTO log VALUES (OLD.k0)"),
                ("AFTER INSERT", "UPDATE t SET c0 = 'n' WHERE \(same)"),
                ("AFTER UPDATE OF c0", "UPDATE t SET c0 = 'u' WHERE \(same) AND c0 IS NOT 'u'"),
                ("AFTER INSERT", "DELETE FROM t WHERE \(same) AND c0 = 'b'"),
                ("BEFORE INSERT", "SELECT RAISE(IGNORE) WHERE NEW.c0 = 4"),
                ("BEFORE UPDATE", "SELECT RAISE(ABORT, 'no') WHERE NEW.c0 = 4"),
                ("AFTER INSERT", "SELECT RAISE(ROLLBACK, 'back') WHERE NEW.c0 = 4"),
                ("AFTER DELETE", "SELECT RAISE(ABORT, 'stay') WHERE OLD.c0 = 4"),
                ("BEFORE UPDATE", "DELETE FROM t WHERE k0 = NEW.c0"),
                ("BEFORE INSERT", "DELETE FROM t WHERE k0 = NEW.c0"),
                ("BEFORE DELETE", "UPDATE t SET c0 = 2 WHERE k0 = 1"),
                ("BEFORE UPDATE", "UPDATE t SET c0 = 'n' WHERE k0 = 1 AND NEW.c0 = 1"),
                ("UPDATE OF c1", "UPDATE t SET c0 = 2 WHERE NEW.c1 = 1"),
            ]
            let (event, body) = random.pick(bodies)
            let sql = "CREATE TRIGGER own\(index) \(event) ON t BEGIN \(body); END"
            if random.below(2) == 0 { schema.append(sql) } else { lateSchema.append(sql) }
        }
    }

    // MARK: - Statements

    private var plainColumns: [String] { columns.filter { !$0.isGenerated }.map(\.name) }

    /// Few values, so that they meet; and each that is hard to tell.
    private static let values = [
        "0", "1", "1", "2", "2", "3", "4", "-1", "'a'", "'A'", "'b'", "'1'", "'é'", "1.0", "2.5", "x'61'", "x'00ff'",
        "NULL", "9007199254740993", "9e999", "-9e999", "0.1", "1e-300", "''", "'{}'", "json('[1]')",
        "CAST(x'ff41' AS TEXT)", "'a' || char(0) || 'b'", "'2026-11-22'", "'\"\\'", "zeroblob(3)",
    ]

    /// A value for a column. A row number gets integers alone: of anything else SQLite says that it does not fit, and
    /// forgets to undo the rows before, which it does not where there is a trigger.
    private func value(for column: String, _ random: inout Seeded) -> String {
        column == "rowid" || column == rowID ? "\(random.below(6))" : value(&random)
    }

    private func value(_ random: inout Seeded) -> String {
        random.below(2) == 0 ? random.pick(Array(Self.values.prefix(9))) : random.pick(Self.values)
    }

    /// - Parameter isUpdate: where a trigger stands, whichever, SQLite can go through the rows of an update in another
    ///   order, and one that stops in the middle has then changed others.
    private func resolution(_ random: inout Seeded, isUpdate: Bool = false) -> String {
        guard random.below(2) == 0 else { return "" }
        let choice = random.pick(Self.conflicts + ["REPLACE", "REPLACE", "IGNORE"])
        return choice == "FAIL" && (hasTriggers || isUpdate) ? "OR ABORT" : "OR \(choice)"
    }

    private func condition(_ random: inout Seeded) -> String {
        switch random.below(6) {
        case 0: return "1"
        case 1: return "\(random.pick(columns).name) IS NOT \(value(&random))"
        default: return "\(random.pick(columns).name) = \(value(&random))"
        }
    }

    private func assignments(_ random: inout Seeded, excluded: Bool = false) -> String {
        var names = plainColumns
        if hasRowID, random.below(12) == 0 { names.append("rowid") }
        var parts: [String] = []
        for _ in 0...random.below(2) {
            let name = names.remove(at: random.below(names.count))
            let other =
                name == "rowid"
                ? "\(random.below(5))" : excluded && random.below(2) == 0 ? "excluded.\(name)" : nil
            let moved = random.below(6) == 0 ? "\(name) + 1" : nil
            parts.append("\(name) = \(other ?? moved ?? value(for: name, &random))")
            if names.isEmpty { break }
        }
        return parts.joined(separator: ", ")
    }

    func statement(_ random: inout Seeded) -> String {
        if hasParent, random.below(5) == 0 { return parentStatement(&random) }
        switch random.below(20) {
        case 0...7: return insertion(&random)
        case 8...12:
            return
                "UPDATE \(resolution(&random, isUpdate: true)) t SET \(assignments(&random)) WHERE \(condition(&random))"
        case 13, 14: return "DELETE FROM t WHERE \(condition(&random))"
        case 15: return random.below(4) == 0 ? "DELETE FROM t" : "INSERT \(resolution(&random)) INTO t DEFAULT VALUES"
        case 16: return random.pick(["SAVEPOINT s", "SAVEPOINT s", "ROLLBACK TO s", "RELEASE s"])
        case 17: return random.pick(["BEGIN", "COMMIT", "ROLLBACK"])
        case 18:
            return """
                UPDATE \(resolution(&random, isUpdate: true)) t SET \(assignments(&random)) FROM (SELECT 1 AS x UNION SELECT 2) AS o \
                WHERE t.\(random.pick(columns).name) = o.x
                """
        default: return "REPLACE INTO t(\(plainColumns.joined(separator: ", "))) VALUES \(tuple(plainColumns, &random))"
        }
    }

    private func insertion(_ random: inout Seeded) -> String {
        var names = plainColumns.filter { key.contains($0) || random.below(4) > 0 }
        if hasRowID, random.below(10) == 0 { names.append("rowid") }
        let list = names.joined(separator: ", ")
        let tuples = (0...random.below(4)).map { _ in tuple(names, &random) }.joined(separator: ", ")
        switch random.below(5) {
        case 0:
            let set = random.pick(uniqueSets)
            return """
                INSERT INTO t(\(list)) VALUES \(tuples) ON CONFLICT (\(set.joined(separator: ", "))) \
                DO UPDATE SET \(assignments(&random, excluded: true))\(random.below(3) == 0 ? " WHERE c0 IS NOT 1" : "")
                """
        case 1: return "INSERT INTO t(\(list)) VALUES \(tuples) ON CONFLICT DO NOTHING"
        case 2:
            let shuffled = names.map { $0 == "rowid" || random.below(3) == 0 ? value(for: $0, &random) : $0 }
            let selection = shuffled.joined(separator: ", ")
            return "INSERT \(resolution(&random)) INTO t(\(list)) SELECT \(selection) FROM t LIMIT 5"
        default: return "INSERT \(resolution(&random)) INTO t(\(list)) VALUES \(tuples)"
        }
    }

    private func tuple(_ names: [String], _ random: inout Seeded) -> String {
        "(\(names.map { value(for: $0, &random) }.joined(separator: ", ")))"
    }

    private func parentStatement(_ random: inout Seeded) -> String {
        switch random.below(4) {
        case 0: "DELETE FROM p WHERE id = \(random.below(4))"
        case 1: "UPDATE OR REPLACE p SET id = \(random.below(4)) WHERE id = \(random.below(4))"
        default: "INSERT OR REPLACE INTO p VALUES (\(random.below(4)), 'x'), (\(random.below(4)), 1)"
        }
    }
}

extension Seeded {
    mutating func pick<Element>(_ choices: [Element]) -> Element {
        choices[below(choices.count)]
    }
}
