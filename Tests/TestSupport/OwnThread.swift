import Dispatch
import Testing

/// For tests that keep their thread for seconds, since they compute or block and never suspend.
///
/// Tests run on as many threads as there are cores. Those that never let go of theirs keep all others waiting, those
/// among them that have deadlines. Tests with this trait take turns on a thread beside those.
public struct OwnThread: TestTrait, SuiteTrait, TestScoping {
    private let executor: QueueExecutor

    public var isRecursive: Bool { true }

    public func provideScope(
        for test: Test, testCase: Test.Case?, performing function: @Sendable () async throws -> Void
    ) async throws {
        guard testCase != nil else { return try await function() }
        try await withTaskExecutorPreference(executor, operation: function)
    }

    fileprivate static let computing = OwnThread(executor: QueueExecutor("tests that compute"))
    fileprivate static let blocking = OwnThread(executor: QueueExecutor("tests that block"))
}

extension Trait where Self == OwnThread {
    public static var computes: Self { .computing }
    public static var blocks: Self { .blocking }
}

private final class QueueExecutor: TaskExecutor {
    private let queue: DispatchQueue

    init(_ label: String) {
        queue = DispatchQueue(label: label)
    }

    func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        queue.async { job.runSynchronously(on: self.asUnownedTaskExecutor()) }
    }
}
