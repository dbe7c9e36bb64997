import EngineIO
import Logging
import NIOCore
import SocketIO
import WebSocketLink

/// Socket.IO on one Engine.IO session: packets, and the sockets of its namespaces.
///
/// Belongs to the session's event loop.
final class SocketSession: SessionLayer {
    private let namespaces: NamespaceTable
    private let engine: EngineSession
    private let hub: SocketHub
    /// Kept as long as there is a session, for who broadcasts from a socket.
    private let server: SocketIOServer?
    private var decoder = SocketPacketDecoder()
    private var sockets: [String: Socket] = [:]
    private var connectDeadline: Scheduled<Void>?
    /// Namespaces that this end has closed. What a client sends before it hears of that is no violation.
    private var dismissed: Set<String> = []
    /// The size so far of the packet that is being read, in bytes.
    private var packetSize = 0
    /// Whether a socket has a backlog that keeps us from reading. No other can have one then.
    private var hasBacklog = false
    /// How many sockets have left and still have a handler at work. As many as there may be keep us from reading, too,
    /// or a client that comes and goes could set any number of handlers to work.
    private var leftovers = 0
    private static let maximumLeftovers = 8
    private var meter: EventMeter
    /// Set while the client has sent more than it may.
    private var debt: Scheduled<Void>?

    init(on engine: EngineSession, namespaces: NamespaceTable) {
        self.engine = engine
        self.namespaces = namespaces
        hub = engine.hub
        server = engine.hub.server
        let configuration = namespaces.configuration
        meter = EventMeter(
            rate: configuration.maximumEventsPerSecond, burst: configuration.maximumEventBurst,
            now: engine.hub.eventLoop.now)
        let timeout = configuration.connectTimeout
        connectDeadline = hub.eventLoop.assumeIsolated().scheduleTask(in: timeout) { [weak engine] in
            engine?.logger.debug("no CONNECT in time")
            engine?.close(.connectTimeout)
        }
    }

    // MARK: Sending

    var outbox: Outbox { engine.outbox }

    func send(_ packet: SocketPacket) {
        engine.outbox.append(kept: Self.frames(of: packet))
    }

    /// - Parameter batch: not empty.
    func send(_ batch: OutboundBatch) {
        engine.outbox.append(batch)
    }

    /// Whether nothing waits for the client to take more.
    var takesAtOnce: Bool { engine.outbox.takesAtOnce }

    var transport: EngineTransport { engine.transportName }

    var queuedBytes: Int { engine.outbox.queuedBytes }

    /// A packet with its attachments: one thing to the queue, so that nothing comes in between.
    private static func frames(of packet: SocketPacket) -> ByteBuffer {
        var text = ByteBuffer()
        packet.encodeText(into: &text, engineMessage: true)
        var frames = WebSocketFrameWriter.textFrame(text)
        for attachment in packet.attachments { WebSocketFrameWriter.appendBinary(attachment, to: &frames) }
        return frames
    }

    func frame(noticing lost: LostEvents, namespace: String) -> ByteBuffer {
        guard let socket = sockets[namespace], let notice = socket.notice(of: lost) else { return ByteBuffer() }
        return Self.frames(of: notice)
    }

    /// Takes out the events that wait for a socket.
    func discardEvents(of socket: Socket) -> LostEvents? {
        engine.outbox.discard(namespace: socket.namespace)
    }

    /// Runs the body once everything that was sent has been taken, or the connection is gone.
    func whenTaken(_ body: @escaping () -> Void) {
        engine.outbox.whenTaken(body)
    }

    // MARK: Reading

    var holdsUpReading: Bool { hasBacklog || debt != nil || leftovers >= Self.maximumLeftovers }

    func backlogBegan() {
        hasBacklog = true
        engine.holdUpReading()
    }

    /// What had come before may be handled before this returns.
    func backlogEnded() {
        hasBacklog = false
        engine.resumeReading()
    }

    func leftHandlerAtWork() {
        leftovers += 1
        if holdsUpReading { engine.holdUpReading() }
    }

