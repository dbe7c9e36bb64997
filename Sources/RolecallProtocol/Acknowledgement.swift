import WireJSON

/// What a socket may send. Each takes an acknowledgement.
public enum ClientEvent {
    /// A JWT as a string, or nothing for the token of the handshake's cookie.
    public static let login = "login"
    public static let logout = "logout"
    public static let whoami = "whoami"
    /// `{room?, body}`
    public static let message = "message"
    /// A list of models, or nothing for all: be told of these from now on, too. A socket begins with all.
    public static let subscribe = "subscribe"
    /// A list of models, or nothing for all: be told of these no more.
    public static let unsubscribe = "unsubscribe"
    /// A room's name: be told of its messages, and of the last ones now. A socket begins with all rooms.
    public static let join = "join"
    /// A room's name: be told of its messages no more.
    public static let leave = "leave"
}

/// What answers a socket's event.
public enum Acknowledgement: Hashable, Sendable {
    /// The association of a `login` holds.
    case registered
    /// The socket belongs to nobody.
    case unregistered
    /// A chat message is stored.
    /// The position is nil where the store has the message and can't say yet where in the log.
    case sent(id: JSON, position: Position?)
    /// The models that the socket is told of now, of those that it may see, and the position from which on.
    case subscribed([String], position: Position)
    /// The room's last messages, oldest first, as they stood at the position.
    case joined(room: String, history: [JSON], position: Position)
    case left(room: String)
    /// The event changed nothing.
    case refused(WireError)

    public var json: JSON {
        switch self {
        case .registered: ["data": "registered"]
        case .unregistered: ["data": "un-registered"]
        case .sent(let id, let position):
            ["data": "sent", "_id": id, "position": position.map { .string($0.description) } ?? .null]
        case .subscribed(let models, let position):
            [
                "data": "subscribed", "models": .array(models.map(JSON.string)),
                "position": .string(position.description),
            ]
        case .joined(let room, let history, let position):
            [
                "data": "joined", "room": .string(room), "history": .array(history),
                "position": .string(position.description),
            ]
        case .left(let room): ["data": "left", "room": .string(room)]
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
            guard let id = json["_id"], let place = json["position"] else { return nil }
            let position = place.stringValue.flatMap(Position.init)
            guard position != nil || place == .null else { return nil }
            self = .sent(id: id, position: position)
        case "subscribed":
            guard let models = json["models"]?.arrayValue,
                let position = json["position"]?.stringValue.flatMap(Position.init)
            else { return nil }
            self = .subscribed(models.compactMap(\.stringValue), position: position)
        case "joined":
            guard let room = json["room"]?.stringValue, let history = json["history"]?.arrayValue,
                let position = json["position"]?.stringValue.flatMap(Position.init)
            else { return nil }
            self = .joined(room: room, history: history, position: position)
        case "left":
            guard let room = json["room"]?.stringValue else { return nil }
            self = .left(room: room)
        default: return nil
        }
    }

}
