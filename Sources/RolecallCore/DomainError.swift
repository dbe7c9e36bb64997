import ModelStore
import RolecallProtocol

/// Why a request to the domain is refused, or could not be carried out.
///
/// Each case has one status over HTTP and one code in a socket's acknowledgement; the doors translate. What a client
/// may read is ``wireError``; what only the server's log may show is ``cause``.
package enum DomainError: Error, Hashable, Sendable {
    /// The request needs a user and names none.
    case unauthenticated
    /// The token does not name a user any more, or never did.
    case tokenRefused(TokenRefusal)
    /// The password is wrong, or there is no such account: a client learns which of the two in no way.
    case invalidCredentials
    /// A password is to be changed, and the old one that was given is wrong.
    case wrongOldPassword
    /// The caller's role does not allow it.
    case forbidden(String, field: String? = nil)
    /// This server changes no row, no message and no account.
    case readOnly
    /// There is no such thing, or the caller may not see it.
    case notFound(String, field: String? = nil)
    /// The payload has another shape than the one that is asked for.
    case invalidPayload(String)
    /// A field, or its value, is not accepted.
    case invalidField(String, field: String?)
    /// Other rows stand against it.
    case conflict(String, field: String? = nil)
    /// The row has changed since the position that the caller named.
    case preconditionFailed(String)
    /// Too many attempts; `retryAfter` is in seconds, 1 or more.
    case tooManyAttempts(String, retryAfter: Int)
    /// More work of this kind waits than may: trying again in a second can help.
    case busy(String)
    /// The store can't do it now: trying again later can help.
    case unavailable(String, cause: String? = nil)
    /// The store can't say whether the write was done.
    case outcomeUnknown(String, cause: String)
    /// The request was cancelled, as it is when the server ends. Nothing was done.
    case cancelled
    /// A fault of the server or of its database.
    case failed(cause: String)

    /// What a client is told. It names nothing of the server's inside.
    package var wireError: WireError {
        switch self {
        case .unauthenticated:
            WireError(.unauthenticated, "Sign in first.")
        case .tokenRefused(let refusal): refusal.wireError
        case .invalidCredentials: WireError(.invalidCredentials, "This e-mail and password do not match.")
        case .wrongOldPassword:
            WireError(.invalidCredentials, "The old password is another one.", field: "oldPassword")
        case .forbidden(let sentence, let field): WireError(.forbidden, sentence, field: field)
        case .readOnly: WireError(.readOnly, "This server only reads.")
        case .notFound(let sentence, let field): WireError(.notFound, sentence, field: field)
        case .invalidPayload(let sentence): WireError(.invalidPayload, sentence)
        case .invalidField(let sentence, let field): WireError(.invalidField, sentence, field: field)
        case .conflict(let sentence, let field): WireError(.conflict, sentence, field: field)
        case .preconditionFailed(let sentence): WireError(.preconditionFailed, sentence)
        case .tooManyAttempts(let sentence, _): WireError(.tooManyAttempts, sentence)
        case .busy(let sentence): WireError(.busy, sentence)
        case .unavailable(let sentence, _), .outcomeUnknown(let sentence, _): WireError(.unavailable, sentence)
        case .cancelled: WireError(.unavailable, "The server is shutting down.")
        case .failed: WireError(.internalError, "The server failed; its log says more.")
        }
    }

    /// What the server's log has to say of it; nil where the refusal is the caller's own matter.
    package var cause: String? {
        switch self {
        case .failed(let cause): cause
        case .unavailable(_, let cause): cause
        case .outcomeUnknown(_, let cause): cause
        default: nil
        }
    }

    /// Whether it is the server's fault, and not only a passing lack.
    package var isFault: Bool {
        if case .failed = self { true } else { false }
    }
}

extension DomainError {
    /// What any error that was thrown below the domain means to its caller.
    package init(_ error: any Error) {
        switch error {
        case let error as DomainError: self = error
        case let error as StoreError: self.init(error)
        case let refusal as ClaimRefusal: self = .tokenRefused(TokenRefusal(refusal))
        case is CancellationError: self = .cancelled
        default: self = .failed(cause: "\(error)")
        }
    }

    package init(_ error: StoreError) {
        switch error {
        case .conflict(let sentence, let column): self = .conflict(sentence, field: column)
        case .invalid(let sentence, let column): self = .invalidField(sentence, field: column)
        case .unavailable: self = .unavailable(error.message, cause: error.description)
        case .unusable: self = .failed(cause: error.description)
        case .unknown(let sentence, _): self = .outcomeUnknown(sentence, cause: error.description)
        }
    }

    /// Runs a body, and has every error of it as one of these.
    package static func mapping<Output>(
        isolation: isolated (any Actor)? = #isolation, _ body: () async throws -> Output
    ) async throws(DomainError) -> Output {
        do {
            return try await body()
        } catch {
            throw DomainError(error)
        }
    }
}

extension TokenRefusal {
    init(_ refusal: ClaimRefusal) {
        switch refusal {
        case .unknownUser: self = .userUnknown
        case .sessionEnded: self = .sessionEnded
        case .tokensVoided: self = .generationEnded
        }
    }
}

/// What is wrong with a token. Everything about its form and signature is one case: a forger learns nothing.
package enum TokenRefusal: Hashable, Sendable {
    case invalid
    case notYetValid
    case expired
    /// The sign-in that it belongs to was ended.
    case sessionEnded
    /// Its user has changed the password, or signed out everywhere, since it was made.
    case generationEnded
    case userUnknown

    package var wireError: WireError {
        switch self {
        case .invalid: WireError(.tokenInvalid, "The token is not one of this server's.")
        case .notYetValid: WireError(.tokenInvalid, "The token is not valid yet.")
        case .expired: WireError(.tokenExpired, "The token has expired; log in again.")
        case .sessionEnded: WireError(.tokenRevoked, "The session of this token was ended; log in again.")
        case .generationEnded:
            WireError(
                .tokenRevoked,
                "Since this token was made the password was changed, or its user signed out everywhere; log in again.")
        case .userUnknown: WireError(.userUnknown, "The user of this token does not exist any more.")
        }
    }
}
