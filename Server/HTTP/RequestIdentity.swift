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
        if presented.source == .cookie, !Self.isSafe(request),
            let refusal = origins.refusal(ofUnsafeCookieRequest: headers)
        {
            throw RequestFailure(.forbidden, refusal)
        }
        do throws(WireError) {
            return try await authenticator.claimant(of: presented.token)
        } catch {
            throw RequestFailure(identity: error)
        }
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
