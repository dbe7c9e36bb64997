import ModelStore
import RolecallProtocol
import TestSupport
import Testing

@Suite("Why somebody is told what he is told")
struct ExplanationTests {
    private static let ann = UserSummary(id: 2, email: "Ann@example.org", name: "Ann", role: "user")
    private static let root = UserSummary(id: 1, email: "root@example.org", name: "Root", role: "admin")

    private func event(_ before: Row?, _ after: Row?, of model: String = "note") -> ChangeRecord {
        ChangeRecord(
            sequence: 1, model: model, change: before == nil ? .created : after == nil ? .removed : .updated,
            key: .integer(1), before: before, after: after, author: nil, at: "")
    }

    @Test("each rule says all that stands against it")
    func reasons() throws {
        let explanation = Policy.notes.explanation(of: event(nil, note(open: false, owner: 7)), for: Self.ann)
        #expect(explanation.told == nil)
        #expect(explanation.silence == .notVisible)
        #expect(explanation.before == nil)
        let side = try #require(explanation.after)
        #expect(!side.isVisible)
        #expect(side.withheld.isEmpty)
        #expect(side.verdicts.map(\.number) == [1, 2, 3])
        #expect(
            side.verdicts.map(\.reasons) == [
                [.role(asked: "admin")],
                [.value(column: "open", asked: .boolean(true), found: .boolean(false))],
                [.owner("owner", asked: .integer(2), found: .integer(7))],
            ])
    }

    @Test("the rule that grants is named, and what is kept back with the role that sees it")
    func granted() throws {
        let explanation = Policy.notes.explanation(of: event(note(open: false), note()), for: Self.ann)
        #expect(explanation.told == .created)
        #expect(explanation.before?.isVisible == false)
        let side = try #require(explanation.after)
        #expect(side.verdicts.map(\.isGranted) == [false, true, false])
        #expect(side.withheld == [Explanation.Withheld(column: "cost", access: "admin")])
        let admin = Policy.notes.explanation(of: event(note(open: false), note()), for: Self.root)
        #expect(admin.told == .updated)
        #expect(admin.changed == ["open"])
        #expect(admin.after?.withheld == [])
    }

    @Test("a change that is all out of sight is told by its columns")
    func hiddenChange() {
        let cost = event(note(cost: 1), note(cost: 2))
        let explanation = Policy.notes.explanation(of: cost, for: Self.ann)
        #expect(explanation.told == nil)
        #expect(explanation.silence == .onlyHiddenChanges(["cost"]))
        let asAnn = Policy.notes.view(role: "user", user: Self.ann.owner)
        // Not to those who do not see them either.
        #expect(
            Policy.notes.explanation(of: cost, for: Self.ann, toldTo: asAnn).silence == .onlyHiddenChanges([]))
    }

    @Test("a row that came into sight and went out of it again")
    func sight() {
        let hidden = Policy.notes.explanation(of: event(note(), note(open: false)), for: Self.ann)
        #expect(hidden.told == .hidden)
        #expect(hidden.before?.isVisible == true)
        #expect(hidden.after?.isVisible == false)
        #expect(Policy.notes.explanation(of: event(note(), nil), for: Self.ann).told == .removed)
    }

    @Test("nobody is told that nobody is signed in, and counts as the lowest role")
    func nobody() {
        let explanation = Policy.notes.explanation(of: event(nil, note()), for: nil)
        #expect(explanation.role == "guest")
        #expect(
            explanation.after?.verdicts.map(\.reasons) == [
                [.role(asked: "admin")], [.role(asked: "user")], [.role(asked: "user"), .notSignedIn("owner")],
            ])
        var misspelt = Self.ann
        misspelt.role = "amdin"
        #expect(Policy.notes.explanation(of: event(nil, note()), for: misspelt).role == "guest")
    }

    @Test("a rule for a role that is not there, a column that the row has not, a key that is out of sight")
    func misspelt() {
        var policy = Policy.notes
        policy.models["note"]?.read = [
            Rule(role: "amdin"), Rule(when: ["opened": .null]), Rule(owner: Ownership(column: "mail", name: .email)),
        ]
        policy.models["note"]?.fields = ["cost": "amdin"]
        let explanation = policy.explanation(of: event(nil, note()), for: Self.ann)
        #expect(
            explanation.after?.verdicts.map(\.reasons) == [
                [.unknownRole(asked: "amdin")], [.missing(column: "opened")], [.missing(column: "mail")],
            ])
        policy.models["note"]?.read = [Rule()]
        #expect(
            policy.explanation(of: event(nil, note()), for: Self.ann).after?.withheld
                == [Explanation.Withheld(column: "cost", access: "amdin")])
        policy.models["note"]?.fields = ["_id": "admin"]
        let keyless = policy.explanation(of: event(nil, note()), for: Self.ann)
        #expect(keyless.silence == .notVisible)
        #expect(keyless.after?.hiddenKey == "admin")
        #expect(keyless.after?.verdicts.first?.isGranted == true)
    }

    @Test("rows that belong to an address are compared as addresses are")
    func address() {
        var policy = Policy.notes
        let owner = Ownership(column: "text", name: .email)
        policy.models["note"]?.read = [Rule(owner: owner)]
        let own = policy.explanation(of: event(nil, note(text: "ANN@example.org")), for: Self.ann)
        #expect(own.told == .created)
        let other = policy.explanation(of: event(nil, note(text: "bob@example.org")), for: Self.ann)
        #expect(
            other.after?.verdicts.first?.reasons
                == [.owner(owner, asked: .text("Ann@example.org"), found: .text("bob@example.org"))])
    }

    @Test("events of no row, and of a model without rules")
    func nothing() {
        #expect(Policy.notes.explanation(of: event(nil, nil), for: Self.root).silence == .noRow)
        #expect(Policy.notes.explanation(of: event(nil, note(), of: "x"), for: Self.root).silence == .noRules)
    }

    @Test("a value that the asker may not see is not told")
    func values() {
        let explanation = Policy.notes.explanation(
            of: event(nil, note(open: false, owner: 7)), for: Self.ann, toldTo: View(rank: 1, owner: 3))
        #expect(
            explanation.after?.verdicts.map(\.reasons) == [
                [.role(asked: "admin")], [.value(column: "open", asked: .boolean(true), found: nil)],
                [.owner("owner", asked: .integer(2), found: nil)],
            ])
    }
}

