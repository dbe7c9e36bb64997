import ModelStore

/// What an entry says twice. It shows only where it is known when two names are the same to the database.
extension ModelEntry {
    /// Reports what is said twice, and marks as broken what can't be used for it.
    ///
    /// - Parameter policy: with the roles that the rules name.
    mutating func refuseRepetitions(
        comparing comparison: DatabaseSchema.NameComparison, under policy: Policy, mistakes: inout Mistakes
    ) {
        let check = RepetitionCheck(comparison: comparison, policy: policy)
        if let column = check.repeated(in: key) {
            mistakes.report(
                column.location, "\(Words.quoted(column.value)) stands twice in key of \(name); keep one of them")
            isBroken = true
        }
        for list in [\ModelEntry.read, \.write, \.create, \.update, \.remove] {
            guard var rules = self[keyPath: list]?.rules else { continue }
            check.refuseColumns(in: &rules, mistakes: &mistakes)
            check.reportSuperfluous(in: rules, mistakes: &mistakes)
            self[keyPath: list]?.rules = rules
        }
        for place in fields.indices {
            for list in [\FieldEntry.read, \.write] {
                guard var rules = fields[place][keyPath: list]?.rules else { continue }
                check.refuseColumns(in: &rules, mistakes: &mistakes)
                check.reportSuperfluous(in: rules, mistakes: &mistakes)
                fields[place][keyPath: list]?.rules = rules
            }
        }
    }
}

private struct RepetitionCheck {
    let comparison: DatabaseSchema.NameComparison
    let policy: Policy

    /// The first name that stands in the list before.
    func repeated(in names: [Located<String>]) -> Located<String>? {
        names.enumerated().first { index, name in
            names[..<index].contains { comparison.areSame($0.value, name.value) }
        }?.element
    }

    /// A rule asks once for what a column holds.
    func refuseColumns(in rules: inout [RuleEntry], mistakes: inout Mistakes) {
        for (index, rule) in rules.enumerated() where !rule.isBroken {
            let columns = rule.when.map(\.column)
            guard let column = repeated(in: columns),
                let known = columns.first(where: { comparison.areSame($0.value, column.value) })
            else { continue }
            mistakes.report(
                column.location,
                "\(Words.quoted(column.value)) is \(Words.quoted(known.value)) again; keep one of them")
            rules[index].isBroken = true
        }
    }

    /// A rule that asks for all that another one asks for, and for more, grants nothing.
    func reportSuperfluous(in rules: [RuleEntry], mistakes: inout Mistakes) {
        for (index, rule) in rules.enumerated() where !rule.isBroken {
            let other = rules.enumerated().first { other, candidate in
                guard other != index, !candidate.isBroken, covers(candidate, rule) else { return false }
                // Of two that say the same, the first stays.
                return other < index || !covers(rule, candidate)
            }
            guard let other else { continue }
            mistakes.report(
                rule.location,
                """
                this rule grants nothing that the one in line \(other.element.location.line) does not grant already; \
                leave it out
                """)
        }
    }

    private func covers(_ wide: RuleEntry, _ narrow: RuleEntry) -> Bool {
        guard policy.rank(of: wide.role?.value) <= policy.rank(of: narrow.role?.value) else { return false }
        if let owner = wide.owner {
            guard let other = narrow.owner, other.value.name == owner.value.name,
                comparison.areSame(other.value.column, owner.value.column)
            else { return false }
        }
        if let member = wide.member {
            guard let other = narrow.member, other.membership.value == member.membership.value,
                comparison.areSame(other.column.value, member.column.value),
                member.roles.map({ roles in
                    other.roles.map { Set($0.map(\.value)).isSubset(of: roles.map(\.value)) } ?? false
                }) ?? true
            else { return false }
        }
        if narrow.authority?.value == true, wide.authority?.value != true { return false }
        return wide.when.allSatisfy { condition in
            guard
                let other = narrow.when.first(where: {
                    comparison.areSame($0.column.value, condition.column.value)
                })
            else { return false }
            return other.values.allSatisfy { value in condition.values.contains { $0.value.isSame(as: value.value) } }
        }
    }
}
