import ModelStore
import RolecallProtocol

/// Turns a token into the user that it names.
struct Authenticator: Sendable {
    let tokens: TokenAuthority
    let store: any Store
    let sessions: SessionUse

    /// Whom a token names, by the token alone: nobody's record is read.
    ///
    /// - Throws: ``ErrorCode/tokenInvalid`` or ``ErrorCode/tokenExpired``.
    func claimant(of token: String) async throws(WireError) -> Claimant {
        let claimant = Claimant(try await tokens.verify(token))
        sessions.note(claimant.session)
        return claimant
    }

    /// The user of a token, as the records are now.
    ///
    /// - Throws: ``ErrorCode/tokenInvalid``, ``ErrorCode/tokenExpired``, ``ErrorCode/tokenRevoked`` or
    ///   ``ErrorCode/userUnknown``; ``ErrorCode/unavailable`` where the database can't be read.
    func principal(of token: String) async throws(WireError) -> Principal {
        try await principal(of: claimant(of: token))
    }

    func principal(of claimant: Claimant) async throws(WireError) -> Principal {
        try await claimant.principal(in: store)
    }
}
