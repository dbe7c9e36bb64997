import WireJSON

/// Every sentence of an explanation. Values stand in it as JSON, cut where they are long.
extension EventExplanation.Reason {
    public static func role(asked: String, has role: String) -> Self {
        Self(
            code: "role", sentence: "It asks for the role \(asked), and this is \(role).",
            facts: ["asked": .string(asked), "found": .string(role)])
    }

    public static func unknownRole(asked: String) -> Self {
        Self(
            code: "unknown_role", sentence: "It asks for \(asked), which is no role: nobody has it.",
            facts: ["asked": .string(asked)])
    }

    public static func notSignedIn(column: String) -> Self {
        Self(
            code: "not_signed_in", sentence: "\(column) has to name the user, and nobody is signed in.",
            facts: ["column": .string(column)])
    }

    public static func notSignedIn(membership: String, column: String) -> Self {
        Self(
            code: "not_signed_in",
            sentence: "\(column) has to name a \(membership) of the user, and no user is signed in.",
            facts: ["membership": .string(membership), "column": .string(column)])
    }

    /// - Parameter found: nil where it is not for the asker's eyes.
    public static func owner(column: String, asked: JSON, found: JSON?) -> Self {
        Self(
            code: "owner",
            sentence: found.map { "\(column) is \(short($0)), and the user is \(short(asked))." }
                ?? "\(column) names somebody else than \(short(asked)).",
            facts: facts(column, asked, found))
    }

    /// - Parameters:
    ///   - membership: its name: `team`.
    ///   - found: what the row names; nil where it is not for the asker's eyes.
    ///   - asked: the roles of which one is enough; nil for any.
    ///   - held: the user's roles there; nil where the user does not belong there.
    public static func notMember(
        of membership: String, column: String, found: JSON?, asked: [String]?, held: [String]?
    ) -> Self {
        let place = "\(membership) \(found.map { short($0) } ?? "that \(column) names")"
        var facts: JSONObject = ["membership": .string(membership), "column": .string(column)]
        if let found { facts["found"] = found }
        if let asked { facts["asked"] = .array(asked.map(JSON.string)) }
        guard let held else {
            return Self(
                code: "not_member", sentence: "The user does not belong to the \(place).", facts: facts)
        }
        facts["held"] = .array(held.map(JSON.string))
        let wanted = (asked ?? []).joined(separator: " or ")
        let own = held.isEmpty ? "no role" : held.joined(separator: " and ")
        return Self(
            code: "member_role",
            sentence: "In the \(place) the user is \(own), and the rule asks for \(wanted).", facts: facts)
    }

    /// - Parameter found: nil where it is not for the asker's eyes.
    public static func value(column: String, asked: JSON, found: JSON?) -> Self {
        Self(
            code: "value",
            sentence: found.map { "\(column) is \(short($0)), and the rule asks for \(short(asked))." }
                ?? "\(column) is something else than \(short(asked)).",
            facts: facts(column, asked, found))
    }

    public static func missing(column: String) -> Self {
        Self(code: "missing", sentence: "The row has no \(column).", facts: ["column": .string(column)])
    }

    public static func hiddenKey(asked: String, has role: String) -> Self {
        Self(
            code: "hidden_key",
            sentence: "The key asks for the role \(asked), and this is \(role): without it no row is told.",
            facts: ["asked": .string(asked), "found": .string(role)])
    }

    private static func facts(_ column: String, _ asked: JSON, _ found: JSON?) -> JSONObject {
        var facts: JSONObject = ["column": .string(column), "asked": asked]
        if let found { facts["found"] = found }
        return facts
    }

    private static func short(_ value: JSON) -> String { EventExplanation.short(value) }
}