    func leftHandlerEnded() {
        leftovers -= 1
        if leftovers == Self.maximumLeftovers - 1 { engine.resumeReading() }
    }

    func received(_ message: ByteBuffer, isBinary: Bool) throws(SessionViolation) {
        packetSize += message.readableBytes
        let packet: SocketPacket?
        do throws(SocketProtocolError) {
            packet = isBinary ? try decoder.binary(message) : try decoder.text(message)
        } catch {
            throw SessionViolation(error)
        }
        guard let packet else { return }
        if let wait = meter.count(now: hub.eventLoop.now) { slowDown(for: wait) }
        try handle(packet)
    }

    private func slowDown(for wait: TimeAmount) {
        guard debt == nil else { return }
        debt = hub.eventLoop.assumeIsolated().scheduleTask(in: wait) { [weak self] in self?.collectDebt() }
        engine.holdUpReading()
    }

    private func collectDebt() {
        debt = nil
        // One body of a client that polls can have many packets.
        if let wait = meter.debt(now: hub.eventLoop.now) { slowDown(for: wait) } else { engine.resumeReading() }
    }

    private func handle(_ packet: SocketPacket) throws(SessionViolation) {
        let size = packetSize
        packetSize = 0
        switch (packet.kind, sockets[packet.namespace]) {
        case (.connect, nil):
            connect(packet)
        case (.connect, .some), (.connectError, _):
            throw SessionViolation(.unexpectedPacket, "unexpected \(packet.kind) for \(packet.namespace.prefix(64))")
        case (_, .some(let socket)):
            socket.received(packet, size: size)
        case (_, nil):
            guard dismissed.contains(packet.namespace) else {
                throw SessionViolation(
                    .namespaceNotConnected, "\(packet.kind) for a namespace that is not connected")
            }
        }
    }

    // MARK: Sockets

    var allSockets: [Socket] { Array(sockets.values) }

    private func connect(_ packet: SocketPacket) {
        guard let handler = namespaces.handlers[packet.namespace] else {
            hub.metrics.connectRefused(.invalidNamespace)
            send(.connectError(message: "Invalid namespace", namespace: packet.namespace))
            return
        }
        dismissed.remove(packet.namespace)
        let socket = Socket(
            id: RandomID.make(), namespace: packet.namespace, request: engine.request, session: self, hub: hub,
            handler: handler, configuration: namespaces.configuration)
        sockets[packet.namespace] = socket
        socket.connect(auth: packet.data)
    }

    /// A socket was accepted: the connection is worth keeping.
    func accepted() {
        connectDeadline?.cancel()
        connectDeadline = nil
    }

    /// The client has left the socket's namespace.
    func remove(_ socket: Socket) {
        sockets[socket.namespace] = nil
        _ = engine.outbox.discard(namespace: socket.namespace)
    }

    /// This end has closed the socket's namespace to the client.
    func dismiss(_ socket: Socket) {
        sockets[socket.namespace] = nil
        dismissed.insert(socket.namespace)
    }

    func close(_ reason: DisconnectReason) {
        engine.close(reason)
    }

    func ended(_ reason: DisconnectReason) {
        connectDeadline?.cancel()
        debt?.cancel()
        let ending = sockets.values
        sockets = [:]
        for socket in ending { socket.ended(reason) }
    }
}

/// The handlers of a server's namespaces, as the layer above its Engine.IO sessions.
struct NamespaceTable: EngineApplication {
    let handlers: [String: any SocketIOHandler]
    let configuration: SocketIOServerConfiguration

    func admit(_ request: HandshakeRequest) throws(EngineError) {
        try handlers["/"]?.admit(request)
    }

    func admit(_ request: HandshakeRequest, to session: EngineSession) throws(EngineError) {
        guard let layer = session.layer as? SocketSession else { return }
        try handlers["/"]?.admit(request, to: session.request, sockets: layer.allSockets)
    }

    func makeLayer(for session: EngineSession) -> any SessionLayer {
        SocketSession(on: session, namespaces: self)
    }
}
