import RolecallProtocol
import WireJSON

/// What a new connection says of itself.
struct Handshake: Hashable, Sendable {
    /// Travels as the cookie `token`, so that the socket is associated without a login event.
    var token: Token?
    /// Where the events resume, exclusive.
    var after: Position?
}

/// Makes connections to one server.
protocol SocketConnector: Sendable {
    /// - Throws: ``ConnectFailure``, or `CancellationError` when the task was cancelled.
    func connect(_ handshake: Handshake) async throws -> any SocketLink
}

/// One connection of a socket, from its CONNECT to its loss.
protocol SocketLink: Sendable {
    var socketID: String { get }

    /// All that arrived since, in the server's order; empty after a loss, and when the task is cancelled. For one caller
    /// at a time.
    func arrivals(isolation: isolated (any Actor)?) async -> [SocketArrival]

    /// Has what comes within a while come together, where the link can do that. Answers are not held up.
    func rest(for duration: Duration)

    /// Sends an event and waits for its acknowledgement.
    ///
    /// The acknowledgement also stands in ``arrivals(isolation:)``, at its place among the events.
    func request(_ event: String, _ arguments: [JSON], timeout: Duration) async throws -> JSON

    /// Ends the connection; returns when it is closed. Calling it again does nothing.
    func close() async
}

extension SocketLink {
    func rest(for _: Duration) {}
}

/// What arrives on a connection.
enum SocketArrival: Hashable, Sendable {
    case event(name: String, arguments: [JSON])
    /// The server has answered a request; the answer itself is the request's result.
    case acknowledgement
    /// Nothing follows.
    case lost(reason: String)
}

/// Why a request has no answer.
enum RequestFailure: Error, Hashable, Sendable, CustomStringConvertible {
    case offline
    case timedOut
    /// It is unknown whether the server acted on it.
    case connectionLost

    var description: String {
        switch self {
        case .offline: "There is no connection to the server."
        case .timedOut: "The server did not answer in time."
        case .connectionLost: "The connection was lost before the answer came; the server may have acted all the same."
        }
    }
}
