import EngineIO
public import Logging
public import NIOCore
import WebSocketLink

/// A Socket.IO v5 server on Engine.IO v4, for any SwiftNIO application.
///
/// It has one ``SocketHub`` for each event loop of a group; a connection lives on the loop that accepted it.
/// ``HTTPGate`` brings connections in.
public final class SocketIOServer: Sendable {
    public let configuration: SocketIOServerConfiguration
    public let hubs: [SocketHub]
    let handlers: [String: any SocketIOHandler]
    let logger: Logger
    private let hubByLoop: [ObjectIdentifier: SocketHub]

    /// - Parameters:
    ///   - handlers: by namespace; `/` is the main one. Any other namespace is refused.
    ///   - group: the event loops that connections are accepted on.
    public init(
        configuration: SocketIOServerConfiguration = .init(), handlers: [String: any SocketIOHandler],
        group: any EventLoopGroup, logger: Logger
    ) {
        self.configuration = configuration
        self.handlers = handlers
        self.logger = logger
        hubs = group.makeIterator().enumerated().map { SocketHub(eventLoop: $1, index: $0, logger: logger) }
        hubByLoop = Dictionary(uniqueKeysWithValues: hubs.map { (ObjectIdentifier($0.eventLoop), $0) })
    }

    /// The hub of an event loop; nil for a loop that is not of the server's group.
    public func hub(of eventLoop: any EventLoop) -> SocketHub? {
        hubByLoop[ObjectIdentifier(eventLoop)]
    }

    /// Returns when no handler is at work any more. For a server's end, when connections are closed and no new ones
    /// come: an event loop must outlive the handlers that run on it.
    public func drained() async {
        for hub in hubs { await hub.drained() }
    }

    /// Whether a request target is this server's to answer.
    func owns(target: String) -> Bool {
        let path = target.prefix { $0 != "?" }
        return path == configuration.path || path == configuration.path.dropLast()
    }

    /// Judges a request up to the upgrade.
    func judge(method: String, request: HandshakeRequest, isUpgrade: Bool) throws(EngineError) {
        let engineRequest = try EngineRequest(
            method: method, target: request.target, supportedTransports: [.websocket], isUpgrade: isUpgrade)
        switch engineRequest.purpose {
        case .handshake: break
        // Sessions live on their WebSocket from the first byte; none can be named.
        case .poll, .deliver, .upgrade: throw .unknownSession
        }
        try handlers["/"]?.admit(request)
    }

    /// Makes the handler of an upgraded connection. `start` runs once it stands in the pipeline.
    func makeConnection(
        for request: HandshakeRequest, on eventLoop: any EventLoop
    ) throws -> (
        connection: WebSocketConnection, start: () -> Void
    ) {
        guard let hub = hub(of: eventLoop) else { throw SocketIOServerError.foreignEventLoop }
        let session = EngineSession(server: self, hub: hub, request: request)
        let connection = WebSocketConnection(
            role: .server, maximumMessageSize: configuration.maximumPayload,
            writesDirectly: configuration.writesDirectly, delegate: session)
        return (connection, { session.start(on: connection) })
    }
}

/// A mistake in how a ``SocketIOServer`` was put together.
public enum SocketIOServerError: Error, Sendable, CustomStringConvertible {
    /// A connection came in on an event loop that is not of the server's group.
    case foreignEventLoop

    public var description: String {
        "The connection's event loop is not of the group that the SocketIOServer was made with."
    }
}
