import EngineIO
import Logging
public import NIOCore

/// A set of sockets under one name; a socket may be in many. Each is in the one that bears its id, as long as it is
/// connected.
public struct Room: Hashable, Sendable, CustomStringConvertible {
    public let name: String

    public init(_ name: String) {
        self.name = name
    }

    public var description: String { name }
}

extension Room: ExpressibleByStringLiteral {
    public init(stringLiteral name: String) {
        self.init(name)
    }
}

/// All sockets of one event loop, in their rooms. Everything here belongs to that loop.
///
/// A broadcast is one hop to each loop; there it is a walk over the lists of those who receive it, and the bytes of
/// all that one turn of the loop wrote to a connection are flushed together.
///
/// Unchecked: every access is made on `eventLoop`, which each method asserts in debug builds.
public final class SocketHub: @unchecked Sendable {
    public let eventLoop: any EventLoop
    /// The place of this hub among the server's, from 0.
    public let index: Int
    let executor: EventLoopTaskExecutor
    let logger: Logger
    let metrics: SocketIOServerMetrics
    /// Runs tasks on this loop's thread: for those that mostly deal with its connections, and would change threads at
    /// each step otherwise. A task that computes for long holds up the loop's connections.
    public var taskExecutor: any TaskExecutor { executor }

    private(set) var namespaces: [String: NamespaceMembers] = [:]
    /// How many walks have been made that mark the sockets they visit.
    var walks: UInt64 = 0
    /// Set once, in the initializer of the server.
    weak var server: SocketIOServer?
    private var sessions: [String: EngineSession] = [:]
    /// Sessions that are over, and have packets left for one more poll.
    private var endedSessions: [String: EndedSession] = [:]
    private var wheel: HeartbeatWheel
    private var wheelTimer: Scheduled<Void>?
    private var wheelWake = NIODeadline.distantFuture
    /// What this turn of the loop sends to WebSockets of other loops.
    private var relayed: [(relay: WebSocketRelay.Handle, frames: ByteBuffer)] = []
    private var unflushed: [Outbox] = []
    private var flushing: [Outbox] = []
    private var workers = 0
    private var awaitingDrain: [CheckedContinuation<Void, Never>] = []
    /// Where outboxes join the frames that they write: one at a time, and never across turns of the loop.
    var scratch = ByteBuffer()
    var lengths: [Int] = []
    private var awaitingFold = CircularBuffer<Outbox>()

    init(
        eventLoop: any EventLoop, index: Int, configuration: SocketIOServerConfiguration, logger: Logger,
        metrics: SocketIOServerMetrics
    ) {
        self.eventLoop = eventLoop
        self.logger = logger
        self.metrics = metrics
        self.index = index
        let shorter = min(configuration.pingInterval, configuration.pingTimeout)
        wheel = HeartbeatWheel(
            now: eventLoop.now, precision: .nanoseconds(min(shorter.nanoseconds / 128, 250_000_000)))
        self.executor = EventLoopTaskExecutor(eventLoop: eventLoop)
    }

    /// Sends a batch to those members of a room that are in its namespace.
    public func send(_ batch: OutboundBatch, to room: Room) {
        eventLoop.assertInEventLoop()
        guard !batch.isEmpty, let members = namespaces[batch.namespace] else { return }
        // Over the list as it is now: a write can end any member, and removing it is a swap-remove.
        if let room = members.rooms[room] { for outbox in room.outboxes { outbox.append(batch) } }
        members.sockets[room.name]?.deliver(batch)
    }

    /// The sockets of a room on this loop, in no order.
    public func sockets(in room: Room) -> [Socket] {
        eventLoop.assertInEventLoop()
        var sockets: [Socket] = []
        for members in namespaces.values {
            if let room = members.rooms[room] { sockets += room.sockets }
            if let owner = members.sockets[room.name] { sockets.append(owner) }
        }
        return sockets
    }

    /// How many connections this loop carries.
    public var connectionCount: Int {
        eventLoop.assertInEventLoop()
        return sessions.count
    }

