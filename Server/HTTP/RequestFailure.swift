import HTTPTypes
import Hummingbird
import Logging
import ModelStore
import NIOCore
import RolecallProtocol
import WireJSON

/// A refusal of a request: the status, and the coded error that is its body.
struct RequestFailure: Error {
    var status: HTTPResponse.Status
    var error: WireError
    var headers: HTTPFields = [:]

    init(_ status: HTTPResponse.Status, _ error: WireError, headers: HTTPFields = [:]) {
        self.status = status
        self.error = error
        self.headers = headers
    }

    init(_ status: HTTPResponse.Status, _ code: ErrorCode, _ message: String, field: String? = nil) {
        self.init(status, WireError(code, message, field: field))
    }

    /// A token that is not good, or the lack of a server's means to judge it.
    init(identity error: WireError) {
        switch error.code {
        case .unavailable, .busy: self.init(.serviceUnavailable, error, headers: [.retryAfter: "1"])
        case .internalError: self.init(.internalServerError, error)
        default: self.init(.unauthorized, error)
        }
    }

    init(store error: StoreError) {
        switch error {
        case .conflict(let sentence, let column):
            self.init(.conflict, .conflict, sentence, field: column)
        case .invalid(let sentence, let column):
            self.init(.unprocessableContent, .invalidField, sentence, field: column)
        case .unavailable(let sentence):
            self.init(.serviceUnavailable, WireError(.unavailable, sentence), headers: [.retryAfter: "1"])
        case .unusable(let sentence):
            self.init(.internalServerError, .internalError, sentence)
        }
    }
}

extension RequestFailure: HTTPResponseError {
    func response(from request: Request, context: some RequestContext) throws -> Response {
        .json(error.json, status: status, headers: headers)
    }
}

extension Response {
    static func json(_ json: JSON, status: HTTPResponse.Status = .ok, headers: HTTPFields = [:]) -> Response {
        var headers = headers
        headers[.contentType] = "application/json; charset=utf-8"
        headers[.cacheControl] = "no-store"
        return Response(
            status: status, headers: headers, body: ResponseBody(byteBuffer: ByteBuffer(bytes: json.encoded())))
    }
}

/// Gives every refusal its body, whoever refuses, and keeps the server's own errors out of answers.
struct FailureMiddleware<Context: RequestContext>: RouterMiddleware {
    func handle(
        _ request: Request, context: Context, next: (Request, Context) async throws -> Response
    ) async throws -> Response {
        do {
            return try await next(request, context)
        } catch let failure as RequestFailure {
            return try failure.response(from: request, context: context)
        } catch let error as HTTPError {
            return try Self.failure(for: error, request: request).response(from: request, context: context)
        } catch let error as StoreError {
            return try RequestFailure(store: error).response(from: request, context: context)
        } catch let error as WireError {
            // Only tokens and users are judged in words of the wire.
            return try RequestFailure(identity: error).response(from: request, context: context)
        } catch is CancellationError {
            return try RequestFailure(.serviceUnavailable, .unavailable, "The server is shutting down.")
                .response(from: request, context: context)
        } catch {
            context.logger.error("a request failed", metadata: ["error": .string("\(error)")])
            return try RequestFailure(
                .internalServerError, .internalError, "The server failed; its log says more."
            ).response(from: request, context: context)
        }
    }

    private static func failure(for error: HTTPError, request: Request) -> RequestFailure {
        switch error.status {
        case .notFound:
            RequestFailure(.notFound, .notFound, "There is nothing at \(request.method) \(request.uri.path).")
        case .methodNotAllowed:
            RequestFailure(.methodNotAllowed, .methodNotAllowed, "\(request.method) is not possible here.")
        case .contentTooLarge:
            RequestFailure(.contentTooLarge, .payloadTooLarge, "The request's body is too large.")
        default:
            RequestFailure(error.status, .invalidPayload, error.body ?? "The request is not valid.")
        }
    }
}
