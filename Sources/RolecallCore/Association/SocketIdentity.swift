import ModelStore
import NIOCore
import RolecallProtocol
import SocketIOServer

/// What a socket is to the domain: its user, its rights, and where its stream of events stands. Kept as the socket's
/// attachment; belongs to the socket's event loop.
package final class SocketIdentity {
    /// Grows with every change; 0 before the first.
    package internal(set) var epoch: Int64 = 0
    package internal(set) var principal: Principal?
    package internal(set) var view: View
    package internal(set) var interest = Interest.everything
    /// The recovery ticket that its client holds, and since when it is this socket's.
    var ticket: (text: String, since: NIODeadline)?
    var receiverClass: ReceiverClass { ReceiverClass(view, interest) }
    package internal(set) var reason = IdentityReason.anonymous
    /// False while missed events are replayed: live ones wait until those are done.
    var isLive = false
    /// While it is not live: up to where missed events were replayed.
    var replayed: Position?
    /// Whether its loop's delivery counts it as resuming.
    var isResuming = false
    let expiry = ExpiryTimer()
    /// Whether a snapshot of presence is on its way to it.
    var awaitsPresence = false
    /// When the socket was accepted.
    package let connectedAt = Timestamp.now

    init(view: View) {
        self.view = view
    }
}

extension Socket {
    /// Nil before the socket was accepted, and for one that is gone; on its loop.
    package var identity: SocketIdentity? { attachment as? SocketIdentity }
}

/// A change of a socket's identity, as ``IdentityObserver``s see it.
struct IdentityTransition {
    let socket: Socket
    /// As it is from now on.
    let identity: SocketIdentity
    /// The user that the socket belonged to; nil for none.
    let former: Principal?
    let formerView: View
    /// Whether the socket has just been accepted, so that it had no identity before.
    let isFirst: Bool
}

/// Observes the identities of sockets. Every call comes on the socket's event loop.
protocol IdentityObserver: Sendable {
    /// An identity has changed, and the client was sent the `identity` event: in the same turn of the loop.
    func identityChanged(_ transition: IdentityTransition)
    /// A socket with this identity is gone.
    func socketEnded(_ socket: Socket, _ identity: SocketIdentity)
}
