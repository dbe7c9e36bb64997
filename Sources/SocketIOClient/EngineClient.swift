import EngineIO
import NIOCore
import Synchronization

/// One Engine.IO session, whatever carries it: the handshake, the heartbeat, and the move from polling to a WebSocket.
/// Belongs to its event loop.
final class EngineClient: EngineTransportOwner {
    /// Which transport carries a session, for whoever asks on whatever thread.
    final class CurrentTransport: Sendable {
        private let kind: Mutex<SocketIOTransport>

        fileprivate init() {
            kind = Mutex(.polling)
        }

        var value: SocketIOTransport { kind.withLock { $0 } }

        fileprivate func set(_ kind: SocketIOTransport) {
            self.kind.withLock { $0 = kind }
        }
    }

    private enum State {
        /// The `open` packet is awaited.
        case opening
        case open
        case ended
    }

    private enum Upgrade {
        /// None is to be tried, or it is over, well or not.
        case settled
        /// Once the session is open, if the server offers it.
        case intended(EngineEndpoint)
        case probing(UpgradeProbe)
        /// The WebSocket works; what is on its way by polling comes first.
        case draining(UpgradeProbe, from: PollingTransport)
    }

    let eventLoop: any EventLoop
    /// What the session's packets are said to; let go at the end.
    var session: SocketIOSession?
    let current: CurrentTransport
    private let end: EventLoopPromise<Void>
    private var state = State.opening
    private var transport: (any EngineTransport)?
    private var upgrade = Upgrade.settled
    private var monitor: HeartbeatMonitor?
    private var heartbeat: Scheduled<Void>?
    private var isPaused = false
    private var isFlushScheduled = false
    /// The last ping that came while the transport was not writable.
    private var unansweredPing: ByteBuffer?

    init(eventLoop: any EventLoop) {
        self.eventLoop = eventLoop
        current = CurrentTransport()
        end = eventLoop.makePromise()
    }

    deinit {
        end.succeed()
    }

    /// Done when the session has ended and nothing of its transport is left.
    var closed: EventLoopFuture<Void> { end.futureResult }

    var channel: (any Channel)? { transport?.channel }

    /// Gives the session what carries it at first, once.
    ///
    /// - Parameter endpoint: where to try for a WebSocket once the session is open; nil to stay.
    func attach(_ transport: any EngineTransport, upgradingAt endpoint: EngineEndpoint? = nil) {
        guard case .opening = state, self.transport == nil else {
            transport.close(violation: nil)
            return
        }
        current.set(transport.kind)
        upgrade = endpoint.map(Upgrade.intended) ?? .settled
        self.transport = transport
        transport.owner = self
    }
}

// MARK: - The user's side

extension EngineClient {
    /// Whether what is sent leaves at once: not, for example, during the move to another transport.
    var isIdle: Bool {
        if case .draining = upgrade { false } else { transport?.isIdle ?? false }
    }

    func send(_ frame: EngineFrame) {
        guard let transport else { return }
        transport.send(frame)
        scheduleFlush()
    }

    /// Takes nothing more from the transport, until ``resume()``.
    func pause() {
        isPaused = true
        transport?.pause()
    }

    func resume() {
        isPaused = false
        // The server could not be heard in the meantime: its silence counts from now on.
        _ = monitor?.started(now: eventLoop.now)
        transport?.resume()
    }

    /// Ends the session behind what was sent before; nobody is told.
    ///
    /// - Parameter violation: what the server did wrong, if that is the reason.
    func close(violation: String? = nil) {
        guard let transport = finish() else { return }
        transport.close(violation: violation)
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

    /// - Returns: the transport, if this is the first end.
    private func finish() -> (any EngineTransport)? {
        if case .ended = state { return nil }
        state = .ended
        session = nil
        heartbeat?.cancel()
        switch upgrade {
        case .probing(let probe), .draining(let probe, _): probe.cancel()
        case .settled, .intended: break
        }
        upgrade = .settled
        guard let transport = transport.take() else {
            end.succeed()
            return nil
        }
        transport.closed.cascade(to: end)
        return transport
    }

    private func fail(_ reason: EngineEnd) {
        let session = session
        let transport = finish()
        if case .protocolViolation(let sentence) = reason.reason {
            transport?.close(violation: sentence)
        } else {
            transport?.close(violation: nil)
        }
        session?.engineEnded(reason)
    }
}

// MARK: - The server's side

extension EngineClient {
    func transport(_ transport: any EngineTransport, received packet: EnginePacket) {
        if case .ended = state { return }
        switch packet {
        case .open(let handshake): opened(handshake)
        case .close: fail(EngineEnd(.serverClosed))
        case .ping(let payload):
            monitor?.pingReceived(now: eventLoop.now)
            answer(ping: payload)
        case .pong, .upgrade, .noop: break
        case .message(let text): session?.received(text: text)
        case .binary(let bytes): session?.received(binary: bytes)
        }
    }

    func transport(_ transport: any EngineTransport, ended end: EngineEnd) {
        fail(end)
    }

    func transportBecameWritable(_ transport: any EngineTransport) {
        if let ping = unansweredPing.take() {
            send(EngineFrame(.pong(ping)))
        }
    }

    func transportShouldQuiesce(_ transport: any EngineTransport) {
        session?.disconnect()
    }

    /// However many pings a server sends that doesn't read, little more than one pong waits for it.
    private func answer(ping: ByteBuffer) {
        if transport?.isWritable == true {
            send(EngineFrame(.pong(ping)))
        } else {
            unansweredPing = ping
        }
    }

    private func opened(_ handshake: EngineHandshake) {
        guard case .opening = state else {
            fail(EngineEnd(.protocolViolation("A second Engine.IO handshake came.")))
            return
        }
        state = .open
        var monitor = HeartbeatMonitor(handshake)
        watch(until: monitor.started(now: eventLoop.now))
        self.monitor = monitor
        session?.engineOpened(handshake)
        probe(handshake)
    }

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
            fail(EngineEnd(.pingTimeout))
        }
    }
}

// MARK: - The move to a WebSocket

extension EngineClient {
    private func probe(_ handshake: EngineHandshake) {
        guard case .open = state, case .intended(let endpoint) = upgrade else { return }
        upgrade = .settled
        guard handshake.upgrades.contains(SocketIOTransport.websocket.rawValue) else { return }
        let probe = UpgradeProbe(endpoint, sid: handshake.sid) { [weak self] report in
            switch report {
            case .probing: (self?.transport as? PollingTransport)?.holdPolls()
            case .confirmed: self?.drain()
            case .failed: self?.stay()
            }
        }
        upgrade = .probing(probe)
    }

    /// Packets of both transports at once could overtake each other. So polling comes to its end first, and what was not
    /// sent by then goes the other way.
    private func drain() {
        guard case .probing(let probe) = upgrade, let polling = transport as? PollingTransport else { return }
        upgrade = .draining(probe, from: polling)
        polling.drain { [weak self] in self?.move() }
    }

    /// The probe failed: polling goes on as if nothing had been.
    private func stay() {
        upgrade = .settled
        (transport as? PollingTransport)?.reopen()
    }

    private func move() {
        guard case .draining(let probe, let polling) = upgrade, let webSocket = probe.take() else { return }
        upgrade = .settled
        transport = webSocket
        webSocket.owner = self
        webSocket.send(EngineFrame(.upgrade))
        for frame in polling.retire() {
            webSocket.send(frame)
        }
        webSocket.flush()
        current.set(.websocket)
        if isPaused {
            webSocket.pause()
        }
        transportBecameWritable(webSocket)
    }
}
