import WireJSON

/// An HTTP answer that refuses what was asked for.
public struct SocketIORefusal: Error, Sendable, Equatable {
    /// What Engine.IO refuses, by the number in the answer's body.
    public enum Kind: Int, Sendable, Equatable {
        /// The server doesn't offer the transport.
        case unknownTransport = 0
        /// The session does not exist, or no longer.
        case unknownSession = 1
        case badHandshakeMethod = 2
        /// The request doesn't fit the session or the transport.
        case badRequest = 3
        /// The server doesn't want this client.
        case forbidden = 4
        /// The server speaks another revision of Engine.IO than the fourth.
        case unsupportedProtocolVersion = 5
    }

    /// How much of a body is kept, in bytes.
    static let maximumBodySize = 4096

    /// The answer's HTTP status.
    public let status: Int
    /// The answer's body, at most 4,096 bytes of it.
    public let body: String

    public init(status: Int, body: String) {
        self.status = status
        self.body = body
    }

    /// What is refused, where the body says it as the reference server does: `{"code":1,"message":"..."}`.
    public var kind: Kind? {
        json?["code"]?.integerValue.flatMap(Int.init(exactly:)).flatMap(Kind.init(rawValue:))
    }

    /// The server's sentence: the body's `message`, the body's text where it is a JSON string, or else the body.
    public var message: String {
        guard let json else { return body }
        return json["message"]?.stringValue ?? json.stringValue ?? body
    }

    private var json: JSON? { try? JSON(parsing: body) }
}

extension SocketIORefusal: CustomStringConvertible {
    public var description: String {
        let message = message
        return message.isEmpty
            ? "The server refused with status \(status)." : "The server refused with status \(status): \(message)"
    }
}
