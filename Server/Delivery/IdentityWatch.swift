import ModelStore
import NIOCore
import ServiceLifecycle
import SocketIOServer
import Synchronization

/// Makes open sockets follow the records of users and sessions, whatever else is in the log: it reads past everything
/// that is not about them, and waits for no delivery.
///
/// So a change takes effect ahead of the events before it that are still to be told, and those are then told to who the
/// socket is now. What the log says of a user before somebody's record was read is known to that reader already
/// (``Principal/readAt``), and is not applied again.
struct IdentityWatch: Service, CustomStringConvertible {
    let store: any Store
    let feed: IdentityFeed
    let start: Int64
    var description: String { "identity watch" }

    func run() async throws {
        let cursor = LogCursor(start)
        let subscription = store.follow { transaction, turn in
            let reading = try feed.next(transaction, after: cursor.sequence)
            cursor.sequence = reading.last
            guard !reading.changes.isEmpty else { return turn.end(wantsMore: reading.mayHoldMore) }
            let loops = Countdown(feed.server.hubs.count) {
                feed.told(reading)
                turn.end(wantsMore: reading.mayHoldMore)
            }
            for hub in feed.server.hubs {
                hub.eventLoop.execute {
                    feed.tell(reading, on: hub)
                    loops.countDown()
                }
            }
        }
        try? await gracefulShutdown()
        subscription.end()
    }
}

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
