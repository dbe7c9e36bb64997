/// The one place in which a password that came over the network is looked at: as often as it may be, and counted.
package struct PasswordCheck: Sendable {
    let passwords: PasswordHasher
    let limiter: LoginLimiter
    let metrics: DomainMetrics

    package init(passwords: PasswordHasher, limiter: LoginLimiter, metrics: DomainMetrics) {
        self.passwords = passwords
        self.limiter = limiter
        self.metrics = metrics
    }

    /// Judges a password, in the same time and with the same answer whether it is wrong or there is no account.
    ///
    /// - Parameters:
    ///   - hash: nil for an unknown account.
    ///   - address: the peer's, without its port; nil for one that has no allowance of its own.
    /// - Throws: ``DomainError/tooManyAttempts(_:retryAfter:)``; ``DomainError/busy(_:)`` where too many wait already.
    func verdict(
        on password: String, of account: String, against hash: String?, from address: String?
    ) async throws(DomainError) -> PasswordHasher.Verdict {
        let attempt: LoginLimiter.Attempt
        do {
            attempt = try limiter.begin(account: account, address: address).get()
        } catch {
            metrics.loggedIn(.limited)
            throw .tooManyAttempts(
                "Too many attempts to log in; try again in \(error.seconds) s.", retryAfter: error.seconds)
        }
        do throws(DomainError) {
            let verdict = try await passwords.verify(password, against: hash)
            if verdict != .wrong { limiter.succeeded(attempt) }
            metrics.loggedIn(verdict == .wrong ? .invalid : .ok)
            return verdict
        } catch {
            limiter.withdraw(attempt)
            metrics.loggedIn(.unavailable)
            throw error
        }
    }

    /// Counts a sign-up against what its address may ask for: each of them costs a password's hash, and leaves an account.
    ///
    /// - Parameter address: nil for one that has no allowance of its own.
    /// - Throws: ``DomainError/tooManyAttempts(_:retryAfter:)``.
    func admitSignUp(from address: String?) throws(DomainError) {
        guard let address else { return }
        // No account has a space in its address: these allowances are this address's alone.
        guard case .failure(let refusal) = limiter.begin(account: "sign-up \(address)", address: address) else {
            return
        }
        throw .tooManyAttempts(
            "Too many accounts from one address; try again in \(refusal.seconds) s.", retryAfter: refusal.seconds)
    }
}