    /// - Parameter socket: connected.
    func join(_ socket: Socket, _ room: Room) {
        eventLoop.assertInEventLoop()
        guard room.name != socket.id, !socket.memberships.contains(where: { $0.members.room == room }),
            let outbox = socket.session?.outbox, let namespace = namespaces[socket.namespace]
        else { return }
        let members = namespace.rooms[room] ?? RoomMembers(room: room)
        namespace.rooms[room] = members
        socket.memberships.append(Membership(members: members, slot: members.sockets.count))
        members.sockets.append(socket)
        members.outboxes.append(outbox)
    }

    func leave(_ socket: Socket, _ room: Room) {
        eventLoop.assertInEventLoop()
        guard let index = socket.memberships.firstIndex(where: { $0.members.room == room }) else { return }
        remove(socket.memberships.remove(at: index), of: socket)
    }

    /// The socket is connected.
    func insert(_ socket: Socket) {
        eventLoop.assertInEventLoop()
        let members = namespaces[socket.namespace] ?? NamespaceMembers()
        namespaces[socket.namespace] = members
        members.sockets[socket.id] = socket
    }

    /// The socket is gone.
    func remove(_ socket: Socket) {
        eventLoop.assertInEventLoop()
        namespaces[socket.namespace]?.sockets[socket.id] = nil
        for membership in socket.memberships { remove(membership, of: socket) }
        socket.memberships = []
    }

    /// Swap-remove, O(1): leaving costs the same in a room of any size.
    private func remove(_ membership: Membership, of socket: Socket) {
        let members = membership.members
        let last = members.sockets.removeLast()
        let outbox = members.outboxes.removeLast()
        if membership.slot < members.sockets.count {
            members.sockets[membership.slot] = last
            members.outboxes[membership.slot] = outbox
            last.moved(in: members, to: membership.slot)
        } else if members.sockets.isEmpty {
            namespaces[socket.namespace]?.rooms[members.room] = nil
        }
    }

    func workerStarted() {
        workers += 1
    }

    /// The worker that says so ends in this turn of the loop; who waits for it goes on in the next.
    func workerEnded() {
        workers -= 1
        guard workers == 0, !awaitingDrain.isEmpty else { return }
        let waiting = awaitingDrain
        awaitingDrain = []
        eventLoop.execute { for continuation in waiting { continuation.resume() } }
    }

    func drained() async {
        await withCheckedContinuation { continuation in
            eventLoop.execute {
                if self.workers == 0 { continuation.resume() } else { self.awaitingDrain.append(continuation) }
            }
        }
    }

    /// Flushes an outbox once, at the end of this turn of the loop.
    func flushLater(_ outbox: Outbox) {
        eventLoop.assertInEventLoop()
        unflushed.append(outbox)
        guard unflushed.count == 1 else { return }
        eventLoop.execute {
            // Two lists in turn, so that neither is allocated anew.
            swap(&self.unflushed, &self.flushing)
            for outbox in self.flushing { outbox.flush() }
            self.flushing.removeAll(keepingCapacity: true)
            self.sendRelayed()
        }
    }

    /// How many events are folded at once, and how long the loop is left to others after that. A thousand clients that
    /// fall behind together must not hold up those that keep up: their queues have room enough to wait for their turn.
    private static let foldingBudget = 512
    private static let foldingPause = TimeAmount.milliseconds(1)

    /// Has a queue folded, a little at a time, one queue after the other.
    func foldLater(_ outbox: Outbox) {
        eventLoop.assertInEventLoop()
        awaitingFold.append(outbox)
        guard awaitingFold.count == 1 else { return }
        eventLoop.execute { self.foldOn() }
    }

    private func foldOn() {
        guard let outbox = awaitingFold.first else { return }
        if !outbox.fold(budget: Self.foldingBudget) { awaitingFold.removeFirst() }
        guard !awaitingFold.isEmpty else { return }
        eventLoop.assumeIsolated().scheduleTask(in: Self.foldingPause) { self.foldOn() }
    }
}

// MARK: - Sessions

