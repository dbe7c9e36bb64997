import WireJSON

/// What a socket may send. Each takes an acknowledgement.
public enum ClientEvent {
    /// A JWT as a string, or nothing for the token of the handshake's cookie.
    public static let login = "login"
    public static let logout = "logout"
    public static let whoami = "whoami"
    /// `{room?, body}`
    public static let message = "message"
}

/// What answers a socket's event.
public enum Acknowledgement: Hashable, Sendable {
    /// The association of a `login` holds.
    case registered
    /// The socket belongs to nobody.
    case unregistered
    /// A chat message stands in the log.
    case sent(id: JSON, position: Position)
    /// The event changed nothing.
    case refused(WireError)

    public var json: JSON {
        switch self {
        case .registered: ["data": "registered"]
        case .unregistered: ["data": "un-registered"]
        case .sent(let id, let position):
            ["data": "sent", "_id": id, "position": .string(position.description)]
        case .refused(let error): error.json
        }
    }

    public init?(json: JSON) {
        if let error = WireError(json: json) {
            self = .refused(error)
            return
        }
        switch json["data"]?.stringValue {
        case "registered": self = .registered
        case "un-registered": self = .unregistered
        case "sent":
            guard let id = json["_id"], let position = json["position"]?.stringValue.flatMap(Position.init) else {
                return nil
            }
            self = .sent(id: id, position: position)
        default: return nil
        }
    }
}
