import WireJSON

/// The name of a refusal, stable across versions; the sentence beside it may change.
///
/// Open on purpose: a client meets codes of a newer server.
public struct ErrorCode: RawRepresentable, Hashable, Sendable, CustomStringConvertible {
    public let rawValue: String
    public init(rawValue: String) { self.rawValue = rawValue }
    public var description: String { rawValue }

    // Tokens and identity.
    public static let tokenInvalid = ErrorCode(rawValue: "token_invalid")
    public static let tokenExpired = ErrorCode(rawValue: "token_expired")
    public static let tokenRevoked = ErrorCode(rawValue: "token_revoked")
    public static let userUnknown = ErrorCode(rawValue: "user_unknown")
    public static let invalidCredentials = ErrorCode(rawValue: "invalid_credentials")
    public static let tooManyAttempts = ErrorCode(rawValue: "too_many_attempts")
    public static let unauthenticated = ErrorCode(rawValue: "unauthenticated")
    public static let forbidden = ErrorCode(rawValue: "forbidden")
    public static let originRefused = ErrorCode(rawValue: "origin_refused")

    // Requests and payloads.
    public static let unknownEvent = ErrorCode(rawValue: "unknown_event")
    public static let invalidPayload = ErrorCode(rawValue: "invalid_payload")
    public static let invalidJSON = ErrorCode(rawValue: "invalid_json")
    public static let invalidField = ErrorCode(rawValue: "invalid_field")
    public static let notFound = ErrorCode(rawValue: "not_found")
    public static let methodNotAllowed = ErrorCode(rawValue: "method_not_allowed")
    public static let payloadTooLarge = ErrorCode(rawValue: "payload_too_large")
    public static let conflict = ErrorCode(rawValue: "conflict")
    public static let readOnly = ErrorCode(rawValue: "read_only")
    public static let preconditionFailed = ErrorCode(rawValue: "precondition_failed")
    /// What was asked for is lost, or was never there: reload. It comes with the members of a ``Gap``.
    public static let gap = ErrorCode(rawValue: "gap")

    // The server's own troubles.
    public static let busy = ErrorCode(rawValue: "busy")
    public static let unavailable = ErrorCode(rawValue: "unavailable")
    public static let internalError = ErrorCode(rawValue: "internal")
}

/// A refusal as it travels, over HTTP and in acknowledgements: `{"error": code, "message": sentence}`.
public struct WireError: Error, Hashable, Sendable, CustomStringConvertible {
    public var code: ErrorCode
    /// One sentence that says what is wrong and, where it helps, what to do.
    public var message: String
    /// The offending field of the request, where there is one.
    public var field: String?

    public init(_ code: ErrorCode, _ message: String, field: String? = nil) {
        self.code = code
        self.message = message
        self.field = field
    }

    public init?(json: JSON) {
        guard let code = json["error"]?.stringValue else { return nil }
        self.init(
            ErrorCode(rawValue: code), json["message"]?.stringValue ?? code, field: json["field"]?.stringValue)
    }

    public var json: JSON {
        var object: JSONObject = ["error": .string(code.rawValue), "message": .string(message)]
        if let field { object["field"] = .string(field) }
        return .object(object)
    }

    public var description: String { "\(code): \(message)" }
}
