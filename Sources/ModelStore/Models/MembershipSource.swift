/// A table that says who belongs where, as configuration names it: each row makes its user a member of one thing.
///
/// Several sources may give the same membership. A row in which the user or what he belongs to is NULL says nothing.
public struct MembershipSource: Hashable, Sendable {
    /// The membership's name in the configuration: `team`.
    public var membership: String
    public var table: String
    /// The column that names the user, and what of the user stands in it.
    public var user: Ownership
    /// The column that names what the user belongs to.
    public var of: String
    /// The column with the user's role there; nil where there are no roles.
    public var role: String?

    public init(membership: String, table: String, user: Ownership, of: String, role: String? = nil) {
        self.membership = membership
        self.table = table
        self.user = user
        self.of = of
        self.role = role
    }
}
