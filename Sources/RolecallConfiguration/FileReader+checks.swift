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

    /// Owners and members are signed in, which the lowest role says nothing of.
    mutating func checkOwner(_ rule: RuleEntry) {
        guard let role = rule.role, rank(of: role.value) == 0,
            let who = rule.owner != nil ? "an owner" : rule.member != nil ? "a member" : nil
        else { return }
        report(
            role.location,
            "\(who) is signed in, which \(role.value) does not ask for; leave the role out, or ask for a higher one")
    }
}
