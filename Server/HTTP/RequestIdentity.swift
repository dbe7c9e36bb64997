import Hummingbird
import RolecallProtocol

/// Who a request comes from.
struct RequestIdentity: Sendable {
    let authenticator: Authenticator
    let origins: OriginPolicy

    /// The user of the request's token; nil without one. A token that is not good is an error, never nobody.
    func principal(of request: Request) async throws -> Principal? {
        let headers = request.headerPairs
        guard let presented = PresentedToken.find(headers: headers) else { return nil }
        if presented.source == .cookie, !Self.isSafe(request),
            let refusal = origins.refusal(ofUnsafeCookieRequest: headers)
        {
            throw RequestFailure(.forbidden, refusal)
        }
        do throws(WireError) {
            return try await authenticator.principal(of: presented.token)
        } catch {
            throw RequestFailure(identity: error)
        }
    }

    private static func isSafe(_ request: Request) -> Bool {
        request.method == .get || request.method == .head || request.method == .options
    }
}
