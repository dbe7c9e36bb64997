import RolecallCore
import RolecallProtocol

extension DomainError {
    /// What a client is told, in words of this server's doors: its routes and options.
    var answer: WireError {
        switch self {
        case .unauthenticated:
            WireError(.unauthenticated, "Sign in first: POST /auth/local, then send the token.")
        case .readOnly: WireError(.readOnly, "This server only reads: it was started with --read-only.")
        default: wireError
        }
    }
}
