import ModelStore
import RolecallProtocol

/// What a verified token, or a socket that was associated with one, claims: a user and a sign-in. Whether both still
/// stand is for the records to say.
package struct Claimant: Sendable, Hashable {
    /// The user's id.
    package var user: Int64
    /// The sign-in that the token belongs to; nil for a token of another program that holds the key.
    package var session: String?
    /// The user's token generation, as the token has it.
    package var generation: Int64
    package var expiresAt: Timestamp
    /// The role that the user had when the token was made. A hint: what is prepared by it is judged again.
    package var role: String?

    package init(user: Int64, session: String?, generation: Int64, expiresAt: Timestamp, role: String? = nil) {
        self.user = user
        self.session = session
        self.generation = generation
        self.expiresAt = expiresAt
        self.role = role
    }

    /// What the store confirms or refuses.
    var claim: Claim { Claim(user: user, session: session, generation: generation) }

    /// The user's record.
    ///
    /// - Throws: ``DomainError/tokenRefused(_:)`` where the records are against the claim; `StoreError` where they can't
    ///   be read.
    func user(in transaction: any AccountReader) throws -> UserRecord {
        guard let record = try transaction.user(id: user) else { throw DomainError.tokenRefused(.userUnknown) }
        if let session {
            guard let session = try transaction.session(id: session), session.user == record.id,
                session.revokedAt == nil
            else { throw DomainError.tokenRefused(.sessionEnded) }
        }
        guard generation == record.generation else { throw DomainError.tokenRefused(.generationEnded) }
        return record
    }

    /// The user as the records are now.
    ///
    /// - Throws: ``DomainError/tokenRefused(_:)``; ``DomainError/unavailable(_:cause:)`` where the records can't be read.
    func principal(in store: any IdentityStore) async throws(DomainError) -> Principal {
        let record: ClaimantRecord?
        do {
            record = try await store.claimant(user: user, session: session)
        } catch is CancellationError {
            throw .cancelled
        } catch {
            // Whatever the cause: the client should come back, and not take its token for a bad one.
            throw .unavailable("The user's record can't be read at the moment; try again.", cause: "\(error)")
        }
        guard let record else { throw .tokenRefused(.userUnknown) }
        do throws(ClaimRefusal) {
            try record.confirm(claim)
        } catch {
            throw .tokenRefused(TokenRefusal(error))
        }
        return Principal(
            user: record.identity.summary, memberships: record.memberships, session: session, generation: generation,
            expiresAt: expiresAt,
            readAt: record.readAt)
    }
}

extension Claimant {
    init(_ claims: TokenAuthority.Claims) {
        self.init(
            user: claims._id, session: claims.sid, generation: claims.gen ?? 0,
            expiresAt: Timestamp(seconds: claims.exp), role: claims.role)
    }

    package init(_ principal: Principal) {
        self.init(
            user: principal.user.id, session: principal.session, generation: principal.generation,
            expiresAt: principal.expiresAt, role: principal.user.role)
    }
}
