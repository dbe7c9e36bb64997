import EngineIO
import NIOCore
import SocketIO
import WebSocketLink
import WireJSON

/// One Engine.IO session with one Socket.IO namespace in it: what is said, independent of what carries it. Belongs to
/// its event loop.
final class SocketIOSession {
    /// What is known once the namespace has been granted.
    struct Joined {
        let handshake: EngineHandshake
        let sid: String
    }

    private enum State {
        /// Engine.IO's `open` is awaited.
        case opening
        /// CONNECT was sent, its answer is awaited.
        case joining(EngineHandshake)
        case joined
        case ended(SocketIODisconnectReason)
    }

    /// Somebody who waits for an acknowledgement.
    private final class Waiter {
        let promise: EventLoopPromise<SocketIOAcknowledgement>
        var timeout: Scheduled<Void>?

        init(_ promise: EventLoopPromise<SocketIOAcknowledgement>) {
            self.promise = promise
        }
    }

    let eventLoop: any EventLoop
    private let namespace: String
    private let auth: JSON?
    /// Nil after the end: what still waits in it may hold acknowledgers, and those hold this session.
    private var queue: SocketIOIncomingQueue?
    /// Told once how joining the namespace went; never, if the session was disconnected before.
    private var outcome: ((Result<Joined, SocketIOConnectError>) -> Void)?
    private var state = State.opening
    private var transport: WebSocketTransport?
    private var decoder = SocketPacketDecoder()
    private var acknowledgements = AcknowledgementTable<Waiter>()
    private var monitor: HeartbeatMonitor?
    private var heartbeat: Scheduled<Void>?
    /// Whether the reader is behind and nothing more is taken from the transport.
    private(set) var isPaused = false
    private var isFlushScheduled = false
    /// The last ping that came while the transport was not writable.
    private var unansweredPing: ByteBuffer?

    init(
        configuration: SocketIOClientConfiguration,
        queue: SocketIOIncomingQueue,
        eventLoop: any EventLoop,
        outcome: @escaping (Result<Joined, SocketIOConnectError>) -> Void
    ) {
        self.eventLoop = eventLoop
        namespace = configuration.namespace
        auth = configuration.auth
        decoder = SocketPacketDecoder(
            limits: SocketPacketDecoder.Limits(maximumAttachmentBytes: configuration.maximumMessageSize))
        self.queue = queue
        self.outcome = outcome
        queue.demand.setAction { [weak self] in self?.resume() }
    }

    /// Where an attempt to connect stands.
    var stage: SocketIOConnectStage {
        if case .opening = state { .open } else { .namespace }
    }

    /// Gives the session what carries it, once.
    func attach(_ transport: WebSocketTransport) {
        self.transport = transport
    }
}

// MARK: - The user's side

extension SocketIOSession {
    /// Sends an event. Does nothing once the session has ended.
    func emit(_ name: String, _ arguments: [JSON], _ attachments: [ByteBuffer]) {
        guard case .joined = state else { return }
        send(.event(name, arguments, namespace: namespace, attachments: attachments))
    }

    /// Sends an event that the server is to acknowledge.
    ///
    /// - Returns: the event's id, or nil if the session has ended and the promise has failed.
    func emit(
        _ name: String,
        _ arguments: [JSON],
        _ attachments: [ByteBuffer],
        timeout: TimeAmount,
        promise: EventLoopPromise<SocketIOAcknowledgement>
    ) -> Int64? {
        guard case .joined = state else {
            promise.fail(SocketIOEmitError.disconnected(endReason))
            return nil
        }
        let waiter = Waiter(promise)
        let id = acknowledgements.register(waiter)
        waiter.timeout = eventLoop.assumeIsolated().scheduleTask(in: timeout) { [weak self] in
            self?.giveUp(id, .timedOut)
        }
        send(.event(name, arguments, id: id, namespace: namespace, attachments: attachments))
        return id
    }

    /// Ends the wait for an acknowledgement.
    func giveUp(_ id: Int64, _ error: SocketIOEmitError) {
        guard let waiter = acknowledgements.resolve(id) else { return }
        waiter.timeout?.cancel()
        waiter.promise.fail(error)
    }

