import EngineIO
import Logging
import NIOCore
import SocketIO
import WebSocketLink

/// One Engine.IO session on a WebSocket: heartbeat, packets, and the sockets of its namespaces.
///
/// Belongs to its connection's event loop.
final class EngineSession {
    let id = RandomID.make()
    private let server: SocketIOServer
    private let hub: SocketHub
    private let request: HandshakeRequest
    private let logger: Logger
    private var connection: WebSocketConnection?
    private let outbox: Outbox
    private var heartbeat: HeartbeatMachine
    private var wake: Scheduled<Void>?
    private var connectDeadline: Scheduled<Void>?
    private var decoder = SocketPacketDecoder()
    private var sockets: [String: Socket] = [:]
    /// Namespaces that this end has closed. What a client sends before it hears of that is no violation.
    private var dismissed: Set<String> = []
    /// What the transport's end will be put down to, where we brought it about.
    private var closingReason: DisconnectReason?
    /// The size so far of the packet that is being read, in bytes.
    private var packetSize = 0
    /// Whether a socket has a backlog that keeps us from reading. No other can have one then.
    private var hasBacklog = false
    /// How many sockets have left and still have a handler at work. As many as there may be keep us from reading, too,
    /// or a client that comes and goes could set any number of handlers to work.
    private var leftovers = 0
    private static let maximumLeftovers = 8
    /// When reading went on after it was held up.
    private var resumedReading: NIODeadline?

    init(server: SocketIOServer, hub: SocketHub, request: HandshakeRequest) {
        self.server = server
        self.hub = hub
        self.request = request
        var logger = server.logger
        logger[metadataKey: "session"] = .string(id)
        self.logger = logger
        outbox = Outbox(hub: hub, configuration: server.configuration, logger: logger, address: request.address)
        heartbeat = HeartbeatMachine(
            pingInterval: server.configuration.pingInterval, pingTimeout: server.configuration.pingTimeout)
    }

    /// The connection is open: says so to the client, and waits for its first CONNECT.
    func start(on connection: WebSocketConnection) {
        // It may have been lost while its handler was put in place.
        guard connection.isOpen else { return }
        self.connection = connection
        outbox.open(connection, owner: self)
        hub.insert(self)
        hub.metrics.sessionOpened()
        let configuration = server.configuration
        send(
            .open(
                EngineHandshake(
                    sid: id, upgrades: [], pingInterval: configuration.pingInterval.nanoseconds / 1_000_000,
                    pingTimeout: configuration.pingTimeout.nanoseconds / 1_000_000,
                    maxPayload: configuration.maximumPayload)))
        schedule(heartbeat.started(now: hub.eventLoop.now))
        connectDeadline = hub.eventLoop.assumeIsolated().scheduleTask(in: configuration.connectTimeout) { [weak self] in
            self?.logger.debug("no CONNECT in time")
            self?.close(.connectTimeout)
        }
        logger.debug("session opened", metadata: ["address": .string(request.address)])
    }

    // MARK: Sending

    func send(_ packet: SocketPacket) {
        outbox.append(kept: Self.frames(of: packet))
    }

    /// - Parameter batch: not empty.
    func send(_ batch: OutboundBatch) {
        outbox.append(batch)
    }

    /// Whether nothing waits for the client to take more.
    var takesAtOnce: Bool { outbox.takesAtOnce }

    private func send(_ packet: EnginePacket) {
        var text = ByteBuffer()
        packet.encodeText(into: &text)
        outbox.append(kept: WebSocketFrameWriter.textFrame(text), isBarrier: false)
    }

    /// A packet with its attachments: one thing to the queue, so that nothing comes in between.
    private static func frames(of packet: SocketPacket) -> ByteBuffer {
        var text = ByteBuffer()
        packet.encodeText(into: &text, engineMessage: true)
        var frames = WebSocketFrameWriter.textFrame(text)
        for attachment in packet.attachments { WebSocketFrameWriter.appendBinary(attachment, to: &frames) }
        return frames
    }

    /// Takes out the events that wait for a socket.
    func discardEvents(of socket: Socket) -> LostEvents? {
        outbox.discard(namespace: socket.namespace)
    }

    /// Runs the body once everything that was sent has been taken, or the connection is gone.
    func whenTaken(_ body: @escaping () -> Void) {
        outbox.whenTaken(body)
    }

    // MARK: Reading

    private var isHeldUp: Bool { hasBacklog || outbox.holdsUpReading || leftovers >= Self.maximumLeftovers }

    func backlogBegan() {
        hasBacklog = true
        connection?.pause()
    }

    /// What had come before may be handled before this returns.
    func backlogEnded() {
        hasBacklog = false
        resumeReading()
    }

    func leftHandlerAtWork() {
        leftovers += 1
        if isHeldUp { connection?.pause() }
    }

    func leftHandlerEnded() {
        leftovers -= 1
        if leftovers == Self.maximumLeftovers - 1 { resumeReading() }
    }

    private func resumeReading() {
        guard !isHeldUp else { return }
        resumedReading = hub.eventLoop.now
        connection?.resume()
    }

    private func handle(_ packet: EnginePacket) throws(SessionViolation) {
        switch packet {
        case .message(let text):
            if let packet = try decode(text, isBinary: false) { try handle(packet) }
        case .binary(let bytes):
            if let packet = try decode(bytes, isBinary: true) { try handle(packet) }
        case .pong:
            heartbeat.pongReceived(now: hub.eventLoop.now)
        case .close:
            close(.transportClose)
        case .ping:
            throw SessionViolation(.unexpectedPing, "a client must not ping")
        case .open:
            throw SessionViolation(.unexpectedOpen, "a client must not open")
        case .upgrade, .noop:
            break
        }
    }

