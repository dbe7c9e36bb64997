import ModelStore
import RolecallProtocol
import TestSupport
import Testing
import WireJSON

@Suite("Visibility, by properties", .computes)
struct VisibilityPropertyTests {
    private static let parts = 4

    @Test(
        "what a view is told adds up to what each of its members may read, and its bytes hold nothing else",
        arguments: 0..<parts)
    func receipts(_ part: Int) {
        var world = World(seed: UInt64(part) &* 7919 &+ 1)
        var cases = 0
        var saves = 0
        var removals = 0
        var views = 0
        var members = 0
        while cases < (propertyCases + Self.parts - 1) / Self.parts {
            let policy = world.policy()
            let history = world.history(of: 30)
            let receivers = Dictionary(grouping: Somebody.all) { $0.view(under: policy) }
            for (view, somebodies) in receivers {
                var receiver = Receiver(view: view, members: somebodies, policy: policy)
                for event in history {
                    if let fault = receiver.fault(at: event) {
                        Issue.record("\(fault): \(event) to \(somebodies) under \(policy)")
                        return
                    }
                    cases += 1
                }
                if let fault = receiver.faultAtTheEnd() {
                    Issue.record("\(fault): \(somebodies) under \(policy)")
                    return
                }
                saves += receiver.saves
                removals += receiver.removals
                views += 1
                members += somebodies.count
            }
        }
        // Much is told, and much is not; views are shared, or their members would not be compared at all.
        #expect(saves > cases / 8)
        #expect(removals > cases / 40)
        #expect(saves + removals < cases / 2)
        #expect(members > views * 3 / 2)
    }

    @Test(
        "a higher role never sees less, nor a member less than one who is none, nor somebody less than nobody; nor may he do less"
    )
    func monotone() {
        var world = World(seed: 41)
        for _ in 0..<max(1, propertyCases / 400) {
            let policy = world.policy()
            let events = world.history(of: 8)
            var pairs: [(less: Somebody, more: Somebody)] = []
            for user in World.users {
                let ranked = World.roles.map { Somebody(role: $0, user: user) }
                pairs += zip(ranked, ranked.dropFirst()).map { (less: $0, more: $1) }
                pairs.append((less: Somebody(), more: Somebody(role: "misspelt", user: user)))
                pairs += World.roles.map {
                    (less: Somebody(role: $0, user: user, isAlone: true), more: Somebody(role: $0, user: user))
                }
                pairs.append((less: Somebody(role: "misspelt", user: user), more: ranked[0]))
            }
            for (less, more) in pairs {
                if let fault = Self.fault(policy, events, less: less, more: more) {
                    Issue.record("\(fault): \(less) and \(more) under \(policy)")
                    return
                }
            }
        }
    }

    private static func fault(_ policy: Policy, _ events: [ChangeRecord], less: Somebody, more: Somebody) -> String? {
        let (low, high) = (less.view(under: policy), more.view(under: policy))
        guard Set(policy.visibleModels(to: low)).isSubset(of: policy.visibleModels(to: high)) else { return "models" }
        if policy.showsAuthors(to: low), !policy.showsAuthors(to: high) { return "actors" }
        let (writer, better) = (less.writer, more.writer)
        for event in events {
            guard let row = event.after else { continue }
            let seen = policy.visible(row, of: event.model, to: high)
            if let less = policy.visible(row, of: event.model, to: low) {
                guard let seen else { return "\(row)" }
                for field in less.fields {
                    guard seen[field.column] == field.value,
                        policy.mayRead(column: field.column, of: event.model, view: high)
                    else { return "column \(field.column) of \(row)" }
                }
            }
            if seen != nil, !policy.visibleModels(to: high).contains(event.model) {
                return "a row of a model that is not among the visible ones"
            }
            if policy.mayCreate(row, of: event.model, as: writer) {
                guard policy.mayCreate(row, of: event.model, as: better), policy.mayCreate(event.model, as: better)
                else { return "create \(row)" }
            }
            if policy.mayRemove(row, of: event.model, as: writer) {
                guard policy.mayRemove(row, of: event.model, as: better) else { return "remove \(row)" }
            }
            if policy.mayUpdate(event.before ?? row, to: row, of: event.model, as: writer) {
                guard policy.mayUpdate(event.before ?? row, to: row, of: event.model, as: better) else {
                    return "update \(row)"
                }
            }
        }
        return nil
    }

