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
        by: Author?
    ) {
        let role = explanation.role
        let (before, after) = (
            explanation.before.map { Side($0, role: role) }, explanation.after.map { Side($0, role: role) }
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
    fileprivate init(_ side: Explanation.Side, role: String) {
        self.init(
            isVisible: side.isVisible, obstacle: side.keyRole.map { .hiddenKey(asked: $0, has: role) },
            rules: side.verdicts.map { EventExplanation.Verdict($0, role: role) },
            withheld: side.withheld.map {
                EventExplanation.Withheld(field: $0.column, role: $0.isRoleKnown ? $0.role : nil)
            })
    }
}

extension EventExplanation.Verdict {
    fileprivate init(_ verdict: Explanation.Verdict, role: String) {
        let rule = verdict.rule
        self.init(
            number: verdict.number,
            asks: Self.asks(
                role: rule.role, owner: rule.owner.map { ($0.column, $0.name.rawValue) },
                when: rule.when.sorted { $0.key < $1.key }.map { (column: $0.key, value: $0.value.json) }),
            reasons: verdict.reasons.map { EventExplanation.Reason($0, role: role) })
    }
}

extension EventExplanation.Reason {
    fileprivate init(_ reason: Explanation.Reason, role: String) {
        switch reason {
        case .role(let asked): self = .role(asked: asked, has: role)
        case .unknownRole(let asked): self = .unknownRole(asked: asked)
        case .notSignedIn(let owner): self = .notSignedIn(column: owner.column)
        case .owner(let owner, let asked, let found):
            self = .owner(column: owner.column, asked: asked.json, found: found?.json)
        case .value(let column, let asked, let found):
            self = .value(column: column, asked: asked.json, found: found?.json)
        case .missing(let column): self = .missing(column: column)
        }
    }
}
