import Logging
import NIOCore
import WebSocketLink

/// A WebSocket that means to take over a polling session, and then carries it: the session's end of the connection.
///
/// A session stays on the event loop on which it was opened, and the WebSocket comes in on any. Where the two loops are
/// one, the session has the connection itself as its transport once it has moved. Otherwise this passes messages on, and
/// a ``RelayedTransport`` stands for the connection on the session's loop.
///
/// Belongs to the connection's event loop.
final class WebSocketRelay: WebSocketDelegate {
    private enum State {
        /// The client shows that the connection works.
        case awaitingProbe
        /// The session is asked.
        case probing
        /// The client completes the move, once nothing is under way on the old transport.
        case probed
        case carrying
        case over
    }

    /// How many bytes of messages may be on their way to another loop before reading stops.
    private static let window = 1 << 18

    private let sid: String
    private let home: SocketHub
    private let eventLoop: any EventLoop
    private let logger: Logger
    private var connection: WebSocketConnection?
    private var state = State.awaitingProbe
    private var deadline: Scheduled<Void>?
    private var isHeldBySession = false
    private var isHeldByWindow = false
    /// Messages on their way to the session's loop, in bytes.
    private var unhandledBytes = 0
    /// What was taken over from the session's loop and not yet told to have left, in bytes.
    private var unconfirmedBytes = 0

    /// A relay as other event loops know it.
    struct Handle: Sendable {
        private let relay: NIOLoopBound<WebSocketRelay>
        private let identity: ObjectIdentifier
        var eventLoop: any EventLoop { relay.eventLoop }

        init(_ relay: WebSocketRelay) {
            self.relay = NIOLoopBound(relay, eventLoop: relay.eventLoop)
            identity = ObjectIdentifier(relay)
        }

        func run(_ body: @escaping @Sendable (WebSocketRelay) -> Void) {
            relay.eventLoop.run { [relay] in body(relay.value) }
        }

        /// On the relay's loop.
        var value: WebSocketRelay { relay.value }

        static func === (left: Handle?, right: Handle) -> Bool { left?.identity == right.identity }
    }

    init(sid: String, home: SocketHub, eventLoop: any EventLoop, logger: Logger) {
        self.sid = sid
        self.home = home
        self.eventLoop = eventLoop
        self.logger = logger
    }

    private var isHome: Bool { home.eventLoop === eventLoop }

    /// The connection stands.
    func start(on connection: WebSocketConnection, isAccepted: Bool, timeout: TimeAmount) {
        guard connection.isOpen else { return }
        self.connection = connection
        guard isAccepted else { return giveUp("the session has a WebSocket") }
        deadline = eventLoop.assumeIsolated().scheduleTask(in: timeout) { [weak self] in
            self?.giveUp("no upgrade in time")
        }
    }

    /// Runs a body with the session, on its loop; nothing happens where that has ended.
    private func withSession(_ body: @escaping @Sendable (EngineSession) -> Void) {
        let (home, sid) = (home, sid)
        home.eventLoop.run {
            if let session = home.session(sid) { body(session) }
        }
    }

    // MARK: Taking over

    private func probe() {
        state = .probing
        // What follows waits until the session has said what it thinks.
        connection?.pause()
        let (handle, home, sid) = (Handle(self), home, sid)
        home.eventLoop.run {
            let isAccepted = home.session(sid)?.probed(by: handle) ?? false
            handle.run { $0.probeJudged(isAccepted) }
        }
    }

    private func probeJudged(_ isAccepted: Bool) {
        guard case .probing = state, let connection else { return }
        guard isAccepted else { return giveUp("the session does not move") }
        state = .probed
        connection.send(.text(ByteBuffer(string: "3probe")))
        connection.flush()
        connection.resume()
    }

    private func takeOver() {
        guard let connection else { return }
        state = .carrying
        deadline?.cancel()
        if isHome {
            home.session(sid)?.upgraded(to: connection)
        } else {
            let (handle, home) = (Handle(self), home)
            withSession { $0.upgraded(to: RelayedTransport(relay: handle, hub: home)) }
        }
    }

