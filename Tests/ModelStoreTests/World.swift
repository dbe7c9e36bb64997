import ModelStore
import RolecallProtocol
import TestSupport

/// Random policies, tables and histories.
///
/// Every column and nearly every value bears a number of nine digits that stands nowhere else, so that a leak can't
/// hide behind what may be seen anyway; ``numbers(in:)`` finds them in bytes.
struct World {
    static let roles = ["guest", "user", "keeper", "admin"]
    static let users: [Int64] = [910_000_001, 910_000_002]
    private static let marks: [Int64] = [920_000_001, 920_000_002, 920_000_003]
    private static let teams: [Int64] = [930_000_001, 930_000_002, 930_000_003]

    /// What the users belong to.
    static let memberships: [Int64: Memberships] = [
        users[0]: [
            Membership(name: "team", value: .integer(teams[0]), roles: ["owner"]),
            Membership(name: "team", value: .integer(teams[1])),
        ],
        users[1]: [
            Membership(name: "team", value: .integer(teams[1]), roles: ["editor", "guest"]),
            Membership(name: "club", value: .integer(teams[0]), roles: ["owner"]),
        ],
    ]

    /// What stands in a column: four kinds that rules ask for, and one for each type.
    enum Kind: CaseIterable {
        case flag
        case mark
        case owner
        case team
        case text
        case integer
        case real
        case blob
    }

    struct Table {
        var model: String
        /// Beside the key.
        var columns: [(name: String, kind: Kind)]
    }

    var random: Seeded
    private(set) var tables: [Table] = []
    private var lastNumber: Int64 = 100_000_000

    init(seed: UInt64) {
        random = Seeded(seed)
    }

    private mutating func number() -> Int64 {
        lastNumber += 1
        return lastNumber
    }

    private mutating func one<Element>(of elements: [Element]) -> Element {
        elements[random.below(elements.count)]
    }

    // MARK: Policies

    /// New tables, and rules for them.
    mutating func policy() -> Policy {
        tables = ["row", "item"].map { model in
            Table(model: model, columns: Kind.allCases.map { (name: "c\(number())", kind: $0) })
        }
        tables.append(
            Table(
                model: ModelName.user, columns: [("name", .text), ("c\(number())", .flag), ("c\(number())", .integer)]))
        var models: [String: ModelPolicy] = [:]
        for table in tables { models[table.model] = rules(of: table) }
        return Policy(roles: Self.roles, models: models)
    }

    private mutating func rules(of table: Table) -> ModelPolicy {
        var policy = ModelPolicy(read: (0..<random.below(4)).map { _ in rule(on: table) })
        for column in table.columns where random.below(4) == 0 { policy.fields[column.name] = access(to: table) }
        if random.below(12) == 0 { policy.fields["_id"] = access(to: table) }
        policy.create = (0..<random.below(3)).map { _ in rule(on: table) }
        policy.update = (0..<random.below(3)).map { _ in rule(on: table) }
        policy.remove = (0..<random.below(3)).map { _ in rule(on: table) }
        return policy
    }

    private mutating func access(to table: Table) -> ColumnAccess {
        random.below(3) > 0
            ? ColumnAccess(role: role())
            : ColumnAccess(rules: (0..<random.below(3)).map { _ in rule(on: table) })
    }

    private mutating func role() -> String {
        random.below(12) == 0 ? "misspelt" : one(of: Self.roles)
    }

    private mutating func rule(on table: Table) -> Rule {
        var rule = Rule()
        if random.below(4) > 0 { rule.role = role() }
        for column in table.columns {
            switch column.kind {
            case .flag where random.below(3) == 0:
                rule.when[column.name] = one(of: [.boolean(true), .boolean(false), .integer(1), .null])
            case .mark where random.below(4) == 0:
                rule.when[column.name] = one(of: Self.marks.map(Value.integer) + [.null])
            case .owner where random.below(3) == 0:
                rule.owner = Ownership(column: column.name)
            case .team where random.below(3) == 0:
                rule.member = MemberCondition(
                    one(of: ["team", "team", "club"]), of: column.name,
                    as: one(of: [nil, nil, ["owner"], ["editor", "guest"]]))
            default: break
            }
        }
        switch random.below(30) {
        case 0: rule.owner = "_id"
        case 1: rule.owner = "nowhere"
        case 2: rule.when["nowhere"] = .null
        case 3: rule.member = MemberCondition("team", of: "nowhere")
        default: break
        }
        return rule
    }

