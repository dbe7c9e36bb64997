import ModelStore
import RolecallProtocol

extension SQLiteDatabaseStore {
    public func claimant(user: Int64, session: String?, deadline: Deadline) async throws -> ClaimantRecord? {
        try await reading(readers.identities, deadline) { try $0.claimant(user: user, session: session) }
    }

    public func identityCursor(deadline: Deadline) async throws -> IdentityCursor {
        try await reading(readers.identities, deadline) { transaction in
            let place = try EventLog.place(transaction.db)
            return IdentityCursor(era: place.era, upTo: place.head)
        }
    }

    /// It reads the same table as followers of the log do, by an index of its own that holds nothing else, and on its own
    /// connections, which no other reading waits for.
    public func followIdentities(
        from cursor: IdentityCursor, _ body: @escaping @Sendable (IdentityReading, FollowerTurn) throws -> Void
    ) -> LogSubscription {
        let place = FollowerPlace((cursor: cursor, isFirst: true))
        return identityFollowers.add { transaction, turn in
            let (cursor, isFirst) = place.value
            let reading = try IdentityLog.reading(
                behind: cursor, at: EventLog.place(transaction.db), in: transaction.db,
                memberships: transaction.memberships)
            guard isFirst || reading.cursor != cursor || reading.isReset else { return turn.end() }
            try body(
                reading,
                FollowerTurn {
                    place.value = (reading.cursor, false)
                    turn.end()
                })
        }
    }
}
