import ModelStore
import RolecallProtocol

/// Whom a good token names, or a socket that was tied with one: who it is, and whether he still is, is said by the
/// records alone.
struct Claimant: Sendable, Hashable {
    /// The user's id.
    var user: Int64
    /// The sign-in that the token belongs to; nil for tokens of others who hold our key.
    var session: String?
    /// The user's token generation, as the token has it.
    var generation: Int64
    var expiresAt: Timestamp
    /// The role that the user had once. A hint: what is prepared by it is judged again.
    var role: String?

    /// The user's record.
    ///
    /// - Throws: `WireError` with ``ErrorCode/userUnknown`` or ``ErrorCode/tokenRevoked`` where the records are against
    ///   it; `StoreError` where they can't be read.
    func user(in transaction: any ReadTransaction) throws -> UserRecord {
        guard let record = try transaction.user(id: user) else {
            throw WireError(.userUnknown, "The user of this token does not exist any more.")
        }
        if let session {
            guard let session = try transaction.session(id: session), session.user == record.id,
                session.revokedAt == nil
            else { throw WireError(.tokenRevoked, "The session of this token was ended; log in again.") }
        }
        guard generation == record.generation else {
            throw WireError(
                .tokenRevoked,
                "Since this token was made the password was changed, or its user signed out everywhere; log in again.")
        }
        return record
    }

    /// The user as the records are now.
    ///
    /// - Throws: as ``user(in:)``; ``ErrorCode/unavailable`` where the records can't be read.
    func principal(in store: any Store) async throws(WireError) -> Principal {
        let snapshot: Snapshot<UserRecord>
        do {
            snapshot = try await store.read { try user(in: $0) }
        } catch let error as WireError {
            throw error
        } catch {
            throw WireError(.unavailable, "The user's record can't be read at the moment; try again.")
        }
        return Principal(
            user: snapshot.value.summary, session: session, generation: generation, expiresAt: expiresAt,
            readAt: snapshot.position.sequence)
    }
}

extension Claimant {
    init(_ claims: TokenAuthority.Claims) {
        self.init(
            user: claims._id, session: claims.sid, generation: claims.gen ?? 0,
            expiresAt: Timestamp(seconds: claims.exp), role: claims.role)
    }

    init(_ principal: Principal) {
        self.init(
            user: principal.user.id, session: principal.session, generation: principal.generation,
            expiresAt: principal.expiresAt, role: principal.user.role)
    }
}
