import Logging
import ModelStore
import NIOCore
import RolecallProtocol
import SocketIOServer
import WireJSON

/// Who a socket is; its attachment. Belongs to the socket's event loop.
final class SocketIdentity {
    /// Grows with every change; 0 before the first.
    var epoch: Int64 = 0
    var principal: Principal?
    var view: View
    var interest = Interest.everything
    /// By which its client is recovered, and since when it is this socket's.
    var ticket: (text: String, since: NIODeadline)?
    var audience: ReceiverClass { ReceiverClass(view, interest) }
    var reason = IdentityReason.anonymous
    /// False while missed events are still being told: live ones wait until those are done.
    var isLive = false
    /// While it is not live: up to where it has been told what it missed.
    var replayed: Position?
    /// Whether its loop's delivery knows that it is told what it missed.
    var isResuming = false
    let expiry = ExpiryTimer()
    /// Whether it is going to be told of everyone who is on.
    var awaitsPresence = false
    /// When the socket was accepted.
    let connectedAt = Timestamp.now

    init(view: View) {
        self.view = view
    }
}

/// The one place in which a socket comes to belong to a user, and its inverse.
///
/// Cookie, header, CONNECT payload and `login` end in ``associate(_:with:reason:resumingAfter:)``; logout, expiry,
/// removal, a new password and a revoked session in ``disassociate(_:reason:)``. Both run on the socket's event loop,
/// in one turn: the room of the old view is left before the `identity` event is written, and events are sent to rooms
/// on the same loop, so that no event of the old identity can follow it. Where rights are taken away, those that still
/// wait for a slow client are taken back, too, and a `gap` in front of the `identity` event says so.
struct Association: Sendable {
    let policy: Policy
    let census: ReceiverCensus
    let loops: [LoopDelivery]
    let logID: LogID
    let presence: PresenceBoard
    let metrics: ServerMetrics
    let logger: Logger
    let interests = RememberedInterests()

    func delivery(of socket: Socket) -> LoopDelivery { loops[socket.hub.index] }

    func identity(of socket: Socket) -> SocketIdentity? { socket.attachment as? SocketIdentity }

    /// Ties a socket to a user, and says so with an `identity` event.
    ///
    /// - Parameter after: where the telling of missed events will begin; nil makes the socket live at once.
    /// - Returns: false where the log has told of a change of this user, or of the session's end, since the principal
    ///   was read: nothing is changed then, and the token has to be judged again.
    func associate(
        _ socket: Socket, with principal: Principal, reason: IdentityReason, resumingAfter after: Position? = nil
    ) -> Bool {
        guard socket.isConnected else { return true }
        guard !delivery(of: socket).knowsBetter(than: principal) else { return false }
        change(socket, to: principal, reason: reason, resumingAfter: after)
        logger.info(
            "associated",
            metadata: [
                "socket": .string(socket.id), "address": .string(socket.request.address),
                "user": .stringConvertible(principal.user.id), "email": .string(principal.user.email),
                "role": .string(principal.user.role), "reason": .string(reason.rawValue),
            ])
        return true
    }

    /// Unties a socket from whoever it belonged to, and says so with an `identity` event; the socket stays.
    func disassociate(_ socket: Socket, reason: IdentityReason, resumingAfter after: Position? = nil) {
        guard socket.isConnected else { return }
        let former = identity(of: socket)?.principal
        change(socket, to: nil, reason: reason, resumingAfter: after)
        guard let former else { return }
        logger.info(
            "disassociated",
            metadata: [
                "socket": .string(socket.id), "address": .string(socket.request.address),
                "user": .stringConvertible(former.user.id), "email": .string(former.user.email),
                "reason": .string(reason.rawValue),
            ])
    }

    /// The same user's record has changed: the socket's rights follow it.
    ///
    /// - Parameter sequence: the log's entry that says so.
    func update(_ socket: Socket, to user: UserSummary, readAt sequence: Int64) {
        guard socket.isConnected, let identity = identity(of: socket), var principal = identity.principal else {
            return
        }
        principal.readAt = sequence
        guard principal.user != user else {
            identity.principal = principal
            return
        }
        let reason: IdentityReason = principal.user.role == user.role ? .userChanged : .roleChanged
        principal.user = user
        change(socket, to: principal, reason: reason, resumingAfter: nil)
    }

    /// Returns when all that the log says of users and sessions up to this number holds on every socket: for whoever
    /// wrote that, and answers only then.
    func settled(through sequence: Int64) async {
        for loop in loops {
            await withCheckedContinuation { continuation in
                loop.eventLoop.execute { loop.whenIdentitiesHold(sequence) { continuation.resume() } }
            }
        }
    }

    /// Missed events have been told; from here on the socket is sent what its view is sent.
    func goLive(_ socket: Socket) {
        guard socket.isConnected, let identity = identity(of: socket), !identity.isLive else { return }
        identity.isLive = true
        identity.replayed = nil
        // In this order: up to here nobody but this loop moves the watermark that has been reached.
        enter(identity.audience, socket)
        note(identity, of: socket, isResuming: false)
    }

