import ModelStore

/// The models that a server has without any configuration, and their rules.
enum BuiltInModels {
    static let roles = ["guest", "user", "admin"]

    static func declarations(demo: Bool) -> [ModelDeclaration] {
        var declarations = [
            ModelDeclaration(name: ModelName.user, path: "users", table: "rolecall_user", secret: ["password"]),
            ModelDeclaration(name: ModelName.message, path: "messages", table: "rolecall_message"),
        ]
        if demo { declarations.append(ModelDeclaration(name: "thing", path: "things", table: "thing")) }
        return declarations
    }

    static func policy(demo: Bool) -> Policy {
        var models = [ModelName.user: users, ModelName.message: messages]
        if demo { models["thing"] = things }
        return Policy(roles: roles, models: models)
    }

    /// Admins see all of a user but what is secret; everyone signed in sees names. Users are not written like rows.
    private static let users = ModelPolicy(
        read: [Rule(role: "user")],
        // No role is this high: what only the server itself needs is seen by nobody.
        fields: ["email": "admin", "role": "admin", "generation": "nobody"])

    /// Chat, for everyone signed in. An author or an admin can take a message back; nobody rewrites one.
    private static let messages = ModelPolicy(
        read: [Rule(role: "user")], create: [Rule(role: "user")],
        remove: [Rule(role: "admin"), Rule(role: "user", owner: "author")],
        stamps: ["author": .authorID, "name": .authorName, "at": .now])

    /// The demo's rows: those marked `admin_only` are the admins' business.
    private static let things = ModelPolicy(
        read: [Rule(role: "admin"), Rule(role: "user", when: ["admin_only": .boolean(false)])],
        create: [Rule(role: "admin"), Rule(role: "user", when: ["admin_only": .boolean(false)])],
        update: [Rule(role: "admin"), Rule(role: "user", when: ["admin_only": .boolean(false)])],
        remove: [Rule(role: "admin")])
}