    private func decode(_ message: ByteBuffer, isBinary: Bool) throws(SessionViolation) -> SocketPacket? {
        packetSize += message.readableBytes
        do throws(SocketProtocolError) {
            return isBinary ? try decoder.binary(message) : try decoder.text(message)
        } catch {
            throw SessionViolation(error)
        }
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

    private func connect(_ packet: SocketPacket) {
        guard let handler = server.handlers[packet.namespace] else {
            hub.metrics.connectRefused(.invalidNamespace)
            send(.connectError(message: "Invalid namespace", namespace: packet.namespace))
            return
        }
        dismissed.remove(packet.namespace)
        let socket = Socket(
            id: RandomID.make(), namespace: packet.namespace, request: request, session: self, hub: hub,
            handler: handler, configuration: server.configuration)
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
        _ = outbox.discard(namespace: socket.namespace)
    }

    /// This end has closed the socket's namespace to the client.
    func dismiss(_ socket: Socket) {
        sockets[socket.namespace] = nil
        dismissed.insert(socket.namespace)
    }

    // MARK: Heartbeat

    private func schedule(_ deadline: NIODeadline) {
        wake = hub.eventLoop.assumeIsolated().scheduleTask(deadline: deadline) { [weak self] in self?.tick() }
    }

    private func tick() {
        let now = hub.eventLoop.now
        switch heartbeat.tick(now: now) {
        case .sendPing(let next):
            send(.ping(ByteBuffer()))
            schedule(next)
        case .wait(let next):
            schedule(next)
        case .timedOut:
            if let deadline = deadlineAfterHoldup(now: now) { return schedule(deadline) }
            logger.debug("no pong in time")
            abort(.pingTimeout)
        }
    }

    /// As long as we were kept from reading, a client that does read can't be blamed for its silence: the pong may be
    /// among what we left unread.
    private func deadlineAfterHoldup(now: NIODeadline) -> NIODeadline? {
        let pingTimeout = server.configuration.pingTimeout
        if isHeldUp { return outbox.isBackedUp ? nil : now + pingTimeout }
        guard let resumedReading, now < resumedReading + pingTimeout else { return nil }
        return resumedReading + pingTimeout
    }

    // MARK: Ending

    /// Ends the session with a closing handshake.
    func close(_ reason: DisconnectReason, code: WebSocketCloseCode = .normalClosure) {
        closingReason = closingReason ?? reason
        outbox.handOver()
        connection?.close(code: code, reason: reason == .transportClose ? "" : reason.rawValue)
        ended(reason)
    }

    /// Ends the session at once, whatever is queued.
    private func abort(_ reason: DisconnectReason) {
        closingReason = closingReason ?? reason
        let connection = connection
        ended(reason)
        connection?.abort()
    }

    private func ended(_ reason: DisconnectReason) {
        guard connection != nil else { return }
        connection = nil
        wake?.cancel()
        connectDeadline?.cancel()
        hub.remove(self)
        hub.metrics.sessionEnded(reason)
        let ending = sockets.values
        sockets = [:]
        for socket in ending { socket.ended(reason) }
        outbox.close()
        logger.debug("session ended", metadata: ["reason": .string(reason.rawValue)])
    }
}

extension EngineSession: OutboxOwner {
    func frame(noticing lost: LostEvents, namespace: String) -> ByteBuffer {
        guard let socket = sockets[namespace], let notice = socket.notice(of: lost) else { return ByteBuffer() }
        return Self.frames(of: notice)
    }

    func outboxHoldsUpReading() {
        connection?.pause()
    }

    func outboxLetsReadingGoOn() {
        resumeReading()
    }

    func outboxGaveUp() {
        abort(.slowConsumer)
    }
}

extension EngineSession: WebSocketDelegate {
    func webSocket(_ connection: WebSocketConnection, received message: WebSocketMessage) {
        guard self.connection != nil else { return }
        do throws(SessionViolation) {
            switch message {
            case .text(let text):
                let packet: EnginePacket
                do throws(EngineProtocolError) {
                    packet = try EnginePacket(decodingText: text)
                } catch {
                    throw SessionViolation(error)
                }
                try handle(packet)
            case .binary(let bytes):
                try handle(.binary(bytes))
            }
        } catch {
            logger.notice(
                "closing a connection that breaks the protocol",
                metadata: ["address": .string(request.address), "violation": .string(error.sentence)])
            hub.metrics.violated(error.violation)
            close(error.violation.reason, code: WebSocketCloseCode(rawValue: error.violation.closeCode))
        }
    }

    func webSocketClosed(_ connection: WebSocketConnection, reason: WebSocketCloseReason) {
        switch reason {
        case .violation(let violation):
            logger.notice(
                "closing a connection that breaks the WebSocket protocol",
                metadata: ["address": .string(request.address), "violation": .string("\(violation)")])
            hub.metrics.violated(ProtocolViolation(violation))
            ended(closingReason ?? .parseError)
        case .error:
            ended(closingReason ?? .transportError)
        case .remote, .endOfStream, .local:
            ended(closingReason ?? .transportClose)
        }
    }

    func webSocketWritabilityChanged(_ connection: WebSocketConnection, writable: Bool) {
        if writable { outbox.hasRoom() }
    }

    func webSocketShouldQuiesce(_ connection: WebSocketConnection) {
        // A closed transport, not a DISCONNECT: stock clients come back from the first by themselves.
        close(.serverShutdown, code: .goingAway)
    }
}
