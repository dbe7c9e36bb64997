import WireJSON

/// Why a user is told of an event what he is told: the answer of `GET /api/events/<position>/explain?user=<user>`.
///
/// Each fact comes with a sentence, so that whoever shows it needs to know none of the codes; a client meets codes of a
/// newer server.
public struct EventExplanation: Hashable, Sendable {
    public var position: Position
    public var model: String
    /// What happened to the row itself: `created`, `updated` or `removed`.
    public var change: String
    /// Nil where whoever asks may not see the row.
    public var key: JSON?
    public var at: String
    /// Who made the change; nil also where whoever asks may not see that.
    public var by: Author?
    /// Whom it is about; nil for nobody.
    public var user: UserSummary?
    /// The role that he counts as.
    public var role: String
    /// What he is told; nil for nothing.
    public var told: ModelOperation?
    /// The fields that he is told have changed.
    public var changed: [String]
    /// What he is told, and why.
    public var sentence: String
    /// The row before the change; nil where there was none.
    public var before: Side?
    /// The row after the change; nil where there is none.
    public var after: Side?

    /// A row, and what each rule has to say of it.
    public struct Side: Hashable, Sendable {
        public var isVisible: Bool
        /// Why no rule could help; nil where one could.
        public var obstacle: Reason?
        /// In the order of the rules.
        public var rules: [Verdict]
        /// What is kept from the user of a row that he sees.
        public var withheld: [Withheld]

        public init(isVisible: Bool, obstacle: Reason?, rules: [Verdict], withheld: [Withheld]) {
            self.isVisible = isVisible
            self.obstacle = obstacle
            self.rules = rules
            self.withheld = withheld
        }
    }

    public struct Verdict: Hashable, Sendable {
        /// Counted from 1.
        public var number: Int
        /// What the rule asks for: `role staff, status "paid", customer_id is the user's id`.
        public var asks: String
        /// All that stands against it; nothing where it grants.
        public var reasons: [Reason]

        public init(number: Int, asks: String, reasons: [Reason]) {
            self.number = number
            self.asks = asks
            self.reasons = reasons
        }

        public var isGranted: Bool { reasons.isEmpty }
    }

    /// Why something is not granted.
    public struct Reason: Hashable, Sendable {
        public var code: String
        public var sentence: String
        /// The column that it is about, what the rule asks for, what was found, as far as there is such a thing and the
        /// asker may see it.
        public var facts: JSONObject

        public init(code: String, sentence: String, facts: JSONObject = [:]) {
            self.code = code
            self.sentence = sentence
            self.facts = facts
        }
    }

    public struct Withheld: Hashable, Sendable {
        public var field: String
        /// The least role that sees it; nil where no role does.
        public var role: String?
        public var sentence: String

        public init(field: String, role: String?, sentence: String) {
            self.field = field
            self.role = role
            self.sentence = sentence
        }
    }

    public init(
        position: Position, model: String, change: String, key: JSON?, at: String, by: Author?, user: UserSummary?,
        role: String, told: ModelOperation?, changed: [String], sentence: String, before: Side?, after: Side?
    ) {
        self.position = position
        self.model = model
        self.change = change
        self.key = key
        self.at = at
        self.by = by
        self.user = user
        self.role = role
        self.told = told
        self.changed = changed
        self.sentence = sentence
        self.before = before
        self.after = after
    }
}

// MARK: - On the wire

extension EventExplanation {
    /// What stands for being told nothing.
    private static let nothing = "nothing"

    public var json: JSON {
        var object: JSONObject = [
            "position": .string(position.description), "model": .string(model), "op": .string(change),
        ]
        if let key { object["_id"] = key }
        object["at"] = .string(at)
        object["by"] = by?.json ?? .null
        object["user"] = user?.json ?? .null
        object["role"] = .string(role)
        object["outcome"] = .string(told?.rawValue ?? Self.nothing)
        object["changed"] = .array(changed.map(JSON.string))
        object["sentence"] = .string(sentence)
        object["before"] = before?.json ?? .null
        object["after"] = after?.json ?? .null
        return .object(object)
    }