    @Test("any event whatever has an answer, always the same one, made of nothing but the event's own row")
    func total() {
        var world = World(seed: 77)
        for _ in 0..<max(1, propertyCases / 400) {
            var policy = world.policy()
            let rows = world.history(of: 12).flatMap { [$0.before, $0.after, nil] }
            switch world.random.below(6) {
            case 0: policy.roles = []
            case 1: policy.roles = ["", "admin", "admin", "guest"]
            case 2: policy.models = ["": ModelPolicy(read: [Rule(when: ["": .null])], fields: ["": ""])]
            default: break
            }
            for _ in 0..<20 {
                let event = Self.garbage(from: rows, &world)
                let ranks = [Int.min, -1, 0, 1, 2, 3, 4, .max]
                let owners: [Int64?] = [nil, 0, .min, .max] + World.users
                let view = View(
                    rank: ranks[world.random.below(ranks.count)],
                    owner: owners[world.random.below(owners.count)].map { Owner(id: $0) },
                    memberships: World.users[world.random.below(2)] == World.users[0]
                        ? nil : World.memberships[World.users[world.random.below(2)]])
                let answer = policy.visibility(of: event, to: view)
                #expect(answer == policy.visibility(of: event, to: view))
                let told = TestEncoder(policy: policy).told(event, to: view)
                switch answer {
                case .nothing: #expect(told == nil)
                case .remove: #expect(event.before != nil)
                case .save(let row, _, let changed):
                    let cells = Set(zip(event.after?.columns ?? [], event.after?.values ?? []).map { [.text($0), $1] })
                    #expect(zip(row.columns, row.values).allSatisfy { cells.contains([.text($0), $1]) })
                    #expect(Set(changed).isSubset(of: row.columns))
                }
            }
        }
    }

    /// An event that no store tells: keys of other rows, columns that are missing or come twice, unknown models.
    private static func garbage(from rows: [Row?], _ world: inout World) -> ChangeRecord {
        func row() -> Row? {
            guard let row = rows[world.random.below(rows.count)] else { return nil }
            switch world.random.below(5) {
            case 0: return Row([])
            case 1: return Row(row.fields.filter { _ in world.random.below(2) == 0 })
            case 2: return Row(Array(row.fields) + Array(row.fields))
            case 3: return Row(columns: row.columns.reversed(), values: row.values)
            default: return row
            }
        }
        let models = ["row", "item", "user", "", "row:save", "nowhere"]
        let keys: [Value] = [.null, .real(.nan), .blob([]), .text(""), .boolean(true), .integer(.min)]
        let changes: [ChangeRecord.Change] = [.created, .updated, .removed]
        return ChangeRecord(
            sequence: Int64(bitPattern: world.random.next()), model: models[world.random.below(models.count)],
            change: changes[world.random.below(changes.count)], key: keys[world.random.below(keys.count)],
            before: row(), after: row(), author: nil, at: "")
    }
}

extension Somebody {
    /// As whom he would write; nil for nobody.
    fileprivate var writer: Writer? {
        user.map { Writer(user: Owner(id: $0), role: role ?? "", memberships: memberships) }
    }
}

/// From an entry of the log to the bytes that a view is sent, as the server's delivery does it.
private struct TestEncoder {
    let policy: Policy

    func told(_ event: ChangeRecord, to view: View) -> ModelEvent? {
        let position = Position(era: Era(rawValue: 0xABCD_EFAB_CDEF), sequence: event.sequence)
        let by = policy.showsAuthors(to: view) ? event.author : nil
        switch policy.visibility(of: event, to: view) {
        case .nothing:
            return nil
        case .save(let row, let operation, let changed):
            return ModelEvent(
                model: event.model, operation: operation, row: row.wire, at: event.at, by: by, changed: changed,
                position: position)
        case .remove(let operation):
            return ModelEvent(
                model: event.model, operation: operation, row: ["_id": event.key.json], at: event.at, by: by,
                changed: [], position: position)
        }
    }
}

