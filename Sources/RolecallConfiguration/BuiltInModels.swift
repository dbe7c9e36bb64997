import ModelStore

/// The models that a server has without any configuration, and their rules.
public enum BuiltInModels {
    /// Where a configuration names none.
    public static let roles = ["guest", "user", "admin"]

    /// A role that no list can name: for what only the server itself needs.
    static let nobody = "nobody"

    /// The least role that somebody has who is signed in, and the one that a new account gets: the second of the list.
    ///
    /// With two roles that is the highest, too: whoever has an account is an admin.
    public static func signedInRole(of roles: [String]) -> String {
        roles.dropFirst().first ?? roles.first ?? Self.roles[1]
    }

    /// The role that may everything: the last of the list.
    public static func highestRole(of roles: [String]) -> String {
        roles.last ?? Self.roles[2]
    }

    /// - Parameter demo: with the demo's things.
    public static func declarations(demo: Bool = false) -> [ModelDeclaration] {
        var declarations = [
            ModelDeclaration(name: ModelName.user, path: "users", table: "rolecall_user", secret: ["password"]),
            ModelDeclaration(name: ModelName.message, path: "messages", table: "rolecall_message"),
        ]
        if demo { declarations.append(ModelDeclaration(name: thing, path: "things", table: "thing")) }
        return declarations
    }

    /// - Parameters:
    ///   - roles: from the lowest to the highest, at least two.
    ///   - rooms: the only ones that there are; nil for any, open to everyone signed in.
    ///   - separatesUsers: whether users see each other only where a rule says so: those of one team need not know of
    ///     those of another.
    ///   - demo: with the demo's things.
    public static func policy(
        roles: [String] = roles, rooms: [Room]? = nil, separatesUsers: Bool = false, demo: Bool = false
    ) -> Policy {
        let levels = Levels(user: signedInRole(of: roles), admin: highestRole(of: roles))
        var models = [
            ModelName.user: users(levels, areSeparate: separatesUsers), ModelName.message: messages(levels, rooms),
        ]
        if demo { models[thing] = things(levels) }
        return Policy(roles: roles, models: models)
    }

    static let thing = "thing"

    /// What can be said of a user's columns: all others stay between the server and its table.
    static let userColumns: [DatabaseSchema.Column] = [
        DatabaseSchema.Column(name: Model.keyName, kind: .integer, declaredType: "INTEGER", isNullable: false),
        DatabaseSchema.Column(name: "email", kind: .text, declaredType: "TEXT", isNullable: false),
        DatabaseSchema.Column(name: "name", kind: .text, declaredType: "TEXT", isNullable: false),
        DatabaseSchema.Column(name: "role", kind: .text, declaredType: "TEXT", isNullable: false),
    ]

    private struct Levels {
        var user: String
        var admin: String
    }

    /// Admins see all of a user but what is secret; everyone signed in sees names, if they are not separate. Users are not
    /// written like rows.
    private static func users(_ levels: Levels, areSeparate: Bool) -> ModelPolicy {
        ModelPolicy(
            read: [Rule(role: areSeparate ? levels.admin : levels.user)],
            fields: [
                "email": ColumnAccess(role: levels.admin), "role": ColumnAccess(role: levels.admin),
                "generation": ColumnAccess(role: nobody),
            ])
    }

    /// Chat. An author or an admin can take a message back; nobody rewrites one.
    private static func messages(_ levels: Levels, _ rooms: [Room]?) -> ModelPolicy {
        ModelPolicy(
            read: rooms.map { $0.map { rule($0.read, for: $0) } } ?? [Rule(role: levels.user)],
            create: rooms.map { $0.map { rule($0.write, for: $0) } } ?? [Rule(role: levels.user)],
            remove: [Rule(role: levels.admin), Rule(role: levels.user, owner: "author")],
            stamps: ["author": .authorID, "name": .authorName, "at": .now])
    }

    private static func rule(_ role: String, for room: Room) -> Rule {
        Rule(role: role, when: ["room": .text(room.name)])
    }

    /// The demo's rows: those marked `admin_only` are the admins' business.
    private static func things(_ levels: Levels) -> ModelPolicy {
        let rules = [Rule(role: levels.admin), Rule(role: levels.user, when: ["admin_only": .boolean(false)])]
        return ModelPolicy(read: rules, create: rules, update: rules, remove: [Rule(role: levels.admin)])
    }
}
