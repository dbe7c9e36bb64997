import ModelStore
import NIOCore
import RolecallProtocol
import ServiceLifecycle
import SocketIOServer

/// Reads the log as it grows and delivers it to the event loops: the only way by which an event comes to a socket live.
///
/// A stretch of the log is read and encoded where the store gives the turn, and each event loop that it concerns is woken
/// once. The turn ends when every loop has delivered all of it: so what is on its way stays bounded while loops are slow,
/// and what is committed meanwhile is delivered together.
struct LogReader: Service, CustomStringConvertible {
    /// Events read and delivered at once, at most.
    private static let batchLimit = 256

    /// What one stretch holds, about, in bytes; an event alone can be larger.
    private static let stretchLimit = 1 << 20

    let store: any Store
    let server: SocketIOServer
    let receivers: Receivers
    let encoder: EventEncoder
    let metrics: DomainMetrics
    let identities: IdentityFeed
    let start: Int64
    /// How often sockets that were sent nothing are sent the position, where the log has gone on.
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
            deliver(reading, turn: turn)
        }
        let notices = server.hubs.map { hub in
            hub.eventLoop.scheduleRepeatedTask(initialDelay: positionInterval, delay: positionInterval) { _ in
                receivers.loops[hub.index].sendPosition(of: store.logID, on: hub)
            }
        }
        try? await gracefulShutdown()
        subscription.end()
        for notice in notices { notice.cancel() }
        for hub in server.hubs {
            let delivery = receivers.loops[hub.index]
            try await hub.eventLoop.submit { delivery.stop() }.get()
        }
    }

    // MARK: Reading

    /// What one turn has read.
    private struct Reading: Sendable {
        /// The changes of identities, as far as the snapshot reaches that the events were read from.
        var identities: IdentityFeed.Reading
        var batches: [DeliveryBatch]
        /// By the loop's place, whether a class of receivers there is sent anything.
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
        let arrivals = receivers.loops.map(\.arrivals)
        var isConcerned = arrivals.map { _ in false }
        for (receiverClass, sockets) in receivers.census.classes {
            // Each is encoded for here, not on a loop.
            let isSentAny = batches.count { !$0.frames(for: receiverClass).isEmpty } > 0
            for loop in isConcerned.indices where isSentAny && sockets[loop] > 0 { isConcerned[loop] = true }
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

    // MARK: Delivering

    private func deliver(_ reading: Reading, turn: LogTurn) {
        guard reading.isNews else { return turn.end() }
        let concerned = server.hubs.filter { !canSkip(loop: $0.index, reading) }
        let loops = Countdown(max(1, concerned.count)) {
            identities.recordDelay(of: reading.identities)
            metrics.delivered(from: reading.firstAt, through: reading.last, at: .now)
            turn.end(wantsMore: reading.mayHoldMore)
        }
        if concerned.isEmpty { return loops.countDown() }
        for hub in concerned {
            hub.eventLoop.execute {
                // First of all: nothing is sent to an identity that had ended when it was read.
                identities.apply(reading.identities, on: hub)
                deliver(reading.batches[...], of: reading, on: hub, loops)
            }
        }
    }

    /// Whether a loop has nothing to do for a reading; then its watermark has been moved on.
    private func canSkip(loop: Int, _ reading: Reading) -> Bool {
        guard reading.identities.changes.isEmpty, !reading.isConcerned[loop] else { return false }
        return receivers.loops[loop].skip(
            to: reading.last, identities: reading.identities.last, since: reading.arrivals[loop])
    }

    /// Sends one batch in this turn of the loop, and the others in later ones: each is flushed before the next.
    private func deliver(
        _ batches: ArraySlice<DeliveryBatch>, of reading: Reading, on hub: SocketHub, _ loops: Countdown
    ) {
        let delivery = receivers.loops[hub.index]
        if let batch = batches.first { delivery.deliver(batch, on: hub) }
        let others = batches.dropFirst()
        guard others.isEmpty else {
            return hub.eventLoop.execute { deliver(others, of: reading, on: hub, loops) }
        }
        delivery.advance(to: reading.last)
        loops.countDown()
    }
}
