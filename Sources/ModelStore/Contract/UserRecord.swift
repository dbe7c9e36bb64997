import RolecallProtocol

/// A user with what never leaves the server.
public struct UserRecord: Hashable, Sendable {
    public var id: Int64
    public var email: String
    public var name: String
    public var role: String
    /// A password's hash with its parameters; in no log, no answer, no description.
    public var password: String
    /// Tokens of an older generation are void.
    public var generation: Int64

    public init(id: Int64, email: String, name: String, role: String, password: String, generation: Int64) {
        self.id = id
        self.email = email
        self.name = name
        self.role = role
        self.password = password
        self.generation = generation
    }

    public var summary: UserSummary { UserSummary(id: id, email: email, name: name, role: role) }
}

extension UserRecord: CustomStringConvertible {
    public var description: String { "user \(id) \(email) (\(role))" }
}
