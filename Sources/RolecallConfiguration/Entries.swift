import ModelStore

/// What the file says, with where it says so; names are not yet looked up in any database.
struct Located<Value: Sendable>: Sendable {
    var value: Value
    var location: Location

    init(_ value: Value, _ location: Location) {
        self.value = value
        self.location = location
    }
}

struct ModelEntry: Sendable {
    var name: String
    var location: Location
    var table: Located<String>?
    var path: Located<String>?
    var key: [Located<String>] = []
    /// Where the key is named; nil where it is not.
    var keyLocation: Location?
    var read: RuleList?
    var write: RuleList?
    var create: RuleList?
    var update: RuleList?
    var remove: RuleList?
    var fields: [FieldEntry] = []
    var stamps: [StampEntry] = []
    /// The table or the key could not be read: what depends on them would only be guessed wrong.
    var isBroken = false

    /// What is served under: the path given, else the name with an s.
    var servedPath: String { path?.value ?? name + "s" }
}

struct RuleList: Sendable {
    /// `read`, `write` and so on.
    var name: String
    var location: Location
    var rules: [RuleEntry]
}

struct RuleEntry: Sendable {
    var location: Location
    var role: Located<String>?
    var when: [WhenEntry] = []
    var owner: Located<Ownership>?
    var member: MemberEntry?
    var authority: Located<Bool>?
    /// Some of it could not be read: it stands for no rule.
    var isBroken = false
}

/// A membership, the column that names what the user has to belong to, and the roles of which one is enough.
struct MemberEntry: Sendable {
    var location: Location
    var membership: Located<String>
    var column: Located<String>
    /// Nil asks for none.
    var roles: [Located<String>]?
}

/// What the file says of a membership.
struct MembershipEntry: Sendable {
    var name: String
    var location: Location
    var sources: [MembershipSourceEntry]
    /// Some of it could not be read: rules that name it are not judged.
    var isBroken = false
}

struct MembershipSourceEntry: Sendable {
    var location: Location
    var table: Located<String>
    var user: Located<Ownership>
    var of: Located<String>
    var role: Located<String>?
}

/// A column and the values of which it must have one.
struct WhenEntry: Sendable {
    var column: Located<String>
    var values: [Located<Value>]
}

struct FieldEntry: Sendable {
    var column: Located<String>
    /// The least role, or rules.
    var read: RuleList?
    var write: RuleList?
    var secret: Located<Bool>?
}

struct StampEntry: Sendable {
    var column: Located<String>
    var stamp: Located<Stamp>
}
