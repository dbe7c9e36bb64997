import ModelStore

extension FileReader {
    /// The word for roles in a rule's `member`, which no membership can be called.
    private static let rolesKey = "as"
    private static let sourceExample = "{table: team_members, user: user_id, of: team_id, role: role}"

    mutating func readMemberships(_ node: YAMLNode) {
        let expected = "names with the tables that say who belongs there, like team: [\(Self.sourceExample)]"
        guard let entries = nodes.entries(node, "memberships", takes: expected) else { return }
        memberships = entries.compactMap { membership($0) }
    }

    private mutating func membership(_ entry: YAMLEntry) -> MembershipEntry? {
        let name = entry.key
        guard Self.isName(name), name != Self.rolesKey else {
            report(
                entry.location,
                name == Self.rolesKey
                    ? "no membership can be called as: in a rule that word names the roles"
                    : """
                    \(Words.quoted(name)) can't be a membership's name: it has letters from A to Z, digits, _ and -, 64 at \
                    most
                    """)
            return nil
        }
        var membership = MembershipEntry(name: name, location: entry.location, sources: [])
        let elements: [YAMLNode]
        switch entry.value.content {
        case .list(let list): elements = list
        case .map: elements = [entry.value]
        case .scalar:
            return nodes.refuse(entry.value, "the membership \(name)", takes: "tables, like [\(Self.sourceExample)]")
        }
        if elements.isEmpty {
            report(entry.value.location, "\(name) has no table, so nobody belongs anywhere; name one, or leave it out")
            membership.isBroken = true
        }
        for element in elements {
            if let source = source(element, of: name) {
                membership.sources.append(source)
            } else {
                membership.isBroken = true
            }
        }
        return membership
    }

    private mutating func source(_ node: YAMLNode, of membership: String) -> MembershipSourceEntry? {
        let subject = "a table of the membership \(membership)"
        guard let parts = nodes.entries(node, subject, takes: Self.sourceExample) else { return nil }
        var (table, user, of): (Located<String>?, Located<Ownership>?, Located<String>?)
        var role: Located<String>?
        var isWhole = true
        for part in parts {
            switch part.key {
            case "table": table = nodes.text(part.value, "table", takes: "the table's name")
            case "user": user = owner(part.value, "user")
            case "of": of = nodes.text(part.value, "of", takes: "the column that names what the user belongs to")
            case "role":
                role = nodes.text(part.value, "role", takes: "the column with the user's role there")
                isWhole = isWhole && role != nil
            case "until":
                report(
                    part.location,
                    "a membership can't end by itself: nothing would be told then; remove the row when it ends")
                isWhole = false
            default:
                nodes.unknown(part, in: subject, among: ["table", "user", "of", "role"])
                isWhole = false
            }
        }
        for (name, isGiven) in [("table", table != nil), ("user", user != nil), ("of", of != nil)]
        where !isGiven && !parts.contains(where: { $0.key == name }) {
            report(node.location, "\(subject) needs \(name); write \(Self.sourceExample)")
        }
        guard isWhole, let table, let user, let of else { return nil }
        return MembershipSourceEntry(location: node.location, table: table, user: user, of: of, role: role)
    }

    // MARK: In rules

    /// - Returns: nil, with a mistake, for what names no membership.
    mutating func member(_ node: YAMLNode) -> MemberEntry? {
        let expected = "a membership with the column that names it, like {team: team_id}"
        guard let parts = nodes.entries(node, "member", takes: expected) else { return nil }
        var named: YAMLEntry?
        var roles: [Located<String>]?
        for part in parts {
            if part.key == Self.rolesKey {
                let subject = "as"
                guard let texts = nodes.texts(part.value, subject, takes: "a role, or a list of roles") else {
                    return nil
                }
                guard !texts.isEmpty else {
                    report(part.value.location, "as names no role, so the rule never grants; name one, or leave it out")
                    return nil
                }
                roles = texts
            } else if let named {
                report(
                    part.location,
                    "member names one membership, and \(Words.quoted(named.key)) stands here already; write a rule for each"
                )
                return nil
            } else {
                named = part
            }
        }
        guard let named else {
            report(node.location, "member takes \(expected)")
            return nil
        }
        guard memberships.contains(where: { $0.name == named.key }) else {
            let names = memberships.map(\.name)
            let advice =
                names.isEmpty
                ? "say under memberships: which table has it" : Words.suggestion(for: named.key, among: names, noun: "")
            report(named.location, "there is no membership \(Words.quoted(named.key)); \(advice)")
            return nil
        }
        return nodes.text(named.value, "member", takes: expected).map { column in
            MemberEntry(
                location: node.location, membership: Located(named.key, named.location), column: column, roles: roles)
        }
    }
}
