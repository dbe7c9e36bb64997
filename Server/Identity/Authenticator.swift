import ModelStore
import RolecallProtocol

/// Turns a token into the user that it names, as the records are now.
struct Authenticator: Sendable {
    let tokens: TokenAuthority
    let store: any Store

    /// - Throws: ``ErrorCode/tokenInvalid``, ``ErrorCode/tokenExpired``, ``ErrorCode/tokenRevoked`` or
    ///   ``ErrorCode/userUnknown``; ``ErrorCode/unavailable`` where the database can't be read.
    func principal(of token: String) async throws(WireError) -> Principal {
        let claims = try await tokens.verify(token)
        let snapshot: Snapshot<(user: UserRecord?, session: SessionRecord?)>
        do {
            snapshot = try await store.read { transaction in
                (
                    user: try transaction.user(id: claims._id),
                    session: try claims.sid.flatMap { try transaction.session(id: $0) }
                )
            }
        } catch {
            throw WireError(.unavailable, "The user's record can't be read at the moment; try again.")
        }
        guard let user = snapshot.value.user else {
            throw WireError(.userUnknown, "The user of this token does not exist any more.")
        }
        if claims.sid != nil {
            guard let session = snapshot.value.session, session.user == user.id, session.revokedAt == nil else {
                throw WireError(.tokenRevoked, "The session of this token was ended; log in again.")
            }
        }
        guard (claims.gen ?? 0) == user.generation else {
            throw WireError(.tokenRevoked, "The password was changed since this token was made; log in again.")
        }
        return Principal(
            user: user.summary, session: claims.sid, generation: user.generation,
            expiresAt: Timestamp(seconds: claims.exp), readAt: snapshot.position.sequence)
    }
}
