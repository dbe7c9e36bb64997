import ModelStore
import NIOCore
import RolecallProtocol
import ServiceLifecycle
import SocketIOServer

/// Reads the log as it grows and tells it to the event loops: the only way by which an event comes to a socket live.
///
/// A stretch of the log is read and encoded where the store gives the turn, and each event loop that has somebody to tell
/// is woken once. The turn ends when every loop has told all of it: so what is on its way stays bounded while loops are
/// slow, and what is committed meanwhile is told together.
struct LogReader: Service, CustomStringConvertible {
    /// Events read and told at once, at most.
    private static let batchLimit = 256

    /// What one stretch holds, about, in bytes; an event alone can be larger.
    private static let stretchLimit = 1 << 20

    let store: any Store
    let server: SocketIOServer
    let association: Association
    let encoder: EventEncoder
    let census: ReceiverCensus
    let identities: IdentityFeed
    let start: Int64
    /// How often those who were sent nothing are told how far the log is, where it has gone on.
    let positionInterval: TimeAmount
    var description: String { "log reader" }

    func run() async throws {
        let cursor = LogCursor(start)
        let identityCursor = LogCursor(start)
        let subscription = store.follow { transaction, turn in
            let changes = try identities.all(transaction, after: identityCursor.sequence)
            let reading = try read(transaction, after: cursor.sequence, changes)
            identityCursor.sequence = changes.last
            cursor.sequence = reading.last
            tell(reading, turn: turn)
        }
        let notices = server.hubs.map { hub in
            hub.eventLoop.scheduleRepeatedTask(initialDelay: positionInterval, delay: positionInterval) { _ in
                association.loops[hub.index].tellPosition(of: association.logID, on: hub)
            }
        }
        try? await gracefulShutdown()
        subscription.end()
        for notice in notices { notice.cancel() }
        for hub in server.hubs {
            let delivery = association.loops[hub.index]
            try await hub.eventLoop.submit { delivery.stop() }.get()
        }
    }

    // MARK: Reading

    /// What one turn has read.
    private struct Reading: Sendable {
        /// Who somebody is, as far as the snapshot reaches that the events were read from.
        var identities: IdentityFeed.Reading
        var batches: [DeliveryBatch]
        /// By the loop's place, whether some audience there is told anything.
        var isConcerned: [Bool]
        /// By the loop's place, its ``LoopDelivery/arrivals`` before that was asked.
        var arrivals: [Int]
        /// When the first event was written; nil without events.
        var firstAt: String?
        /// Up to here all has been read. The last event can have a lower number: numbers can be missing at the log's
        /// end, too.
        var last: Int64
        var isNews: Bool
        var mayHoldMore: Bool
    }

    private func read(
        _ transaction: any ReadTransaction, after start: Int64, _ identities: IdentityFeed.Reading
    ) throws -> Reading {
        let events = try transaction.events(after: start, limit: Self.batchLimit)
        let mayHoldMore = events.count == Self.batchLimit
        let last = mayHoldMore ? events.last?.sequence ?? start : try transaction.latestSequence()
        let batches = Self.stretches(of: events).map { DeliveryBatch(events: $0, encoder: encoder) }
        let arrivals = association.loops.map(\.arrivals)
        var isConcerned = arrivals.map { _ in false }
        for (audience, sockets) in census.audiences {
            // Each is encoded for here, not on a loop.
            let isTold = batches.count { !$0.frames(for: audience).isEmpty } > 0
            for loop in isConcerned.indices where isTold && sockets[loop] > 0 { isConcerned[loop] = true }
        }
        return Reading(
            identities: identities, batches: batches, isConcerned: isConcerned, arrivals: arrivals,
            firstAt: events.first?.at, last: last, isNews: last != start, mayHoldMore: mayHoldMore)
    }

    /// Cuts where a stretch grows so large that a turn of the loop should not send all of it.
    static func stretches(of events: [ChangeRecord]) -> [[ChangeRecord]] {
        var stretches: [[ChangeRecord]] = []
        var size = 0
        for event in events {
            size += event.approximateSize
            if stretches.isEmpty || size > Self.stretchLimit {
                stretches.append([event])
                size = event.approximateSize
            } else {
                stretches[stretches.count - 1].append(event)
            }
        }
        return stretches
    }

    // MARK: Telling

    private func tell(_ reading: Reading, turn: LogTurn) {
        guard reading.isNews else { return turn.end() }
        let concerned = server.hubs.filter { !passes(by: $0.index, reading) }
        let loops = Countdown(max(1, concerned.count)) {
            identities.told(reading.identities)
            identities.metrics.delivered(from: reading.firstAt, through: reading.last, at: .now)
            turn.end(wantsMore: reading.mayHoldMore)
        }
        if concerned.isEmpty { return loops.countDown() }
        for hub in concerned {
            hub.eventLoop.execute {
                // First of all: nothing is told to an identity that had ended when it was read.
                identities.tell(reading.identities, on: hub)
                tell(reading.batches[...], of: reading, on: hub, loops)
            }
        }
    }

    /// Lets a loop be that has nothing to do for a reading.
    private func passes(by loop: Int, _ reading: Reading) -> Bool {
        guard reading.identities.changes.isEmpty, !reading.isConcerned[loop] else { return false }
        return association.loops[loop].pass(
            to: reading.last, identities: reading.identities.last, since: reading.arrivals[loop])
    }

    /// Tells one batch in this turn of the loop, and the others in later ones: each is flushed before the next.
    private func tell(
        _ batches: ArraySlice<DeliveryBatch>, of reading: Reading, on hub: SocketHub, _ loops: Countdown
    ) {
        let delivery = association.loops[hub.index]
        if let batch = batches.first { delivery.deliver(batch, on: hub) }
        let others = batches.dropFirst()
        guard others.isEmpty else {
            return hub.eventLoop.execute { tell(others, of: reading, on: hub, loops) }
        }
        delivery.advance(to: reading.last)
        loops.countDown()
    }
}
