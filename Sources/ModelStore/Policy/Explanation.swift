import RolecallProtocol

/// Why a user is sent what is sent of an event, rule by rule.
///
/// ``Policy/visibility(of:to:)`` alone decides what is sent; this only says why.
public struct Explanation: Hashable, Sendable {
    /// The role that the user has in the policy: the lowest one without a sign-in, and for a role that is not in the list.
    public var role: String
    /// The operation that the user is sent; nil for none.
    public var told: ModelOperation?
    /// The columns that are sent as changed.
    public var changed: [String]
    /// Why nothing is sent; nil where something is.
    public var silence: Silence?
    /// The row before the change, as the rules meet it; nil where there was none.
    public var before: Side?
    /// The row after the change; nil where there is none.
    public var after: Side?

    public enum Silence: Hashable, Sendable {
        /// No rules are known for the model.
        case noRules
        /// The entry is about no row.
        case noRow
        /// The user may see the row neither as it was nor as it is.
        case notVisible
        /// The user sees the row, and none of the columns that changed; these are they.
        case onlyHiddenChanges([String])
    }

    /// A row, and what each rule has to say of it.
    public struct Side: Hashable, Sendable {
        /// In the order of the rules.
        public var verdicts: [Verdict]
        /// Who sees the row's key, where the user does not: then no rule grants the row.
        public var hiddenKey: ColumnAccess?
        /// The columns of a visible row that the user does not see, in the row's order.
        public var withheld: [Withheld]

        /// Whether the user sees the row.
        public var isVisible: Bool { hiddenKey == nil && verdicts.contains { $0.isGranted } }
    }

    public struct Verdict: Hashable, Sendable {
        /// The rule's place in the list of those that grant reading, counted from 1.
        public var number: Int
        public var rule: Rule
        /// All that stands against it; the role first, then the owner and the membership, then columns by name.
        public var reasons: [Reason]

        public var isGranted: Bool { reasons.isEmpty }
    }

    /// Why a rule does not grant a row.
    public enum Reason: Hashable, Sendable {
        /// The user's role is lower than the one that the rule requires.
        case role(asked: String)
        /// The rule requires a role that is not in the list, which no user has.
        case unknownRole(asked: String)
        /// The rule requires the row's owner, and there is no user.
        case notSignedIn(Ownership)
        /// The rule requires a member, and there is no user.
        case noUser(MemberCondition)
        /// The user does not own the row.
        ///
        /// - Parameters:
        ///   - asked: what would have to stand in the column.
        ///   - found: nil where the asker may not see it.
        case owner(Ownership, asked: Value, found: Value?)
        /// The user does not belong to what the row names, or not with a role that the rule asks for.
        ///
        /// - Parameters:
        ///   - found: what the row names; nil where the asker may not see it.
        ///   - roles: the user's there; nil where the user does not belong there.
        case notMember(MemberCondition, found: Value?, roles: Set<String>?)
        /// The column has another value than the rule asks for.
        ///
        /// - Parameter found: nil where the asker may not see it.
        case value(column: String, asked: Value, found: Value?)
        /// The row has no such column.
        case missing(column: String)
    }

    public struct Withheld: Hashable, Sendable {
        public var column: String
        /// Those that show it, of which none grants.
        public var access: ColumnAccess

        public init(column: String, access: ColumnAccess) {
            self.column = column
            self.access = access
        }
    }
}