    /// Acknowledges an event of the server. Does nothing once the session has ended.
    func acknowledge(_ id: Int64, _ arguments: [JSON], _ attachments: [ByteBuffer]) {
        guard case .joined = state else { return }
        send(.acknowledgement(id: id, arguments, namespace: namespace, attachments: attachments))
    }

    /// Leaves the namespace and closes the transport behind what was sent before.
    func disconnect() {
        outcome = nil
        if case .joined = state {
            send(.disconnect(namespace: namespace))
        }
        end(.clientDisconnect)
    }

    private var endReason: SocketIODisconnectReason {
        if case .ended(let reason) = state { reason } else { .transportClosed("The session is not open yet.") }
    }

    private func send(_ packet: SocketPacket) {
        guard let transport else { return }
        var text = ByteBuffer()
        packet.encodeText(into: &text, engineMessage: true)
        transport.send(text: text)
        for attachment in packet.attachments {
            transport.send(binary: attachment)
        }
        scheduleFlush()
    }

    private func send(_ packet: EnginePacket) {
        guard let transport else { return }
        var text = ByteBuffer()
        packet.encodeText(into: &text)
        transport.send(text: text)
        scheduleFlush()
    }

    /// All that is sent in one turn of the event loop leaves in one write.
    private func scheduleFlush() {
        guard !isFlushScheduled else { return }
        isFlushScheduled = true
        eventLoop.assumeIsolated().execute {
            self.isFlushScheduled = false
            self.transport?.flush()
        }
    }
}

// MARK: - The server's side

extension SocketIOSession {
    func receive(_ packet: EnginePacket) {
        if case .ended = state { return }
        switch packet {
        case .open(let handshake): opened(handshake)
        case .close: end(.transportClosed("The server closed the Engine.IO session."))
        case .ping(let payload):
            monitor?.pingReceived(now: eventLoop.now)
            answer(ping: payload)
        case .pong, .upgrade, .noop: break
        case .message(let text): decode { decoder throws(SocketProtocolError) in try decoder.text(text) }
        case .binary(let bytes): decode { decoder throws(SocketProtocolError) in try decoder.binary(bytes) }
        }
    }

    /// The transport is gone, or the peer's bytes make no sense.
    func transportEnded(_ reason: SocketIODisconnectReason) {
        end(reason)
    }

    /// The transport takes more again.
    func transportBecameWritable() {
        if let ping = unansweredPing.take() {
            send(.pong(ping))
        }
    }

    /// However many pings a server sends that doesn't read, one pong waits for it.
    private func answer(ping: ByteBuffer) {
        if transport?.isWritable == true {
            send(.pong(ping))
        } else {
            unansweredPing = ping
        }
    }

    private func opened(_ handshake: EngineHandshake) {
        guard case .opening = state else {
            end(.protocolViolation("A second Engine.IO handshake came."))
            return
        }
        state = .joining(handshake)
        var monitor = HeartbeatMonitor(handshake)
        watch(until: monitor.started(now: eventLoop.now))
        self.monitor = monitor
        send(SocketPacket(kind: .connect, namespace: namespace, data: auth))
    }

    private func decode(
        _ decode: (inout SocketPacketDecoder) throws(SocketProtocolError) -> SocketPacket?
    ) {
        do throws(SocketProtocolError) {
            guard let packet = try decode(&decoder), packet.namespace == namespace else { return }
            receive(packet)
        } catch {
            end(.protocolViolation(error.description))
        }
    }

    private func receive(_ packet: SocketPacket) {
        switch (state, packet.kind) {
        case (.joining(let handshake), .connect): joined(packet, handshake)
        case (.joining, .connectError): rejected(packet)
        case (.joined, .event): received(event: packet)
        case (.joined, .acknowledgement): received(acknowledgement: packet)
        case (.joined, .disconnect): end(.serverDisconnect)
        case (.ended, _): break
        case (.opening, _): end(.protocolViolation("A Socket.IO packet came before the Engine.IO handshake."))
        case (.joining, _): end(.protocolViolation("A packet came before the answer to CONNECT."))
        case (.joined, _): end(.protocolViolation("A second answer to CONNECT came."))
        }
    }

