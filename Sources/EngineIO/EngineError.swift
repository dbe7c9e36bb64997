import WireJSON

/// A refusal of an Engine.IO request, as the reference server words it and as clients know it.
public struct EngineError: Error, Sendable, Equatable {
    /// The number that stands for the refusal, 0 to 5.
    public let code: Int
    /// The sentence in the answer's body.
    public let message: String
    /// The HTTP status of the answer.
    public let status: Int

    private init(code: Int, message: String, status: Int = 400) {
        self.code = code
        self.message = message
        self.status = status
    }

    /// The query names no transport that the server offers.
    public static let unknownTransport = EngineError(code: 0, message: "Transport unknown")
    /// The session does not exist, or no longer.
    public static let unknownSession = EngineError(code: 1, message: "Session ID unknown")
    /// A session can only be opened with GET.
    public static let badHandshakeMethod = EngineError(code: 2, message: "Bad handshake method")
    /// The request does not fit the session or the transport.
    public static let badRequest = EngineError(code: 3, message: "Bad request")
    /// The server refuses this client.
    public static let forbidden = EngineError(code: 4, message: "Forbidden", status: 403)
    /// The client speaks another revision than the fourth.
    public static let unsupportedProtocolVersion = EngineError(code: 5, message: "Unsupported protocol version")

    // The reference server has neither of these; its clients try again later, as after any refusal.

    /// The server ends soon and takes no new sessions; another one, or the same after its restart, will.
    public static let stopping = EngineError(code: 3, message: "The server is stopping", status: 503)
    /// The server has as many sessions as it takes, or as it takes from one address.
    public static let tooManySessions = EngineError(code: 3, message: "Too many sessions", status: 503)

    /// The same refusal with another sentence in its body.
    public func saying(_ message: String) -> EngineError {
        EngineError(code: code, message: message, status: status)
    }

    /// The answer's body: `{"code":1,"message":"Session ID unknown"}`.
    public var body: JSON {
        ["code": .integer(Int64(code)), "message": .string(message)]
    }
}

extension EngineError: CustomStringConvertible {
    /// A phrase for a log.
    public var description: String {
        "\(message) (Engine.IO error \(code))"
    }
}
