import SocketIOClient

/// Decides when to connect, to wait and to give up; pure, driven by ``ConnectionSupervisor``.
///
/// Each input returns what is to be done next. Inputs that don't fit the state (a loss reported twice, a delay that
/// ends after the end) change nothing.
struct ConnectionMachine: Sendable {
    /// What happens when there is no connection.
    enum Persistence: Hashable, Sendable {
        /// One attempt, and one connection.
        case once
        /// Attempts and connections for ever. Only a first attempt that waiting cannot heal is final: the server
        /// was never there, and what is there says no.
        case forever
    }

    enum State: Hashable, Sendable {
        case idle
        /// - Parameter attempt: counted from 1 since the last connection.
        case connecting(attempt: Int)
        case online(socketID: String)
        case waiting(attempt: Int, delay: Duration)
        case ended(Ending)
    }

    enum Action: Hashable, Sendable {
        case connect(attempt: Int)
        /// Handle what arrives, until the connection is lost.
        case listen(socketID: String)
        /// Wait, then report ``delayPassed()``.
        /// - Parameter attempt: the number of the attempt that follows.
        case wait(Duration, attempt: Int, reason: String)
        case end(Ending)
    }

    /// Why there will be no further connection.
    enum Ending: Hashable, Sendable {
        case neverConnected(ConnectFailure)
        case lost(reason: String)
        /// It was asked for.
        case closed
    }

    private(set) var state = State.idle
    private let persistence: Persistence
    private var backoff: ReconnectBackoff
    private var wasOnline = false
    /// The server has said that it is going to be away for so long.
    private var announcedAbsence: Duration?

    /// The longest time that a server's word is taken for.
    private static let longestAbsence = Duration.seconds(60)

    init(persistence: Persistence, backoff: ReconnectBackoff = ReconnectBackoff()) {
        self.persistence = persistence
        self.backoff = backoff
    }

    mutating func start() -> Action? {
        guard case .idle = state else { return nil }
        return connect(attempt: 1)
    }

    mutating func connected(socketID: String) -> Action? {
        guard case .connecting = state else { return nil }
        wasOnline = true
        backoff.reset()
        announcedAbsence = nil
        state = .online(socketID: socketID)
        return .listen(socketID: socketID)
    }

    mutating func failed(_ failure: ConnectFailure) -> Action? {
        guard case .connecting(let attempt) = state else { return nil }
        if persistence == .once || !wasOnline && !failure.mayHeal {
            return end(.neverConnected(failure))
        }
        return wait(before: attempt + 1, reason: failure.description)
    }

    /// The server is going to end, and wants its clients back within so long: each at a moment of its own.
    mutating func announced(returnWithin duration: Duration) {
        guard case .online = state else { return }
        announcedAbsence = min(max(duration, .zero), Self.longestAbsence)
    }

    /// - Parameter wasAskedFor: whether this side let go of the connection, by the user's wish.
    mutating func lost(reason: String, wasAskedFor: Bool = false) -> Action? {
        guard case .online = state else { return nil }
        if persistence == .once {
            return end(wasAskedFor ? .closed : .lost(reason: reason))
        }
        guard let announcedAbsence, !wasAskedFor else { return wait(before: 1, reason: reason) }
        return wait(announcedAbsence * Double.random(in: 0...1), before: 1, reason: reason)
    }

    mutating func delayPassed() -> Action? {
        guard case .waiting(let attempt, _) = state else { return nil }
        return connect(attempt: attempt)
    }

    mutating func close() -> Action? {
        if case .ended = state { return nil }
        return end(.closed)
    }

    private mutating func connect(attempt: Int) -> Action {
        state = .connecting(attempt: attempt)
        return .connect(attempt: attempt)
    }

    private mutating func wait(before attempt: Int, reason: String) -> Action {
        wait(backoff.next(), before: attempt, reason: reason)
    }

    private mutating func wait(_ delay: Duration, before attempt: Int, reason: String) -> Action {
        state = .waiting(attempt: attempt, delay: delay)
        return .wait(delay, attempt: attempt, reason: reason)
    }

    private mutating func end(_ ending: Ending) -> Action {
        state = .ended(ending)
        return .end(ending)
    }
}

/// Why an attempt to connect failed.
struct ConnectFailure: Error, Hashable, Sendable, CustomStringConvertible {
    enum Kind: Hashable, Sendable {
        /// Nobody answers there.
        case unreachable
        /// Somebody answers, too slowly.
        case timedOut
        /// An HTTP status in place of a connection.
        case refused(status: Int)
        /// The server speaks the protocol and refuses this socket, or can't serve it now.
        case rejected
        /// What answers does not speak the protocol, or is not who it should be.
        case unsuitable
    }

    let kind: Kind
    /// A whole sentence.
    let description: String

    /// Whether the same attempt may succeed later with nobody changing anything here.
    var mayHeal: Bool {
        switch kind {
        case .unreachable, .timedOut, .rejected: true
        case .refused(let status): status >= 500 || status == 408 || status == 425 || status == 429
        case .unsuitable: false
        }
    }
}
