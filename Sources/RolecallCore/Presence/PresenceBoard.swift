import ModelStore
import NIOCore
import RolecallProtocol
import SocketIOServer
import Synchronization

/// Knows which users are present, over all event loops, and sends presence to the sockets that may see it.
///
/// News is sent in rounds: at once where none was sent lately, and else together, so that a thousand users who come
/// back at the same moment cost one round and not a thousand. A round goes to each loop once. There, the watching
/// sockets are sent the news; then those whose identity has changed are sent a snapshot, and watch from there on: so
/// that no socket is sent the same twice, and nothing between is missed. A socket whose identity changes watches no more
/// from that moment.
///
/// Presence is no part of the log. Its events can be folded and dropped like those of rows, and have a place among them
/// where they are.
final class PresenceBoard: Sendable {
    /// Between two rounds; and what each present user adds to that, since a snapshot names all of them.
    private static let pause = TimeAmount.milliseconds(20)
    private static let pausePerUser = TimeAmount.microseconds(20)

    /// A socket that is to be sent a snapshot.
    private struct Entrant: Sendable {
        let socket: Socket
        let epoch: Int64
    }

    private struct State {
        var roll: PresenceRoll
        /// By the index of their loop.
        var entrants: [Int: [Entrant]] = [:]
        var isRoundDue = false
        var earliestRound = NIODeadline.uptimeNanoseconds(0)
        /// When the roll will be looked at for those who leave.
        var alarm: NIODeadline?
        var hubs: [SocketHub] = []
    }

    private let policy: Policy
    private let loops: [LoopDelivery]
    private let state: Mutex<State>

    /// - Parameter linger: how long a user without a socket is still present.
    init(policy: Policy, loops: [LoopDelivery], linger: TimeAmount) {
        self.policy = policy
        self.loops = loops
        state = Mutex(State(roll: PresenceRoll(linger: linger)))
    }

    /// From here on there are sockets to send to.
    func begin(on hubs: [SocketHub]) {
        state.withLock { $0.hubs = hubs }
    }

    /// Nothing is sent any more, and no timer is set.
    func end() {
        state.withLock { state in
            state.hubs = []
            state.entrants = [:]
        }
    }

    // MARK: Observing

    /// Events were dropped for a socket that reads too slowly, presence perhaps among them: it is sent a snapshot anew; on
    /// its loop.
    func lostEvents(_ socket: Socket, _ identity: SocketIdentity) {
        guard policy.showsPresence(to: identity.view), !identity.awaitsPresence else { return }
        identity.awaitsPresence = true
        state.withLock { state in
            state.entrants[socket.hub.index, default: []].append(Entrant(socket: socket, epoch: identity.epoch))
            plan(&state)
        }
    }

    // MARK: Sending

    /// Sets the timers that what has just changed asks for. One loop has them all, and begins every round.
    private func plan(_ state: inout State) {
        guard let loop = state.hubs.first?.eventLoop else { return }
        if !state.isRoundDue, state.roll.hasNews || !state.entrants.isEmpty {
            state.isRoundDue = true
            loop.scheduleTask(deadline: state.earliestRound) { self.round() }
        }
        if let deadline = state.roll.nextDeadline, state.alarm == nil {
            state.alarm = deadline
            loop.scheduleTask(deadline: deadline) { self.look() }
        }
    }

    private func look() {
        state.withLock { state in
            state.alarm = nil
            state.roll.expire(now: .now())
            plan(&state)
        }
    }

    private func round() {
        let (news, everyone, entrants, hubs) = state.withLock { state in
            let pause = Self.pause + Self.pausePerUser * state.roll.count
            state.earliestRound = .now() + pause
            state.isRoundDue = false
            let entrants = state.entrants
            state.entrants = [:]
            return (
                state.roll.takeNews(), entrants.isEmpty ? [] : state.roll.snapshot, entrants, state.hubs
            )
        }
        // Rounds begin on one loop, so that every other has them in their order.
        for hub in hubs {
            let entrants = entrants[hub.index] ?? []
            guard !news.isEmpty || !entrants.isEmpty else { continue }
            hub.eventLoop.execute {
                self.send(news, on: hub)
                self.send(everyone, to: entrants, on: hub)
            }
        }
    }

    private func send(_ news: [PresenceRoll.News], on hub: SocketHub) {
        guard !news.isEmpty else { return }
        for rank in policy.roles.indices {
            let room = Room.presence(rank: rank)
            guard !hub.sockets(in: room).isEmpty else { continue }
            hub.send(batch(of: news, rank: rank, on: hub), to: room)
        }
    }

    private func send(_ everyone: [PresenceRoll.News], to entrants: [Entrant], on hub: SocketHub) {
        var batches: [Int: OutboundBatch] = [:]
        for entrant in entrants {
            let socket = entrant.socket
            // A socket whose identity has changed again meanwhile stands in a later round.
            guard socket.isConnected, let identity = socket.identity, identity.epoch == entrant.epoch else { continue }
            identity.awaitsPresence = false
            let rank = identity.view.rank
            let batch = batches[rank] ?? batch(of: everyone, rank: rank, on: hub)
            batches[rank] = batch
            socket.send(batch)
            socket.join(.presence(rank: rank))
        }
    }

    private func batch(of news: [PresenceRoll.News], rank: Int, on hub: SocketHub) -> OutboundBatch {
        let columns = policy.presenceColumns(atRank: rank)
        // A log without an entry has nothing before it that could be named as lost.
        let place = max(1, loops[hub.index].watermark.sequence)
        return OutboundBatch(news.map { PresenceEvent(news: $0, columns: columns).encoded(after: place) })
    }
}

extension PresenceBoard: IdentityObserver {
    func identityChanged(_ transition: IdentityTransition) {
        let (socket, identity) = (transition.socket, transition.identity)
        socket.leave(.presence(rank: transition.formerView.rank))
        let principal = identity.principal
        let watches = policy.showsPresence(to: identity.view)
        identity.awaitsPresence = watches
        let now = socket.eventLoop.now
        state.withLock { state in
            if let principal, principal.user.id == transition.former?.user.id {
                state.roll.changed(principal.user, readAt: principal.readAt)
            } else {
                // The arrival first: where both are the same user, there is no departure in between.
                if let principal { state.roll.arrived(principal.user, readAt: principal.readAt) }
                if let former = transition.former { state.roll.departed(former.user.id, now: now) }
            }
            if watches {
                state.entrants[socket.hub.index, default: []].append(Entrant(socket: socket, epoch: identity.epoch))
            }
            plan(&state)
        }
    }

    func socketEnded(_ socket: Socket, _ identity: SocketIdentity) {
        guard let former = identity.principal else { return }
        let now = socket.eventLoop.now
        state.withLock { state in
            state.roll.departed(former.user.id, now: now)
            plan(&state)
        }
    }
}
