import HTTPTypes
import Hummingbird
import ModelStore
import NIOCore
import RolecallCore
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

    /// What an error of the domain is over HTTP.
    init(_ error: DomainError) {
        let status: HTTPResponse.Status
        var headers: HTTPFields = [:]
        switch error {
        case .unauthenticated, .tokenRefused, .invalidCredentials: status = .unauthorized
        case .forbidden, .readOnly: status = .forbidden
        case .notFound: status = .notFound
        case .wrongOldPassword, .invalidPayload, .invalidField: status = .unprocessableContent
        case .conflict: status = .conflict
        case .preconditionFailed: status = .preconditionFailed
        case .tooManyAttempts(_, let seconds):
            status = .tooManyRequests
            headers[.retryAfter] = "\(seconds)"
        case .busy, .unavailable, .cancelled:
            status = .serviceUnavailable
            headers[.retryAfter] = "1"
        // Not to be tried again without a look: no Retry-After.
        case .outcomeUnknown: status = .serviceUnavailable
        case .failed: status = .internalServerError
        }
        self.init(status, error.answer, headers: headers)
    }

    static func invalidField(_ field: String, _ sentence: String) -> RequestFailure {
        RequestFailure(.unprocessableContent, .invalidField, sentence, field: String(field.prefix(64)))
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

    /// The answer to a request for events that the log does not hold; `before` is where what it holds begins.
    static func gap(_ gap: Gap) -> Response {
        let sentence =
            switch gap.reason {
            case .retention: "The log no longer holds what came after this position: reload, and go on from there."
            default: "This is no position of this log: reload, and go on from there."
            }
        var object = WireError(.gap, sentence).json.objectValue ?? [:]
        for (name, value) in gap.json.objectValue ?? [:] { object[name] = value }
        return .json(.object(object), status: .gone)
    }
}
