import ModelStore
import NIOCore
import ServiceLifecycle
import SocketIOServer

/// Makes open sockets follow the records of users and sessions, whatever else is in the log: it reads past everything
/// that is not about them, and waits for no delivery.
///
/// So a change takes effect ahead of the events before it that are still to be delivered, and those are then judged by
/// the socket's new identity. What the log says of a user before a principal was read is in that principal already
/// (``Principal/readAt``), and is not applied again.
struct IdentityWatch: Service, CustomStringConvertible {
    let store: any Store
    let feed: IdentityFeed
    let server: SocketIOServer
    let start: Int64
    var description: String { "identity watch" }

    func run() async throws {
        let cursor = LogCursor(start)
        let subscription = store.follow { transaction, turn in
            let reading = try feed.next(transaction, after: cursor.sequence)
            cursor.sequence = reading.last
            guard !reading.changes.isEmpty else { return turn.end(wantsMore: reading.mayHoldMore) }
            let loops = Countdown(server.hubs.count) {
                feed.recordDelay(of: reading)
                turn.end(wantsMore: reading.mayHoldMore)
            }
            for hub in server.hubs {
                hub.eventLoop.execute {
                    feed.apply(reading, on: hub)
                    loops.countDown()
                }
            }
        }
        try? await gracefulShutdown()
        subscription.end()
    }
}
