import NIOCore

/// The server's half of the heartbeat: pings at an interval, and a deadline for each pong.
///
/// The machine knows no clock and no timer. Its owner tells it the time, does what ``tick(now:)`` says, and calls it
/// again at the time it names; calling it earlier, or at any other moment besides, does no harm. One timer is enough:
/// a pong never asks for an earlier one than was named last.
public struct HeartbeatMachine: Sendable, Equatable {
    /// Where the heartbeat stands.
    public enum State: Sendable, Equatable {
        /// ``HeartbeatMachine/started(now:)`` has not been called.
        case stopped
        /// The peer is known to live; the next ping is due then.
        case idle(nextPing: NIODeadline)
        /// A ping is out; without its pong the peer counts as gone then.
        case awaitingPong(deadline: NIODeadline)
    }

    /// What the owner has to do.
    public enum Action: Sendable, Equatable {
        /// Send a ping now, and tick again at that time.
        case sendPing(nextWake: NIODeadline)
        /// Nothing to do before that time.
        case wait(until: NIODeadline)
        /// The peer did not answer; close the session.
        case timedOut
    }

    /// From the handshake, or a pong, to the next ping.
    public let pingInterval: TimeAmount
    /// From a ping to the moment when its pong is given up.
    public let pingTimeout: TimeAmount
    /// Where the heartbeat stands.
    public private(set) var state: State = .stopped

    /// A machine that waits for ``started(now:)``. Both amounts are positive.
    public init(pingInterval: TimeAmount, pingTimeout: TimeAmount) {
        self.pingInterval = pingInterval
        self.pingTimeout = pingTimeout
    }

    /// The session is open.
    ///
    /// - Returns: when to tick first.
    public mutating func started(now: NIODeadline) -> NIODeadline {
        let nextPing = now + pingInterval
        state = .idle(nextPing: nextPing)
        return nextPing
    }

    /// A pong came. One that nobody asked for changes nothing, so that a peer cannot put off its pings.
    public mutating func pongReceived(now: NIODeadline) {
        guard case .awaitingPong = state else { return }
        state = .idle(nextPing: now + pingInterval)
    }

    /// Says what is due.
    public mutating func tick(now: NIODeadline) -> Action {
        switch state {
        case .stopped:
            return .wait(until: .distantFuture)
        case .idle(let nextPing):
            guard now >= nextPing else { return .wait(until: nextPing) }
            let deadline = now + pingTimeout
            state = .awaitingPong(deadline: deadline)
            return .sendPing(nextWake: earliestWake(now: now, deadline: deadline))
        case .awaitingPong(let deadline):
            guard now < deadline else { return .timedOut }
            return .wait(until: earliestWake(now: now, deadline: deadline))
        }
    }

    /// When to look again while a pong is awaited: where the interval is shorter than the timeout, a pong can make a
    /// ping due before the deadline, and the owner's one timer must not sleep through it.
    private func earliestWake(now: NIODeadline, deadline: NIODeadline) -> NIODeadline {
        min(deadline, now + pingInterval)
    }
}

/// The client's half of the heartbeat: a server that has not pinged within interval and timeout together is gone.
///
/// Like ``HeartbeatMachine`` it is told the time and names the next moment that matters; a ping only moves that moment
/// away, so that one timer is enough.
public struct HeartbeatMonitor: Sendable, Equatable {
    /// What the owner has to do.
    public enum Action: Sendable, Equatable {
        /// Nothing to do before that time.
        case wait(until: NIODeadline)
        /// The server fell silent; close the session.
        case timedOut
    }

    /// How long the server may be silent.
    public let patience: TimeAmount
    /// When the server counts as gone; nil before the session is open.
    private var deadline: NIODeadline?

    /// A monitor that waits for ``started(now:)``, with the amounts that the handshake gave.
    public init(pingInterval: TimeAmount, pingTimeout: TimeAmount) {
        patience = pingInterval + pingTimeout
    }

    /// A monitor with the intervals of a handshake.
    public init(_ handshake: EngineHandshake) {
        self.init(
            pingInterval: .milliseconds(handshake.pingInterval),
            pingTimeout: .milliseconds(handshake.pingTimeout)
        )
    }

    /// The session is open.
    ///
    /// - Returns: when to tick first.
    public mutating func started(now: NIODeadline) -> NIODeadline {
        let deadline = now + patience
        self.deadline = deadline
        return deadline
    }

    /// The server pinged. Before ``started(now:)`` this changes nothing.
    public mutating func pingReceived(now: NIODeadline) {
        guard deadline != nil else { return }
        deadline = now + patience
    }

    /// Says whether the server is still there.
    public func tick(now: NIODeadline) -> Action {
        let deadline = deadline ?? .distantFuture
        return now < deadline ? .wait(until: deadline) : .timedOut
    }
}
