import EngineIO
import WebSocketLink

/// Why a request is not granted that a client makes before it has a session.
enum RequestRefusal: String, Sendable, CaseIterable {
    case unknownTransport = "unknown_transport"
    case unknownSession = "unknown_session"
    case badHandshakeMethod = "bad_handshake_method"
    case badRequest = "bad_request"
    case forbidden = "forbidden"
    case unsupportedProtocolVersion = "unsupported_protocol_version"
    /// Not HTTP/1.1 at all.
    case malformedHTTP = "malformed_http"
    /// No request came in time.
    case timedOut = "timed_out"
    /// The body of a request is longer than may be.
    case bodyTooLong = "body_too_long"
    case tooManyConnections = "too_many_connections"
    case tooManySessions = "too_many_sessions"
    case stopping = "stopping"
    case methodNotGET = "websocket_method_not_get"
    case notHTTP11 = "websocket_not_http_1_1"
    case upgradeMissing = "websocket_upgrade_missing"
    case connectionMissing = "websocket_connection_missing"
    case versionUnsupported = "websocket_version_unsupported"
    case keyInvalid = "websocket_key_invalid"

    init(_ error: EngineError) {
        self =
            switch error.code {
            case _ where error == .tooManySessions: .tooManySessions
            case _ where error == .stopping: .stopping
            case EngineError.unknownTransport.code: .unknownTransport
            case EngineError.unknownSession.code: .unknownSession
            case EngineError.badHandshakeMethod.code: .badHandshakeMethod
            case EngineError.forbidden.code: .forbidden
            case EngineError.unsupportedProtocolVersion.code: .unsupportedProtocolVersion
            default: .badRequest
            }
    }

    init(_ error: WebSocketHandshake.RequestError) {
        self =
            switch error {
            case .methodNotGET: .methodNotGET
            case .notHTTP11: .notHTTP11
            case .upgradeMissing: .upgradeMissing
            case .connectionMissing: .connectionMissing
            case .versionUnsupported: .versionUnsupported
            case .keyInvalid: .keyInvalid
            }
    }
}
