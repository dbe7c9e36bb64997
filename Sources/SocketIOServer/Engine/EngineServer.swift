public import CoreMetrics
import EngineIO
public import Logging
public import NIOCore
import Synchronization
import WebSocketLink

/// Admits an Engine.IO server's requests, and makes the layer above its sessions.
protocol EngineApplication: Sendable {
    /// Judges each request before it is answered; called on its connection's event loop.
    func admit(_ request: HandshakeRequest) throws(EngineError)
    /// Judges a later request of a session; called on the session's event loop.
    func admit(_ request: HandshakeRequest, to session: EngineSession) throws(EngineError)
    /// Called on the session's event loop, when its `open` packet has been sent.
    func makeLayer(for session: EngineSession) -> any SessionLayer
}

/// An Engine.IO v4 server, for any SwiftNIO application: sessions over polling and WebSocket, heartbeats, upgrades.
///
/// A ``SocketIOServer`` stands on one; by itself it carries messages, for ``EngineIOHandler``. It has one ``SocketHub``
/// for each event loop of a group; a session lives on the loop that its first request came in on. ``HTTPGate`` brings
/// requests in.
public final class EngineServer: Sendable {
    public let configuration: SocketIOServerConfiguration
    public let hubs: [SocketHub]
    let application: any EngineApplication
    let logger: Logger
    let metrics: SocketIOServerMetrics
    let connections: AddressLimits
    let sessions: AddressLimits
    let locator: SessionLocator
    private let hubByLoop: [ObjectIdentifier: SocketHub]
    private let draining = Atomic(false)

    init(
        configuration: SocketIOServerConfiguration, application: any EngineApplication, group: any EventLoopGroup,
        logger: Logger, metrics factory: (any MetricsFactory)?
    ) {
        let metrics = SocketIOServerMetrics(factory: factory ?? MetricsSystem.factory)
        self.configuration = configuration
        self.metrics = metrics
        self.application = application
        self.logger = logger
        let (maximum, perAddress) = (configuration.maximumConnections, configuration.maximumConnectionsPerAddress)
        connections = AddressLimits(maximum: maximum, perAddress: perAddress)
        sessions = AddressLimits(maximum: maximum, perAddress: perAddress)
        hubs = group.makeIterator().enumerated().map {
            SocketHub(eventLoop: $1, index: $0, configuration: configuration, logger: logger, metrics: metrics)
        }
        locator = SessionLocator(hubs: hubs)
        hubByLoop = Dictionary(uniqueKeysWithValues: hubs.map { (ObjectIdentifier($0.eventLoop), $0) })
    }

    /// - Parameters:
    ///   - handler: gets each session and its messages.
    ///   - group: the event loops that connections are accepted on.
    ///   - metrics: where ``SocketIOServerMetrics`` go; nil for the factory of `MetricsSystem`.
    public convenience init(
        configuration: SocketIOServerConfiguration = .init(path: "/engine.io/"), handler: any EngineIOHandler,
        group: any EventLoopGroup, logger: Logger, metrics: (any MetricsFactory)? = nil
    ) {
        self.init(
            configuration: configuration, application: MessageApplication(handler: handler), group: group,
            logger: logger, metrics: metrics)
    }

    /// The hub of an event loop; nil for a loop that is not of the server's group.
    public func hub(of eventLoop: any EventLoop) -> SocketHub? {
        hubByLoop[ObjectIdentifier(eventLoop)]
    }

    /// Ends all sessions, those that poll and have no connection at this moment included. For a server's end, when no
    /// new connections come.
    public func endSessions() async {
        for hub in hubs { try? await hub.eventLoop.submit { hub.endSessions() }.get() }
    }

    /// Whether no new sessions are taken, since the server ends soon.
    public var isDraining: Bool { draining.load(ordering: .relaxed) }

    /// Ends the sessions one after the other, each when its client has taken what was sent to it, and takes no new ones
    /// from now on. So the clients' new connections are spread over the same time.
    ///
    /// - Parameters:
    ///   - window: from the first to the last.
    ///   - patience: how long beyond the window the server waits for a client that does not take what was sent.
    public func drain(over window: TimeAmount, patience: TimeAmount) async {
        draining.store(true, ordering: .relaxed)
        await withTaskGroup(of: Void.self) { group in
            for hub in hubs {
                group.addTask { await hub.drain(over: window, patience: patience) }
            }
        }
    }

    /// Whether a request target is this server's to answer.
    func owns(target: String) -> Bool {
        let path = target.prefix { $0 != "?" }
        return path == configuration.path || path == configuration.path.dropLast()
    }

