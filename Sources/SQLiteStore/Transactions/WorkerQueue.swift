import Dispatch
import Synchronization

/// Runs blocking work on a few threads at most, in the order in which it comes.
///
/// A connection pool's own asynchronous calls hand each piece of work from one queue to the next, which costs more than
/// a short read itself.
final class WorkerQueue: Sendable {
    private struct State {
        var waiting: [@Sendable () -> Void] = []
        var idle: [DispatchQueue]
    }

    private let state: Mutex<State>

    /// - Parameter width: how many pieces of work may be under way at the same time.
    init(label: String, width: Int) {
        // Dispatch starts a thread for a serial queue at once. The work of concurrent queues shares about as many threads
        // as there are cores, with all other concurrent queues of the process: one kind of reading would wait for
        // another there.
        let workers = (0..<width).map { DispatchQueue(label: "\(label).\($0)", qos: .userInitiated) }
        state = Mutex(State(idle: workers))
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
        let worker = state.withLock { state in
            let worker = state.idle.popLast()
            if worker == nil { state.waiting.append(work) }
            return worker
        }
        guard let worker else { return false }
        worker.async {
            work()
            while let next = self.next(for: worker) { next() }
        }
        return true
    }

    /// What to do next; nil where nothing waits: the worker is idle from then on.
    private func next(for worker: DispatchQueue) -> (@Sendable () -> Void)? {
        state.withLock { state in
            guard !state.waiting.isEmpty else {
                state.idle.append(worker)
                return nil
            }
            return state.waiting.removeFirst()
        }
    }
}
