import Hummingbird
import RolecallCore

/// Under `--read-only`: refuses whatever would change a row, a message or an account. Signing in and out, ending
/// sessions and letting sockets go are what is left: they change nothing but who is there.
struct ReadOnlyMiddleware<Context: RequestContext>: RouterMiddleware {
    func handle(
        _ request: Request, context: Context, next: (Request, Context) async throws -> Response
    ) async throws -> Response {
        let isWrite = [.post, .put, .patch, .delete].contains(request.method)
        let parts = request.uri.path.split(separator: "/")
        guard isWrite, parts.first == "api", parts.dropFirst().first != "sockets",
            !(parts.dropFirst().first == "users" && parts.dropFirst(3).first == "sessions")
        else { return try await next(request, context) }
        throw DomainError.readOnly
    }
}