    /// Judges a request by what it is, without its session.
    func judge(method: String, request: HandshakeRequest, isUpgrade: Bool) throws(EngineError) -> EngineRequest {
        let engineRequest = try EngineRequest(
            method: method, target: request.target, supportedTransports: configuration.transports,
            isUpgrade: isUpgrade)
        if case .handshake = engineRequest.purpose, isDraining { throw .stopping }
        if case .handshake = engineRequest.purpose, !sessions.hasRoom(for: request.remoteAddress) {
            logger.notice("too many sessions", metadata: ["address": .string(request.address)])
            throw .tooManySessions
        }
        try application.admit(request)
        return engineRequest
    }

    // MARK: New sessions

    /// Makes the handler of a connection that begins a session. `start` runs once it stands in the pipeline.
    func makeConnection(
        for request: HandshakeRequest, on eventLoop: any EventLoop
    ) throws -> (connection: WebSocketConnection, start: () -> Void) {
        guard let hub = hub(of: eventLoop) else { throw SocketIOServerError.foreignEventLoop }
        let session = EngineSession(engine: self, hub: hub, request: request)
        let connection = makeConnection(delegate: session)
        return (connection, { session.start(on: connection, engine: self) })
    }

    func openByPolling(_ request: HandshakeRequest, on eventLoop: any EventLoop, _ reply: HTTPReply) {
        guard let hub = hub(of: eventLoop) else {
            logger.error(
                "can't open a session", metadata: ["error": .string("\(SocketIOServerError.foreignEventLoop)")])
            return reply.refuse(.badRequest)
        }
        EngineSession(engine: self, hub: hub, request: request).start(answering: reply, engine: self)
    }

    private func makeConnection(delegate: any WebSocketDelegate) -> WebSocketConnection {
        WebSocketConnection(
            role: .server, maximumMessageSize: configuration.maximumPayload,
            writesDirectly: configuration.writesDirectly, unsentLimit: configuration.unsentLimit,
            delegate: delegate)
    }

    // MARK: Requests of a session

    /// Brings a request to its session, wherever that lives; the reply is given from there.
    func pass(_ purpose: EngineRequest.Purpose, _ request: HandshakeRequest, body: ByteBuffer, _ reply: HTTPReply) {
        guard let sid = purpose.sid else { return reply.refuse(.unknownSession) }
        switch locator.home(of: sid) {
        case .loop(let hub):
            hub.eventLoop.run { [application] in
                guard let session = hub.session(sid) else {
                    if case .poll = purpose, hub.sendFinalPackets(of: sid, to: request, reply) { return }
                    return reply.refuse(.unknownSession)
                }
                do throws(EngineError) {
                    try application.admit(request, to: session)
                } catch {
                    return reply.refuse(error)
                }
                session.handle(purpose, body: body, reply)
            }
        case .unknown:
            reply.refuse(.unknownSession)
        }
    }

    /// The connection is gone on which an answer was awaited.
    func lost(_ reply: HTTPReply.ID, _ purpose: EngineRequest.Purpose) {
        withSession(of: purpose) { $0.lost(reply) }
    }

    /// The server stops, and with it the connection of a session's request.
    func serverStops(during purpose: EngineRequest.Purpose) {
        withSession(of: purpose) { $0.serverStops() }
    }

    private func withSession(of purpose: EngineRequest.Purpose, _ body: @escaping @Sendable (EngineSession) -> Void) {
        guard let sid = purpose.sid else { return }
        switch locator.home(of: sid) {
        case .loop(let hub):
            hub.eventLoop.run {
                if let session = hub.session(sid) { body(session) }
            }
        case .unknown:
            break
        }
    }

    /// Makes the handler of a connection that asks to take over a session; nil for an unknown session. `start` runs once
    /// the handler stands in the pipeline.
    func makeUpgrade(
        of sid: String, isAccepted: Bool, on eventLoop: any EventLoop
    ) -> (connection: WebSocketConnection, start: () -> Void)? {
        switch locator.home(of: sid) {
        case .loop(let home):
            let relay = WebSocketRelay(sid: sid, home: home, eventLoop: eventLoop, logger: logger)
            let connection = makeConnection(delegate: relay)
            let timeout = configuration.upgradeTimeout
            return (connection, { relay.start(on: connection, isAccepted: isAccepted, timeout: timeout) })
        case .unknown:
            return nil
        }
    }
}

extension EngineSession {
    /// An admitted request of the client.
    ///
    /// - Parameter body: of a delivery; empty for any other purpose.
    fileprivate func handle(_ purpose: EngineRequest.Purpose, body: ByteBuffer, _ reply: HTTPReply) {
        guard !isOverdue else {
            abort(.pingTimeout)
            return reply.refuse(.unknownSession)
        }
        switch purpose {
        case .handshake: break
        case .poll: poll(reply)
        case .deliver: deliver(body, reply)
        case .upgrade: reply.answer(.upgrade(isAccepted: awaitsUpgrade))
        }
    }
}
