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
        guard !loop.isResetting else { return loop.whenReset { apply(reading, on: hub, then: body) } }
        // One reader was slower than the other, which has brought the end of that era.
        guard !loop.isFormer(reading.cursor.era) else { return body() }
        if reading.isReset, loop.beginReset(to: reading.cursor) {
            Task {
                await reassess(hub)
                hub.eventLoop.execute {
                    loop.endReset(to: reading.cursor)
                    body()
                }
            }
            return
        }
        let held = loop.identitiesHold
        // Sockets that follow a change of this reading: what it holds of their users is in it in the order of the commits,
        // which its cursor does not tell.
        var following: Set<ObjectIdentifier> = []
        func isOlder(_ socket: Socket, than mark: IdentityMark) -> Bool {
            following.contains(ObjectIdentifier(socket)) || Self.isOlder(socket, than: mark)
        }
        for entry in reading.entries where !held.covers(entry.mark) {
            loop.note(entry, of: reading.cursor)
            switch entry.subject {
            case .user(let id, let record):
                for socket in hub.sockets(in: .user(id)) where isOlder(socket, than: entry.mark) {
                    follow(record, readAt: reading.cursor, on: socket)
                    following.insert(ObjectIdentifier(socket))
                }
            case .sessionEnded(let id):
                for socket in hub.sockets(in: .session(id)) where isOlder(socket, than: entry.mark) {
                    association.disassociate(socket, reason: .signedOut)
                }
            case .memberships(let memberships, let id):
                for socket in hub.sockets(in: .user(id)) where isOlder(socket, than: entry.mark) {
                    association.update(socket, toMemberships: memberships, readAt: reading.cursor)
                    following.insert(ObjectIdentifier(socket))
                }
            }
        }
        loop.identitiesHold(reading.cursor)
        body()
    }

    /// Every loop holds these changes: records how long that took.
    func recordDelay(of reading: IdentityReading) {
        metrics.identities(reading, holdAt: .now)
    }

    private func follow(_ record: IdentityRecord?, readAt cursor: IdentityCursor, on socket: Socket) {
        guard let record else { return association.disassociate(socket, reason: .userRemoved) }
        guard record.generation == socket.identity?.principal?.generation else {
            return association.disassociate(socket, reason: .passwordChanged)
        }
        association.update(socket, to: record.summary, readAt: cursor)
    }

    /// Whether a socket's principal was read without a change. One that was read with it is as the record says by now,
    /// however late the feed is read.
    private static func isOlder(_ socket: Socket, than mark: IdentityMark) -> Bool {
        socket.identity?.principal.map { !$0.readAt.covers(mark) } ?? false
    }
}
