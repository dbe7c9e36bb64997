import EngineIO
import Logging
import NIOCore
import WebSocketLink

/// One Engine.IO session: its heartbeat, its packets, and the transport that carries them, which may change from
/// polling to a WebSocket on the way.
///
/// Belongs to the event loop on which it was opened, whatever loops its requests and its WebSocket come in on.
final class EngineSession {
    /// Names the session in the client's requests, and is as good as a key to it: no other client may learn it.
    let id: String
    /// The request that opened the session.
    let request: HandshakeRequest
    let hub: SocketHub
    let logger: Logger
    let outbox: Outbox
    private let configuration: SocketIOServerConfiguration
    private let limits: AddressLimits
    private(set) var layer: (any SessionLayer)?
    private var transport: (any OutboxTransport)?
    /// The transport, as long as it is this one.
    private var polling: PollingTransport?
    /// The WebSocket that has proven that it works, and may take over from polling.
    private var candidate: WebSocketRelay.Handle?
    private var heartbeat: HeartbeatMachine
    private var wheelPlace: HeartbeatWheel.Place?
    /// The reason for the transport's end, if this side ends it.
    private var closingReason: DisconnectReason?
    /// When reading went on after it was held up.
    private var resumedReading: NIODeadline?

    init(engine: EngineServer, hub: SocketHub, request: HandshakeRequest) {
        id = engine.locator.makeID(on: hub)
        self.request = request
        self.hub = hub
        configuration = engine.configuration
        limits = engine.sessions
        var logger = engine.logger
        // The id is as good as a key: a log has only its beginning.
        logger[metadataKey: "session"] = .string(String(id.prefix(6)))
        self.logger = logger
        outbox = Outbox(hub: hub, configuration: configuration, logger: logger, address: request.address)
        heartbeat = HeartbeatMachine(pingInterval: configuration.pingInterval, pingTimeout: configuration.pingTimeout)
    }

    /// Whether the session has begun and has not ended.
    var isOpen: Bool { transport != nil }

    /// What carries the session at this moment.
    var transportName: EngineTransport { polling == nil ? .websocket : .polling }

    // MARK: Beginning

    /// The connection is open: says so to the client.
    func start(on connection: WebSocketConnection, engine: EngineServer) {
        // It may have been lost while its handler was put in place.
        guard connection.isOpen else { return }
        open(on: connection, upgrades: [], engine: engine)
    }

    /// Opens the session by polling; the reply gets the `open` packet.
    func start(answering reply: HTTPReply, engine: EngineServer) {
        let polling = PollingTransport(session: self)
        self.polling = polling
        polling.wait(reply)
        let upgrades = configuration.transports.contains(.websocket) ? [EngineTransport.websocket.rawValue] : []
        open(on: polling, upgrades: upgrades, engine: engine)
    }

    private func open(on transport: any OutboxTransport, upgrades: [String], engine: EngineServer) {
        self.transport = transport
        outbox.open(transport, owner: self)
        hub.insert(self)
        limits.count(request.remoteAddress)
        hub.metrics.sessionOpened()
        send(
            .open(
                EngineHandshake(
                    sid: id, upgrades: upgrades, pingInterval: configuration.pingInterval.nanoseconds / 1_000_000,
                    pingTimeout: configuration.pingTimeout.nanoseconds / 1_000_000,
                    maxPayload: configuration.maximumPayload)))
        wheelPlace = hub.enterWheel(self, deadline: heartbeat.started(now: hub.eventLoop.now))
        logger.debug(
            "session opened",
            metadata: ["address": .string(request.address), "transport": .string(transportName.rawValue)])
        layer = engine.application.makeLayer(for: self)
    }

    // MARK: Sending

    func send(_ packet: EnginePacket) {
        var text = ByteBuffer()
        packet.encodeText(into: &text)
        outbox.append(kept: WebSocketFrameWriter.textFrame(text), isBarrier: false)
    }

    // MARK: Reading

    private var isHeldUp: Bool { outbox.holdsUpReading || layer?.holdsUpReading == true }

    /// Reads nothing more until ``resumeReading()``. What has come already may still be handled.
    func holdUpReading() {
        transport?.pause()
    }

    /// Goes on reading unless something else holds it up. What had come before may be handled before this returns.
    func resumeReading() {
        guard !isHeldUp else { return }
        resumedReading = hub.eventLoop.now
        transport?.resume()
    }

