import ModelStore
import RolecallProtocol
import Testing

/// A change of a row, who looks, and what he is told.
struct Sight: Sendable, CustomTestStringConvertible {
    var title: String
    var before: Row?
    var after: Row?
    var role = "user"
    var user: Int64? = 2
    var told: Visibility
    var testDescription: String { title }
}

/// A row of the model that the tables below are about.
func note(
    _ id: Int64 = 1, text: String = "t", open: Bool = true, owner: Int64? = nil, cost: Int64 = 0
) -> Row {
    Row([
        ("_id", .integer(id)), ("text", .text(text)), ("open", .boolean(open)),
        ("owner", owner.map(Value.integer) ?? .null), ("cost", .integer(cost)),
    ])
}

extension Row {
    fileprivate var withoutCost: Row { without("cost") }
    fileprivate var withoutText: Row { without("text") }
    fileprivate func without(_ column: String) -> Row { Row(fields.filter { $0.column != column }) }
    fileprivate func with(_ column: String, _ value: Value) -> Row {
        Row(fields.map { ($0.column, $0.column == column ? value : $0.value) })
    }
}

extension Policy {
    /// Admins see every note, users open ones and their own, guests none; the cost is for admins.
    static let notes = Policy(
        roles: ["guest", "user", "admin"],
        models: [
            "note": ModelPolicy(
                read: [
                    Rule(role: "admin"), Rule(role: "user", when: ["open": .boolean(true)]),
                    Rule(role: "user", owner: "owner"),
                ], fields: ["cost": "admin"])
        ])
}

@Suite("Who is told what")
struct VisibilityTests {
    static let sights: [Sight] = [
        Sight(
            title: "a new row that may be seen is created", after: note(),
            told: .save(row: note().withoutCost, operation: .created, changed: [])),
        Sight(
            title: "an admin sees the column that is for admins", after: note(cost: 7), role: "admin",
            told: .save(row: note(cost: 7), operation: .created, changed: [])),
        Sight(title: "a new row that may not be seen is not told", after: note(open: false), told: .nothing),
        Sight(
            title: "one's own row is told even where others don't see it", after: note(open: false, owner: 2),
            told: .save(row: note(open: false, owner: 2).withoutCost, operation: .created, changed: [])),
        Sight(title: "somebody else's is not", after: note(open: false, owner: 3), told: .nothing),
        Sight(title: "a guest sees nothing", after: note(), role: "guest", user: nil, told: .nothing),
        Sight(title: "an unknown role sees what the lowest sees", after: note(), role: "amdin", told: .nothing),
        Sight(
            title: "nobody is no admin, whatever is claimed", after: note(), role: "admin", user: nil, told: .nothing),
        Sight(
            title: "an update names the fields that changed", before: note(text: "a"), after: note(text: "b"),
            told: .save(row: note(text: "b").withoutCost, operation: .updated, changed: ["text"])),
        Sight(
            title: "a row that comes into sight is created, and its past is not told",
            before: note(text: "a", open: false), after: note(text: "b"),
            told: .save(row: note(text: "b").withoutCost, operation: .created, changed: [])),
        Sight(
            title: "a row that goes out of sight is hidden", before: note(), after: note(open: false),
            told: .remove(.hidden)),
        Sight(
            title: "a row that is given away out of sight is hidden", before: note(open: false, owner: 2),
            after: note(open: false, owner: 3), told: .remove(.hidden)),
        Sight(title: "a row that was seen and is gone is removed", before: note(), told: .remove(.removed)),
        Sight(title: "the removal of a row that was not seen is not told", before: note(open: false), told: .nothing),
        Sight(
            title: "a change out of sight is not told", before: note(text: "a", open: false),
            after: note(text: "b", open: false), told: .nothing),
        Sight(
            title: "a change of a hidden column alone is not told", before: note(cost: 1), after: note(cost: 2),
            told: .nothing),
        Sight(
            title: "to those who see the column it is told", before: note(cost: 1), after: note(cost: 2), role: "admin",
            told: .save(row: note(cost: 2), operation: .updated, changed: ["cost"])),
        Sight(
            title: "a hidden column is not named among the changed ones", before: note(text: "a", cost: 1),
            after: note(text: "b", cost: 2),
            told: .save(row: note(text: "b").withoutCost, operation: .updated, changed: ["text"])),
        Sight(
            title: "a column that was added is told as changed", before: note().withoutText, after: note(text: "new"),
            told: .save(row: note(text: "new").withoutCost, operation: .updated, changed: ["text"])),
        Sight(
            title: "one that was dropped is missing from then on", before: note(), after: note().withoutText,
            told: .save(row: note().withoutText.withoutCost, operation: .updated, changed: [])),
        Sight(
            title: "a hidden one that was added is not told", before: note().withoutCost, after: note(cost: 1),
            told: .nothing),
        Sight(
            title: "one that is 1 where the rule says true, and not declared BOOLEAN, is seen",
            after: note().with("open", .integer(1)),
            told: .save(row: note().with("open", .integer(1)).withoutCost, operation: .created, changed: [])),
        Sight(title: "one that is 2 there is not", after: note().with("open", .integer(2)), told: .nothing),
        Sight(title: "nor one that is NULL", after: note().with("open", .null), told: .nothing),
        Sight(title: "nor one that lacks the column", after: note().without("open"), told: .nothing),
        Sight(
            title: "an owner in a column declared REAL is one, too",
            after: note(open: false).with("owner", .real(2)),
            told: .save(row: note(open: false).with("owner", .real(2)).withoutCost, operation: .created, changed: [])),
        Sight(
            title: "one in a text is not", after: note(open: false).with("owner", .text("2")), told: .nothing),
        Sight(title: "an owner who is not signed in owns nothing", after: note(open: false), user: nil, told: .nothing),
        Sight(
            title: "a save without a change is told", before: note(), after: note(),
            told: .save(row: note().withoutCost, operation: .updated, changed: [])),
        Sight(
            title: "a text that changes in its bytes alone has changed", before: note(text: "\u{e9}"),
            after: note(text: "e\u{301}"),
            told: .save(row: note(text: "e\u{301}").withoutCost, operation: .updated, changed: ["text"])),
    ]

