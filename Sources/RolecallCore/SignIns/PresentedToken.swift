import RolecallProtocol

/// A token that a request or a socket brings, and the way by which it came.
package struct PresentedToken: Sendable, Equatable {
    package var token: String
    /// One of `auth`, `header`, `cookie` and `login`.
    package var source: IdentityReason

    package init(token: String, source: IdentityReason) {
        self.token = token
        self.source = source
    }
}
