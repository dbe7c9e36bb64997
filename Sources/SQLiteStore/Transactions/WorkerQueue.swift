import Dispatch
import Synchronization

/// Runs blocking work on a few threads at most, in the order in which it comes.
///
/// A connection pool's own asynchronous calls hand each piece of work from one queue to the next, which costs more than
/// a short read itself.
final class WorkerQueue: Sendable {
    private struct State {
        var waiting: [@Sendable () -> Void] = []
        var workers = 0
    }

    private let width: Int
    private let queue: DispatchQueue
    private let state = Mutex(State())

    /// - Parameter width: how many pieces of work may be under way at the same time.
    init(label: String, width: Int) {
        self.width = width
        queue = DispatchQueue(label: label, qos: .userInitiated, attributes: .concurrent)
    }

    /// The work's result, if it begins by the deadline. Work that has begun is brought to its end.
    ///
    /// - Throws: what the work throws; ``StoreError/overdue``; `CancellationError` where the task is cancelled.
    func run<Output: Sendable>(
        _ control: CallControl, _ work: @escaping @Sendable () throws -> Output
    ) async throws -> Output {
        try await PendingCall<Output>().answer(control) { call in !schedule { call.run(work) } }
    }

    /// Runs the work when its turn comes.
    ///
    /// - Returns: whether that is now.
    @discardableResult
    func schedule(_ work: @escaping @Sendable () -> Void) -> Bool {
        let needsWorker = state.withLock { state in
            guard state.workers < width else {
                state.waiting.append(work)
                return false
            }
            state.workers += 1
            return true
        }
        guard needsWorker else { return false }
        queue.async {
            work()
            while let next = self.next() { next() }
        }
        return true
    }

    /// What to do next; nil ends the worker.
    private func next() -> (@Sendable () -> Void)? {
        state.withLock { state in
            guard !state.waiting.isEmpty else {
                state.workers -= 1
                return nil
            }
            return state.waiting.removeFirst()
        }
    }
}
