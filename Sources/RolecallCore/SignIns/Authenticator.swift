import ModelStore
import RolecallProtocol

/// Turns a token into the user that it names.
package struct Authenticator: Sendable {
    let tokens: TokenAuthority
    let store: any IdentityStore
    let sessions: SessionUse

    package init(tokens: TokenAuthority, store: any IdentityStore, sessions: SessionUse) {
        self.tokens = tokens
        self.store = store
        self.sessions = sessions
    }

    /// What a token claims, by the token alone: no record is read.
    ///
    /// - Throws: ``DomainError/tokenRefused(_:)``: invalid, not valid yet, or expired.
    package func claimant(of token: String) async throws(DomainError) -> Claimant {
        let claimant = Claimant(try await tokens.verify(token))
        sessions.note(claimant.session)
        return claimant
    }

    /// The user of a token, as the records are now.
    ///
    /// - Throws: ``DomainError/tokenRefused(_:)``; ``DomainError/unavailable(_:cause:)`` where the records can't be read.
    package func principal(of token: String) async throws(DomainError) -> Principal {
        try await principal(of: claimant(of: token))
    }

    package func principal(of claimant: Claimant) async throws(DomainError) -> Principal {
        try await claimant.principal(in: store)
    }

    /// The user that a token names whose signature was found good lately; nil for any other token.
    package func knownUser(of token: String) -> Int64? { tokens.knownUser(of: token) }
}
