import TestSupport
import WireJSON

/// A made-up database, and rules for it.
///
/// Nearly every value bears a number of nine digits that stands nowhere else, and so does every column's name: what
/// leaks can't hide behind what may be seen anyway.
struct LineWorld: Sendable {
    static let rooms = ["lobby", "office", "attic"]
    private static let marks: [Int64] = [930_000_001, 930_000_002, 930_000_003]

    struct Account: Sendable {
        var id: Int64
        var email: String
        var name: String
        var rank: Int
        var eyes: LineEyes { LineEyes(rank: rank, user: LineEyes.User(id: id, email: email)) }
    }

    var random: Seeded
    private(set) var roles: [String] = []
    /// Those of the database, then users and messages.
    private(set) var tables: [LineTable] = []
    private(set) var accounts: [Account] = []
    private(set) var roomsYAML = ""
    private var lastNumber: Int64 = 100_000_000

    init(seed: UInt64) {
        random = Seeded(seed)
        roles = Array(["guest", "reader", "writer", "keeper", "boss"].prefix(3 + random.below(3)))
        makeAccounts()
        for place in 0..<(2 + random.below(3)) { tables.append(table(place)) }
        for place in tables.indices { makeRules(place) }
        tables.append(makeUsers())
        tables.append(makeMessages())
    }

    mutating func number() -> Int64 {
        lastNumber += 1
        return lastNumber
    }

    mutating func one<Element>(of elements: [Element]) -> Element { elements[random.below(elements.count)] }

    mutating func isOne(in count: Int) -> Bool { random.below(count) == 0 }

    var users: LineTable { tables[tables.count - 2] }

    /// Two of every role but the lowest, which one has.
    private mutating func makeAccounts() {
        let ranks = [roles.count - 1, 0] + (1..<roles.count).flatMap { [$0, $0] }
        for (place, rank) in ranks.enumerated() {
            let id = 910_000_001 + Int64(place)
            accounts.append(Account(id: id, email: email(), name: "Name \(number())", rank: rank))
        }
    }

    mutating func email() -> String { "Us\(number())@Example.com" }

    // MARK: Tables

    private mutating func table(_ place: Int) -> LineTable {
        var table = LineTable(
            model: "m\(place)", path: isOne(in: 2) ? "m\(place)s" : "p-\(place)",
            table: one(of: ["order", "t a", "Table", "it\u{e9}ms"]) + String(place), columns: [], keys: [])
        makeKey(of: &table)
        makeColumns(of: &table, place)
        makeIndexes(of: &table)
        return table
    }

    private mutating func name() -> String { "c\(number())\(one(of: ["", "", "", " x", "\u{e9}"]))" }

