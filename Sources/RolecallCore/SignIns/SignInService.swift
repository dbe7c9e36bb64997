import Logging
import ModelStore
import RolecallProtocol

/// Begins, prolongs and ends sign-ins, and makes their tokens.
package struct SignInService: Sendable {
    /// Where a sign-in comes from.
    package struct Origin: Sendable {
        /// The peer's address without its port; nil where that is not known.
        package var address: String?
        /// What attempts to sign in are counted for: the peer's address, or its IPv6 network; nil for this machine's own
        /// addresses, which have no allowance: they are a reverse proxy's as a rule.
        package var limitedAddress: String?
        /// What the program says of itself.
        package var agent: String?
        /// Where what is done for it is logged: with the request's id.
        package var logger: Logger

        package init(address: String?, limitedAddress: String?, agent: String?, logger: Logger) {
            self.address = address
            self.limitedAddress = limitedAddress
            self.agent = agent
            self.logger = logger
        }
    }

    /// A user, signed in: the token to bring from now on.
    package struct Grant: Sendable {
        package var user: UserSummary
        package var token: String
    }

    /// What is kept of a program's name for itself, in bytes.
    private static let longestAgent = 256

    let store: any Store
    let tokens: TokenAuthority
    let passwords: PasswordHasher
    let passwordCheck: PasswordCheck
    let node: LocalNode
    /// Seconds that a token is good for.
    package let lifetime: Int

    package init(
        store: any Store, tokens: TokenAuthority, passwords: PasswordHasher, passwordCheck: PasswordCheck,
        node: LocalNode, lifetime: Int
    ) {
        self.store = store
        self.tokens = tokens
        self.passwords = passwords
        self.passwordCheck = passwordCheck
        self.node = node
        self.lifetime = lifetime
    }

    // MARK: Beginning

    /// Signs a user in by e-mail address and password.
    ///
    /// - Throws: ``DomainError/invalidCredentials``, ``DomainError/tooManyAttempts(_:retryAfter:)``,
    ///   ``DomainError/busy(_:)``, or that the store can't do it now.
    package func signIn(email: String, password: String, from origin: Origin) async throws(DomainError) -> Grant {
        let account = try await DomainError.mapping { try await store.credentials(email: email) }
        let verdict = try await passwordCheck.verdict(
            on: password, of: email, against: account?.password, from: origin.limitedAddress)
        guard let account, verdict != .wrong else {
            origin.logger.notice("refused a login", metadata: ["address": .string(origin.address ?? "unknown")])
            throw .invalidCredentials
        }
        // Where there is no room for it now, the next login brings it.
        let better: String? = verdict == .rightButWeak ? try? await passwords.hash(password) : nil

        let now = Timestamp.now
        let session = makeSession(of: account.id, from: origin, at: now)
        // As the user is when the session begins: the password may have been changed while it was checked.
        let user: UserRecord
        do {
            user = try await store.beginSession(session, generation: account.generation, upgraded: better).value
        } catch is ClaimRefusal {
            throw .invalidCredentials
        } catch {
            throw await store.settled(error)
        }
        origin.logger.info("signed in", metadata: ["user": .stringConvertible(user.id), "email": .string(user.email)])
        return Grant(user: user.summary, token: try await token(for: user, session: session.id, at: now))
    }

    /// A token that lasts longer, of the same sign-in. The one that was brought stays good until its own end.
    package func refresh(_ claimant: Claimant, from origin: Origin) async throws(DomainError) -> Grant {
        let now = Timestamp.now
        let fresh = makeSession(of: claimant.user, from: origin, at: now)
        let renewed = try await store.writing {
            try await store.renewSession(of: claimant.claim, as: fresh, deadline: .standard).value
        }
        return Grant(
            user: renewed.user.summary, token: try await token(for: renewed.user, session: renewed.session, at: now))
    }

    // MARK: Ending

    /// Ends a user's sign-in. Returns when no socket of the session belongs to a user any more.
    package func signOut(_ principal: Principal, from origin: Origin) async throws(DomainError) {
        if let session = principal.session {
            let revoked = try await store.writing {
                try await store.endSession(session, at: .now)
            }
            await node.settled(through: revoked.identity)
        }
        origin.logger.info(
            "signed out",
            metadata: ["user": .stringConvertible(principal.user.id), "email": .string(principal.user.email)])
    }

    // MARK: Parts

    /// A new sign-in, not stored yet.
    func makeSession(of user: Int64, from origin: Origin, at now: Timestamp) -> SessionRecord {
        SessionRecord(
            id: Self.makeSessionID(), user: user, createdAt: now, expiresAt: expiry(from: now),
            address: origin.address, agent: origin.agent.map { String($0.prefix(Self.longestAgent)) })
    }

    /// A token of a sign-in.
    func token(for user: UserRecord, session: String, at now: Timestamp) async throws(DomainError) -> String {
        try await DomainError.mapping {
            try await tokens.token(
                for: TokenAuthority.Claims(
                    _id: user.id, role: user.role, exp: expiry(from: now).seconds.rounded(.down),
                    iat: now.seconds.rounded(.down), sid: session, gen: user.generation))
        }
    }

    /// When a token ends that is made now.
    private func expiry(from now: Timestamp) -> Timestamp {
        Timestamp(milliseconds: now.milliseconds + Int64(lifetime) * 1000)
    }

    /// 120 random bits.
    private static func makeSessionID() -> String {
        let alphabet = Array("abcdefghijklmnopqrstuvwxyz234567")
        return String((0..<24).map { _ in alphabet[Int.random(in: 0..<32)] })
    }
}
