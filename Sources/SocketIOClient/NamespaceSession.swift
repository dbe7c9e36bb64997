import NIOCore
import SocketIO
import WireJSON

/// One namespace of a session: from its CONNECT to its end. Belongs to the session's event loop.
final class NamespaceSession {
    private enum State {
        /// The server has not answered CONNECT, or has not been sent one.
        case joining
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

    let name: String
    let auth: JSON?
    let eventLoop: any EventLoop
    /// Whether a packet before the answer to CONNECT is a violation. It isn't where the namespace was left and joined
    /// again: the server may have sent it before it knew.
    let isFirst: Bool
    /// Nil after the end.
    private var session: SocketIOSession?
    /// Nil after the end: what still waits in it may hold acknowledgers, and those hold this object.
    private var queue: SocketIOIncomingQueue?
    /// Told once how joining went.
    private var outcome: ((Result<NamespaceAdmission, SocketIOConnectError>) -> Void)?
    private var state = State.joining
    private var deadline: Scheduled<Void>?
    private var acknowledgements = AcknowledgementTable<Waiter>()
    /// Whether the reader is behind, and has the session stop for it.
    private var isFull = false

    /// - Parameter outcome: told the server's id for the socket, or why there is none; never, if ``leave()`` comes first.
    init(
        _ name: String,
        auth: JSON?,
        isFirst: Bool,
        queue: SocketIOIncomingQueue,
        session: SocketIOSession,
        outcome: @escaping (Result<NamespaceAdmission, SocketIOConnectError>) -> Void
    ) {
        self.name = name
        self.auth = auth
        self.isFirst = isFirst
        self.queue = queue
        self.session = session
        self.outcome = outcome
        eventLoop = session.eventLoop
        queue.setDemand { [weak self] in self?.resume() }
    }
}

// MARK: - The user's side

extension NamespaceSession {
    /// Sends an event. Does nothing once the namespace has ended.
    ///
    /// - Parameter isVolatile: whether to drop it if it can't leave at once.
    func emit(_ name: String, _ arguments: [JSON], _ attachments: [ByteBuffer], isVolatile: Bool = false) {
        guard case .joined = state, let session, !isVolatile || session.isIdle else { return }
        session.send(.event(name, arguments, namespace: self.name, attachments: attachments))
    }

    /// Sends an event that the server is to acknowledge.
    ///
    /// - Returns: the event's id, or nil if the namespace has ended and the promise has failed.
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
        session?.send(.event(name, arguments, id: id, namespace: self.name, attachments: attachments))
        session?.endRest()
        return id
    }

    /// Ends the wait for an acknowledgement.
    func giveUp(_ id: Int64, _ error: SocketIOEmitError) {
        guard let waiter = acknowledgements.resolve(id) else { return }
        waiter.timeout?.cancel()
        waiter.promise.fail(error)
    }

    /// Acknowledges an event of the server. Does nothing once the namespace has ended.
    func acknowledge(_ id: Int64, _ arguments: [JSON], _ attachments: [ByteBuffer]) {
        guard case .joined = state else { return }
        session?.send(.acknowledgement(id: id, arguments, namespace: name, attachments: attachments))
    }

    /// Leaves the namespace.
    func leave() {
        outcome = nil
        session?.leave(self)
    }

    /// Gives joining up at that time.
    func giveUpJoining(in time: TimeAmount) {
        deadline = eventLoop.assumeIsolated().scheduleTask(in: time) { [weak self] in
            self?.giveUpJoining(.timedOut(.namespace))
        }
    }

    func giveUpJoining(_ error: SocketIOConnectError) {
        guard case .joining = state, let outcome = outcome.take() else { return }
        session?.leave(self)
        outcome(.failure(error))
    }

    var isJoined: Bool {
        if case .joined = state { true } else { false }
    }

    private var endReason: SocketIODisconnectReason {
        if case .ended(let reason) = state { reason } else { .transportClosed("The session is not open yet.") }
    }
}

// MARK: - The session's side

extension NamespaceSession {
    func receive(_ packet: SocketPacket) {
        switch (state, packet.kind) {
        case (.joining, .connect): joined(packet)
        case (.joining, .connectError): rejected(packet)
        case (.joined, .event): received(event: packet)
        case (.joined, .acknowledgement): received(acknowledgement: packet)
        case (.joined, .disconnect): session?.serverLeft(self)
        case (.ended, _): break
        case (.joining, _):
            guard isFirst else { return }
            session?.fail(.protocolViolation("A packet came before the answer to CONNECT."))
        case (.joined, _): session?.fail(.protocolViolation("A second answer to CONNECT came."))
        }
    }

    /// Nothing is said or heard here any more.
    ///
    /// - Parameter connectError: what somebody who still waits to join is told.
    func end(_ reason: SocketIODisconnectReason, connectError: SocketIOConnectError) {
        if case .ended = state { return }
        state = .ended(reason)
        deadline?.cancel()
        session = nil
        for waiter in acknowledgements.removeAll() {
            waiter.timeout?.cancel()
            waiter.promise.fail(SocketIOEmitError.disconnected(reason))
        }
        if let queue = queue.take() {
            queue.setDemand(nil)
            _ = queue.yield(.disconnected(reason))
            queue.finish()
        }
        outcome.take()?(.failure(connectError))
    }

    /// Whether somebody waits for an acknowledgement.
    var awaitsAnswer: Bool { !acknowledgements.isEmpty }

    /// Whether the session stands still for this namespace.
    var holdsSession: Bool { isFull }

    private func joined(_ packet: SocketPacket) {
        guard let sid = packet.data?["sid"]?.stringValue else {
            let sentence = "The answer to CONNECT has no sid; the server may speak an older protocol."
            session?.fail(.protocolViolation(sentence))
            return
        }
        state = .joined
        deadline?.cancel()
        outcome.take()?(.success(NamespaceAdmission(sid: sid, pid: packet.data?["pid"]?.stringValue)))
    }

    private func rejected(_ packet: SocketPacket) {
        let message = packet.data?["message"]?.stringValue ?? packet.data?.stringValue ?? "no reason given"
        let outcome = outcome.take()
        session?.serverLeft(self)
        outcome?(.failure(.rejected(message: message, data: packet.data?["data"])))
    }

    private func received(event packet: SocketPacket) {
        let acknowledger = packet.id.map { id in
            SocketIOAcknowledger(id: id, namespace: NIOLoopBound(self, eventLoop: eventLoop))
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
        queue?.wake()
        waiter.promise.succeed(
            SocketIOAcknowledgement(id: id, arguments: packet.arguments, attachments: packet.attachments))
    }

    private func yield(_ element: SocketIOIncoming) {
        guard queue?.yield(element) == true, !isFull else { return }
        isFull = true
        session?.pause()
    }

    private func resume() {
        guard isFull else { return }
        isFull = false
        session?.resume()
    }
}
