import ModelStore

/// A value that stands in the file under the name of a server's flag.
public struct Setting: Hashable, Sendable {
    /// The flag's long name without its hyphens: `allowed-origin`.
    public var name: String
    /// As written, without quotes; a list gives several, or none.
    public var values: [String]
    public var location: Location

    public init(name: String, values: [String], location: Location) {
        self.name = name
        self.values = values
        self.location = location
    }
}

/// A chat room that the configuration opens.
public struct Room: Hashable, Sendable {
    public var name: String
    /// The least role that reads it.
    public var read: String
    /// The least role that writes into it. Only who is signed in writes, whatever the role.
    public var write: String

    public init(name: String, read: String, write: String) {
        self.name = name
        self.read = read
        self.write = write
    }
}

/// A configuration after every name in it was found in a database.
public struct ResolvedConfiguration: Hashable, Sendable {
    /// The rules of every model, the built-in ones included.
    public var policy: Policy
    /// Every model, the built-in ones first, the others in the file's order.
    public var models: [ModelDeclaration]
    /// The tables that say who belongs where, in the file's order.
    public var memberships: [MembershipSource]
    /// Nil where the file says nothing of it.
    public var retention: Retention?
    /// Nil where the file says nothing of them: then there is any room, for everyone signed in.
    public var rooms: [Room]?

    public init(
        policy: Policy, models: [ModelDeclaration], memberships: [MembershipSource] = [],
        retention: Retention? = nil, rooms: [Room]? = nil
    ) {
        self.policy = policy
        self.models = models
        self.memberships = memberships
        self.retention = retention
        self.rooms = rooms
    }

    /// What a server has without any configuration.
    public static func builtIn(demo: Bool) -> ResolvedConfiguration {
        ResolvedConfiguration(
            policy: BuiltInModels.policy(demo: demo), models: BuiltInModels.declarations(demo: demo))
    }
}
