import RolecallProtocol

/// Why a verb did not do what it was asked: a code for programs, a sentence for people, and how the program ends.
struct Failure: Error, Hashable, Sendable, CustomStringConvertible {
    var exitCode: ExitCode
    var code: String
    /// A whole sentence.
    var message: String
    /// The offending field of the request, where there is one.
    var field: String?

    init(_ exitCode: ExitCode, _ code: String, _ message: String, field: String? = nil) {
        self.exitCode = exitCode
        self.code = code
        self.message = message
        self.field = field
    }

    var description: String { message }
}

extension Failure {
    /// A refusal of the server's.
    ///
    /// - Parameter status: the HTTP status, where the refusal came by HTTP.
    init(_ error: WireError, status: Int? = nil) {
        let exitCode: ExitCode
        switch (error.code, status) {
        case (.forbidden, _), (.originRefused, _), (_, 403): exitCode = .denied
        case (.unauthenticated, _), (.invalidCredentials, _), (.tokenInvalid, _), (.tokenExpired, _),
            (.tokenRevoked, _), (.userUnknown, _), (_, 401):
            exitCode = .loginFailed
        default: exitCode = .failed
        }
        self.init(exitCode, error.code.rawValue, error.message, field: error.field)
    }

    init(_ failure: ConnectFailure) {
        self.init(.cannotConnect, "cannot_connect", failure.description)
    }

    init(_ failure: RequestFailure) {
        switch failure {
        case .offline: self.init(.connectionLost, "offline", failure.description)
        case .timedOut: self.init(.timedOut, "timed_out", failure.description)
        case .connectionLost: self.init(.connectionLost, "connection_lost", failure.description)
        }
    }

    init(_ error: TokenStoreError) {
        self.init(.failed, "token_store", error.description)
    }

    init(_ failure: Input.Failure) {
        self.init(.usage, "input", failure.description)
    }

    /// A connection that ended while something was expected of it.
    init(_ ending: ConnectionMachine.Ending) {
        switch ending {
        case .neverConnected(let failure): self.init(failure)
        case .lost, .closed: self.init(.connectionLost, "connection_lost", "The connection was lost: \(ending)")
        }
    }

    static func timedOut(_ message: String) -> Failure {
        Failure(.timedOut, "timed_out", message)
    }
}

extension IdentityReason {
    /// Whether a token was presented and is not good.
    var isRefusal: Bool {
        [.tokenInvalid, .tokenExpired, .tokenRevoked, .userUnknown].contains(self)
    }

    /// Whether the token that stood behind the association is good for nothing any more.
    var spendsToken: Bool {
        isRefusal || [.expired, .signedOut, .passwordChanged, .userRemoved].contains(self)
    }
}
