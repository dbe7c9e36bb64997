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
        guard isWhole else { return [] }
        var rules = [Rule(role: entry.role?.value, owner: owner)]
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
        let name = Words.quoted(column.name)
        let declared = "\(name) is declared \(Words.name(column.declaredType))"
        switch (entry.value.name, column.kind) {
        case (_, .boolean), (_, .blob):
            let held = entry.value.name == .id ? "user's number" : "e-mail address"
            mistakes.report(
                entry.location,
                "\(declared) and holds no \(held), so the rule never grants; name the column that says whose row it is")
            return nil
        case (.id, .text):
            mistakes.report(
                entry.location,
                """
                \(declared) and holds no user's number, so the rule never grants; where it holds an e-mail address, \
                write owner: {email: \(Words.name(column.name))}
                """)
            return nil
        case (.email, .integer), (.email, .real):
            mistakes.report(
                entry.location,
                """
                \(declared) and holds no e-mail address, so the rule never grants; where it holds a user's number, \
                write owner: \(Words.name(column.name))
                """)
            return nil
        default:
            return Ownership(column: told(column), name: entry.value.name)
        }
    }
}
