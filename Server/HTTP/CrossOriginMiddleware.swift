import HTTPTypes
import Hummingbird

/// Lets the scripts of listed origins use the API with their visitors' cookies (CORS, as the Fetch Standard has it).
///
/// This is about reading answers; what a cookie may do at all is ``OriginPolicy``'s to say. The sockets' own path does
/// the same by itself.
struct CrossOriginMiddleware<Context: RequestContext>: RouterMiddleware {
    let origins: OriginPolicy

    func handle(
        _ request: Request, context: Context, next: (Request, Context) async throws -> Response
    ) async throws -> Response {
        guard !origins.allowed.isEmpty else { return try await next(request, context) }
        guard let origin = request.headers[.origin], origins.isListed(origin) else {
            var response = try await next(request, context)
            // A cache must not give one origin's answer to another.
            response.headers[.vary] = "Origin"
            return response
        }
        let isPreflight = request.method == .options && request.headers[.accessControlRequestMethod] != nil
        var response = isPreflight ? Self.preflight(request) : try await next(request, context)
        response.headers[.vary] = "Origin"
        response.headers[.accessControlAllowOrigin] = origin
        response.headers[.accessControlAllowCredentials] = "true"
        if !isPreflight { response.headers[.accessControlExposeHeaders] = "X-Rolecall-Position, Retry-After" }
        return response
    }

    private static func preflight(_ request: Request) -> Response {
        var headers: HTTPFields = [
            .accessControlAllowMethods: "GET, POST, PUT, PATCH, DELETE", .accessControlMaxAge: "600",
        ]
        headers[.accessControlAllowHeaders] = request.headers[.accessControlRequestHeaders]
        return Response(status: .noContent, headers: headers)
    }
}
