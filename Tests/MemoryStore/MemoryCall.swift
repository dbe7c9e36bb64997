import Foundation
import ModelStore
import Synchronization

/// When a call has to end, and whether its task still wants it.
final class MemoryCall: Sendable {
    private let deadline: ContinuousClock.Instant
    private let isCancelled = Atomic(false)

    private init(until deadline: ContinuousClock.Instant) {
        self.deadline = deadline
    }

    /// - Throws: `CancellationError` or ``StoreError/overdue`` where the call has to end.
    func check() throws {
        if isCancelled.load(ordering: .relaxed) { throw CancellationError() }
        if ContinuousClock.now >= deadline { throw StoreError.overdue }
    }

    /// Runs blocking work on a thread of its own.
    static func run<Output: Sendable>(
        until deadline: ContinuousClock.Instant, _ work: @escaping @Sendable (MemoryCall) throws -> Output
    ) async throws -> Output {
        let call = MemoryCall(until: deadline)
        try Task.checkCancellation()
        return try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                Thread.detachNewThread {
                    continuation.resume(
                        with: Result {
                            try call.check()
                            return try work(call)
                        })
                }
            }
        } onCancel: {
            call.isCancelled.store(true, ordering: .relaxed)
        }
    }
}
