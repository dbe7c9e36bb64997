import Hummingbird
import NIOCore
import RolecallProtocol

extension PasswordCheck {
    /// Counts a sign-up against what its address may ask for: each of them costs a password's hash, and leaves an account.
    ///
    /// This machine's own addresses have no allowance: they are a proxy's as a rule, and so all of the world's.
    ///
    /// - Throws: ``RequestFailure`` with 429 `too_many_attempts` and Retry-After.
    func admitSignUp(from address: SocketAddress?) throws(RequestFailure) {
        guard let address, !address.isLoopback, let host = address.ipAddress else { return }
        // No account has a space in its address: these allowances are nobody's but this address's.
        guard case .failure(let refusal) = limiter.begin(account: "sign-up \(host)", address: host) else { return }
        throw RequestFailure(
            .tooManyRequests,
            WireError(.tooManyAttempts, "Too many accounts from one address; try again in \(refusal.seconds) s."),
            headers: [.retryAfter: "\(refusal.seconds)"])
    }
}
