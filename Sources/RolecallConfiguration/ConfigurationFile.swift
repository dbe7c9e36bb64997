import ModelStore

/// A configuration file as it was read: roles, models with their rules, rooms, retention, and the server's settings.
///
/// Reading finds the mistakes that show in the file alone, resolving those that show against a database. Both go on
/// after a mistake, so that all are told at once; what could not be understood is left out and grants nothing. Only a
/// file without mistakes is to be used.
public struct ConfigurationFile: Sendable {
    /// For sentences.
    public let name: String
    /// In the order of the file.
    public let settings: [Setting]
    /// From the lowest, which is that of those who are not signed in, to the highest.
    public let roles: [String]
    /// The only rooms that there are; nil for any.
    public let rooms: [Room]?
    public let retention: Retention?

    let memberships: [MembershipEntry]
    let models: [ModelEntry]

    /// Parses a file.
    ///
    /// - Parameters:
    ///   - text: YAML, at most 1,000,000 bytes.
    ///   - name: the file's, for sentences.
    ///   - settings: the names of the flags that may stand at the top, without their hyphens: `port`.
    /// - Returns: what could be read, and the mistakes in the order of the file.
    public static func read(
        _ text: String, name: String, settings: Set<String>
    ) -> (file: ConfigurationFile, mistakes: [Mistake]) {
        var reader = FileReader(file: name, settings: settings)
        reader.read(text)
        return (ConfigurationFile(name: name, reader), reader.nodes.mistakes.inOrder)
    }

    private init(name: String, _ reader: FileReader) {
        self.name = name
        settings = reader.settings
        roles = reader.roles
        rooms = reader.rooms
        retention = reader.retention
        memberships = reader.memberships
        models = reader.models
    }

    public func setting(_ name: String) -> Setting? {
        settings.first { $0.name == name }
    }

    /// Finds every name of the file in a database.
    ///
    /// - Parameter demo: whether the demo's model is there, too; one of the file's that has its name takes its place.
    /// - Returns: what the file comes to, and the mistakes that ``read(_:name:settings:)`` could not see, in the order
    ///   of the file.
    public func resolve(
        against schema: DatabaseSchema, demo: Bool = false
    ) -> (resolved: ResolvedConfiguration, mistakes: [Mistake]) {
        var mistakes = Mistakes(file: name)
        let brings = demo && !models.contains { $0.name == BuiltInModels.thing }
        var resolved = ResolvedConfiguration(
            policy: BuiltInModels.policy(
                roles: roles, rooms: rooms, separatesUsers: !memberships.isEmpty, demo: brings),
            models: BuiltInModels.declarations(demo: brings), retention: retention, rooms: rooms)
        let policy = resolved.policy
        let members = MembershipResolution.resolve(memberships, against: schema, mistakes: &mistakes)
        resolved.memberships = members.sources
        for entry in models {
            var entry = entry
            entry.refuseRepetitions(comparing: schema.nameComparison, under: policy, mistakes: &mistakes)
            if entry.name == ModelName.user {
                let users = resolved.policy.models[ModelName.user] ?? ModelPolicy(read: [])
                resolved.policy.models[ModelName.user] = UserResolution.policy(
                    entry, over: users, comparing: schema.nameComparison, members: members, mistakes: &mistakes)
            } else if let model = ModelResolution.resolve(
                entry, against: schema, members: members, mistakes: &mistakes)
            {
                if brings, model.declaration.path == "things" {
                    mistakes.report(
                        entry.path?.location ?? entry.location,
                        "/api/things is the path of the demo's thing; give \(entry.name) another one with path:")
                }
                resolved.models.append(model.declaration)
                resolved.policy.models[entry.name] = model.policy
            }
        }
        return (resolved, mistakes.inOrder)
    }
}