    private mutating func makeKey(of table: inout LineTable) {
        func key(_ name: String, _ declaration: String, isText: Bool) -> LineColumn {
            LineColumn(name: name, kind: .key, isText: isText, declaration: declaration, isNullable: false)
        }
        switch random.below(8) {
        case 0...1:
            let isAuto = isOne(in: 3)
            var column = key(
                isOne(in: 3) ? "_id" : name(), "INTEGER PRIMARY KEY\(isAuto ? " AUTOINCREMENT" : "")", isText: false)
            column.isRowID = true
            table.columns = [column]
        case 2...3:
            let collation = isOne(in: 4) ? " COLLATE NOCASE" : ""
            table.columns = [key(name(), "TEXT NOT NULL\(collation) PRIMARY KEY", isText: true)]
            table.isWithoutRowID = isOne(in: 2)
        case 4:
            table.columns = [key(name(), "INT NOT NULL PRIMARY KEY", isText: false)]
        case 5:
            // A row's number of its own, and a key that is named in its place.
            var number = key(name(), "INTEGER PRIMARY KEY", isText: false)
            number.isRowID = true
            number.kind = .integer
            table.columns = [number, key(name(), "TEXT NOT NULL UNIQUE", isText: true)]
        default:
            let isText = (0..<(2 + random.below(2))).map { _ in isOne(in: 2) }
            table.columns = isText.map { key(name(), "\($0 ? "TEXT" : "INTEGER") NOT NULL", isText: $0) }
            var names = table.columns.map(\.name)
            if isOne(in: 3) { names.reverse() }
            table.constraints.append("PRIMARY KEY (\(names.map { "\"\($0)\"" }.joined(separator: ", ")))")
            table.isWithoutRowID = isOne(in: 2)
            table.keys = names
            return
        }
        table.keys = [table.columns.last?.name ?? ""]
    }

    private mutating func makeColumns(of table: inout LineTable, _ place: Int) {
        var kinds: [LineColumn.Kind] = [
            .flag, .mark, .ownerID, .ownerEmail, .text, .integer, .real, .blob, .any, .code,
        ]
        kinds += [.text, .mark, .code].filter { _ in isOne(in: 2) }
        if let parent = tables.indices.filter({ !tables[$0].hasCompositeKey }).randomElement(using: &random) {
            kinds.append(.reference(to: parent))
        }
        kinds.shuffle(using: &random)
        for kind in kinds where !isOne(in: 5) { table.columns.append(column(kind)) }
        if isOne(in: 2), let source = table.columns.first(where: { if case .text = $0.kind { true } else { false } }) {
            table.columns.append(
                LineColumn(
                    name: name(), kind: .generated, isText: true,
                    declaration:
                        "TEXT GENERATED ALWAYS AS (\"\(source.name)\" || '+') \(isOne(in: 2) ? "STORED" : "VIRTUAL")"))
        }
        if isOne(in: 3),
            let source = table.columns.first(where: { if case .integer = $0.kind { !$0.isRowID } else { false } })
        {
            table.columns.append(
                LineColumn(
                    name: name(), kind: .generated,
                    declaration: "INTEGER AS (\"\(source.name)\" * -1)"))
        }
    }

    private mutating func column(_ kind: LineColumn.Kind) -> LineColumn {
        var column = LineColumn(name: name(), kind: kind, declaration: "")
        column.isNullable = !isOne(in: 4)
        var fallback: String?
        switch kind {
        case .flag:
            column.declaration = one(of: ["BOOLEAN", "bool"])
            fallback = "1"
        case .mark:
            column.isText = isOne(in: 2)
            column.declaration = column.isText ? "VARCHAR(20)" : "INTEGER"
            fallback = column.isText ? "'m\(Self.marks[0])'" : "\(Self.marks[0])"
        case .ownerID: column.declaration = one(of: ["INTEGER", "NUMERIC", "REAL"])
        case .ownerEmail:
            column.isText = true
            column.declaration = "TEXT"
        case .text:
            column.isText = true
            column.declaration = one(of: ["TEXT", "CLOB", "VARCHAR(99) COLLATE NOCASE"])
            fallback = "'t\(number())'"
        case .integer: column.declaration = one(of: ["INTEGER", "BIGINT"])
        case .real: column.declaration = one(of: ["REAL", "DOUBLE"])
        case .blob: column.declaration = "BLOB"
        case .any:
            column.declaration = one(of: ["DATE", "DECIMAL(10,2)", "NUMERIC"])
        case .code: column.declaration = one(of: ["INTEGER", "INTEGER UNIQUE"])
        case .reference(let parent):
            let key = tables[parent].columns.first { tables[parent].keys == [$0.name] }
            column.isText = key?.isText ?? false
            column.isNullable = true
            let deed = one(of: ["CASCADE", "CASCADE", "SET NULL", "RESTRICT"])
            column.declaration = """
                \(column.isText ? "TEXT" : "INTEGER") REFERENCES \(tables[parent].sqlName)("\(key?.name ?? "")") \
                ON DELETE \(deed) ON UPDATE CASCADE
                """
        case .key, .generated: break
        }
        if !column.isNullable {
            column.declaration += " NOT NULL"
            if let fallback, isOne(in: 2) {
                column.declaration += " DEFAULT \(fallback)"
                column.hasDefault = true
            }
        }
        return column
    }

    private mutating func makeIndexes(of table: inout LineTable) {
        let codes = table.columns.filter {
            if case .code = $0.kind { !$0.declaration.contains("UNIQUE") } else { false }
        }
        for (place, code) in codes.enumerated() {
            let mark = table.columns.first { if case .mark = $0.kind { true } else { false } }
            let flag = table.columns.first(where: \.isBoolean)
            var terms = "\"\(code.name)\""
            if let mark, isOne(in: 2) { terms += ", \"\(mark.name)\"" }
            let condition = flag.map { isOne(in: 3) ? " WHERE \"\($0.name)\" = 1" : "" } ?? ""
            table.indexes.append(
                "CREATE UNIQUE INDEX \"\(table.table) \(place)\" ON \(table.sqlName)(\(terms))\(condition)")
        }
    }

    // MARK: Rules

    private mutating func makeRules(_ place: Int) {
        var table = tables[place]
        for column in table.columns.indices where !table.columns[column].isKey {
            switch random.below(8) {
            case 0...1: table.columns[column].readRank = random.below(roles.count)
            case 2 where !table.columns[column].isGenerated: table.columns[column].writeRank = random.below(roles.count)
            case 3 where table.columns[column].isNullable && !table.columns[column].isRowID && isOne(in: 2):
                table.columns[column].isSecret = true
            default: break
            }
        }
        let isClosed = isOne(in: 10)
        table.read = isClosed ? [] : rules(on: table, 1 + random.below(3), least: nil)
        if !isClosed {
            if let owner = table.columns.first(where: { if case .ownerID = $0.kind { !$0.isSecret } else { false } }),
                isOne(in: 4)
            {
                table.stamps[owner.name] = .authorID
            }
            if let text = table.columns.first(where: { if case .text = $0.kind { !$0.isSecret } else { false } }),
                isOne(in: 6)
            {
                table.stamps[text.name] = .authorName
            }
            let least = table.read.map { $0.rank ?? 0 }.min() ?? 0
            table.create = rules(on: table, random.below(4), least: least)
            table.update = rules(on: table, random.below(4), least: least)
            table.remove = rules(on: table, random.below(3), least: least)
            if isOne(in: 3) { table.update = table.create }
            if isOne(in: 3) { table.remove = table.create }
        }
        table.yaml = yaml(of: table)
        tables[place] = table
    }

    /// - Parameter least: of those who read anything, where the rules are those of writers.
    private mutating func rules(on table: LineTable, _ count: Int, least: Int?) -> [LineRule] {
        var rules: [LineRule] = []
        for _ in 0..<count {
            var rule = rule(on: table)
            if let least, max(rule.rank ?? 0, 1) < least { rule.rank = least }
            if rules.contains(where: { $0.covers(rule) }) { continue }
            rules.removeAll { rule.covers($0) }
            rules.append(rule)
        }
        return rules
    }

    private mutating func rule(on table: LineTable) -> LineRule {
        var rule = LineRule()
        if !isOne(in: 4) { rule.rank = random.below(roles.count) }
        for column in table.columns where !column.isSecret {
            switch column.kind {
            case .flag where isOne(in: 4):
                rule.when.append((column.name, [.boolean(isOne(in: 2))]))
            case .mark where isOne(in: 5):
                let places = Set([random.below(3), random.below(3)])
                var values: [LineValue] = places.sorted().map {
                    column.isText ? .text("m\(Self.marks[$0])") : .integer(Self.marks[$0])
                }
                if column.isNullable, isOne(in: 4) { values.append(.null) }
                rule.when.append((column.name, values))
            case .ownerID where rule.owner == nil && isOne(in: 3):
                rule.owner = (column.name, false)
            case .ownerEmail where rule.owner == nil && isOne(in: 3):
                rule.owner = (column.name, true)
            default: break
            }
        }
        if rule.owner != nil, rule.rank == 0 { rule.rank = isOne(in: 2) ? nil : 1 }
        return rule
    }

    // MARK: The configuration

    var yaml: String {
        """
        roles: [\(roles.joined(separator: ", "))]
        models:
        \(tables.map(\.yaml).joined())\(roomsYAML)
        """
    }

    private mutating func yaml(of table: LineTable) -> String {
        var lines = ["  \(table.model):", "    table: \"\(table.table)\""]
        if table.path != "\(table.model)s" { lines.append("    path: \(table.path)") }
        if !table.columns[0].isKey {
            lines.append("    key: \"\(table.keys[0])\"")
        } else if isOne(in: 4) {
            lines.append("    key: [\(table.keys.map { "\"\($0)\"" }.joined(separator: ", "))]")
        }
        lines.append("    read: \(yaml(table.read))")
        func text(_ rules: [LineRule]) -> String { rules.map { $0.yaml(roles: roles) }.joined() }
        if !table.read.isEmpty {
            if text(table.create) == text(table.update) {
                lines.append("    write: \(yaml(table.create))")
                if text(table.remove) != text(table.create) { lines.append("    remove: \(yaml(table.remove))") }
            } else {
                if !table.create.isEmpty { lines.append("    create: \(yaml(table.create))") }
                if !table.update.isEmpty { lines.append("    update: \(yaml(table.update))") }
                if !table.remove.isEmpty { lines.append("    remove: \(yaml(table.remove))") }
            }
        }
        let fields = table.columns.compactMap { column -> String? in
            var parts: [String] = []
            if column.isSecret { parts.append("secret: true") }
            if let rank = column.readRank { parts.append("read: \(roles[rank])") }
            if let rank = column.writeRank { parts.append("write: \(roles[rank])") }
            return parts.isEmpty ? nil : "      \"\(column.name)\": {\(parts.joined(separator: ", "))}"
        }
        if !fields.isEmpty { lines += ["    fields:"] + fields }
        let stamps = table.stamps.sorted { $0.key < $1.key }.map { column, stamp in
            "      \"\(column)\": \(stamp == .authorID ? "author-id" : "author-name")"
        }
        if !stamps.isEmpty { lines += ["    stamps:"] + stamps }
        return lines.map { "\($0)\n" }.joined()
    }

    private mutating func yaml(_ rules: [LineRule]) -> String {
        if rules.count == 1, isOne(in: 2) { return rules[0].yaml(roles: roles) }
        return "[\(rules.map { $0.yaml(roles: roles) }.joined(separator: ", "))]"
    }

    // MARK: Users and messages

    private mutating func makeUsers() -> LineTable {
        func column(_ name: String, isText: Bool, readRank: Int? = nil) -> LineColumn {
            LineColumn(name: name, kind: isText ? .text : .integer, isText: isText, declaration: "", readRank: readRank)
        }
        var table = LineTable(
            model: "user", path: "users", table: "rolecall_user",
            columns: [
                LineColumn(name: "_id", kind: .key, declaration: "", isNullable: false, isRowID: true),
                column("email", isText: true, readRank: roles.count - 1), column("name", isText: true),
                column("role", isText: true, readRank: roles.count - 1),
                column("generation", isText: false, readRank: .max),
            ], keys: ["_id"], read: [LineRule(rank: 1)], isBuiltIn: true)
        guard isOne(in: 2) else { return table }
        table.yaml = "  user:\n"
        if isOne(in: 2) {
            table.read = [LineRule(rank: random.below(roles.count))]
            if isOne(in: 2) { table.read = [LineRule(rank: roles.count - 1), LineRule(owner: ("email", true))] }
            table.yaml += "    read: \(yaml(table.read))\n"
        }
        let (place, rank) = (1 + random.below(3), random.below(roles.count))
        table.columns[place].readRank = rank
        table.yaml += "    fields: {\(table.columns[place].name): {read: \(roles[rank])}}\n"
        return table
    }

    private mutating func makeMessages() -> LineTable {
        func column(_ name: String, isText: Bool, hasDefault: Bool = false, isNullable: Bool = false) -> LineColumn {
            LineColumn(
                name: name, kind: .text, isText: isText, declaration: "", isNullable: isNullable, hasDefault: hasDefault
            )
        }
        var table = LineTable(
            model: "message", path: "messages", table: "rolecall_message",
            columns: [
                LineColumn(name: "_id", kind: .key, declaration: "", isNullable: false, isRowID: true),
                column("room", isText: true, hasDefault: true), column("body", isText: true),
                LineColumn(name: "author", kind: .ownerID, declaration: ""),
                column("name", isText: true, isNullable: true),
                column("at", isText: true, hasDefault: true),
            ], keys: ["_id"], read: [LineRule(rank: 1)], create: [LineRule(rank: 1)],
            remove: [LineRule(rank: roles.count - 1), LineRule(rank: 1, owner: ("author", false))],
            stamps: ["author": .authorID, "name": .authorName, "at": .now], isBuiltIn: true)
        guard isOne(in: 2) else { return table }
        (table.read, table.create) = ([], [])
        roomsYAML = "rooms:\n"
        for room in Self.rooms.prefix(1 + random.below(3)) {
            let read = random.below(roles.count)
            let write = read + random.below(roles.count - read)
            roomsYAML += "  \(room): {read: \(roles[read]), write: \(roles[write])}\n"
            table.read.append(LineRule(rank: read, when: [("room", [.text(room)])]))
            table.create.append(LineRule(rank: write, when: [("room", [.text(room)])]))
        }
        return table
    }

    // MARK: Accounts

    /// Gives an account another role, name or address.
    mutating func change(account place: Int, _ body: (inout Account) -> Void) { body(&accounts[place]) }

    // MARK: Values

    /// What somebody may write into a column.
    ///
    /// - Parameter rows: of each table, by their keys.
    mutating func value(of column: LineColumn, in rows: [[String: LineRow]]) -> LineValue {
        if column.isNullable, isOne(in: 6) { return .null }
        if column.name == "room" { return .text(isOne(in: 6) ? "room \(number())" : one(of: Self.rooms)) }
        switch column.kind {
        case .flag: return .boolean(isOne(in: 2))
        case .mark:
            let mark = one(of: Self.marks)
            return column.isText ? .text("m\(mark)") : .integer(mark)
        case .ownerID: return .integer(one(of: accounts).id)
        case .ownerEmail:
            let email = one(of: accounts).email
            return .text(one(of: [email, email.lowercased(), email.uppercased(), "no \(number())"]))
        case .text: return .text(one(of: ["", "\u{e9}\"", "\u{1f600}", "it's \\ {", "a\nb;", "<&>"]) + "t\(number())")
        case .integer: return .integer(isOne(in: 2) ? number() : -number())
        case .real: return .half(number())
        case .blob: return .blob(number())
        case .any:
            return one(of: [.text("2026-11-22 \(number())"), .integer(number()), .half(number()), .blob(number())])
        case .code: return .integer(950_000_000 + Int64(random.below(6)))
        case .reference(let parent):
            let keys = rows[parent].keys.sorted()
            guard !keys.isEmpty, !isOne(in: 12) else {
                return column.isText ? .text("k\(number())") : .integer(number())
            }
            return LineValue(cell: one(of: keys))
        case .key:
            return column.isText
                ? .text(one(of: ["k", "K ", "\u{e9}", "\u{fc}%2F", "a,b", "[x", "q'", "+&?#"]) + "\(number())")
                : .integer(number())
        case .generated: return .null
        }
    }

    /// The number of a new row, where it is not the table's to give: far from all others, and with room behind it.
    mutating func rowID() -> LineValue { .integer(600_000_000 + 1_000 * (number() - 100_000_000)) }
}

extension LineValue {
    /// Of a row's cell.
    init(cell: String) {
        switch try? JSON(parsing: Array(cell.utf8)) {
        case .integer(let value): self = .integer(value)
        case .number(let value):
            self = value == value.rounded() ? .integer(Int64(value)) : .half(Int64(value.rounded(.down)))
        case .string(let value): self = .text(value)
        case .bool(let value): self = .boolean(value)
        case .object(let object):
            self = .blob(object["$blob"]?.stringValue.flatMap { Int64($0.dropFirst()) } ?? 0)
        default: self = .null
        }
    }
}
