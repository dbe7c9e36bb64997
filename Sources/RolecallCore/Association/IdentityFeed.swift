import ModelStore
import RolecallProtocol
import SocketIOServer

/// What the log says of identities, on its way from the store to the event loops.
///
/// Two readers bring it, each at its own pace: ``IdentityWatch``, which waits for nothing else that stands in the log,
/// and ``LogReader``, which must not send an event to an identity that had ended when the event was read. Each loop takes
/// a change from the reader that comes first.
struct IdentityFeed: Sendable {
    /// Changes read at once, at most.
    private static let batchLimit = 256

    let association: Association
    let loops: [LoopDelivery]
    let metrics: DomainMetrics

    /// Some changes, and how far the log has been looked through for them.
    struct Reading: Sendable {
        var changes: [IdentityChange] = []
        var last: Int64
        var mayHoldMore = false
    }

    // MARK: Reading

    /// The next changes.
    func next(_ transaction: any ReadTransaction, after sequence: Int64) throws -> Reading {
        let changes = try transaction.identityChanges(after: sequence, limit: Self.batchLimit)
        guard changes.count == Self.batchLimit, let last = changes.last?.sequence else {
            return Reading(changes: changes, last: max(sequence, try transaction.latestSequence()))
        }
        return Reading(changes: changes, last: last, mayHoldMore: true)
    }

    /// All changes that the transaction sees.
    func all(_ transaction: any ReadTransaction, after sequence: Int64) throws -> Reading {
        var reading = try next(transaction, after: sequence)
        while reading.mayHoldMore {
            let more = try next(transaction, after: reading.last)
            reading = Reading(changes: reading.changes + more.changes, last: more.last, mayHoldMore: more.mayHoldMore)
        }
        return reading
    }

    // MARK: Applying

    /// Makes the sockets of a loop follow the changes; what holds there already is left out. On the hub's loop.
    func apply(_ reading: Reading, on hub: SocketHub) {
        let loop = loops[hub.index]
        let identitiesHold = loop.identitiesHold
        for change in reading.changes where change.sequence > identitiesHold {
            loop.note(change)
            switch change.subject {
            case .user(let id, let row): follow(row, of: id, since: change.sequence, on: hub)
            case .session(let id):
                for socket in hub.sockets(in: .session(id)) where isOlder(socket, than: change.sequence) {
                    association.disassociate(socket, reason: .signedOut)
                }
            }
        }
        loop.identitiesHold(through: reading.last)
    }

    /// Every loop holds these changes: records how long that took.
    func recordDelay(of reading: Reading) {
        metrics.identities(reading, holdAt: .now)
    }

    private func follow(_ row: Row?, of id: Int64, since sequence: Int64, on hub: SocketHub) {
        let user = row.flatMap(UserImage.init)
        for socket in hub.sockets(in: .user(id)) where isOlder(socket, than: sequence) {
            guard let user else {
                association.disassociate(socket, reason: .userRemoved)
                continue
            }
            if user.generation == socket.identity?.principal?.generation {
                association.update(socket, to: user.summary, readAt: sequence)
            } else {
                association.disassociate(socket, reason: .passwordChanged)
            }
        }
    }

    /// Whether a socket's principal was read before a change. One that was read later is as the record says by now,
    /// however late the log is read.
    private func isOlder(_ socket: Socket, than sequence: Int64) -> Bool {
        socket.identity?.principal.map { $0.readAt < sequence } ?? false
    }
}

/// A user as the log shows him.
private struct UserImage {
    var summary: UserSummary
    var generation: Int64

    init?(_ row: Row) {
        guard case .integer(let id) = row["_id"], case .text(let email) = row["email"],
            case .text(let name) = row["name"], case .text(let role) = row["role"],
            case .integer(let generation) = row["generation"]
        else { return nil }
        summary = UserSummary(id: id, email: email, name: name, role: role)
        self.generation = generation
    }
}
