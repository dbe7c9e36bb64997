import Synchronization

/// Lets tasks through while it is open; they wait while it is closed.
final class Gate: Sendable {
    private struct State {
        var isOpen = false
        var waiters: [AsyncStream<Void>.Continuation] = []
    }

    private let state = Mutex(State())

    func open() {
        let waiters = state.withLock { state in
            defer { state.waiters.removeAll() }
            state.isOpen = true
            return state.waiters
        }
        for waiter in waiters { waiter.finish() }
    }

    func close() {
        state.withLock { $0.isOpen = false }
    }

    /// - Throws: `CancellationError` when the task is cancelled.
    func wait() async throws {
        let (opened, waiter) = AsyncStream.makeStream(of: Void.self)
        let isOpen = state.withLock { state in
            if !state.isOpen { state.waiters.append(waiter) }
            return state.isOpen
        }
        if !isOpen {
            for await _ in opened {}
        }
        try Task.checkCancellation()
    }
}