    // MARK: Rows

    mutating func row(of table: Table, key: Value) -> Row {
        Row([(column: "_id", value: key)] + table.columns.map { (column: $0.name, value: value(of: $0.kind)) })
    }

    private mutating func value(of kind: Kind) -> Value {
        switch kind {
        case .flag:
            one(
                of: [true, false].map(Value.boolean)
                    + [.boolean(true), .boolean(false), .integer(0), .integer(1), .integer(2), .real(1), .null])
        case .mark:
            random.below(4) == 0 ? .null : one(of: Self.marks.map(Value.integer) + Self.marks.map { .real(Double($0)) })
        case .owner:
            random.below(3) == 0
                ? .null : one(of: Self.users.map(Value.integer) + [.real(Double(Self.users[0])), .boolean(true)])
        case .team:
            random.below(4) == 0
                ? .null
                : one(of: Self.teams.map(Value.integer) + [.real(Double(Self.teams[1])), .text(String(Self.teams[0]))])
        case .text: .text(one(of: ["", "é\"", "\u{1f600}\u{0}", "{\\"]) + "t\(number())")
        case .integer: .integer(random.below(2) == 0 ? number() : -number())
        case .real: .real(Double(number()) + 0.5)
        case .blob: .blob(blob(number()))
        }
    }

    /// Bytes whose hexadecimal digits are an `a` and the number.
    private func blob(_ number: Int64) -> [UInt8] {
        let digits = [10] + String(number).utf8.map { $0 - UInt8(ascii: "0") }
        return stride(from: 0, to: digits.count, by: 2).map { digits[$0] << 4 | digits[$0 + 1] }
    }

    /// The row with one column changed, or with the columns of a table that was altered meanwhile.
    private mutating func changed(_ row: Row, of table: Table) -> Row {
        let other = self.row(of: table, key: row["_id"] ?? .null)
        var fields = Array(row.fields)
        switch random.below(16) {
        case 0 where fields.count > 2: fields.remove(at: 1 + random.below(fields.count - 1))
        case 1: fields.append((column: "c\(number())", value: value(of: .text)))
        case 2 where fields.count > 2: fields.swapAt(1, fields.count - 1)
        case 3: break
        default:
            let place = random.below(fields.count)
            if let value = other[fields[place].column] { fields[place].value = value }
        }
        return Row(fields)
    }

    // MARK: Histories

    /// Events of a few rows of each table, which come, change and go.
    mutating func history(of length: Int) -> [ChangeRecord] {
        var rows: [String: [Value: Row]] = [:]
        let keys: [[Value]] = tables.map { table in
            let own: [Value] = table.model == ModelName.user ? Self.users.map(Value.integer) : []
            return own + [.integer(number()), .text("k\(number())"), .integer(number())]
        }
        return (1...length).map { sequence in
            let place = random.below(tables.count)
            let (table, key) = (tables[place], one(of: keys[place]))
            let before = rows[table.model]?[key]
            let after: Row? =
                switch before {
                case nil: row(of: table, key: key)
                case .some where random.below(5) == 0: nil
                case .some where random.below(5) == 0: row(of: table, key: key)
                case .some(let row): changed(row, of: table)
                }
            rows[table.model, default: [:]][key] = after
            let change: ChangeRecord.Change = before == nil ? .created : after == nil ? .removed : .updated
            let actor = Author(id: number(), name: "n\(number())")
            return ChangeRecord(
                sequence: Int64(sequence), model: table.model, change: change, key: key, before: before, after: after,
                author: random.below(4) == 0 ? nil : actor, at: "2026-11-22T13:45:01.123Z")
        }
    }

    /// The numbers of nine digits in a text, other than as a part of longer ones.
    static func numbers(in bytes: [UInt8]) -> Set<Int64> {
        var numbers: Set<Int64> = []
        var digits = 0
        var value: Int64 = 0
        bytes.withUnsafeBufferPointer { bytes in
            for byte in bytes {
                if UInt8(ascii: "0")...UInt8(ascii: "9") ~= byte {
                    digits += 1
                    if digits <= 9 { value = value * 10 + Int64(byte - UInt8(ascii: "0")) }
                } else {
                    if digits == 9 { numbers.insert(value) }
                    digits = 0
                    value = 0
                }
            }
        }
        if digits == 9 { numbers.insert(value) }
        return numbers
    }
}

