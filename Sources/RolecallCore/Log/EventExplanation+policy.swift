import ModelStore
import RolecallProtocol
import WireJSON

/// An explanation in words of the wire.
extension EventExplanation {
    /// - Parameters:
    ///   - key: nil where the asker may not see it; so with `by`.
    init(
        _ explanation: Explanation, of event: ChangeRecord, at position: Position, user: UserSummary?,
        key: JSON?,
        by: Author?, under policy: Policy
    ) {
        let role = explanation.role
        let (before, after) = (
            explanation.before.map { Side($0, role: role, under: policy) },
            explanation.after.map { Side($0, role: role, under: policy) }
        )
        self.init(
            position: position, model: event.model, change: event.change.rawValue, key: key, at: event.at, by: by,
            user: user, role: role, told: explanation.told, changed: explanation.changed,
            sentence: Self.sentence(
                user: user, role: role, model: event.model, told: explanation.told,
                silence: explanation.silence.map(Silence.init), before: before, after: after),
            before: before, after: after)
    }
}

extension EventExplanation.Silence {
    fileprivate init(_ silence: Explanation.Silence) {
        switch silence {
        case .noRules: self = .noRules
        case .noRow: self = .noRow
        case .notVisible: self = .notVisible
        case .onlyHiddenChanges(let columns): self = .onlyHiddenChanges(columns)
        }
    }
}

extension EventExplanation.Side {
    fileprivate init(_ side: Explanation.Side, role: String, under policy: Policy) {
        self.init(
            isVisible: side.isVisible,
            obstacle: side.hiddenKey.map { .hiddenKey(asked: $0.rules.first?.role ?? $0.asks, has: role) },
            rules: side.verdicts.map { EventExplanation.Verdict($0, role: role) },
            withheld: side.withheld.map { withheld in
                let (access, role) = (policy.known(withheld.access), policy.leastRole(of: withheld.access))
                return EventExplanation.Withheld(
                    field: withheld.column, role: role,
                    asks: access.rules.isEmpty || access.rules == [Rule(role: role)] ? nil : access.asks)
            })
    }
}

extension Rule {
    fileprivate var asks: String {
        EventExplanation.Verdict.asks(
            role: role, owner: owner.map { ($0.column, $0.name.rawValue) },
            member: member.map { ($0.membership, $0.column, $0.roles?.sorted()) },
            when: when.sorted { $0.key < $1.key }.map { (column: $0.key, value: $0.value.json) })
    }
}

extension ColumnAccess {
    /// What its rules ask for; empty where there is none.
    fileprivate var asks: String { rules.map(\.asks).joined(separator: ", or ") }
}

extension Policy {
    /// Without the rules that ask for a role which is not in the list.
    fileprivate func known(_ access: ColumnAccess) -> ColumnAccess {
        ColumnAccess(rules: access.rules.filter { $0.role.map(roles.contains) ?? true })
    }

    /// The least role by which alone a column is seen; nil where there is none.
    fileprivate func leastRole(of access: ColumnAccess) -> String? {
        known(access).rules.filter { $0.when.isEmpty && $0.owner == nil && $0.member == nil }.compactMap(\.role)
            .min { rank(of: $0) < rank(of: $1) }
    }
}

extension EventExplanation.Verdict {
    fileprivate init(_ verdict: Explanation.Verdict, role: String) {
        self.init(
            number: verdict.number, asks: verdict.rule.asks,
            reasons: verdict.reasons.map { EventExplanation.Reason($0, role: role) })
    }
}

extension EventExplanation.Reason {
    fileprivate init(_ reason: Explanation.Reason, role: String) {
        switch reason {
        case .role(let asked): self = .role(asked: asked, has: role)
        case .unknownRole(let asked): self = .unknownRole(asked: asked)
        case .notSignedIn(let owner): self = .notSignedIn(column: owner.column)
        case .noUser(let member): self = .notSignedIn(membership: member.membership, column: member.column)
        case .notMember(let member, let found, let roles):
            self = .notMember(
                of: member.membership, column: member.column, found: found?.json, asked: member.roles?.sorted(),
                held: roles?.sorted())
        case .owner(let owner, let asked, let found):
            self = .owner(column: owner.column, asked: asked.json, found: found?.json)
        case .value(let column, let asked, let found):
            self = .value(column: column, asked: asked.json, found: found?.json)
        case .missing(let column): self = .missing(column: column)
        }
    }
}
