public import Logging
public import NIOCore
import SocketIO
public import WireJSON

/// A client's connection to a namespace.
///
/// What has no answer (``emit(_:_:attachments:volatile:)``, ``join(_:)``, ``disconnect(close:)`` and the like) may be
/// called from anywhere, and takes effect in the order of the calls; everything else belongs to ``eventLoop``, where
/// ``onLoop(_:)`` brings any caller.
///
/// Unchecked: all mutable state belongs to ``eventLoop``. Every method that touches it checks that it is called there,
/// or goes there first.
public final class Socket: @unchecked Sendable {
    /// Socket.IO's id of the socket, as the client knows it.
    public let id: String
    public let namespace: String
    public let request: HandshakeRequest
    public let hub: SocketHub
    public var eventLoop: any EventLoop { hub.eventLoop }
    /// The server's logger, which names this socket.
    public var logger: Logger {
        var logger = hub.logger
        logger[metadataKey: "socket"] = .string(id)
        return logger
    }

    /// What the application keeps about the socket; belongs to the loop.
    public var attachment: AnyObject? {
        get {
            eventLoop.preconditionInEventLoop()
            return storedAttachment
        }
        set {
            eventLoop.preconditionInEventLoop()
            storedAttachment = newValue
        }
    }

    enum State: Equatable {
        case connecting
        case connected
        case disconnected(DisconnectReason)
    }

    private enum Work {
        case connect(auth: JSON?)
        case event(SocketEvent, acknowledgementID: Int64?)
    }

    private let handler: any SocketIOHandler
    private let maximumPendingEvents: Int
    private let maximumPendingBytes: Int
    let maximumPendingAcknowledgements: Int
    private var storedAttachment: AnyObject?
    private(set) var session: SocketSession?
    private(set) var state = State.connecting
    private var pending = CircularBuffer<(work: Work, size: Int)>(initialCapacity: 0)
    private var pendingBytes = 0
    /// Whether the session reads nothing because of what is pending here.
    private var hasBacklog = false
    /// The session that this socket left while a handler was at work.
    private var formerSession: SocketSession?
    private var worker: Task<Void, Never>?
    var memberships: [Membership] = []
    private var formerRooms: [Room] = []
    /// The number of the last walk over a broadcast's target that visited this socket.
    var lastWalk: UInt64 = 0
    /// Who waits for the client's answer to what.
    var acknowledgements = AcknowledgementTable<AcknowledgementWaiter>()

    init(
        id: String, namespace: String, request: HandshakeRequest, session: SocketSession, hub: SocketHub,
        handler: any SocketIOHandler, configuration: SocketIOServerConfiguration
    ) {
        self.id = id
        self.namespace = namespace
        self.request = request
        self.session = session
        self.hub = hub
        self.handler = handler
        maximumPendingEvents = configuration.maximumPendingEvents
        maximumPendingBytes = configuration.maximumPayload
        maximumPendingAcknowledgements = configuration.maximumPendingAcknowledgements
    }

    // MARK: For the application

    /// Runs a body on the socket's event loop: at once where the caller is there already.
    @discardableResult
    public func onLoop<Output: Sendable>(_ body: @escaping @Sendable (Socket) -> Output) async -> Output {
        if eventLoop.inEventLoop { return body(self) }
        return await withCheckedContinuation { continuation in
            eventLoop.execute { continuation.resume(returning: body(self)) }
        }
    }

    /// Returns when nothing waits for the client here, or it is gone: for a sender of much, which lets the client set the
    /// pace.
    public func caughtUp() async {
        await withCheckedContinuation { continuation in
            if eventLoop.inEventLoop {
                resumeWhenTaken(continuation)
            } else {
                eventLoop.execute { self.resumeWhenTaken(continuation) }
            }
        }
    }

    private func resumeWhenTaken(_ continuation: CheckedContinuation<Void, Never>) {
        if let session { session.whenTaken { continuation.resume() } } else { continuation.resume() }
    }

    /// False before the socket is accepted, and once it is gone; nothing that is sent then goes anywhere.
    public var isConnected: Bool {
        eventLoop.preconditionInEventLoop()
        return state == .connected
    }

