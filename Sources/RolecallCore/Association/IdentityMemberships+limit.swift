import ModelStore
import RolecallProtocol

extension IdentityMemberships {
    /// As much of what a user belongs to as a client is told.
    init(_ memberships: Memberships) {
        self.init(
            entries: memberships.sorted(limit: Self.limit).map { membership in
                Entry(name: membership.name, of: membership.value.json, roles: membership.roles.sorted())
            }, hasMore: memberships.count > Self.limit)
    }
}
