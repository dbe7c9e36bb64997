import ModelStore

extension FileReader {
    /// What a model's rules say of each other.
    mutating func check(_ model: inout ModelEntry) {
        if let write = model.write, model.create != nil, model.update != nil, model.remove != nil {
            report(
                write.location,
                "write of \(model.name) stands for create, update and remove, which are all given; leave it out")
        }
        if model.read == nil, model.name != ModelName.user,
            let list = [model.write, model.create, model.update, model.remove].compactMap(\.self).first
        {
            report(
                list.location,
                """
                \(list.name) of \(model.name) lets somebody write what nobody sees; say who reads it, like \
                read: [{role: admin}]
                """)
            return
        }
        checkWriters(model)
    }

    /// Nobody writes what he does not see.
    private mutating func checkWriters(_ model: ModelEntry) {
        guard let read = model.read, !read.rules.contains(where: \.isBroken) else { return }
        let least = read.rules.map { rank(of: $0.role?.value) }.min()
        for list in [model.write, model.create, model.update, model.remove].compactMap(\.self) {
            for rule in list.rules where !rule.isBroken {
                // Only who is signed in writes, and has the second role or a higher one.
                let rank = max(rank(of: rule.role?.value), 1)
                guard least.map({ rank < $0 }) ?? true else { continue }
                let reader = least.map { "only from \(roles[$0]) on" } ?? "by nobody"
                report(
                    rule.location,
                    """
                    \(model.name) is read \(reader), and nobody writes what he does not see; give read a rule for \
                    \(roles[rank]), or ask for a higher role here
                    """)
            }
        }
    }

    /// A rule that asks for all that another one asks for, and for more, grants nothing.
    mutating func checkSuperfluous(_ list: RuleList) {
        for (index, rule) in list.rules.enumerated() where !rule.isBroken {
            let other = list.rules.enumerated().first { other, candidate in
                guard other != index, !candidate.isBroken, covers(candidate, rule) else { return false }
                // Of two that say the same, the first stays.
                return other < index || !covers(rule, candidate)
            }
            guard let other else { continue }
            report(
                rule.location,
                """
                this rule grants nothing that the one in line \(other.element.location.line) does not grant already; \
                leave it out
                """)
        }
    }

    private func covers(_ wide: RuleEntry, _ narrow: RuleEntry) -> Bool {
        guard rank(of: wide.role?.value) <= rank(of: narrow.role?.value) else { return false }
        if let owner = wide.owner {
            guard let other = narrow.owner, other.value.name == owner.value.name,
                other.value.column.asciiLowercased == owner.value.column.asciiLowercased
            else { return false }
        }
        return wide.when.allSatisfy { condition in
            guard
                let other = narrow.when.first(where: {
                    $0.column.value.asciiLowercased == condition.column.value.asciiLowercased
                })
            else { return false }
            return other.values.allSatisfy { value in condition.values.contains { $0.value.isSame(as: value.value) } }
        }
    }

    /// An owner is somebody who is signed in, which the lowest role says nothing of.
    mutating func checkOwner(_ rule: RuleEntry) {
        guard rule.owner != nil, let role = rule.role, rank(of: role.value) == 0 else { return }
        report(
            role.location,
            "an owner is signed in, which \(role.value) does not ask for; leave the role out, or ask for a higher one")
    }
}
