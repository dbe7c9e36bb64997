import Hummingbird
import Logging
import RolecallCore
import RolecallProtocol

/// Gives every refusal its body, whichever part refuses, and keeps the server's own errors out of answers: what the
/// client is not told stands in the log, on one line with the request's id.
struct FailureMiddleware<Context: RequestContext>: RouterMiddleware {
    func handle(
        _ request: Request, context: Context, next: (Request, Context) async throws -> Response
    ) async throws -> Response {
        do {
            return try await next(request, context)
        } catch {
            return try failure(for: error, request, context).response(from: request, context: context)
        }
    }

    private func failure(for error: any Error, _ request: Request, _ context: Context) -> RequestFailure {
        switch error {
        case let failure as RequestFailure: return failure
        case let error as HTTPError: return Self.failure(for: error, request: request)
        default: break
        }
        let error = DomainError(error)
        error.log(
            "a request failed", to: context.logger,
            ["method": .string("\(request.method)"), "path": .string(String(request.uri.path.prefix(256)))])
        return RequestFailure(error)
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

extension DomainError {
    /// Writes the cause of a failure to the log; nothing where the refusal is the caller's own matter.
    ///
    /// - Parameter request: what names the request that failed.
    func log(_ what: Logger.Message, to logger: Logger, _ request: Logger.Metadata) {
        guard let cause else { return }
        var metadata = request
        metadata["cause"] = .string(cause)
        logger.log(level: isFault ? .error : .warning, what, metadata: metadata)
    }
}
