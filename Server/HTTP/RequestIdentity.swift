import Hummingbird
import Logging
import NIOCore
import RolecallCore
import RolecallProtocol
import SocketIOServer

/// Who a request comes from.
struct RequestIdentity: Sendable {
    let authenticator: Authenticator
    let origins: OriginPolicy

    /// What the request's token claims, by the token alone; nil without one. A token that is not good is an error, and
    /// never the lack of one.
    ///
    /// For requests that judge the records where they act on them. All others want ``principal(of:)-(Request)``.
    func claimant(of request: Request) async throws -> Claimant? {
        let headers = request.headerPairs
        guard let presented = PresentedToken.find(headers: headers) else { return nil }
        if presented.source == .cookie {
            let refusal =
                Self.isSafe(request)
                ? origins.refusal(ofCookieRequest: headers) : origins.refusal(ofUnsafeCookieRequest: headers)
            if let refusal { throw RequestFailure(.forbidden, refusal) }
        }
        return try await authenticator.claimant(of: presented.token)
    }

    /// What the request's token claims.
    ///
    /// - Throws: 401 without a token, and for one that is not good.
    func signedIn(_ request: Request) async throws -> Claimant {
        guard let claimant = try await claimant(of: request) else { throw DomainError.unauthenticated }
        return claimant
    }

    /// Refuses a request by which a page of another origin would sign its visitor in as a user of its choice.
    func refuseForeignPage(_ request: Request) throws(RequestFailure) {
        let headers = request.headerPairs
        guard request.headers[.origin] != nil, let refusal = origins.refusal(ofUnsafeCookieRequest: headers) else {
            return
        }
        throw RequestFailure(.forbidden, refusal)
    }

    /// The user of the request's token, as the records are now; nil without a token.
    func principal(of request: Request) async throws -> Principal? {
        guard let claimant = try await claimant(of: request) else { return nil }
        return try await principal(of: claimant)
    }

    /// The user that a token claims, as the records are now.
    func principal(of claimant: Claimant) async throws(DomainError) -> Principal {
        try await authenticator.principal(of: claimant)
    }

    private static func isSafe(_ request: Request) -> Bool {
        request.method == .get || request.method == .head || request.method == .options
    }
}

extension Request {
    /// Where a sign-in by this request comes from.
    func origin(_ context: RolecallRequestContext) -> SignInService.Origin {
        SignInService.Origin(peer: context.remoteAddress, agent: headers[.userAgent], logger: context.logger)
    }
}

extension SignInService.Origin {
    init(peer: SocketAddress?, agent: String?, logger: Logger) {
        let isLocal = peer?.isLoopback ?? true
        self.init(
            address: peer?.ipAddress, limitedAddress: isLocal ? nil : peer?.network?.description, agent: agent,
            logger: logger)
    }
}
