import ModelStore
import Synchronization

/// One who follows the log: a body, and whether its turn has come.
///
/// A turn that is called for while another one waits or is under way is not lost, and not doubled.
final class LogFollower: Sendable {
    typealias Body = @Sendable (any ReadTransaction, LogTurn) throws -> Void

    private enum State {
        case idle
        /// Called, and somebody is about to begin it.
        case called
        case reading(isCalled: Bool)
        case ended
    }

    private let state = Mutex(State.idle)
    private let body: Mutex<Body?>

    init(_ body: @escaping Body) {
        self.body = Mutex(body)
    }

    /// Calls for a turn.
    ///
    /// - Returns: whether the caller has to see to it that ``begin()`` is called; otherwise somebody else does.
    func call() -> Bool {
        state.withLock { state in
            switch state {
            case .idle:
                state = .called
                return true
            case .reading:
                state = .reading(isCalled: true)
                return false
            case .called, .ended:
                return false
            }
        }
    }

    /// Begins the turn that was called for. Only now may a snapshot be taken: one from before could miss the commit
    /// that called.
    ///
    /// - Returns: what to run; nil where the follower has left.
    func begin() -> Body? {
        let isDue = state.withLock { state in
            guard case .called = state else { return false }
            state = .reading(isCalled: false)
            return true
        }
        return isDue ? body.withLock(\.self) : nil
    }

    /// Ends the turn.
    ///
    /// - Returns: whether there is another one, which the caller has to see to as after ``call()``.
    func finish(wantsMore: Bool) -> Bool {
        state.withLock { state in
            guard case .reading(let isCalled) = state else { return false }
            state = isCalled || wantsMore ? .called : .idle
            return isCalled || wantsMore
        }
    }

    /// Ends everything; the body is let go.
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
