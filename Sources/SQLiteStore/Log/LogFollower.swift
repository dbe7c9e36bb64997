import ModelStore
import Synchronization

/// A follower of the log: a body, and whether its turn has come.
///
/// A turn that is scheduled while another one waits or is under way is not lost, and not doubled.
final class LogFollower: Sendable {
    typealias Body = @Sendable (SQLiteReadTransaction, Turn) throws -> Void

    /// A turn on one snapshot. The follower's next one comes after this has ended.
    struct Turn: Sendable {
        private let onEnd: @Sendable (_ wantsMore: Bool) -> Void

        init(onEnd: @escaping @Sendable (_ wantsMore: Bool) -> Void) { self.onEnd = onEnd }

        /// Ends the turn, once, on any thread.
        ///
        /// - Parameter wantsMore: whether the next turn is to come at once, since the log holds more than was read.
        func end(wantsMore: Bool = false) { onEnd(wantsMore) }
    }

    private enum State {
        case idle
        /// About to begin.
        case scheduled
        case reading(isScheduled: Bool)
        case ended
    }

    private let state = Mutex(State.idle)
    private let body: Mutex<Body?>

    init(_ body: @escaping Body) {
        self.body = Mutex(body)
    }

    /// Schedules a turn.
    ///
    /// - Returns: whether the caller has to see to it that ``begin()`` is called; otherwise that is seen to already.
    func schedule() -> Bool {
        state.withLock { state in
            switch state {
            case .idle:
                state = .scheduled
                return true
            case .reading:
                state = .reading(isScheduled: true)
                return false
            case .scheduled, .ended:
                return false
            }
        }
    }

    /// Begins the turn that was scheduled. Only now may a snapshot be taken: one from before could miss the commit that
    /// scheduled it.
    ///
    /// - Returns: what to run; nil where the follower has left.
    func begin() -> Body? {
        let isDue = state.withLock { state in
            guard case .scheduled = state else { return false }
            state = .reading(isScheduled: false)
            return true
        }
        return isDue ? body.withLock(\.self) : nil
    }

    /// Ends the turn.
    ///
    /// - Returns: whether there is another one, which the caller has to see to as after ``schedule()``.
    func finish(wantsMore: Bool) -> Bool {
        state.withLock { state in
            guard case .reading(let isScheduled) = state else { return false }
            state = isScheduled || wantsMore ? .scheduled : .idle
            return isScheduled || wantsMore
        }
    }

    /// Ends the follower and releases its body.
    func end() {
        state.withLock { $0 = .ended }
        // Outside of the lock: whatever the body holds may end with it.
        let released = body.withLock { body in
            defer { body = nil }
            return body
        }
        _ = released
    }

    var hasEnded: Bool {
        state.withLock { state in
            if case .ended = state { true } else { false }
        }
    }
}
