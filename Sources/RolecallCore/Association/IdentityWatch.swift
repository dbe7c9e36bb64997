import ModelStore
import NIOCore
import ServiceLifecycle
import SocketIOServer

/// Makes open sockets follow the records of users and sessions. It follows the identity feed, and waits for nothing of the
/// log and for no delivery.
///
/// So a change takes effect ahead of the events before it that are still to be delivered, and those are then judged by
/// the socket's new identity. What a principal was read with (``Principal/readAt``) is not applied again.
struct IdentityWatch: Service, CustomStringConvertible {
    let store: any IdentityStore
    let feed: IdentityFeed
    let server: SocketIOServer
    let start: IdentityCursor
    var description: String { "identity watch" }

    func run() async throws {
        let subscription = store.followIdentities(from: start) { reading, turn in
            guard !reading.entries.isEmpty || reading.isReset else { return turn.end() }
            let loops = Countdown(server.hubs.count) {
                feed.recordDelay(of: reading)
                turn.end()
            }
            for hub in server.hubs {
                hub.eventLoop.execute { feed.apply(reading, on: hub) { loops.countDown() } }
            }
        }
        try? await gracefulShutdown()
        subscription.end()
    }
}