@Suite("Explanations, by properties", .computes)
struct ExplanationPropertyTests {
    private static let parts = 4

    @Test("an explanation always agrees with what is told", arguments: 0..<parts)
    func agreement(_ part: Int) {
        var world = World(seed: UInt64(part) &* 104_729 &+ 3)
        var cases = 0
        var told = 0
        var hiddenChanges = 0
        while cases < (propertyCases / 4 + Self.parts - 1) / Self.parts {
            let policy = world.policy()
            let history = world.history(of: 20)
            for somebody in Somebody.all {
                for event in history {
                    let explanation = policy.explanation(
                        of: event, for: somebody.summary, memberships: somebody.memberships)
                    if let fault = Self.fault(explanation, event, somebody, policy) {
                        Issue.record("\(fault): \(event) to \(somebody) under \(policy): \(explanation)")
                        return
                    }
                    cases += 1
                    told += explanation.told == nil ? 0 : 1
                    if case .onlyHiddenChanges = explanation.silence { hiddenChanges += 1 }
                }
            }
        }
        #expect(told > cases / 8)
        #expect(told < cases / 2)
        #expect(hiddenChanges > 0)
    }

    private static func fault(
        _ explanation: Explanation, _ event: ChangeRecord, _ somebody: Somebody, _ policy: Policy
    ) -> String? {
        let view = somebody.view(under: policy)
        let answer = policy.visibility(of: event, to: view)
        guard answer == somebody.told(event, under: policy) else { return "visibility itself" }
        // What is told follows from the sides alone.
        let (before, after) = (explanation.before, explanation.after)
        guard (before == nil) == (event.before == nil), (after == nil) == (event.after == nil) else { return "sides" }
        let expected: ModelOperation?
        switch (before?.isVisible ?? false, after?.isVisible ?? false) {
        case (false, false): expected = nil
        case (false, true): expected = .created
        case (true, false): expected = after == nil ? .removed : .hidden
        case (true, true):
            if case .onlyHiddenChanges = explanation.silence { expected = nil } else { expected = .updated }
        }
        guard explanation.told == expected else { return "told \(String(describing: expected))" }
        switch answer {
        case .nothing:
            guard explanation.told == nil, explanation.silence != nil, explanation.changed.isEmpty else {
                return "a word about nothing"
            }
        case .save(let row, let operation, let changed):
            guard explanation.told == operation, explanation.changed == changed, explanation.silence == nil else {
                return "another save"
            }
            guard after?.withheld.map(\.column) == event.after?.columns.filter({ !row.columns.contains($0) }) else {
                return "wrong fields withheld"
            }
        case .remove(let operation):
            guard explanation.told == operation, explanation.silence == nil else { return "another remove" }
        }
        for (row, side) in [(event.before, before), (event.after, after)] {
            guard let row, let side else { continue }
            let rules = policy.models[event.model]?.read ?? []
            guard side.verdicts.map(\.rule) == rules, side.verdicts.map(\.number) == rules.indices.map({ $0 + 1 })
            else { return "other rules" }
            // Each verdict is that of a policy with this rule alone.
            for verdict in side.verdicts {
                var alone = policy
                alone.models[event.model]?.read = [verdict.rule]
                alone.models[event.model]?.fields["_id"] = nil
                let view = somebody.view(under: alone)
                guard verdict.isGranted == (alone.visible(row, of: event.model, to: view) != nil) else {
                    return "verdict \(verdict.number)"
                }
            }
            for withheld in side.withheld {
                guard withheld.access == policy.models[event.model]?.fields[withheld.column] else {
                    return "who sees \(withheld.column)"
                }
            }
        }
        return nil
    }