    private func handle(_ packet: EnginePacket) throws(SessionViolation) {
        switch packet {
        case .message(let text):
            try layer?.received(text, isBinary: false)
        case .binary(let bytes):
            try layer?.received(bytes, isBinary: true)
        case .pong:
            heartbeat.pongReceived(now: hub.eventLoop.now)
        case .close:
            clientClosed()
        case .ping:
            throw SessionViolation(.unexpectedPing, "a client must not ping")
        case .open:
            throw SessionViolation(.unexpectedOpen, "a client must not open")
        case .upgrade, .noop:
            break
        }
    }

    private func violated(_ violation: SessionViolation) {
        logger.notice(
            "closing a connection that breaks the protocol",
            metadata: ["address": .string(request.address), "violation": .string(violation.sentence)])
        hub.metrics.violated(violation.violation)
    }

    // MARK: Heartbeat

    func movedInWheel(to place: HeartbeatWheel.Place) {
        wheelPlace = place
    }

    func tick(now: NIODeadline) {
        wheelPlace = nil
        switch heartbeat.tick(now: now) {
        case .sendPing(let next):
            send(.ping(ByteBuffer()))
            wheelPlace = hub.enterWheel(self, deadline: next)
        case .wait(let next):
            wheelPlace = hub.enterWheel(self, deadline: next)
        case .timedOut:
            if let deadline = deadlineAfterHoldup(now: now) {
                wheelPlace = hub.enterWheel(self, deadline: deadline)
                return
            }
            logger.debug("no pong in time")
            abort(.pingTimeout)
        }
    }

    /// Whether the pong is overdue, and the timer has not fired yet.
    var isOverdue: Bool {
        guard case .awaitingPong(let deadline) = heartbeat.state else { return false }
        let now = hub.eventLoop.now
        return now >= deadline && deadlineAfterHoldup(now: now) == nil
    }

    /// While reading was held up, the pong may be among what was left unread: a client that reads is given time anew.
    private func deadlineAfterHoldup(now: NIODeadline) -> NIODeadline? {
        if isHeldUp { return outbox.isBackedUp ? nil : now + configuration.pingTimeout }
        guard let resumedReading, now < resumedReading + configuration.pingTimeout else { return nil }
        return resumedReading + configuration.pingTimeout
    }

    // MARK: Ending

    /// Ends the session behind what was sent; what a client asks by polling is answered with that once more.
    func close(_ reason: DisconnectReason, code: WebSocketCloseCode = .normalClosure) {
        closingReason = closingReason ?? reason
        outbox.handOver()
        transport?.close(code: code, reason: reason == .transportClose ? "" : reason.rawValue)
        if let polling, polling.hasFinalPackets { hub.keepFinalPackets(of: self, polling, for: .seconds(10)) }
        ended(reason)
    }

    /// Ends the session at once, whatever is queued.
    func abort(_ reason: DisconnectReason) {
        closingReason = closingReason ?? reason
        let transport = transport
        ended(reason)
        transport?.abort()
    }

    private func clientClosed() {
        guard let polling else { return close(.transportClose) }
        if polling.hasPoll {
            polling.releasePoll()
        } else {
            // It may have been overtaken on another connection.
            polling.leaveNoop()
            hub.keepFinalPackets(of: self, polling, for: .seconds(1))
        }
        abort(.transportClose)
    }

    private func ended(_ reason: DisconnectReason) {
        guard transport != nil else { return }
        transport = nil
        polling = nil
        candidate.take()?.run { $0.dismiss() }
        if let place = wheelPlace.take() { hub.leaveWheel(place) }
        hub.remove(self)
        limits.leave(request.remoteAddress)
        hub.metrics.sessionEnded(reason)
        let layer = layer.take()
        layer?.ended(reason)
        outbox.close()
        logger.debug("session ended", metadata: ["reason": .string(reason.rawValue)])
    }
}

extension EngineSession: OutboxOwner {
    func frame(noticing lost: LostEvents, namespace: String) -> ByteBuffer {
        layer?.frame(noticing: lost, namespace: namespace) ?? ByteBuffer()
    }

    func outboxHoldsUpReading() {
        holdUpReading()
    }

    func outboxLetsReadingGoOn() {
        resumeReading()
    }

    func outboxGaveUp() {
        abort(.slowConsumer)
    }
}

// MARK: - Polling

