import Synchronization

/// Where a follower's reading has come to. One turn at a time uses it, each on a thread of its own.
final class LogCursor: Sendable {
    private let value: Atomic<Int64>

    init(_ sequence: Int64) {
        value = Atomic(sequence)
    }

    var sequence: Int64 {
        get { value.load(ordering: .acquiring) }
        set { value.store(newValue, ordering: .releasing) }
    }
}

/// Runs something once so many have come to their end.
final class Countdown: Sendable {
    private let left: Atomic<Int>
    private let atZero: @Sendable () -> Void

    /// - Parameter count: 1 or more.
    init(_ count: Int, atZero: @escaping @Sendable () -> Void) {
        left = Atomic(count)
        self.atZero = atZero
    }

    func countDown() {
        if left.subtract(1, ordering: .acquiringAndReleasing).newValue == 0 { atZero() }
    }
}
