/// Why a connection is closed: the status codes of RFC 6455 section 7.4 and of their registry.
public struct WebSocketCloseCode: RawRepresentable, Sendable, Hashable, CustomStringConvertible {
    public let rawValue: UInt16

    public init(rawValue: UInt16) {
        self.rawValue = rawValue
    }

    public static let normalClosure = WebSocketCloseCode(rawValue: 1000)
    public static let goingAway = WebSocketCloseCode(rawValue: 1001)
    public static let protocolError = WebSocketCloseCode(rawValue: 1002)
    public static let unsupportedData = WebSocketCloseCode(rawValue: 1003)
    public static let invalidPayload = WebSocketCloseCode(rawValue: 1007)
    public static let policyViolation = WebSocketCloseCode(rawValue: 1008)
    public static let messageTooBig = WebSocketCloseCode(rawValue: 1009)
    public static let missingExtension = WebSocketCloseCode(rawValue: 1010)
    public static let internalError = WebSocketCloseCode(rawValue: 1011)
    public static let serviceRestart = WebSocketCloseCode(rawValue: 1012)
    public static let tryAgainLater = WebSocketCloseCode(rawValue: 1013)
    public static let badGateway = WebSocketCloseCode(rawValue: 1014)

    /// Whether the code may stand in a Close frame.
    ///
    /// 1004 to 1006 and 1015 are names for what never was on the wire, 1016 to 2999 belong to future versions of the
    /// protocol; 3000 to 4999 belong to libraries and applications.
    public var isAllowedOnTheWire: Bool {
        switch rawValue {
        case 1000...1003, 1007...1014, 3000...4999: true
        default: false
        }
    }

    public var description: String { String(rawValue) }
}

/// Why a connection came to its end; see ``WebSocketDelegate/webSocketClosed(_:reason:)``.
public enum WebSocketCloseReason: Sendable, Equatable {
    /// The peer sent a Close frame. Without a code, the frame's body was empty.
    case remote(code: WebSocketCloseCode?, reason: String)
    /// This end closed or aborted the connection.
    case local
    /// The peer broke the protocol or a limit; it was told so in a Close frame.
    case violation(WebSocketViolation)
    /// The stream ended without a Close frame.
    case endOfStream
    /// The transport failed; the text is the error's description.
    case error(String)
}
