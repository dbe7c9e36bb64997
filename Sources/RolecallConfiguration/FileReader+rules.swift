import ModelStore

extension FileReader {
    /// A list of rules, a single one, or the word for everyone.
    mutating func rules(_ entry: YAMLEntry, of model: String) -> RuleList {
        let subject = "\(entry.key) of \(model)"
        return rules(
            entry, subject, grantsWriting: Self.writingKeys.contains(entry.key))
    }

    private static let writingKeys: Set<String> = ["write", "create", "update", "remove"]

    private mutating func rules(_ entry: YAMLEntry, _ subject: String, grantsWriting: Bool) -> RuleList {
        var list = RuleList(name: entry.key, location: entry.location, rules: [])
        switch entry.value.content {
        case .list(let elements): list.rules = elements.map { rule($0, subject, grantsWriting: grantsWriting) }
        case .map: list.rules = [rule(entry.value, subject, grantsWriting: grantsWriting)]
        case .scalar(let scalar) where scalar.isNull:
            report(entry.value.location, "\(subject) has no rules; write [] for nobody, or leave it out")
        case .scalar: list.rules = [rule(entry.value, subject, grantsWriting: grantsWriting)]
        }
        return list
    }

    /// Who sees or writes a column: the least role, a rule, or a list of rules.
    ///
    /// - Returns: nil, with a mistake, where nothing of it can be read.
    mutating func access(_ entry: YAMLEntry, _ subject: String) -> RuleList? {
        if case .scalar = entry.value.content {
            return role(entry.value, subject).map { role in
                var rule = RuleEntry(location: role.location)
                rule.role = role
                return RuleList(name: entry.key, location: entry.value.location, rules: [rule])
            }
        }
        return rules(entry, "\(entry.key) of \(subject)", grantsWriting: false)
    }

    private static let ruleKeys = ["role", "when", "owner", "member"]

    private mutating func rule(_ node: YAMLNode, _ subject: String, grantsWriting: Bool) -> RuleEntry {
        var rule = RuleEntry(location: node.location)
        let expected = "rules like {role: admin}, or the word everyone"
        if case .scalar(let scalar) = node.content, !scalar.isNull {
            guard scalar.text != Self.everyone else { return rule }
            rule.isBroken = true
            if let role = Words.nearest(to: scalar.text, among: roles + [Self.everyone]) {
                let meant = role == Self.everyone ? role : "{role: \(role)}"
                report(node.location, "\(subject) takes \(expected), not \(node.noun); is \(meant) meant?")
                return rule
            }
        }
        guard let parts = nodes.entries(node, subject, takes: expected) else {
            rule.isBroken = true
            return rule
        }
        for part in parts {
            switch part.key {
            case "role":
                rule.role = role(part.value, "a rule's role")
                if rule.role == nil { rule.isBroken = true }
            case "when":
                if let when = when(part.value) { rule.when = when } else { rule.isBroken = true }
            case "owner":
                rule.owner = owner(part.value, "owner")
                if rule.owner == nil { rule.isBroken = true }
            case "member":
                rule.member = member(part.value)
                if rule.member == nil { rule.isBroken = true }
            case "authority" where grantsWriting:
                rule.authority = nodes.flag(part.value, "authority").map { Located($0, part.location) }
                if rule.authority == nil { rule.isBroken = true }
            default:
                refuse(part)
                rule.isBroken = true
            }
        }
        checkOwner(rule)
        return rule
    }

    /// A word that no rule knows, with what rules can say.
    private mutating func refuse(_ part: YAMLEntry) {
        let name = Words.quoted(part.key)
        if let nearest = Words.nearest(to: part.key, among: Self.ruleKeys) {
            return report(part.location, "a rule has no \(name); is \(Words.quoted(nearest)) meant?")
        }
        report(
            part.location,
            """
            a rule has no \(name); it asks for a role (role: admin), for what stands in the row (when: {status: open}), \
            for its owner (owner: user_id), for a membership (member: {team: team_id}), or for several of these
            """)
    }

    /// How many rules one with lists of values may stand for.
    private static let maximumAlternatives = 1000

    private mutating func when(_ node: YAMLNode) -> [WhenEntry]? {
        guard let entries = nodes.entries(node, "when", takes: "columns with values, like {status: open}") else {
            return nil
        }
        guard !entries.isEmpty else {
            report(node.location, "when asks for nothing; name a column with its value, or leave it out")
            return nil
        }
        var when: [WhenEntry] = []
        var alternatives = 1
        for entry in entries {
            guard let values = values(entry) else { continue }
            when.append(WhenEntry(column: Located(entry.key, entry.location), values: values))
            alternatives = min(alternatives * max(1, values.count), Self.maximumAlternatives + 1)
        }
        guard alternatives <= Self.maximumAlternatives else {
            report(
                node.location,
                "these lists make more than \(Self.maximumAlternatives) combinations; write several rules")
            return nil
        }
        return when.count == entries.count ? when : nil
    }

    private mutating func values(_ entry: YAMLEntry) -> [Located<Value>]? {
        let elements = if case .list(let elements) = entry.value.content { elements } else { [entry.value] }
        guard !elements.isEmpty else {
            report(
                entry.value.location,
                "\(Words.quoted(entry.key)) has no value of an empty list, so the rule never grants; name one")
            return nil
        }
        var values: [Located<Value>] = []
        var isWhole = true
        for element in elements {
            guard let value = value(element, of: entry.key) else {
                isWhole = false
                continue
            }
            if values.contains(where: { $0.value.isSame(as: value) }) {
                report(element.location, "\(element.noun) stands twice in this list; keep one of them")
                isWhole = false
            }
            values.append(Located(value, element.location))
        }
        return isWhole ? values : nil
    }

    private mutating func value(_ node: YAMLNode, of column: String) -> Value? {
        guard case .scalar(let scalar) = node.content else {
            return nodes.refuse(node, "the column \(Words.quoted(column))", takes: "a value, or a list of values")
        }
        switch scalar.value() {
        case .success(.real(let real)) where real.isNaN:
            report(node.location, "no value is the same as .nan, so the rule never grants; write null for no value")
            return nil
        case .success(let value): return value
        case .failure(let doubt):
            report(node.location, doubt.sentence)
            return nil
        }
    }

    /// A column and what of a user stands in it.
    mutating func owner(_ node: YAMLNode, _ subject: String) -> Located<Ownership>? {
        let expected = "a column, {id: column} or {email: column}"
        guard case .map(let entries) = node.content else {
            return nodes.text(node, subject, takes: expected).map {
                Located(Ownership(column: $0.value), node.location)
            }
        }
        guard let entry = entries.first, entries.count == 1 else {
            report(node.location, "\(subject) takes \(expected), one of them")
            return nil
        }
        guard let name = Ownership.Name(rawValue: entry.key) else {
            nodes.unknown(entry, in: subject, among: Ownership.Name.allCases.map(\.rawValue))
            return nil
        }
        return nodes.text(entry.value, subject, takes: expected).map {
            Located(Ownership(column: $0.value, name: name), $0.location)
        }
    }
}