    /// Answers the client's CONNECT; what is emitted next follows it.
    ///
    /// - Parameter recovery: Socket.IO's `pid`: stock clients bring it in the `auth` of their next CONNECT, with the last
    ///   argument of the last event as `offset` where that is a text, and take a `pid` that is the one they brought for
    ///   the news that they are told all that they missed.
    /// - Returns: false where the socket is gone.
    @discardableResult
    public func accept(recovery: String? = nil) -> Bool {
        eventLoop.preconditionInEventLoop()
        guard state == .connecting else { return state == .connected }
        state = .connected
        hub.insert(self)
        hub.metrics.socketConnected()
        session?.accepted()
        var payload: JSONObject = ["sid": .string(id)]
        if let recovery { payload["pid"] = .string(recovery) }
        session?.send(.connect(namespace: namespace, payload))
        return true
    }

    /// Sends an event, if the socket is connected. May be called from anywhere.
    ///
    /// - Parameters:
    ///   - attachments: the bytes that ``WireJSON/JSON/attachment(_:)`` stands for in the arguments.
    ///   - volatile: whether it is dropped where the client does not take it at once, as something waits for it yet.
    public func emit(
        _ name: String, _ arguments: [JSON] = [], attachments: [ByteBuffer] = [], volatile: Bool = false
    ) {
        guard eventLoop.inEventLoop else {
            return eventLoop.execute { self.emit(name, arguments, attachments: attachments, volatile: volatile) }
        }
        guard state == .connected, takes(volatile: volatile) else { return }
        session?.send(.event(name, arguments, namespace: namespace, attachments: attachments))
    }

    /// The rooms that the socket has joined, its own apart; while its end is told, those that it was in.
    public var rooms: [Room] {
        eventLoop.preconditionInEventLoop()
        return formerRooms.isEmpty ? memberships.map(\.members.room) : formerRooms
    }

    /// Sends what was encoded before; nothing where that is for another namespace than the socket's.
    ///
    /// Its events wait for a slow reader as ``SocketIOServerConfiguration`` says, and may be folded or dropped then. What
    /// is emitted is neither.
    public func send(_ batch: OutboundBatch) {
        eventLoop.preconditionInEventLoop()
        deliver(batch)
    }

    /// The same, for callers who are on the loop for certain.
    func deliver(_ batch: OutboundBatch, volatile: Bool = false) {
        guard state == .connected, !batch.isEmpty, batch.namespace == namespace else { return }
        guard takes(volatile: volatile) else { return }
        session?.send(batch)
    }

    private func takes(volatile: Bool) -> Bool {
        guard volatile, session?.takesAtOnce != true else { return true }
        hub.metrics.dropped(.volatile)
        return false
    }

    /// Takes back all events that were sent as batches and wait for the client to take more. A frame that has begun is
    /// finished.
    ///
    /// - Returns: what the client will not be told; nil where nothing waited.
    public func discardWaitingEvents() -> LostEvents? {
        eventLoop.preconditionInEventLoop()
        return session?.discardEvents(of: self)
    }

    func notice(of lost: LostEvents) -> SocketPacket? {
        handler.notice(of: lost, to: self).map { .event($0.name, $0.arguments, namespace: namespace) }
    }

    /// Puts the socket into a room, if it is connected. May be called from anywhere.
    public func join(_ room: Room) {
        guard eventLoop.inEventLoop else { return eventLoop.execute { self.join(room) } }
        guard state == .connected else { return }
        hub.join(self, room)
    }

    /// Takes the socket out of a room, if that is not its own. May be called from anywhere.
    public func leave(_ room: Room) {
        guard eventLoop.inEventLoop else { return eventLoop.execute { self.leave(room) } }
        hub.leave(self, room)
    }

    /// Ends the socket; with `close` its connection, too, which makes stock clients come back by themselves. May be
    /// called from anywhere.
    public func disconnect(close: Bool = false) {
        guard eventLoop.inEventLoop else { return eventLoop.execute { self.disconnect(close: close) } }
        guard let session else { return }
        if close {
            session.close(.serverDisconnect)
        } else {
            session.send(.disconnect(namespace: namespace))
            session.dismiss(self)
            ended(.serverDisconnect)
        }
    }