    private func joined(_ packet: SocketPacket, _ handshake: EngineHandshake) {
        guard let sid = packet.data?["sid"]?.stringValue else {
            end(.protocolViolation("The answer to CONNECT has no sid; the server may speak an older protocol."))
            return
        }
        state = .joined
        outcome.take()?(.success(Joined(handshake: handshake, sid: sid)))
    }

    private func rejected(_ packet: SocketPacket) {
        let message = packet.data?["message"]?.stringValue ?? packet.data?.stringValue ?? "no reason given"
        outcome.take()?(.failure(.rejected(message: message, data: packet.data?["data"])))
        end(.serverDisconnect)
    }

    private func received(event packet: SocketPacket) {
        let acknowledger = packet.id.map { id in
            SocketIOAcknowledger(id: id, session: NIOLoopBound(self, eventLoop: eventLoop))
        }
        yield(
            .event(
                name: packet.eventName ?? "",
                arguments: packet.arguments,
                attachments: packet.attachments,
                acknowledge: acknowledger
            ))
    }

    private func received(acknowledgement packet: SocketPacket) {
        guard let id = packet.id, let waiter = acknowledgements.resolve(id) else { return }
        waiter.timeout?.cancel()
        // First the mark, so that whoever hears of the acknowledgement finds it in the queue already.
        yield(.acknowledgement(id: id))
        waiter.promise.succeed(
            SocketIOAcknowledgement(id: id, arguments: packet.arguments, attachments: packet.attachments))
    }

    private func yield(_ element: SocketIOIncoming) {
        guard queue?.source.yield(element) == .stopProducing, !isPaused else { return }
        isPaused = true
        transport?.pause()
    }

    private func resume() {
        guard isPaused else { return }
        isPaused = false
        // The server could not be heard in the meantime: its silence counts from now on.
        _ = monitor?.started(now: eventLoop.now)
        transport?.resume()
    }
}

// MARK: - The end

extension SocketIOSession {
    private func watch(until deadline: NIODeadline) {
        heartbeat = eventLoop.assumeIsolated().scheduleTask(deadline: deadline) { [weak self] in
            self?.checkHeartbeat()
        }
    }

    private func checkHeartbeat() {
        guard let action = monitor?.tick(now: eventLoop.now) else { return }
        switch action {
        case .wait(let deadline):
            watch(until: deadline)
        case .timedOut where isPaused:
            if let deadline = monitor?.started(now: eventLoop.now) {
                watch(until: deadline)
            }
        case .timedOut:
            end(.pingTimeout)
        }
    }

    private func end(_ reason: SocketIODisconnectReason) {
        if case .ended = state { return }
        let stage = stage
        state = .ended(reason)
        heartbeat?.cancel()
        for waiter in acknowledgements.removeAll() {
            waiter.timeout?.cancel()
            waiter.promise.fail(SocketIOEmitError.disconnected(reason))
        }
        if let queue = queue.take() {
            queue.demand.setAction(nil)
            _ = queue.source.yield(.disconnected(reason))
            queue.source.finish()
        }
        if let transport = transport.take() {
            if case .protocolViolation(let sentence) = reason {
                transport.close(code: .protocolError, reason: sentence)
            } else {
                transport.close(code: .normalClosure, reason: "")
            }
        }
        outcome.take()?(.failure(SocketIOConnectError(reason, during: stage)))
    }
}

extension SocketIOConnectError {
    /// What the end of a session is to somebody who still waits for its beginning.
    fileprivate init(_ reason: SocketIODisconnectReason, during stage: SocketIOConnectStage) {
        switch reason {
        case .protocolViolation(let sentence): self = .protocolViolation(sentence)
        case .transportClosed(let sentence): self = .unreachable("The connection ended during \(stage). \(sentence)")
        case .serverDisconnect: self = .protocolViolation("The server disconnected before it had granted anything.")
        case .pingTimeout: self = .timedOut(stage)
        case .clientDisconnect: self = .cancelled
        }
    }
}