    @Test("nothing stands in an explanation that its reader could not see")
    func redaction() {
        var world = World(seed: 12_289)
        var hidden = 0
        var shown = 0
        for _ in 0..<max(1, propertyCases / 6000) {
            let policy = world.policy()
            for event in world.history(of: 10) {
                for asker in Somebody.all {
                    let view = asker.view(under: policy)
                    for somebody in Somebody.all {
                        let teams = somebody.memberships
                        let whole = policy.explanation(of: event, for: somebody.summary, memberships: teams)
                        let told = policy.explanation(
                            of: event, for: somebody.summary, memberships: teams, toldTo: view)
                        #expect(told.told == whole.told)
                        for (row, side) in [(event.before, told.before), (event.after, told.after)] {
                            guard let row, let side else { continue }
                            let readable = asker.part(of: row, of: event.model, under: policy)
                            for reason in side.verdicts.flatMap(\.reasons) {
                                let (column, found): (String, Value?)
                                switch reason {
                                case .owner(let owner, _, let value): (column, found) = (owner.column, value)
                                case .value(let name, _, let value): (column, found) = (name, value)
                                case .notMember(let member, let value, _): (column, found) = (member.column, value)
                                default: continue
                                }
                                if found != readable?[column] {
                                    Issue.record("\(reason) to \(asker) under \(policy)")
                                    return
                                }
                                if found == nil { hidden += 1 } else { shown += 1 }
                            }
                        }
                    }
                }
            }
        }
        #expect(hidden > 0)
        #expect(shown > 0)
    }
}

extension Somebody {
    fileprivate var summary: UserSummary? {
        user.map { UserSummary(id: $0, email: "\($0)@example.org", name: "n", role: role ?? "") }
    }
}