extension Policy {
    /// Why a user is sent what is sent of an event. Pure and total.
    ///
    /// Names of columns and what the rules require are part of the policy, and every asker gets them. What stands in a
    /// row is not: an explanation has no value that its asker may not see.
    ///
    /// - Parameters:
    ///   - user: nil for a socket without a user.
    ///   - memberships: what the user belongs to.
    ///   - asker: the reader of the explanation; nil for one that may see everything.
    public func explanation(
        of event: ChangeRecord, for user: UserSummary?, memberships: Memberships = .none, toldTo asker: View? = nil
    ) -> Explanation {
        let view = view(role: user?.role, user: user?.owner, memberships: memberships)
        var explanation = Explanation(
            role: roles.indices.contains(view.rank) ? roles[view.rank] : lowestRole, told: nil, changed: [],
            silence: nil, before: nil, after: nil)
        guard let rules = models[event.model] else {
            explanation.silence = .noRules
            return explanation
        }
        func seen(_ row: Row?) -> Row? {
            guard let asker else { return row }
            return row.flatMap { visible($0, of: event.model, to: asker) }
        }
        let (seenBefore, seenAfter) = (seen(event.before), seen(event.after))
        let reader = Reader(
            view: View(rank: view.rank, owner: user?.owner, memberships: user == nil ? nil : memberships), user: user)
        explanation.before = event.before.map { side($0, seen: seenBefore, under: rules, for: reader) }
        explanation.after = event.after.map { side($0, seen: seenAfter, under: rules, for: reader) }
        switch visibility(of: event, to: view) {
        case .save(_, let operation, let changed):
            explanation.told = operation
            explanation.changed = changed.filter { seenAfter?[$0] != nil }
        case .remove(let operation):
            explanation.told = operation
        case .nothing:
            switch (explanation.before, explanation.after) {
            case (nil, nil): explanation.silence = .noRow
            case (let before?, let after?) where before.isVisible && after.isVisible:
                explanation.silence = .onlyHiddenChanges(Self.changes(from: seenBefore, to: seenAfter))
            default: explanation.silence = .notVisible
            }
        }
        return explanation
    }

    /// The user that the rules are applied to.
    private struct Reader {
        /// With all that rules may ask for.
        var view: View
        var user: UserSummary?
    }

    private func side(
        _ row: Row, seen: Row?, under rules: ModelPolicy, for reader: Reader
    ) -> Explanation.Side {
        let verdicts = rules.read.enumerated().map { place, rule in
            Explanation.Verdict(
                number: place + 1, rule: rule, reasons: reasons(against: rule, row: row, seen: seen, for: reader))
        }
        var side = Explanation.Side(verdicts: verdicts, hiddenKey: nil, withheld: [])
        if !shows(Model.keyName, of: row, under: rules, to: reader.view) {
            side.hiddenKey = rules.fields[Model.keyName]
        }
        guard side.isVisible else { return side }
        side.withheld = row.columns.compactMap { column in
            guard let access = rules.fields[column], !shows(column, of: row, under: rules, to: reader.view) else {
                return nil
            }
            return Explanation.Withheld(column: column, access: access)
        }
        return side
    }

    private func reasons(
        against rule: Rule, row: Row, seen: Row?, for reader: Reader
    ) -> [Explanation.Reason] {
        var reasons: [Explanation.Reason] = []
        if let role = rule.role, !reaches(role, at: reader.view.rank) {
            reasons.append(roles.contains(role) ? .role(asked: role) : .unknownRole(asked: role))
        }
        if let owner = rule.owner {
            if let user = reader.user {
                if row[owner.column] == nil {
                    reasons.append(.missing(column: owner.column))
                } else if !owner.holds(in: row, for: user.owner) {
                    let asked: Value =
                        switch owner.name {
                        case .id: .integer(user.id)
                        case .email: .text(user.email)
                        }
                    reasons.append(.owner(owner, asked: asked, found: seen?[owner.column]))
                }
            } else {
                reasons.append(.notSignedIn(owner))
            }
        }
        if let member = rule.member { reason(against: member, row, seen, reader.view).map { reasons.append($0) } }
        for (column, asked) in rule.when.sorted(by: { $0.key < $1.key }) {
            guard let value = row[column] else {
                reasons.append(.missing(column: column))
                continue
            }
            if !value.isSame(as: asked) {
                reasons.append(.value(column: column, asked: asked, found: seen?[column]))
            }
        }
        return reasons
    }

    private func reason(
        against member: MemberCondition, _ row: Row, _ seen: Row?, _ view: View
    ) -> Explanation.Reason? {
        guard let memberships = view.memberships else { return .noUser(member) }
        guard let value = row[member.column] else { return .missing(column: member.column) }
        guard !member.holds(in: row, for: memberships) else { return nil }
        return .notMember(
            member, found: seen?[member.column], roles: memberships.roles(in: value, of: member.membership))
    }

    /// The columns that differ, or that only one of the rows has.
    private static func changes(from before: Row?, to after: Row?) -> [String] {
        guard let before, let after else { return [] }
        let gone = before.columns.filter { after[$0] == nil }
        return after.columns.filter { before[$0] != after[$0] } + gone
    }
}
