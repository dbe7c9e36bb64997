import ModelStore

extension ModelResolution {
    /// The rules that an entry stands for: one for each combination of the values that it lists.
    mutating func rules(_ entry: RuleEntry) -> [Rule] {
        var conditions: [(column: String, values: [Value])] = []
        var isWhole = true
        for condition in entry.when {
            guard let column = visibleColumn(condition.column, noun: "a rule") else {
                isWhole = false
                continue
            }
            // A key has two names.
            if conditions.contains(where: { $0.column == told(column) }) {
                mistakes.report(
                    condition.column.location, "\(Words.quoted(column.name)) stands in when already; keep one of them")
                isWhole = false
            }
            for value in condition.values {
                guard let problem = problem(of: value.value, in: column) else { continue }
                mistakes.report(value.location, problem)
                isWhole = false
            }
            conditions.append((told(column), condition.values.map(\.value)))
        }
        var owner: Ownership?
        if let named = entry.owner {
            owner = ownership(named)
            if owner == nil { isWhole = false }
        }
        var member: MemberCondition?
        if let named = entry.member {
            member = membership(named)
            if member == nil { isWhole = false }
        }
        guard isWhole else { return [] }
        var rules = [
            Rule(
                role: entry.role?.value, owner: owner, member: member, hasAuthority: entry.authority?.value ?? false)
        ]
        for (column, values) in conditions {
            rules = rules.flatMap { rule in
                values.map { value in
                    var rule = rule
                    rule.when[column] = value
                    return rule
                }
            }
        }
        return rules
    }

    /// A column that stands in the rows that rules are held against.
    private mutating func visibleColumn(_ name: Located<String>, noun: String) -> DatabaseSchema.Column? {
        guard let column = column(name) else { return nil }
        guard !secrets.contains(column.name) else {
            mistakes.report(
                name.location,
                """
                \(Words.quoted(column.name)) is secret: it never leaves the table, so \(noun) can't ask for it; \
                hide it with {read: role} instead
                """)
            return nil
        }
        return column
    }

    /// Why no row can have this value in a column; nil where one could.
    private func problem(of value: Value, in column: DatabaseSchema.Column) -> String? {
        guard !column.canHold(value) || value == .null && isKey(column) else { return nil }
        let name = Words.quoted(column.name)
        let declared = "\(name) is declared \(Words.name(column.declaredType))"
        switch (column.kind, value) {
        case (_, .null):
            return "\(name) is never NULL, so the rule never grants; ask for a value, or leave the column out"
        case (.boolean, _):
            return "\(declared), so the rule never grants; ask for true or false"
        case (.text, .integer(let integer)): return needsQuotes(declared, String(integer))
        case (.text, .real(let real)): return needsQuotes(declared, String(real))
        case (.text, _):
            return """
                \(declared) and holds texts, so the rule never grants; ask for the text that stands there, in quotes
                """
        case (.integer, .real):
            return "\(declared) and holds whole numbers, so the rule never grants; ask for one"
        case (.integer, .text(let text)), (.real, .text(let text)):
            let advice = Int64(text) == nil ? "ask for a number" : "write \(text) without quotes"
            return "\(declared) and holds numbers, so the rule never grants; \(advice)"
        default:
            return "\(declared) and holds no such value, so the rule never grants; leave the column out"
        }
    }

    private func needsQuotes(_ declared: String, _ text: String) -> String {
        "\(declared) and holds texts, so the rule never grants; write \"\(text)\" in quotes"
    }

    private mutating func ownership(_ entry: Located<Ownership>) -> Ownership? {
        guard let column = visibleColumn(Located(entry.value.column, entry.location), noun: "an owner rule") else {
            return nil
        }
        if let problem = UserColumn.problem(of: column, in: table, holding: entry.value.name, word: "owner:") {
            mistakes.report(entry.location, problem)
            return nil
        }
        return Ownership(column: told(column), name: entry.value.name)
    }

    private mutating func membership(_ entry: MemberEntry) -> MemberCondition? {
        guard let column = visibleColumn(entry.column, noun: "a member rule"),
            let membership = members.resolved[entry.membership.value], !membership.isBroken
        else { return nil }
        if let roles = entry.roles, !membership.hasRoles {
            mistakes.report(
                roles.first?.location ?? entry.location,
                """
                \(entry.membership.value) has no roles, so the rule never grants; name the column under memberships with \
                role:, or leave as out
                """)
            return nil
        }
        guard membership.of.contains(where: { $0.mayMean(column) }) else {
            let others = Words.list(membership.of.map { Words.name($0.declaredType) }, "or")
            mistakes.report(
                entry.column.location,
                """
                \(Words.quoted(column.name)) is declared \(Words.name(column.declaredType)), and what a user belongs to as \
                \(entry.membership.value) is declared \(others): they are never the same, so the rule never grants
                """)
            return nil
        }
        return MemberCondition(
            entry.membership.value, of: told(column), as: entry.roles.map { Set($0.map(\.value)) })
    }

    /// Who may write the table makes members: that has to be said.
    mutating func checkAuthority(_ policy: inout ModelPolicy) {
        let memberships = Set(policy.authorities.map(\.membership)).sorted()
        let lists = [entry.write, entry.create, entry.update, entry.remove].compactMap(\.self)
        for list in lists {
            for rule in list.rules where !rule.isBroken {
                if memberships.isEmpty {
                    guard let authority = rule.authority else { continue }
                    mistakes.report(
                        authority.location,
                        "\(Words.name(table.name)) says of nobody where he belongs; leave authority out")
                } else if rule.authority == nil, list.name != "update" {
                    mistakes.report(
                        rule.location,
                        """
                        \(Words.name(table.name)) says who belongs to \(Words.list(memberships)), so that this rule lets its \
                        users make themselves and others members; if that is meant, add authority: true
                        """)
                }
            }
        }
    }
}

extension DatabaseSchema.Column {
    /// Whether a value of one column may be the same as one of the other, as ``Value/isSame(as:)`` compares them. False is
    /// certain, true is not.
    fileprivate func mayMean(_ other: DatabaseSchema.Column) -> Bool {
        switch (kind, other.kind) {
        case (.any, _), (_, .any): true
        case (.text, .text), (.blob, .blob): true
        case (.text, _), (_, .text), (.blob, _), (_, .blob): false
        default: true
        }
    }
}
