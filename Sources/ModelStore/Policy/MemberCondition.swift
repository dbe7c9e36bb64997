/// What a rule asks of the user's memberships: that the user belongs to what the row names.
public struct MemberCondition: Hashable, Sendable {
    /// The membership's name in the configuration.
    public var membership: String
    /// The column that names what the user has to belong to. A column that the row lacks, and one that is NULL, names
    /// nothing.
    public var column: String
    /// One of these roles there is enough; nil asks for none.
    public var roles: Set<String>?

    public init(_ membership: String, of column: String, as roles: Set<String>? = nil) {
        self.membership = membership
        self.column = column
        self.roles = roles
    }

    func holds(in row: Row, for memberships: Memberships) -> Bool {
        guard let value = row[column], let held = memberships.roles(in: value, of: membership) else { return false }
        return roles.map { !$0.isDisjoint(with: held) } ?? true
    }
}