    // MARK: For the session

    func connect(auth: JSON?) {
        enqueue(.connect(auth: auth), size: 0)
    }

    /// - Parameter size: of the packet as it came, with its attachments, in bytes.
    func received(_ packet: SocketPacket, size: Int) {
        switch packet.kind {
        case .event:
            guard let arguments = packet.data?.arrayValue, let first = arguments.first else { return }
            let name = first.stringValue ?? first.integerValue.map(String.init) ?? ""
            let event = SocketEvent(
                name: name, arguments: Array(arguments.dropFirst()), attachments: packet.attachments,
                wantsAcknowledgement: packet.id != nil)
            enqueue(.event(event, acknowledgementID: packet.id), size: size)
        case .disconnect:
            session?.remove(self)
            ended(.clientDisconnect)
        case .acknowledgement:
            acknowledged(packet)
        case .connect, .connectError:
            // The session has judged these.
            break
        }
    }

    func moved(in members: RoomMembers, to slot: Int) {
        for index in memberships.indices where memberships[index].members === members {
            memberships[index].slot = slot
        }
    }

    /// The end, by either side; tells the application once, if it ever accepted the socket.
    func ended(_ reason: DisconnectReason) {
        if case .disconnected = state { return }
        let wasConnected = state == .connected
        state = .disconnected(reason)
        formerRooms = memberships.map(\.members.room)
        hub.remove(self)
        let session = session.take()
        pending.removeAll()
        pendingBytes = 0
        worker?.cancel()
        for waiter in acknowledgements.removeAll() { waiter.resume(with: .failure(.disconnected(reason))) }
        if wasConnected {
            hub.metrics.socketDisconnected(reason)
            handler.disconnected(self, reason: reason)
        }
        formerRooms = []
        storedAttachment = nil
        if worker != nil {
            session?.leftHandlerAtWork()
            formerSession = session
        }
        if hasBacklog { session?.backlogEnded() }
    }

    // MARK: One at a time, in order

    private func enqueue(_ work: Work, size: Int) {
        if case .disconnected = state { return }
        pending.append((work, size))
        pendingBytes += size
        if !hasBacklog, pending.count >= maximumPendingEvents || pendingBytes >= maximumPendingBytes {
            hasBacklog = true
            session?.backlogBegan()
        }
        guard worker == nil else { return }
        hub.workerStarted()
        worker = Task(executorPreference: hub.executor) { await self.work() }
    }

    private func work() async {
        while let work = await onLoop({ $0.next() }) {
            switch work {
            case .connect(let auth):
                do {
                    try await handler.connect(self, auth: auth)
                    await onLoop { $0.accept() }
                } catch {
                    await onLoop { $0.refused(error) }
                }
            case .event(let event, let acknowledgementID):
                let answer = await handler.received(event, on: self)
                guard let acknowledgementID else { continue }
                await onLoop { socket in
                    guard socket.state == .connected else { return }
                    socket.session?.send(
                        .acknowledgement(
                            id: acknowledgementID, answer.arguments, namespace: socket.namespace,
                            attachments: answer.attachments))
                }
            }
        }
    }

    /// The next piece of work; nil ends the worker, and the next arrival starts another.
    private func next() -> Work? {
        let work = pending.popFirst()
        pendingBytes -= work?.size ?? 0
        if hasBacklog, pending.count <= maximumPendingEvents / 2, pendingBytes <= maximumPendingBytes / 2 {
            hasBacklog = false
            session?.backlogEnded()
        }
        // Among what was read just now may have been the socket's end.
        guard session != nil, let work else {
            worker = nil
            hub.workerEnded()
            formerSession.take()?.leftHandlerEnded()
            return nil
        }
        return work.work
    }

    private func refused(_ refusal: ConnectRefusal) {
        switch state {
        case .connecting:
            hub.metrics.connectRefused(.refused)
            session?.send(.connectError(message: refusal.message, data: refusal.data, namespace: namespace))
            session?.dismiss(self)
            ended(.serverDisconnect)
        case .connected:
            disconnect()
        case .disconnected:
            break
        }
    }
}