extension EngineSession {
    /// The client waits for packets.
    func poll(_ reply: HTTPReply) {
        guard let polling else { return reply.refuse(.badRequest) }
        guard !polling.hasPoll else {
            violated(SessionViolation(.duplicatePoll, "a second poll while one waits"))
            reply.refuse(.badRequest)
            return abort(.protocolViolation)
        }
        polling.wait(reply)
        outbox.hasRoom()
        if candidate != nil { polling.releasePollLater() }
    }

    /// The client delivers packets.
    func deliver(_ body: ByteBuffer, _ reply: HTTPReply) {
        guard let polling else { return reply.refuse(.badRequest) }
        guard !polling.hasDelivery else {
            violated(SessionViolation(.duplicateDelivery, "a second delivery while one is under way"))
            reply.refuse(.badRequest)
            return abort(.protocolViolation)
        }
        do throws(SessionViolation) {
            let packets: [EnginePacket]
            do throws(EngineProtocolError) {
                packets = try EnginePayload.decode(body)
            } catch {
                throw SessionViolation(error)
            }
            for packet in packets where isOpen { try handle(packet) }
        } catch {
            violated(error)
            reply.refuse(.badRequest)
            return abort(error.violation.reason)
        }
        guard isOpen, isHeldUp else { return reply.acceptDelivery() }
        // The client sends nothing more before it has its answer: to hold that back is to stop reading.
        polling.holdDelivery(reply)
    }

    /// The connection on which the client waited for an answer is gone, or the answer did not reach it.
    func lost(_ reply: HTTPReply.ID) {
        guard let polling, polling.isWaiting(for: reply) else { return }
        logger.debug("a request was given up")
        abort(closingReason ?? .transportClose)
    }

    /// An answer with packets did not reach the client: there is no other copy of them.
    func lostPackets() {
        guard isOpen else { return }
        logger.debug("packets could not be delivered")
        abort(.transportError)
    }
}

// MARK: - Upgrade

extension EngineSession {
    /// Whether a WebSocket may try to take over.
    var awaitsUpgrade: Bool { polling != nil && candidate == nil && configuration.transports.contains(.websocket) }

    /// A WebSocket has shown that it works.
    ///
    /// - Returns: whether it may take over.
    func probed(by relay: WebSocketRelay.Handle) -> Bool {
        guard awaitsUpgrade, let polling else { return false }
        candidate = relay
        polling.releasePollLater()
        return true
    }

    /// The client has moved to the WebSocket that was probed. What it sent by polling has been handled; what is sent
    /// from now on leaves by the WebSocket.
    func upgraded(to transport: any OutboxTransport) {
        guard let polling = polling.take() else { return transport.abort() }
        candidate = nil
        polling.retire()
        self.transport = transport
        outbox.move(to: transport)
        if isHeldUp { transport.pause() }
        logger.debug("session moved to a WebSocket")
    }

    /// The WebSocket gave up before it took over. Polling goes on.
    func lostCandidate(_ relay: WebSocketRelay.Handle) {
        guard candidate === relay else { return }
        candidate = nil
        polling?.cancelRelease()
    }

    /// A message came over from the loop of the WebSocket.
    func received(_ message: WebSocketMessage, relayedSize: Int) {
        received(message)
        (transport as? RelayedTransport)?.handled(relayedSize)
    }

    /// The loop of the WebSocket has written so many bytes.
    func relayTook(_ bytes: Int) {
        guard let relayed = transport as? RelayedTransport, relayed.took(bytes) else { return }
        outbox.hasRoom()
    }
}

// MARK: - WebSocket

extension EngineSession: WebSocketDelegate {
    func received(_ message: WebSocketMessage) {
        guard isOpen else { return }
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
            violated(error)
            close(error.violation.reason, code: WebSocketCloseCode(rawValue: error.violation.closeCode))
        }
    }

    func transportClosed(_ reason: WebSocketCloseReason) {
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

    func serverStops() {
        // A closed transport, not a DISCONNECT: stock clients come back from the first by themselves.
        close(.serverShutdown, code: .goingAway)
    }

    func webSocket(_ connection: WebSocketConnection, received message: WebSocketMessage) {
        received(message)
    }

    func webSocketClosed(_ connection: WebSocketConnection, reason: WebSocketCloseReason) {
        transportClosed(reason)
    }

    func webSocketWritabilityChanged(_ connection: WebSocketConnection, writable: Bool) {
        if writable { outbox.hasRoom() }
    }

    func webSocketShouldQuiesce(_ connection: WebSocketConnection) {
        serverStops()
    }
}