/// Somebody, and the rules once more for him, as plainly as they can be said; to compare with.
struct Somebody: CustomStringConvertible {
    /// What he claims, if he is nobody.
    var role: String?
    var user: Int64?
    /// Whether the user belongs to nothing, whatever the others do.
    var isAlone = false

    var memberships: Memberships { isAlone ? .none : user.flatMap { World.memberships[$0] } ?? .none }

    /// As the rules of a policy see him.
    func view(under policy: Policy) -> View {
        policy.view(role: role, user: user.map { Owner(id: $0) }, memberships: memberships)
    }

    static let all: [Somebody] =
        [Somebody(), Somebody(role: "admin")]
        + (World.roles + ["misspelt"]).flatMap { role in World.users.map { Somebody(role: role, user: $0) } }
        + [Somebody(role: "user", user: World.users[0], isAlone: true)]

    var description: String { "\(role ?? "-") \(user ?? 0)\(isAlone ? " alone" : "")" }

    func has(_ wanted: String?, under policy: Policy) -> Bool {
        guard let wanted else { return true }
        guard let place = policy.roles.firstIndex(of: wanted) else { return false }
        if place == 0 { return true }
        guard user != nil, let role, let own = policy.roles.firstIndex(of: role) else { return false }
        return own >= place
    }

    /// What he may read of a row; nil for nothing.
    func part(of row: Row, of model: String, under policy: Policy) -> Row? {
        guard let rules = policy.models[model], sees("_id", of: row, rules, policy) else { return nil }
        for rule in rules.read where isGranted(rule, row, policy) {
            var fields: [Row.Field] = []
            for field in row.fields where sees(field.column, of: row, rules, policy) { fields.append(field) }
            return Row(fields)
        }
        return nil
    }

    private func sees(_ column: String, of row: Row, _ rules: ModelPolicy, _ policy: Policy) -> Bool {
        guard let access = rules.fields[column] else { return true }
        for rule in access.rules where isGranted(rule, row, policy) { return true }
        return false
    }

    private func isGranted(_ rule: Rule, _ row: Row, _ policy: Policy) -> Bool {
        var grants = has(rule.role, under: policy)
        for (column, value) in rule.when { grants = grants && means(row[column], value) }
        if let owner = rule.owner {
            grants = grants && user != nil && means(row[owner.column], .integer(user ?? 0))
        }
        if let member = rule.member {
            let held = memberships.sorted().first { membership in
                membership.name == member.membership && means(row[member.column], membership.value)
            }
            grants = grants && held != nil
            if let asked = member.roles { grants = grants && asked.contains { held?.roles.contains($0) ?? false } }
        }
        return grants
    }

    /// Numbers count as they are spelled without a fraction; true is 1.
    private func means(_ stored: Value?, _ asked: Value) -> Bool {
        guard let stored else { return false }
        func spelled(_ value: Value) -> String? {
            switch value {
            case .boolean(let value): value ? "1" : "0"
            case .integer(let value): String(value)
            case .real(let value): value == value.rounded() && abs(value) < 1e15 ? String(Int64(value)) : nil
            case .null, .text, .blob: nil
            }
        }
        if let stored = spelled(stored), let asked = spelled(asked) { return stored == asked }
        return stored == asked
    }

    func told(_ event: ChangeRecord, under policy: Policy) -> Visibility {
        let before = event.before.flatMap { part(of: $0, of: event.model, under: policy) }
        let after = event.after.flatMap { part(of: $0, of: event.model, under: policy) }
        guard let after else {
            if before == nil { return .nothing }
            return .remove(event.after == nil ? .removed : .hidden)
        }
        guard let before else { return .save(row: after, operation: .created, changed: []) }
        let changed = after.columns.filter { after[$0] != before[$0] }
        if before == after, event.before != event.after { return .nothing }
        return .save(row: after, operation: .updated, changed: changed)
    }

    func seesActors(under policy: Policy) -> Bool {
        guard let rules = policy.models[ModelName.user] else { return false }
        func isOpen(_ rules: [Rule]) -> Bool {
            rules.contains { $0.when.isEmpty && $0.owner == nil && $0.member == nil && has($0.role, under: policy) }
        }
        return ["_id", "name"].allSatisfy { rules.fields[$0].map { isOpen($0.rules) } ?? true } && isOpen(rules.read)
    }
}
