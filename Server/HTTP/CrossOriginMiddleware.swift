import HTTPTypes
import Hummingbird
import SocketIOServer

/// Lets the scripts of listed origins use the API with their visitors' cookies (CORS, as the Fetch Standard has it).
///
/// This is about reading answers; what a cookie may do at all, ``OriginPolicy`` decides. The server of the sockets
/// answers on its own path by the same rules.
struct CrossOriginMiddleware<Context: RequestContext>: RouterMiddleware {
    let origins: OriginPolicy
    private let sharing = CrossOriginSharing(
        methods: ["GET", "POST", "PUT", "PATCH", "DELETE"], exposedFields: ["X-Rolecall-Position", "Retry-After"])

    init(origins: OriginPolicy) {
        self.origins = origins
    }

    func handle(
        _ request: Request, context: Context, next: (Request, Context) async throws -> Response
    ) async throws -> Response {
        guard !origins.allowed.isEmpty else { return try await next(request, context) }
        let origin = request.headers[.origin].flatMap { origins.isListed($0) ? $0 : nil }
        if let origin, request.method == .options, request.headers[.accessControlRequestMethod] != nil {
            let requestedFields = request.headers[.accessControlRequestHeaders]
            var answer = Response(status: .noContent)
            answer.set(sharing.preflightFields(forListed: origin, requestedFields: requestedFields))
            return answer
        }
        var answer = try await next(request, context)
        answer.set(sharing.fields(forListed: origin))
        return answer
    }
}

extension Response {
    fileprivate mutating func set(_ fields: [CrossOriginSharing.Field]) {
        for (name, value) in fields {
            if let name = HTTPField.Name(name) { headers[name] = value }
        }
    }
}