extension SocketHub {
    func insert(_ session: EngineSession) {
        eventLoop.assertInEventLoop()
        sessions[session.id] = session
    }

    func remove(_ session: EngineSession) {
        eventLoop.assertInEventLoop()
        sessions[session.id] = nil
    }

    func session(_ id: String) -> EngineSession? {
        eventLoop.assertInEventLoop()
        return sessions[id]
    }

    var openSessions: [EngineSession] {
        eventLoop.assertInEventLoop()
        return Array(sessions.values)
    }

    /// Ends all sessions, as the server stops.
    func endSessions() {
        eventLoop.assertInEventLoop()
        for session in Array(sessions.values) { session.serverStops() }
    }

    /// Keeps the last packets of a session that polled, for so long.
    func keepFinalPackets(of session: EngineSession, _ transport: PollingTransport, for time: TimeAmount) {
        let id = session.id
        let deadline = eventLoop.assumeIsolated().scheduleTask(in: time) { self.endedSessions[id] = nil }
        endedSessions[id] = EndedSession(opening: session.request, transport: transport, deadline: deadline)
    }

    /// Answers a poll of a session that is over; false if no packets are left for it.
    func sendFinalPackets(of id: String, to request: HandshakeRequest, _ reply: HTTPReply) -> Bool {
        // The application judges no request of a session that is over, so only a client with the credentials that
        // opened the session gets its last packets.
        guard let ended = endedSessions[id], ended.opening.hasSameCredentials(as: request) else { return false }
        ended.transport.sendFinalPackets(reply)
        if !ended.transport.hasFinalPackets {
            endedSessions[id] = nil
            ended.deadline.cancel()
        }
        return true
    }
}

// MARK: - Heartbeats

extension SocketHub {
    func enterWheel(_ session: EngineSession, deadline: NIODeadline) -> HeartbeatWheel.Place {
        let place = wheel.enter(session, deadline: deadline)
        if deadline < wheelWake { setWheelTimer() }
        return place
    }

    func leaveWheel(_ place: HeartbeatWheel.Place) {
        wheel.leave(place)
    }

    private func setWheelTimer() {
        guard let wake = wheel.nextWake(), wake < wheelWake || wheelTimer == nil else { return }
        wheelTimer?.cancel()
        wheelWake = wake
        wheelTimer = eventLoop.assumeIsolated().scheduleTask(deadline: wake) { self.turnWheel() }
    }

    private func turnWheel() {
        wheelTimer = nil
        wheelWake = .distantFuture
        let now = eventLoop.now
        while let due = wheel.next(now: now) { due.session.tick(now: due.now) }
        setWheelTimer()
    }
}

// MARK: - Other loops

extension SocketHub {
    /// Sends frames over a WebSocket of another loop, at the end of this turn.
    func relay(_ frames: ByteBuffer, over relay: WebSocketRelay.Handle) {
        relayed.append((relay, frames))
    }

    func sendRelayed() {
        guard !relayed.isEmpty else { return }
        let all = relayed
        relayed.removeAll(keepingCapacity: true)
        var rest = all[...]
        // Mostly there is one other loop, and this is one stretch.
        while let loop = rest.first?.relay.eventLoop {
            let batch = rest.filter { $0.relay.eventLoop === loop }
            rest = rest.filter { $0.relay.eventLoop !== loop }[...]
            loop.execute {
                for (relay, frames) in batch { relay.value.write(frames) }
                for (relay, _) in batch { relay.value.confirmIfTaken() }
            }
        }
    }
}

/// A session that is over, and whose final packets wait for a poll.
struct EndedSession {
    let opening: HandshakeRequest
    let transport: PollingTransport
    let deadline: Scheduled<Void>
}

/// One room's sockets of one namespace on one loop.
final class RoomMembers {
    let room: Room
    var sockets: [Socket] = []
    /// What each of them is sent goes through the outbox in its place: a broadcast need not look at the sockets.
    var outboxes: [Outbox] = []

    init(room: Room) {
        self.room = room
    }
}

/// Where a socket stands in a room's list.
struct Membership {
    let members: RoomMembers
    var slot: Int
}
