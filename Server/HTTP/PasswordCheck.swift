import Hummingbird
import NIOCore
import RolecallProtocol

/// The one place in which a password that came over the network is looked at: as often as it may be, and counted.
struct PasswordCheck: Sendable {
    let passwords: PasswordHasher
    let limiter: LoginLimiter
    let metrics: ServerMetrics

    /// Judges a password, in the same time and with the same answer whether it is wrong or there is no account.
    ///
    /// - Parameters:
    ///   - hash: nil for an unknown account.
    ///   - address: the peer's. This machine's own has no allowance of its own.
    /// - Throws: ``RequestFailure`` with 429 `too_many_attempts` and Retry-After, or 503 where too many wait already.
    func verdict(
        on password: String, of account: String, against hash: String?, from address: SocketAddress?
    ) async throws(RequestFailure) -> PasswordHasher.Verdict {
        let isLocal = address?.isLoopback ?? true
        let attempt: LoginLimiter.Attempt
        do {
            attempt = try limiter.begin(account: account, address: isLocal ? nil : address?.ipAddress).get()
        } catch {
            metrics.loggedIn(.limited)
            let refusal = WireError(
                .tooManyAttempts, "Too many attempts to log in; try again in \(error.seconds) s.")
            throw RequestFailure(.tooManyRequests, refusal, headers: [.retryAfter: "\(error.seconds)"])
        }
        do throws(WireError) {
            let verdict = try await passwords.verify(password, against: hash)
            if verdict != .wrong { limiter.succeeded(attempt) }
            metrics.loggedIn(verdict == .wrong ? .invalid : .ok)
            return verdict
        } catch {
            limiter.withdraw(attempt)
            metrics.loggedIn(.unavailable)
            throw RequestFailure(identity: error)
        }
    }
}
