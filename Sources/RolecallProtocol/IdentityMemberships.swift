import WireJSON

/// What a user belongs to, as `identity` tells it: `memberships`, and `more` where that is not all.
public struct IdentityMemberships: Hashable, Sendable {
    /// So many are told at most.
    public static let limit = 100

    public struct Entry: Hashable, Sendable {
        /// The membership's name: `team`.
        public var name: String
        /// The team or project that the user belongs to.
        public var of: JSON
        /// The user's roles in it, sorted.
        public var roles: [String]

        public init(name: String, of: JSON, roles: [String]) {
            self.name = name
            self.of = of
            self.roles = roles
        }

        init?(json: JSON) {
            guard let name = json["name"]?.stringValue, let of = json["of"] else { return nil }
            self.init(name: name, of: of, roles: json["roles"]?.arrayValue?.compactMap(\.stringValue) ?? [])
        }

        var json: JSON {
            ["name": .string(name), "of": of, "roles": .array(roles.map(JSON.string))]
        }
    }

    public var entries: [Entry]
    /// Whether the user belongs to more than ``entries`` says.
    public var hasMore: Bool

    public init(entries: [Entry], hasMore: Bool = false) {
        self.entries = entries
        self.hasMore = hasMore
    }

    /// Nil for an `identity` that says nothing of memberships.
    init?(identity json: JSON) {
        guard let list = json["memberships"]?.arrayValue else { return nil }
        self.init(entries: list.compactMap(Entry.init), hasMore: json["more"]?.boolValue ?? false)
    }

    func add(to identity: inout JSONObject) {
        identity["memberships"] = .array(entries.map(\.json))
        if hasMore { identity["more"] = true }
    }
}
