import WireJSON

/// An association will end soon: whoever wants to stay brings a new token, by `login`.
public struct Expiring: Hashable, Sendable {
    public static let eventName = "expiring"

    public var expiresAt: Timestamp

    public init(expiresAt: Timestamp) {
        self.expiresAt = expiresAt
    }

    public init?(json: JSON) {
        guard let moment = json["expiresAt"]?.stringValue.flatMap(Timestamp.init) else { return nil }
        self.init(expiresAt: moment)
    }

    public var json: JSON { ["expiresAt": .string(expiresAt.description)] }
}