    @Test("what a view is told of a change", arguments: sights)
    func told(_ sight: Sight) {
        let event = ChangeRecord(
            sequence: 1, model: "note", change: .updated, key: .integer(1), before: sight.before, after: sight.after,
            author: nil, at: "")
        let view = Policy.notes.view(role: sight.role, user: sight.user.map { Owner(id: $0) })
        let told = Policy.notes.visibility(of: event, to: view)
        #expect(told == sight.told)
        // The byte-wise difference that equality of rows would have to tell, too.
        if case .save(let row, _, _) = told { #expect(row["cost"] == nil || sight.role == "admin") }
    }

    @Test("a model without a policy is told to nobody")
    func unknownModel() {
        let event = ChangeRecord(
            sequence: 1, model: "other", change: .created, key: .integer(1), before: nil, after: note(), author: nil,
            at: "")
        #expect(Policy.notes.visibility(of: event, to: View(rank: 2, owner: 1)) == .nothing)
        #expect(Policy.notes.visible(note(), of: "other", to: View(rank: 2, owner: 1)) == nil)
    }

    @Test("a rule whose role is not in the list grants nothing, a column's role that is not shows it to nobody")
    func misspelt() {
        var policy = Policy.notes
        policy.models["note"] = ModelPolicy(read: [Rule(role: "amdin")])
        #expect(policy.visible(note(), of: "note", to: View(rank: 2, owner: 1)) == nil)
        policy.models["note"] = ModelPolicy(read: [Rule()], fields: ["cost": "amdin"])
        #expect(policy.visible(note(), of: "note", to: View(rank: 2, owner: 1)) == note().withoutCost)
    }

    @Test("whoever may not see the key sees no row, not in its removal either")
    func hiddenKey() {
        var policy = Policy.notes
        policy.models["note"]?.fields["_id"] = "admin"
        let user = policy.view(role: "user", user: 2)
        let admin = policy.view(role: "admin", user: 1)
        for (before, after) in [(nil, note()), (note(), note(text: "b")), (note(), nil)] as [(Row?, Row?)] {
            let event = ChangeRecord(
                sequence: 1, model: "note", change: .updated, key: .integer(1), before: before, after: after,
                author: nil, at: "")
            #expect(policy.visibility(of: event, to: user) == .nothing)
            #expect(policy.visibility(of: event, to: admin) != .nothing)
        }
        #expect(policy.visibleModels(to: user) == [])
        #expect(policy.visibleModels(to: admin) == ["note"])
        #expect(!policy.mayRead(column: "_id", of: "note", view: user))
    }

    @Test("a change in one of two columns whose names differ in their bytes alone is told")
    func columnNames() {
        let policy = Policy(roles: ["guest"], models: ["n": ModelPolicy(read: [Rule()])])
        func row(_ first: Int64, _ second: Int64) -> Row {
            Row([("_id", .integer(1)), ("\u{e9}", .integer(first)), ("e\u{301}", .integer(second))])
        }
        let event = ChangeRecord(
            sequence: 1, model: "n", change: .updated, key: .integer(1), before: row(1, 2), after: row(1, 1),
            author: nil, at: "")
        #expect(
            policy.visibility(of: event, to: policy.view(role: nil, user: nil))
                == .save(row: row(1, 1), operation: .updated, changed: ["e\u{301}"]))
    }