extension EventExplanation.Verdict {
    /// What a rule asks for, in words.
    ///
    /// - Parameters:
    ///   - owner: the column that has to name the user, and by what (`id`, `email`).
    ///   - member: the membership, the column that names what the user has to belong to, and the roles of which one is
    ///     enough there, nil for any.
    ///   - when: columns, and what has to stand in them.
    public static func asks(
        role: String?, owner: (column: String, name: String)?,
        member: (membership: String, column: String, roles: [String]?)? = nil, when: [(column: String, value: JSON)]
    ) -> String {
        var parts = role.map { ["role \($0)"] } ?? []
        if let owner { parts.append("\(owner.column) is the user's \(owner.name)") }
        if let member {
            let roles = member.roles.map { " as \($0.joined(separator: " or "))" } ?? ""
            parts.append("\(member.column) is a \(member.membership) of the user\(roles)")
        }
        parts += when.map { "\($0.column) is \(EventExplanation.short($0.value))" }
        return parts.isEmpty ? "nothing" : parts.joined(separator: ", ")
    }
}

extension EventExplanation.Withheld {
    /// - Parameters:
    ///   - role: the least role that sees it by itself; nil where no role does.
    ///   - asks: what the rules that show it ask for, where that is more than a role.
    public init(field: String, role: String?, asks: String? = nil) {
        self.init(field: field, role: role, sentence: "\(field) is for \(asks ?? role ?? "no role").")
    }
}

extension EventExplanation {
    /// Why nothing is told.
    public enum Silence: Hashable, Sendable {
        case noRules
        case noRow
        case notVisible
        case onlyHiddenChanges([String])
    }

    /// What somebody is told, and why, in one sentence.
    ///
    /// - Parameters:
    ///   - told: nil for nothing.
    ///   - silence: why it is nothing.
    public static func sentence(
        user: UserSummary?, role: String, model: String, told: ModelOperation?, silence: Silence?, before: Side?,
        after: Side?
    ) -> String {
        let who = user.map { "\($0.email) (\(role))" } ?? "Whoever is not signed in (\(role))"
        switch told {
        case .created:
            let past = before == nil ? "" : ", and did not before"
            return "\(who) gets \(model):save (created): \(granted(by: after, "grants"))\(past)."
        case .updated:
            return "\(who) gets \(model):save (updated): \(granted(by: after, "grants"))."
        case .hidden:
            return "\(who) gets \(model):remove (hidden): \(granted(by: before, "granted")), and \(refused(after)) now."
        case .removed:
            return "\(who) gets \(model):remove (removed): \(granted(by: before, "granted"))."
        case nil:
            return "\(who) gets nothing: \(reason(for: silence, model: model, row: after ?? before))."
        }
    }

    private static func reason(for silence: Silence?, model: String, row: Side?) -> String {
        switch silence {
        case .noRules: return "there are no rules for \(model)"
        case .noRow, nil: return "this is about no row"
        case .notVisible: return refused(row)
        case .onlyHiddenChanges(let columns):
            return "all that changed is out of sight" + (columns.isEmpty ? "" : " (\(list(columns)))")
        }
    }

    private static func granted(by side: Side?, _ verb: String = "grants it") -> String {
        let rule = side?.rules.first { $0.isGranted }
        return "read rule \(rule.map { "\($0.number) (\($0.asks))" } ?? "?") \(verb) it"
    }

    private static func refused(_ side: Side?) -> String {
        guard let side, side.obstacle == nil else { return "the key is out of sight" }
        return side.rules.isEmpty ? "there is no read rule" : "no read rule grants it"
    }

    private static func list(_ names: [String]) -> String {
        let shown = names.prefix(8).map { String($0.prefix(64)) }.joined(separator: ", ")
        return names.count > 8 ? "\(shown) and \(names.count - 8) more" : shown
    }

    /// The longest value that a sentence spells out, in characters.
    private static let longestValue = 60

    static func short(_ value: JSON) -> String {
        let text = value.description
        let start = text.prefix(longestValue)
        return start.endIndex == text.endIndex ? text : "\(start)..."
    }
}
