import Logging
import ModelStore
import NIOCore
import RolecallProtocol
import SocketIOServer
import WireJSON

/// The one place in which a socket comes to belong to a user, and its inverse.
///
/// Cookie, header, CONNECT payload and `login` end in ``associate(_:with:reason:resumingAfter:)``; logout, expiry,
/// removal, a new password and a revoked session in ``disassociate(_:reason:resumingAfter:)``. Both run on the socket's
/// event loop, in one turn: the room of the old view is left before the `identity` event is written, and events are sent
/// to rooms on the same loop, so that no event of the old identity can follow it. Where rights are taken away, those
/// that still wait for a slow client are taken back, too, and a `gap` in front of the `identity` event says so.
///
/// It knows the delivery that a socket is a receiver of, and no one else: presence and metrics observe it
/// (``IdentityObserver``).
package final class Association: Sendable {
    package let policy: Policy
    let receivers: Receivers
    let interests: RememberedInterests
    let observers: [any IdentityObserver]
    let logger: Logger
    /// Whether rules go by memberships, so that clients are told theirs.
    private let goesByMemberships: Bool

    init(
        policy: Policy, receivers: Receivers, interests: RememberedInterests,
        observers: [any IdentityObserver], logger: Logger
    ) {
        self.policy = policy
        self.receivers = receivers
        self.interests = interests
        self.observers = observers
        self.logger = logger
        goesByMemberships = policy.goesByMemberships
    }

    func delivery(of socket: Socket) -> LoopDelivery { receivers.delivery(of: socket) }

    /// Ties a socket to a user, and says so with an `identity` event.
    ///
    /// - Parameter after: where the replay of missed events will begin; nil makes the socket live at once.
    /// - Returns: false where the feed of identities has brought a change of this user, or the session's end, since the
    ///   principal was read: nothing is changed then, and the token has to be judged again.
    func associate(
        _ socket: Socket, with principal: Principal, reason: IdentityReason, resumingAfter after: Position? = nil
    ) -> Bool {
        guard socket.isConnected else { return true }
        guard !delivery(of: socket).hasNewerRecord(than: principal) else { return false }
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

    /// Unties a socket from its user, and says so with an `identity` event; the socket stays.
    package func disassociate(_ socket: Socket, reason: IdentityReason, resumingAfter after: Position? = nil) {
        guard socket.isConnected else { return }
        let former = socket.identity?.principal
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
    /// - Parameter cursor: what of the identity feed the record holds.
    func update(_ socket: Socket, to user: UserSummary, readAt cursor: IdentityCursor) {
        update(socket, readAt: cursor) { $0.user = user }
    }

    /// What the same user belongs to may have changed: the socket's rights follow it.
    ///
    /// - Parameter cursor: as for ``update(_:to:readAt:)``.
    func update(_ socket: Socket, toMemberships memberships: Memberships, readAt cursor: IdentityCursor) {
        update(socket, readAt: cursor) { $0.memberships = memberships }
    }

    /// The same user's record and all that the user belongs to, read anew.
    func update(_ socket: Socket, to record: ClaimantRecord) {
        update(socket, readAt: record.readAt) { principal in
            principal.user = record.identity.summary
            principal.memberships = record.memberships
        }
    }

    private func update(_ socket: Socket, readAt cursor: IdentityCursor, _ body: (inout Principal) -> Void) {
        guard socket.isConnected, let identity = socket.identity, let former = identity.principal else { return }
        var principal = former
        body(&principal)
        principal.readAt = cursor
        let memberships = principal.memberships.differences(from: former.memberships)
        guard principal.user != former.user || !memberships.isEmpty else {
            identity.principal = principal
            return
        }
        let reason: IdentityReason =
            principal.user.role != former.user.role
            ? .roleChanged : memberships.isEmpty ? .userChanged : .membershipChanged
        change(socket, to: principal, reason: reason, resumingAfter: nil, affecting: memberships)
    }

    /// Missed events have been replayed; from here on the socket is sent what its view is sent.
    func goLive(_ socket: Socket) {
        guard socket.isConnected, let identity = socket.identity, !identity.isLive else { return }
        identity.isLive = true
        identity.replayed = nil
        // In this order: while the loop counts a resuming socket, only the loop itself moves the watermark that the
        // replay has reached.
        receivers.enter(identity.receiverClass, socket)
        note(identity, of: socket, isResuming: false)
    }

    /// Changes what a socket wants to be sent, from the next event on; on its loop.
    ///
    /// - Returns: the position from which on it is so; nil where the socket is gone.
    @discardableResult
    func setInterest(of socket: Socket, to interest: Interest) -> Position? {
        guard socket.isConnected, let identity = socket.identity else { return nil }
        if identity.interest != interest {
            if identity.isLive { receivers.leave(identity.receiverClass, socket) }
            identity.interest = interest
            if identity.isLive { receivers.enter(identity.receiverClass, socket) }
            if let ticket = identity.ticket { interests.note(interest, of: ticket.text, since: ticket.since) }
        }
        return position(of: socket)
    }

    /// Gives a socket its ticket. A client that is recovered by it wants what it wanted before.
    func adopt(_ resumed: Resumed, for socket: Socket) {
        guard let identity = socket.identity else { return }
        let now = NIODeadline.now()
        identity.ticket = (resumed.ticket, now)
        guard resumed.isRecovered, let interest = interests.resume(resumed.ticket, since: now) else { return }
        setInterest(of: socket, to: interest)
    }

    /// The socket is gone; its connection has left all rooms by itself.
    package func forget(_ socket: Socket) {
        guard let identity = socket.identity else { return }
        identity.expiry.cancel()
        if identity.isLive { receivers.leave(identity.receiverClass, socket) }
        identity.isLive = false
        note(identity, of: socket, isResuming: false)
        if let ticket = identity.ticket { interests.left(ticket.text, since: ticket.since) }
        for observer in observers { observer.socketEnded(socket, identity) }
    }

    /// What a socket is told of itself.
    package func describe(_ socket: Socket) -> Identity? {
        guard let identity = socket.identity else { return nil }
        return Identity(
            socketID: socket.id, address: socket.request.address, user: identity.principal?.user,
            epoch: identity.epoch, expiresAt: identity.principal?.expiresAt,
            models: policy.visibleModels(to: identity.view),
            memberships: goesByMemberships ? identity.principal.map { IdentityMemberships($0.memberships) } : nil,
            reason: identity.reason)
    }

    /// How far the log has been delivered to the socket's loop.
    func position(of socket: Socket) -> Position {
        delivery(of: socket).watermark.position
    }

    /// Names the events that a socket is not sent.
    func gap(_ lost: LostEvents, for socket: Socket, reason: Gap.Reason) -> Gap {
        let era = delivery(of: socket).watermark.era
        return Gap(
            after: Position(era: era, sequence: lost.first - 1).description,
            before: Position(era: era, sequence: lost.last), reason: reason)
    }

    private func change(
        _ socket: Socket, to principal: Principal?, reason: IdentityReason, resumingAfter after: Position?,
        affecting memberships: Set<String> = []
    ) {
        let known = socket.identity
        let identity = known ?? SocketIdentity(view: policy.view(role: nil, user: nil))
        if known == nil { socket.attachment = identity }
        let (former, formerView) = (identity.principal, identity.view)
        if identity.isLive { receivers.leave(identity.receiverClass, socket) }
        if let former {
            socket.leave(.user(former.user.id))
            former.session.map { socket.leave(.session($0)) }
        }
        if principal == nil { identity.expiry.cancel() }

        let view = policy.view(of: principal)
        if !view.sees(allThat: identity.view), let lost = socket.discardWaitingEvents() {
            socket.emit(Gap.eventName, [gap(lost, for: socket, reason: .identity).json])
        }
        // With the same view as before the replay of missed events goes on.
        let replayed = after ?? (identity.view == view ? identity.replayed : nil)
        identity.epoch += 1
        identity.principal = principal
        identity.reason = reason
        identity.view = view
        identity.replayed = replayed
        identity.isLive = replayed == nil
        if identity.isLive { receivers.enter(identity.receiverClass, socket) }
        note(identity, of: socket, isResuming: !identity.isLive)
        if let principal {
            socket.join(.user(principal.user.id))
            principal.session.map { socket.join(.session($0)) }
            setExpiry(of: socket, identity, to: principal.expiresAt)
        }

        guard var description = describe(socket) else { return }
        if !memberships.isEmpty { description.affects = policy.models(decidedBy: memberships, at: view.rank) }
        let position = replayed ?? position(of: socket)
        socket.emit(Identity.eventName, [description.json, .string(position.description)])
        let transition = IdentityTransition(
            socket: socket, identity: identity, former: former, formerView: formerView, isFirst: known == nil)
        for observer in observers { observer.identityChanged(transition) }
    }

    private func setExpiry(of socket: Socket, _ identity: SocketIdentity, to moment: Timestamp) {
        identity.expiry.set(to: moment, on: delivery(of: socket).expiries) {
            guard socket.isConnected else { return }
            socket.emit(Expiring.eventName, [Expiring(expiresAt: moment).json])
        } expire: {
            self.disassociate(socket, reason: .expired)
        }
    }

    private func note(_ identity: SocketIdentity, of socket: Socket, isResuming: Bool) {
        guard identity.isResuming != isResuming else { return }
        identity.isResuming = isResuming
        if isResuming { delivery(of: socket).beginResuming() } else { delivery(of: socket).endResuming() }
    }
}

extension Room {
    static func user(_ id: Int64) -> Room { Room("user:\(id)") }
    static func session(_ id: String) -> Room { Room("session:\(id)") }
}
