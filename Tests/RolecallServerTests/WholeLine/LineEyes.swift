import WireJSON

/// Somebody, and the configuration's rules once more for him, as plainly as they can be said; to compare with.
struct LineEyes: Hashable, Sendable {
    struct User: Hashable, Sendable {
        var id: Int64
        var email: String
    }

    /// Of his role; the lowest for nobody.
    var rank: Int
    var user: User?

    static let nobody = LineEyes(rank: 0, user: nil)

    func grants(_ rules: [LineRule], _ row: LineRow, of table: LineTable) -> Bool {
        for rule in rules {
            if let least = rule.rank, rank < least { continue }
            var holds = true
            for (column, values) in rule.when {
                let cell = row[table.told(column)] ?? "missing"
                if !values.contains(where: { $0.meanings.contains(cell) }) { holds = false }
            }
            if let owner = rule.owner { holds = holds && isMine(row[table.told(owner.column)], isEmail: owner.isEmail) }
            if holds { return true }
        }
        return false
    }

    private func isMine(_ cell: String?, isEmail: Bool) -> Bool {
        guard let user, let cell else { return false }
        if isEmail { return cell.hasPrefix("\"") && cell.lowercased() == "\"\(user.email.lowercased())\"" }
        return cell == "\(user.id)" || cell == "\(user.id).0"
    }

    /// Whether some rule is within reach at all.
    func reaches(_ rules: [LineRule]) -> Bool {
        rules.contains { $0.rank.map { rank >= $0 } ?? true }
    }

    func seesSome(of table: LineTable) -> Bool {
        table.read.contains { rule in (rule.rank.map { rank >= $0 } ?? true) && (rule.owner == nil || user != nil) }
    }

    func sees(_ column: LineColumn) -> Bool {
        !column.isSecret && (column.readRank.map { rank >= $0 } ?? true)
    }

    func writes(_ column: LineColumn, of table: LineTable) -> Bool {
        user != nil && sees(column) && table.stamps[column.name] == nil && (column.writeRank.map { rank >= $0 } ?? true)
    }

    /// What he may read of a row; nil for nothing.
    func part(of row: LineRow?, _ table: LineTable) -> LineRow? {
        guard let row, grants(table.read, row, of: table) else { return nil }
        var part: LineRow = [:]
        for (name, cell) in row where name == "_id" || table.column(told: name).map(sees) ?? false { part[name] = cell }
        return part
    }

    /// Whether he is told who has made a change: he sees everybody, with his name.
    func seesActors(_ users: LineTable) -> Bool {
        users.read.contains { rule in
            rule.when.isEmpty && rule.owner == nil && (rule.rank.map { rank >= $0 } ?? true)
        } && (users.column(told: "name").map(sees) ?? false)
    }

    /// What he is told of an entry of the log.
    func told(_ entry: LineEntry, _ table: LineTable, _ users: LineTable) -> LineTold? {
        let before = part(of: entry.before, table)
        let after = part(of: entry.after, table)
        let by = seesActors(users) ? entry.actor : nil
        guard let after else {
            guard before != nil else { return nil }
            return LineTold(
                name: "\(table.model):remove", row: ["_id": entry.key],
                operation: entry.after == nil ? "removed" : "hidden", changed: [], by: by, sequence: entry.sequence)
        }
        var told = LineTold(
            name: "\(table.model):save", row: after, operation: "created", changed: [], by: by, sequence: entry.sequence
        )
        guard let before else { return told }
        if before == after, entry.before != entry.after { return nil }
        told.operation = "updated"
        told.changed = Set(after.keys.filter { before[$0] != after[$0] })
        return told
    }
}

/// An entry of the log, as it stands in its table.
struct LineEntry: Sendable {
    var sequence: Int64
    var model: String
    var key: String
    var before: LineRow?
    var after: LineRow?
    /// JSON.
    var actor: String?
}

/// What somebody is told of one.
struct LineTold: Equatable, Sendable {
    var name: String
    var row: LineRow
    var operation: String
    var changed: Set<String>
    var by: String?
    var sequence: Int64
}

/// The numbers of nine digits in a text, other than as a part of longer ones.
func lineNumbers(in text: some StringProtocol) -> Set<Int64> {
    var numbers: Set<Int64> = []
    var digits = 0
    var value: Int64 = 0
    for byte in text.utf8 {
        if UInt8(ascii: "0")...UInt8(ascii: "9") ~= byte {
            digits += 1
            if digits <= 9 { value = value * 10 + Int64(byte - UInt8(ascii: "0")) }
        } else {
            if digits == 9 { numbers.insert(value) }
            (digits, value) = (0, 0)
        }
    }
    if digits == 9 { numbers.insert(value) }
    return numbers
}