    @Test("NULL in a rule means rows that hold NULL, and none that lack the column")
    func null() {
        let policy = Policy(roles: ["guest"], models: ["n": ModelPolicy(read: [Rule(when: ["x": .null])])])
        let view = policy.view(role: nil, user: nil)
        #expect(policy.visible(Row([("_id", .integer(1)), ("x", .null)]), of: "n", to: view) != nil)
        #expect(policy.visible(Row([("_id", .integer(1)), ("x", .integer(0))]), of: "n", to: view) == nil)
        #expect(policy.visible(Row([("_id", .integer(1))]), of: "n", to: view) == nil)
    }

    @Test("views are as few as the rules can tell apart")
    func views() {
        let owners = Policy.notes
        #expect(owners.view(role: "user", user: 2) != owners.view(role: "user", user: 3))
        #expect(owners.view(role: "user", user: nil) == owners.view(role: nil, user: nil))
        // Who sees every row, or is out of the owner rule's reach, does not see more for what he owns.
        #expect(owners.view(role: "admin", user: 2) == owners.view(role: "admin", user: 3))
        #expect(owners.view(role: "guest", user: 2) == owners.view(role: nil, user: nil))
        var others = owners
        others.models["note"]?.read.removeAll { $0.owner != nil }
        #expect(others.view(role: "user", user: 2) == others.view(role: "user", user: 3))
        #expect(others.view(role: "user", user: 2) != others.view(role: "admin", user: 2))
        var keyless = owners
        keyless.models["note"]?.fields["_id"] = "admin"
        #expect(keyless.view(role: "user", user: 2) == keyless.view(role: "user", user: 3))
        // One model in which it matters is enough.
        others.models["mine"] = ModelPolicy(read: [Rule(role: "admin", owner: "owner")])
        #expect(others.view(role: "user", user: 2) == others.view(role: "user", user: 3))
        #expect(others.view(role: "admin", user: 2) != others.view(role: "admin", user: 3))
    }

    @Test("in a model whose rules ask for no owner, those of a rank share a view")
    func viewsInModel() {
        var policy = Policy.notes
        policy.models["all"] = ModelPolicy(read: [Rule(role: "user")])
        let (one, other) = (policy.view(role: "user", user: 2), policy.view(role: "user", user: 3))
        #expect(one != other)
        #expect(policy.view(one, in: "all") == policy.view(other, in: "all"))
        #expect(policy.view(one, in: "nowhere") == policy.view(other, in: "nowhere"))
        #expect(policy.view(one, in: "note") == one)
        #expect(policy.view(one, in: "all") != policy.view(policy.view(role: "admin", user: 2), in: "all"))
    }

    @Test("the models of which a view may see something")
    func models() {
        var policy = Policy.notes
        policy.models["mine"] = ModelPolicy(read: [Rule(owner: "owner")])
        policy.models["all"] = ModelPolicy(read: [Rule()])
        policy.models["none"] = ModelPolicy(read: [])
        #expect(policy.visibleModels(to: policy.view(role: nil, user: nil)) == ["all"])
        #expect(policy.visibleModels(to: policy.view(role: "user", user: 1)) == ["all", "mine", "note"])
    }

    static let nameRules: [(policy: ModelPolicy?, guest: Bool, user: Bool, admin: Bool)] = [
        (nil, false, false, false),
        (ModelPolicy(read: []), false, false, false),
        (ModelPolicy(read: [Rule(role: "user")]), false, true, true),
        (ModelPolicy(read: [Rule(role: "admin"), Rule(role: "user")]), false, true, true),
        (ModelPolicy(read: [Rule()]), true, true, true),
        (ModelPolicy(read: [Rule(role: "user")], fields: ["name": "admin"]), false, false, true),
        (ModelPolicy(read: [Rule(role: "admin")], fields: ["name": "guest"]), false, false, true),
        (ModelPolicy(read: [Rule()], fields: ["_id": "admin"]), false, false, true),
        (ModelPolicy(read: [Rule(owner: "_id")]), false, false, false),
        (ModelPolicy(read: [Rule(role: "user", when: ["public": .boolean(true)])]), false, false, false),
    ]

    @Test("the author of a change is shown to those who see every user's name", arguments: nameRules.indices)
    func actors(_ index: Int) {
        let example = Self.nameRules[index]
        var policy = Policy.notes
        policy.models[ModelName.user] = example.policy
        #expect(policy.showsAuthors(to: policy.view(role: nil, user: nil)) == example.guest)
        #expect(policy.showsAuthors(to: policy.view(role: "user", user: 1)) == example.user)
        #expect(policy.showsAuthors(to: policy.view(role: "admin", user: 1)) == example.admin)
    }
}
