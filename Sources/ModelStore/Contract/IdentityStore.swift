import RolecallProtocol

/// Users' records and sign-ins, now and as they change.
///
/// **One call.** ``claimant(user:session:deadline:)`` is what every request and login needs; a store makes it one
/// statement.
///
/// **A feed of its own.** Changes of users, ends of sessions and changes of memberships are read by snapshot and with a
/// cursor that is no place in the log, so that none of them ever waits for the log: not for a long stretch of it, not for
/// a follower that sits in its turn, not for readers of rows. A turn shows a change without delay where it
/// was committed through this store, and within about 20 ms where another process committed it.
public protocol IdentityStore: Sendable {
    /// A user as the records are now, with all that the user belongs to; nil where there is none.
    ///
    /// - Parameter session: the sign-in that is to be looked up, too; nil for a claim without one.
    func claimant(user: Int64, session: String?, deadline: Deadline) async throws -> ClaimantRecord?

    /// The feed's end now.
    func identityCursor(deadline: Deadline) async throws -> IdentityCursor

    /// Follows the feed from a cursor on; turns are as those of ``LogStore/follow(from:identities:limit:_:)``. A turn
    /// comes at once, and then whenever something has changed.
    func followIdentities(
        from cursor: IdentityCursor,
        _ body: @escaping @Sendable (_ reading: IdentityReading, _ turn: FollowerTurn) throws -> Void
    ) -> LogSubscription
}

extension IdentityStore {
    public func claimant(user: Int64, session: String?) async throws -> ClaimantRecord? {
        try await claimant(user: user, session: session, deadline: .standard)
    }

    public func identityCursor() async throws -> IdentityCursor { try await identityCursor(deadline: .standard) }
}
