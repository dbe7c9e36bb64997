import Hummingbird
import RolecallProtocol

/// Who a request comes from.
struct RequestIdentity: Sendable {
    let authenticator: Authenticator
    let origins: OriginPolicy

    /// Whom the request's token names, by the token alone; nil without one. A token that is not good is an error, never
    /// nobody.
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
        do throws(WireError) {
            return try await authenticator.claimant(of: presented.token)
        } catch {
            throw RequestFailure(identity: error)
        }
    }

    /// Whom the request's token names.
    ///
    /// - Throws: 401 without a token, and for one that is not good.
    func signedIn(_ request: Request) async throws -> Claimant {
        guard let claimant = try await claimant(of: request) else { throw RequestFailure.signInFirst }
        return claimant
    }

    /// Refuses a request by which a page of another origin would sign its visitor in as somebody of its choice.
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

    /// The user whom a token names, as the records are now.
    func principal(of claimant: Claimant) async throws -> Principal {
        do throws(WireError) {
            return try await authenticator.principal(of: claimant)
        } catch {
            throw RequestFailure(identity: error)
        }
    }

    private static func isSafe(_ request: Request) -> Bool {
        request.method == .get || request.method == .head || request.method == .options
    }
}
