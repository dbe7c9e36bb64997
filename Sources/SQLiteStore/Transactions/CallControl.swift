import GRDB
import GRDBSQLite
import ModelStore
import Synchronization

/// When a call has to end, and whether its task still wants it.
final class CallControl: Sendable {
    let deadline: ContinuousClock.Instant
    private let isCancelled = Atomic(false)

    init(until deadline: ContinuousClock.Instant) {
        self.deadline = deadline
    }

    var isOver: Bool { isCancelled.load(ordering: .relaxed) || ContinuousClock.now >= deadline }

    func cancel() { isCancelled.store(true, ordering: .relaxed) }

    /// - Throws: `CancellationError` or ``StoreError/overdue`` where the call has to end.
    func check() throws {
        if isCancelled.load(ordering: .relaxed) { throw CancellationError() }
        if ContinuousClock.now >= deadline { throw StoreError.overdue }
    }
}

/// A call that waits for its turn on some queue. It is answered once: by its work, or because it had to end before that
/// began.
final class PendingCall<Output: Sendable>: Sendable {
    private enum State {
        case new
        /// - Parameter watch: its entry in ``OverdueCalls``, once it has one.
        case waiting(CheckedContinuation<Output, any Error>, watch: OverdueCalls.ID?)
        case over(any Error)
        case begun
    }

    private let state = Mutex(State.new)

    /// Waits for the answer.
    ///
    /// - Parameter schedule: sees to it that ``run(_:)`` is called when the call's turn comes, and says whether that can
    ///   take a while.
    func answer(_ control: CallControl, schedule: (PendingCall) -> Bool) async throws -> Output {
        try Task.checkCancellation()
        return try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                let over = state.withLock { state -> (any Error)? in
                    if case .over(let error) = state { return error }
                    state = .waiting(continuation, watch: nil)
                    return nil
                }
                if let over { return continuation.resume(throwing: over) }
                guard schedule(self) else { return }
                watch(until: control.deadline)
            }
        } onCancel: {
            control.cancel()
            giveUp(CancellationError())
        }
    }

    /// Does the work, unless the call had to end before.
    func run(_ work: () throws -> Output) {
        guard let continuation = begin() else { return }
        continuation.resume(with: Result(catching: work))
    }

    private func begin() -> CheckedContinuation<Output, any Error>? {
        let waiting = state.withLock { state -> (CheckedContinuation<Output, any Error>, watch: OverdueCalls.ID?)? in
            guard case .waiting(let continuation, let watch) = state else { return nil }
            state = .begun
            return (continuation, watch)
        }
        if let watch = waiting?.watch { OverdueCalls.shared.forget(watch) }
        return waiting?.0
    }

    /// Gives up once the deadline has passed. The call may have begun, or have ended, meanwhile.
    private func watch(until deadline: ContinuousClock.Instant) {
        let watch = OverdueCalls.shared.watch(until: deadline) { self.giveUp(StoreError.overdue) }
        let isWaiting = state.withLock { state in
            guard case .waiting(let continuation, _) = state else { return false }
            state = .waiting(continuation, watch: watch)
            return true
        }
        if !isWaiting { OverdueCalls.shared.forget(watch) }
    }

    /// Answers with an error, if the work has not begun.
    private func giveUp(_ error: any Error) {
        let waiting = state.withLock { state -> (CheckedContinuation<Output, any Error>, watch: OverdueCalls.ID?)? in
            switch state {
            case .waiting(let continuation, let watch):
                state = .over(error)
                return (continuation, watch)
            case .new:
                state = .over(error)
                return nil
            case .over, .begun:
                return nil
            }
        }
        if let watch = waiting?.watch { OverdueCalls.shared.forget(watch) }
        waiting?.0.resume(throwing: error)
    }
}

extension Database {
    /// Runs a body whose statements are interrupted once the call has to end; with nil, one that nothing interrupts.
    ///
    /// The body stands inside a transaction: SQLite counts its instructions over all runs of a cached statement, so
    /// that the interrupt can come in any of them, and `BEGIN` or `COMMIT` could fail after it was done.
    func controlled<Output>(by control: CallControl?, _ body: () throws -> Output) throws -> Output {
        guard let control else { return try body() }
        try control.check()
        // Nil once the database is closed; the statement that follows says so.
        guard let sqliteConnection else { return try body() }
        // Some microseconds' worth of SQLite's own instructions.
        sqlite3_progress_handler(
            sqliteConnection, 2000,
            { pointer in
                guard let pointer else { return 0 }
                return Unmanaged<CallControl>.fromOpaque(pointer).takeUnretainedValue().isOver ? 1 : 0
            }, Unmanaged.passUnretained(control).toOpaque())
        defer { sqlite3_progress_handler(sqliteConnection, 0, nil, nil) }
        do {
            return try body()
        } catch let error as DatabaseError where error.resultCode == .SQLITE_INTERRUPT {
            try control.check()
            throw error
        }
    }
}
