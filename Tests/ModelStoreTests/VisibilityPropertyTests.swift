import ModelStore
import RolecallProtocol
import TestSupport
import Testing

/// Random policies, rows and histories. Every text that is ever stored is unique, so that a leak can't hide behind a
/// value that may be seen elsewhere.
private struct World {
    static let columns = ["_id", "flag", "mark", "owner", "text", "note"]
    static let roles = ["guest", "user", "keeper", "admin"]

    var random: Seeded
    private var texts = 0

    init(seed: UInt64) {
        random = Seeded(seed)
    }

    mutating func policy() -> Policy {
        let read = (0..<random.below(4)).map { _ in rule() }
        var fields: [String: String] = [:]
        for column in Self.columns.dropFirst() where random.below(4) == 0 { fields[column] = role() }
        return Policy(roles: Self.roles, models: ["row": ModelPolicy(read: read, fields: fields)])
    }

    private mutating func role() -> String {
        random.below(12) == 0 ? "misspelt" : Self.roles[random.below(Self.roles.count)]
    }

    private mutating func rule() -> Rule {
        var rule = Rule()
        if random.below(4) > 0 { rule.role = role() }
        if random.below(3) == 0 { rule.when["flag"] = .boolean(random.below(2) == 0) }
        if random.below(4) == 0 { rule.when["mark"] = .integer(Int64(random.below(3))) }
        if random.below(3) == 0 { rule.owner = "owner" }
        return rule
    }

    mutating func row(_ key: Int64) -> Row {
        Row([
            ("_id", .integer(key)), ("flag", .boolean(random.below(2) == 0)),
            ("mark", .integer(Int64(random.below(3)))),
            ("owner", random.below(3) == 0 ? .null : .integer(Int64(random.below(3)))), ("text", text()),
            ("note", text()),
        ])
    }

    private mutating func text() -> Value {
        texts += 1
        return .text("unique \(texts)")
    }

    /// The row with one column, or none, changed.
    mutating func changed(_ row: Row) -> Row {
        guard case .integer(let key) = row["_id"] else { return row }
        let other = self.row(key)
        let column = Self.columns[random.below(Self.columns.count)]
        return Row(row.fields.map { ($0.column, $0.column == column ? other[$0.column] ?? .null : $0.value) })
    }

    /// Events of a few rows that come, change and go.
    mutating func history(of length: Int) -> [LogEvent] {
        var rows: [Int64: Row] = [:]
        return (1...length).map { number in
            let key = Int64(random.below(4))
            let before = rows[key]
            let after: Row? =
                switch before {
                case nil: row(key)
                case .some where random.below(5) == 0: nil
                case .some where random.below(5) == 0: row(key)
                case .some(let row): changed(row)
                }
            rows[key] = after
            let change: LogEvent.Change = before == nil ? .created : after == nil ? .removed : .updated
            return LogEvent(
                sequence: Int64(number), model: "row", change: change, key: .integer(key), before: before, after: after,
                actor: nil, at: "")
        }
    }
}

/// The rules once more, as plainly as they can be said, to compare with.
private func isReadable(_ row: Row, under policy: ModelPolicy, rank: Int, user: Int64?) -> Bool {
    for rule in policy.read {
        var grants = true
        if let role = rule.role {
            let needed = World.roles.firstIndex(of: role)
            grants = grants && needed != nil && rank >= (needed ?? 0)
        }
        for (column, value) in rule.when { grants = grants && row[column] == value }
        if let owner = rule.owner { grants = grants && user != nil && row[owner] == user.map(Value.integer) }
        if grants { return true }
    }
    return false
}

private func readablePart(of row: Row, under policy: ModelPolicy, rank: Int, user: Int64?) -> Row? {
    guard isReadable(row, under: policy, rank: rank, user: user) else { return nil }
    var fields: [Row.Field] = []
    for field in row.fields {
        if let role = policy.fields[field.column] {
            guard let needed = World.roles.firstIndex(of: role), rank >= needed else { continue }
        }
        fields.append(field)
    }
    return Row(fields)
}

@Suite("Visibility, by properties")
struct VisibilityPropertyTests {
    @Test("what a view is told adds up to what it may read, and holds nothing else", arguments: 0..<8)
    func folds(_ part: Int) {
        var world = World(seed: UInt64(part) &* 7919)
        for _ in 0..<60 {
            let policy = world.policy()
            let rules = policy.models["row"] ?? ModelPolicy(read: [])
            let history = world.history(of: 25)
            for rank in 0..<World.roles.count {
                for user in [nil, 1, 2] as [Int64?] where user != nil || rank == 0 {
                    let view = policy.view(role: World.roles[rank], user: user)
                    check(history, policy, view: view) { readablePart(of: $0, under: rules, rank: rank, user: user) }
                }
            }
        }
    }

    /// - Parameter part: what of a row may be read.
    private func check(_ history: [LogEvent], _ policy: Policy, view: View, part: (Row) -> Row?) {
        var rows: [Value: Row] = [:]
        var told: [Value: Row] = [:]
        for event in history {
            rows[event.key] = event.after
            switch policy.visibility(of: event, to: view) {
            case .nothing: break
            case .save(let row, let operation, let changed):
                // Nothing but what may be read of the row now; no value of its past, no hidden column's name.
                #expect(event.after.flatMap(part) == row, "\(event) to \(view) under \(policy)")
                let earlier = told[event.key]
                #expect((operation == .created) == (earlier == nil), "\(event) to \(view) under \(policy)")
                #expect(operation == .created || operation == .updated)
                #expect(changed == row.columns.filter { earlier != nil && row[$0] != earlier?[$0] })
                told[event.key] = row
            case .remove(let operation):
                // Its key is one that was told before.
                #expect(told.removeValue(forKey: event.key) != nil, "\(event) to \(view) under \(policy)")
                #expect(operation == (event.after == nil ? .removed : .hidden))
            }
            #expect(told == rows.compactMapValues(part), "\(event) to \(view) under \(policy)")
        }
    }

    @Test("the answer depends on nothing but its arguments, and the same view is told the same")
    func pure() {
        var world = World(seed: 99)
        for _ in 0..<200 {
            let policy = world.policy()
            for event in world.history(of: 5) {
                let one = policy.visibility(of: event, to: policy.view(role: "user", user: 1))
                let again = policy.visibility(of: event, to: policy.view(role: "user", user: 1))
                let other = policy.visibility(of: event, to: policy.view(role: "user", user: 2))
                #expect(one == again)
                if policy.view(role: "user", user: 1) == policy.view(role: "user", user: 2) { #expect(one == other) }
            }
        }
    }
}
