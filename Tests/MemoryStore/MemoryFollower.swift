import Dispatch
import ModelStore
import Synchronization

/// One who follows the log or the feed of identities, on a queue of its own.
final class MemoryFollower: Sendable {
    private enum State {
        case idle
        /// A turn is about to be looked for.
        case scheduled
        case reading(isScheduled: Bool)
        case ended
    }

    private let queue = DispatchQueue(label: "rolecall.memory.follower")
    private let state = Mutex(State.idle)
    /// Looks for news and shows them.
    ///
    /// - Returns: whether a turn has begun, which calls `finish` when it ends.
    private let show: @Sendable (_ finish: @escaping @Sendable () -> Void) throws -> Bool

    init(show: @escaping @Sendable (_ finish: @escaping @Sendable () -> Void) throws -> Bool) {
        self.show = show
    }

    func wake() {
        let isDue = state.withLock { state in
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
        if isDue { queue.async { self.run() } }
    }

    func end() { state.withLock { $0 = .ended } }

    private func run() {
        let isDue = state.withLock { state in
            guard case .scheduled = state else { return false }
            state = .reading(isScheduled: false)
            return true
        }
        guard isDue else { return }
        do {
            if try !show({ self.finish(isAgain: true) }) { finish(isAgain: false) }
        } catch {
            queue.asyncAfter(deadline: .now() + .milliseconds(20)) { self.finish(isAgain: true) }
        }
    }

    private func finish(isAgain: Bool) {
        let isDue = state.withLock { state in
            guard case .reading(let isScheduled) = state else { return false }
            state = isScheduled || isAgain ? .scheduled : .idle
            return isScheduled || isAgain
        }
        if isDue { queue.async { self.run() } }
    }
}
