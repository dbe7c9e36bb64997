import ModelStore
import NIOCore
import RolecallProtocol
import SocketIOServer

/// What the store says of identities, on its way to the sockets of the event loops.
///
/// Two readers bring it, each at its own pace: ``IdentityWatch``, which waits for nothing of the log, and ``LogReader``,
/// which must not send an event to an identity that had ended when the event was read. Each loop takes a change from the
/// reader that comes first.
struct IdentityFeed: Sendable {
    let association: Association
    let store: any IdentityStore
    let server: SocketIOServer
    let loops: [LoopDelivery]
    let metrics: DomainMetrics

    /// Makes the sockets of a loop follow the changes; what holds there already is left out. On the hub's loop.
    ///
    /// - Parameter body: called once they do, on the loop: mostly at once.
    func apply(_ reading: IdentityReading, on hub: SocketHub, then body: @escaping @Sendable () -> Void) {
        let loop = loops[hub.index]
        if reading.isReset, loop.identitiesHold != reading.cursor {
            Task {
                await reassess(hub)
                hub.eventLoop.execute {
                    loop.identitiesHold(reading.cursor)
                    body()
                }
            }
            return
        }
        let held = loop.identitiesHold
        var followers: [Socket] = []
        for entry in reading.entries where !held.covers(entry.mark) {
            loop.note(entry)
            switch entry.subject {
            case .user(let id, let record):
                for socket in hub.sockets(in: .user(id)) where isOlder(socket, than: entry.mark) {
                    if follow(record, on: socket) { followers.append(socket) }
                }
            case .sessionEnded(let id):
                for socket in hub.sockets(in: .session(id)) where isOlder(socket, than: entry.mark) {
                    association.disassociate(socket, reason: .signedOut)
                }
            case .memberships:
                // No rule goes by them.
                break
            }
        }
        // All changes of a reading first: a cursor that covers the last of a user's covers those before it, too.
        for socket in followers { socket.identity?.principal?.readAt = reading.cursor }
        loop.identitiesHold(reading.cursor)
        body()
    }

    /// Every loop holds these changes: records how long that took.
    func recordDelay(of reading: IdentityReading) {
        metrics.identities(reading, holdAt: .now)
    }

    /// - Returns: whether the socket is still the user's.
    private func follow(_ record: IdentityRecord?, on socket: Socket) -> Bool {
        guard let record else {
            association.disassociate(socket, reason: .userRemoved)
            return false
        }
        guard record.generation == socket.identity?.principal?.generation else {
            association.disassociate(socket, reason: .passwordChanged)
            return false
        }
        association.update(socket, to: record.summary)
        return true
    }

    /// Whether a socket's principal was read without a change. One that was read with it is as the record says by now,
    /// however late the feed is read.
    private func isOlder(_ socket: Socket, than mark: IdentityMark) -> Bool {
        socket.identity?.principal.map { !$0.readAt.covers(mark) } ?? false
    }
}