    public init?(json: JSON) {
        guard let position = json["position"]?.stringValue.flatMap(Position.init),
            let model = json["model"]?.stringValue, let change = json["op"]?.stringValue,
            let role = json["role"]?.stringValue, let outcome = json["outcome"]?.stringValue,
            let sentence = json["sentence"]?.stringValue
        else { return nil }
        let told = ModelOperation(rawValue: outcome)
        guard told != nil || outcome == Self.nothing else { return nil }
        let user = json["user"].flatMap(UserSummary.init)
        guard user != nil || json["user"]?.isNull ?? true else { return nil }
        var sides: [Side?] = []
        for name in ["before", "after"] {
            let side = json[name].flatMap(Side.init)
            guard side != nil || json[name]?.isNull ?? true else { return nil }
            sides.append(side)
        }
        self.init(
            position: position, model: model, change: change, key: json["_id"], at: json["at"]?.stringValue ?? "",
            by: json["by"].flatMap(Author.init), user: user, role: role, told: told,
            changed: json["changed"]?.arrayValue?.compactMap(\.stringValue) ?? [], sentence: sentence,
            before: sides[0], after: sides[1])
    }
}

extension EventExplanation.Side {
    fileprivate var json: JSON {
        var object: JSONObject = ["visible": .bool(isVisible)]
        if let obstacle { object["obstacle"] = obstacle.json }
        object["rules"] = .array(rules.map(\.json))
        object["withheld"] = .array(withheld.map(\.json))
        return .object(object)
    }

    fileprivate init?(json: JSON) {
        guard let isVisible = json["visible"]?.boolValue, let rules = json["rules"]?.arrayValue else { return nil }
        let verdicts = rules.compactMap(EventExplanation.Verdict.init)
        guard verdicts.count == rules.count else { return nil }
        self.init(
            isVisible: isVisible, obstacle: json["obstacle"].flatMap(EventExplanation.Reason.init), rules: verdicts,
            withheld: (json["withheld"]?.arrayValue ?? []).compactMap(EventExplanation.Withheld.init))
    }
}

extension EventExplanation.Verdict {
    fileprivate var json: JSON {
        [
            "number": .integer(Int64(number)), "asks": .string(asks), "granted": .bool(isGranted),
            "reasons": .array(reasons.map(\.json)),
        ]
    }

    fileprivate init?(json: JSON) {
        guard let number = json["number"]?.integerValue, let asks = json["asks"]?.stringValue,
            let reasons = json["reasons"]?.arrayValue, json["granted"]?.boolValue == reasons.isEmpty
        else { return nil }
        let read = reasons.compactMap(EventExplanation.Reason.init)
        // One that can't be read must not make a refusal a grant.
        guard read.count == reasons.count else { return nil }
        self.init(number: Int(clamping: number), asks: asks, reasons: read)
    }
}

extension EventExplanation.Reason {
    fileprivate var json: JSON {
        var object: JSONObject = ["reason": .string(code), "sentence": .string(sentence)]
        for (name, value) in facts { object[name] = value }
        return .object(object)
    }

    fileprivate init?(json: JSON) {
        guard let object = json.objectValue, let code = json["reason"]?.stringValue,
            let sentence = json["sentence"]?.stringValue
        else { return nil }
        self.init(
            code: code, sentence: sentence,
            facts: JSONObject(object.filter { $0.key != "reason" && $0.key != "sentence" }.map { ($0.key, $0.value) }))
    }
}

extension EventExplanation.Withheld {
    fileprivate var json: JSON {
        ["field": .string(field), "role": role.map(JSON.string) ?? .null, "sentence": .string(sentence)]
    }

    fileprivate init?(json: JSON) {
        guard let field = json["field"]?.stringValue, let sentence = json["sentence"]?.stringValue else { return nil }
        self.init(field: field, role: json["role"]?.stringValue, sentence: sentence)
    }
}
