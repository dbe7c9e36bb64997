import HTTPTypes
import Hummingbird
import RolecallCore
import RolecallProtocol
import WireJSON

/// Signing in and out over HTTP.
struct AuthenticationRoutes: Sendable {
    private static let bodyLimit = 16 << 10

    let signIns: SignInService
    let cookies: TokenCookie
    let identity: RequestIdentity

    func add(to router: Router<RolecallRequestContext>) {
        router.post("auth/local") { request, context in try await signIn(request, context) }
        router.post("auth/refresh") { request, context in try await refresh(request, context) }
        router.post("auth/logout") { request, context in try await signOut(request, context) }
    }

    private func signIn(_ request: Request, _ context: RolecallRequestContext) async throws -> Response {
        try identity.refuseForeignPage(request)
        let body = try await request.json(limit: Self.bodyLimit)
        let email = try Self.text("email", of: body)
        let password = try Self.text("password", of: body)
        return answer(try await signIns.signIn(email: email, password: password, from: request.origin(context)))
    }

    private func refresh(_ request: Request, _ context: RolecallRequestContext) async throws -> Response {
        let claimant = try await identity.signedIn(request)
        return answer(try await signIns.refresh(claimant, from: request.origin(context)))
    }

    private func signOut(_ request: Request, _ context: RolecallRequestContext) async throws -> Response {
        guard let principal = try await identity.principal(of: request) else { throw DomainError.unauthenticated }
        try await signIns.signOut(principal, from: request.origin(context))
        return .json(["data": "signed out"], headers: cookies.clearing)
    }

    private func answer(_ grant: SignInService.Grant) -> Response {
        .json(["token": .string(grant.token), "user": grant.user.json], headers: cookies.setting(grant.token))
    }

    private static func text(_ field: String, of body: JSON) throws(RequestFailure) -> String {
        guard let text = body[field]?.stringValue, !text.isEmpty else {
            throw .invalidField(field, "\(field) has to be a string that is not empty.")
        }
        return text
    }
}