    private func giveUp(_ reason: String) {
        guard let connection else { return }
        logger.debug("an upgrade failed", metadata: ["reason": .string(reason)])
        let wasProbing: Bool =
            switch state {
            case .probing, .probed: true
            case .awaitingProbe, .carrying, .over: false
            }
        over()
        if wasProbing {
            let handle = Handle(self)
            withSession { $0.lostCandidate(handle) }
        }
        connection.close(code: .policyViolation, reason: reason)
    }

    /// The session has ended before the move was complete.
    func dismiss() {
        giveUp("the session is over")
    }

    private func over() {
        state = .over
        deadline?.cancel()
        connection = nil
    }

    // MARK: From the client

    func webSocket(_ connection: WebSocketConnection, received message: WebSocketMessage) {
        switch (state, message) {
        case (.carrying, _):
            pass(message)
        case (.awaitingProbe, .text("2probe")):
            probe()
        case (.probed, .text("5")):
            takeOver()
        case (.awaitingProbe, _), (.probing, _), (.probed, _):
            giveUp("this is no upgrade")
        case (.over, _):
            break
        }
    }

    private func pass(_ message: WebSocketMessage) {
        if isHome {
            home.session(sid)?.received(message)
            return
        }
        let size = message.size
        unhandledBytes += size
        if unhandledBytes > Self.window, !isHeldByWindow {
            isHeldByWindow = true
            connection?.pause()
        }
        withSession { $0.received(message, relayedSize: size) }
    }

    func handled(_ bytes: Int) {
        unhandledBytes -= bytes
        guard isHeldByWindow, unhandledBytes <= Self.window / 2 else { return }
        isHeldByWindow = false
        resumeIfFree()
    }

    private func resumeIfFree() {
        guard !isHeldByWindow, !isHeldBySession else { return }
        connection?.resume()
    }

    func webSocketClosed(_ connection: WebSocketConnection, reason: WebSocketCloseReason) {
        let handle = Handle(self)
        switch state {
        case .carrying: withSession { $0.transportClosed(reason) }
        case .probing, .probed: withSession { $0.lostCandidate(handle) }
        case .awaitingProbe, .over: break
        }
        over()
    }

    func webSocketWritabilityChanged(_ connection: WebSocketConnection, writable: Bool) {
        guard writable, case .carrying = state else { return }
        if isHome {
            home.session(sid)?.outbox.hasRoom()
        } else {
            confirmIfTaken()
        }
    }

    func webSocketShouldQuiesce(_ connection: WebSocketConnection) {
        if case .carrying = state {
            withSession { $0.serverStops() }
        } else {
            giveUp("the server stops")
        }
    }

    // MARK: From the session, on another loop

    func write(_ frames: ByteBuffer) {
        guard let connection, connection.isOpen else { return }
        unconfirmedBytes += frames.readableBytes
        guard connection.takesFrames else { return connection.finish(frames) }
        if connection.holdsFrames { connection.flush() }
        let taken = connection.offer(frames)
        if taken < frames.readableBytes {
            var rest = frames
            rest.moveReaderIndex(forwardBy: taken)
            connection.finish(rest)
        }
    }

    /// Tells the session's loop once all that was written has left; until then it sends only so much more.
    func confirmIfTaken() {
        guard unconfirmedBytes > 0, let connection else { return }
        guard connection.takesFrames else { return connection.awaitRoom() }
        let bytes = unconfirmedBytes
        unconfirmedBytes = 0
        withSession { $0.relayTook(bytes) }
    }

    func hold(_ isHeld: Bool) {
        isHeldBySession = isHeld
        if isHeld { connection?.pause() } else { resumeIfFree() }
    }

    func close(code: WebSocketCloseCode, reason: String) {
        connection?.close(code: code, reason: reason)
    }

    func abort() {
        connection?.abort()
    }
}

extension WebSocketMessage {
    fileprivate var size: Int {
        switch self {
        case .text(let bytes), .binary(let bytes): bytes.readableBytes
        }
    }
}

private func ~= (text: StaticString, bytes: ByteBuffer) -> Bool {
    bytes.readableBytesView.elementsEqual(UnsafeBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount))
}

extension EventLoop {
    /// Runs a body on this loop: at once where the caller is there already.
    func run(_ body: @escaping @Sendable () -> Void) {
        if inEventLoop { body() } else { execute(body) }
    }
}
