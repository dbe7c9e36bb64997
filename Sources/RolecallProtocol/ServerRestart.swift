import WireJSON

/// The server is going to end, and expects to be back: a client should come back within so many seconds, at a random
/// moment.
public struct ServerRestart: Hashable, Sendable {
    public static let eventName = "server_restart"

    /// Seconds.
    public var returnWithin: Int64

    public init(returnWithin: Int64) {
        self.returnWithin = returnWithin
    }

    public init?(json: JSON) {
        guard let seconds = json["returnWithin"]?.integerValue, seconds >= 0 else { return nil }
        self.init(returnWithin: seconds)
    }

    public var json: JSON { ["returnWithin": .integer(returnWithin)] }
}