    /// Changes what a socket wants to be told, from the next event on; on its loop.
    ///
    /// - Returns: the position from which on it is told so; nil where the socket is nobody's business any more.
    @discardableResult
    func setInterest(of socket: Socket, to interest: Interest) -> Position? {
        guard socket.isConnected, let identity = identity(of: socket) else { return nil }
        if identity.interest != interest {
            if identity.isLive { leave(identity.audience, socket) }
            identity.interest = interest
            if identity.isLive { enter(identity.audience, socket) }
            if let ticket = identity.ticket { interests.note(interest, of: ticket.text, since: ticket.since) }
        }
        return Position(log: logID, sequence: delivery(of: socket).watermark)
    }

    /// The socket has its ticket. A client that is recovered by it wants what it wanted before.
    func settle(_ socket: Socket, _ resumed: Resumed) {
        guard let identity = identity(of: socket) else { return }
        let now = NIODeadline.now()
        identity.ticket = (resumed.ticket, now)
        guard resumed.isRecovered, let interest = interests.resume(resumed.ticket, since: now) else { return }
        setInterest(of: socket, to: interest)
    }

    /// The socket is gone; its connection has left all rooms by itself.
    func forget(_ socket: Socket) {
        guard let identity = identity(of: socket) else { return }
        identity.expiry.cancel()
        if identity.isLive { leave(identity.audience, socket) }
        identity.isLive = false
        note(identity, of: socket, isResuming: false)
        if let ticket = identity.ticket { interests.left(ticket.text, since: ticket.since) }
        presence.forget(socket, identity, self)
        metrics.socketLeft(wasAssociated: identity.principal != nil)
    }

    /// What a socket is told of itself.
    func describe(_ socket: Socket) -> Identity? {
        guard let identity = identity(of: socket) else { return nil }
        return Identity(
            socketID: socket.id, address: socket.request.address, user: identity.principal?.user,
            epoch: identity.epoch, expiresAt: identity.principal?.expiresAt,
            models: policy.visibleModels(to: identity.view), reason: identity.reason)
    }

    private func change(
        _ socket: Socket, to principal: Principal?, reason: IdentityReason, resumingAfter after: Position?
    ) {
        let identity: SocketIdentity
        if let known = self.identity(of: socket) {
            identity = known
        } else {
            identity = SocketIdentity(view: policy.view(role: nil, user: nil))
            socket.attachment = identity
            metrics.socketEntered()
        }
        let (former, formerView) = (identity.principal, identity.view)
        if identity.isLive { leave(identity.audience, socket) }
        if let former {
            socket.leave(.user(former.user.id))
            former.session.map { socket.leave(.session($0)) }
        }
        if principal == nil { identity.expiry.cancel() }
        metrics.identityChanged(reason, from: identity.principal != nil, to: principal != nil)

        let view = policy.view(role: principal?.user.role, user: principal?.user.owner)
        if !view.sees(allThat: identity.view), let lost = socket.discardWaitingEvents() {
            socket.emit(Gap.eventName, [gap(lost, reason: .identity).json])
        }
        // Who sees the same as before goes on being told what he missed.
        let replayed = after ?? (identity.view == view ? identity.replayed : nil)
        identity.epoch += 1
        identity.principal = principal
        identity.reason = reason
        identity.view = view
        identity.replayed = replayed
        identity.isLive = replayed == nil
        if identity.isLive { enter(identity.audience, socket) }
        note(identity, of: socket, isResuming: !identity.isLive)
        if let principal {
            socket.join(.user(principal.user.id))
            principal.session.map { socket.join(.session($0)) }
            identity.expiry.set(to: principal.expiresAt, for: socket, association: self)
        }

        guard let description = describe(socket) else { return }
        let position = replayed ?? Position(log: logID, sequence: delivery(of: socket).watermark)
        socket.emit(Identity.eventName, [description.json, .string(position.description)])
        presence.changed(socket, from: former, formerView: formerView, to: identity, self)
    }

    /// Says which events a socket is not told.
    func gap(_ lost: LostEvents, reason: Gap.Reason) -> Gap {
        Gap(
            after: Position(log: logID, sequence: lost.first - 1).description,
            before: Position(log: logID, sequence: lost.last), reason: reason)
    }

    private func note(_ identity: SocketIdentity, of socket: Socket, isResuming: Bool) {
        guard identity.isResuming != isResuming else { return }
        identity.isResuming = isResuming
        if isResuming { delivery(of: socket).beginResuming() } else { delivery(of: socket).endResuming() }
    }

    private func enter(_ audience: ReceiverClass, _ socket: Socket) {
        socket.join(.audience(audience))
        // In this order: the reader asks the delivery first.
        census.entered(audience, on: socket.hub.index)
        delivery(of: socket).entered(audience)
    }

    private func leave(_ audience: ReceiverClass, _ socket: Socket) {
        socket.leave(.audience(audience))
        delivery(of: socket).left(audience)
        census.left(audience, on: socket.hub.index)
    }
}

extension Room {
    static func audience(_ audience: ReceiverClass) -> Room {
        let view = audience.view
        let sees = view.owner.map { "\(view.rank):\($0)" } ?? "\(view.rank)"
        return Room("view:\(sees)\(audience.interest.name.map { " \($0)" } ?? "")")
    }
    static func user(_ id: Int64) -> Room { Room("user:\(id)") }
    static func session(_ id: String) -> Room { Room("session:\(id)") }
}
