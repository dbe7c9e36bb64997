import RolecallProtocol
import WireJSON

/// What a connection tells its reader, in the order in which it happened.
enum Notice: Hashable, Sendable {
    case state(ConnectionState)
    /// - Parameter position: the log's position that came with it.
    case identity(Identity, Position?)
    case event(ModelEvent)
    /// An event of the server that is neither a model's nor one that this client knows.
    case other(name: String, arguments: [JSON])
    case gap(Gap)
    /// The login will end by itself, unless it is renewed.
    case expiring(Timestamp)
    case presence(Presence)
    /// An event that was told before; it was counted and is not for showing.
    case duplicate(ModelEvent)
    /// The answer to a command that was given on the socket, at its place among the events.
    case answer(command: String, JSON)

    var isEvent: Bool {
        if case .event = self { true } else { false }
    }
}

/// Where the connection stands, as people are told.
enum ConnectionState: Hashable, Sendable {
    /// - Parameter attempt: from 1 since the last connection.
    case connecting(attempt: Int)
    case online(socketID: String)
    /// - Parameters:
    ///   - retryIn: how long until the next attempt.
    ///   - attempt: the number of that attempt.
    case offline(reason: String, retryIn: Duration, attempt: Int)
    /// There will be no further attempt.
    case closed(reason: String)
}