extension Row {
    /// The row as clients get it.
    fileprivate var wire: JSON {
        var object = JSONObject()
        for (column, value) in fields { object[column] = value.json }
        return .object(object)
    }
}

/// All who share a view, and what they have been told.
private struct Receiver {
    let view: View
    let members: [Somebody]
    let policy: Policy
    private var rows: [String: [Value: Row]] = [:]
    private var told: [String: [Value: Row]] = [:]
    private(set) var saves = 0
    private(set) var removals = 0

    init(view: View, members: [Somebody], policy: Policy) {
        self.view = view
        self.members = members
        self.policy = policy
    }

    /// Takes one event in; says what is wrong with what the view is told of it.
    mutating func fault(at event: ChangeRecord) -> String? {
        rows[event.model, default: [:]][event.key] = event.after
        let answer = policy.visibility(of: event, to: view)
        for member in members where member.told(event, under: policy) != answer {
            return "\(member) should be told otherwise"
        }
        let reduced = policy.view(view, in: event.model)
        guard reduced == view || policy.visibility(of: event, to: reduced) == answer else {
            return "the view, reduced to the model, is told otherwise"
        }
        // What each member is told was compared, so that one can stand for all.
        guard let member = members.first else { return "no members" }
        let readable = event.after.flatMap { member.part(of: $0, of: event.model, under: policy) }
        let sent = TestEncoder(policy: policy).told(event, to: view)
        let earlier = told[event.model]?[event.key]

        // From its bytes on there is only what a client has.
        var allowed: Set<Int64> = []
        if let sent {
            let bytes = JSON.array([.string(sent.name)] + sent.arguments).encoded()
            guard let received = received(bytes) else { return "an event that can't be read" }
            if received.operation.verb == "save" {
                saves += 1
                guard let readable, Row(json: received.row) == readable else { return "another row than may be read" }
                guard (received.operation == .created) == (earlier == nil) else { return "a wrong operation" }
                guard received.changed == readable.columns.filter({ earlier != nil && earlier?[$0] != readable[$0] })
                else { return "wrong names of changed columns" }
                allowed = World.numbers(in: readable.wire.encoded())
                told[event.model, default: [:]][event.key] = readable
            } else {
                removals += 1
                // The key is one that was told before.
                guard told[event.model]?.removeValue(forKey: event.key) != nil else { return "a needless remove" }
                guard received.row == ["_id": event.key.json] else { return "another key" }
                guard (received.operation == .hidden) == (event.after != nil) else { return "a wrong operation" }
                allowed = World.numbers(in: event.key.json.encoded())
            }
            if let author = event.author, members.allSatisfy({ $0.seesActors(under: policy) }) {
                guard received.by == author else { return "no author" }
                allowed.formUnion(World.numbers(in: author.json.encoded()))
            }
            let leaked = World.numbers(in: bytes).subtracting(allowed)
            guard leaked.isEmpty else { return "leaked \(leaked)" }
        }
        guard told[event.model]?[event.key] == readable else { return "does not add up" }
        return nil
    }

    private func received(_ bytes: [UInt8]) -> ModelEvent? {
        guard let frame = try? JSON(parsing: bytes), let parts = frame.arrayValue,
            let name = parts.first?.stringValue
        else { return nil }
        return ModelEvent(name: name, arguments: Array(parts.dropFirst()))
    }

    /// Whether what was told is all that each member may read in the end.
    func faultAtTheEnd() -> String? {
        for member in members {
            let names = Set(rows.keys).union(told.keys)
            for model in names {
                let readable = (rows[model] ?? [:]).compactMapValues { member.part(of: $0, of: model, under: policy) }
                guard told[model] ?? [:] == readable else { return "\(member) has not what he may read of \(model)" }
                guard readable == rows[model]?.compactMapValues({ policy.visible($0, of: model, to: view) }) else {
                    return "\(member) reads other rows than he may"
                }
                if !readable.isEmpty, !policy.visibleModels(to: view).contains(model) { return "a model is not named" }
            }
        }
        return nil
    }
}
