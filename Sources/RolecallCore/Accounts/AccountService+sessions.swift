import ModelStore
import RolecallProtocol

/// A sign-in that is open, with the sockets that it has associated.
package struct SessionListing: Sendable {
    package var session: SessionRecord
    /// Whether it is the caller's own.
    package var isCurrent: Bool
    package var sockets: [SocketEntry]
}

/// A user's sign-ins, and ending them from afar. They are ended by their records alone; open sockets follow those.
extension AccountService {
    /// The user's open sign-ins, the newest first.
    package func sessions(
        ofUser id: Int64, as claimant: Claimant
    ) async throws(DomainError) -> Reading<[SessionListing]> {
        try await admit(claimant, to: id, .administratorsAndSelf)
        let sessions = try await DomainError.mapping {
            try await store.inspect(positioned: true) { try $0.sessions(ofUser: id) }
        }
        let now = Timestamp.now
        let open = Dictionary(grouping: await node.sockets.sockets(ofUser: id), by: \.session)
        let listings = sessions.value.filter { $0.isOpen(at: now) }.map { session in
            SessionListing(
                session: session, isCurrent: session.id == claimant.session, sockets: open[session.id] ?? [])
        }
        return Reading(value: listings, position: sessions.position)
    }

    /// Ends all sign-ins of a user.
    ///
    /// - Returns: how many were open.
    package func endSessions(ofUser id: Int64, as claimant: Claimant) async throws(DomainError) -> Reading<Int> {
        try await change(id, .administratorsAndSelf, as: claimant) { transaction, _ in
            // The sessions first: the log says of each that it was signed out. Then tokens that belong to none, as other
            // programs make them that hold the key.
            let count = try transaction.revokeSessions(ofUser: id, at: .now)
            try transaction.voidTokens(ofUser: id)
            return count
        }
    }

    /// Ends one sign-in of a user.
    ///
    /// - Throws: ``DomainError/notFound(_:field:)`` for one that is another user's or has ended, besides what every
    ///   change throws.
    package func endSession(
        _ session: String, ofUser id: Int64, as claimant: Claimant
    ) async throws(DomainError) -> Position? {
        try await change(id, .administratorsAndSelf, as: claimant) { transaction, _ in
            let now = Timestamp.now
            guard let record = try transaction.session(id: session), record.user == id, record.isOpen(at: now),
                try transaction.revokeSession(id: session, at: now)
            else { throw DomainError.notFound("There is no such session, or it has ended.") }
        }.position
    }
}
