import ModelStore
import RolecallProtocol
import SocketIOServer

/// What the log says of identities, on its way from the store to the event loops.
///
/// Two bring it, each at its own pace: ``IdentityWatch``, which waits for nothing else that stands in the log, and
/// ``LogReader``, which must not tell an event to an identity that had ended when the event was read. Each loop takes a
/// change from whoever comes first.
struct IdentityFeed: Sendable {
    /// Changes read at once, at most.
    private static let batchLimit = 256

    let association: Association
    let server: SocketIOServer
    let metrics: ServerMetrics

    /// Some changes, and how far the log has been looked through for them.
    struct Reading: Sendable {
        var changes: [IdentityChange] = []
        var last: Int64
        var mayHoldMore = false
    }

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

    /// Makes the loop's sockets be who they are by now; on the hub's loop.
    func tell(_ reading: Reading, on hub: SocketHub) {
        association.loops[hub.index].apply(reading, on: hub, association: association)
    }

    /// Every loop holds these changes: notes how long that took.
    func told(_ reading: Reading) {
        metrics.identities(reading, areToldAt: .now)
    }
}
