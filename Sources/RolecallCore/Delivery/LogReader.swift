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

    let store: any LogStore
    let server: SocketIOServer
    let receivers: Receivers
    let encoder: EventEncoder
    let metrics: DomainMetrics
    let identities: IdentityFeed
    let start: (log: LogCursor, identities: IdentityCursor)
    /// How often sockets that were sent nothing are sent the position, where the log has gone on.
    let positionInterval: TimeAmount
    var description: String { "log reader" }

    func run() async throws {
        let subscription = store.follow(
            from: start.log, identities: start.identities, limit: Self.batchLimit
        ) { news, turn in
            deliver(read(news), turn: turn)
        }
        let notices = server.hubs.map { hub in
            hub.eventLoop.scheduleRepeatedTask(initialDelay: positionInterval, delay: positionInterval) { _ in
                receivers.loops[hub.index].sendPosition(on: hub)
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
        var identities: IdentityReading
        var batches: [DeliveryBatch]
        /// By the loop's place, whether a class of receivers there is sent anything.
        var isConcerned: [Bool]
        /// By the loop's place, its ``LoopDelivery/arrivals`` before that was asked.
        var arrivals: [Int]
        /// When the first event was written; nil without events.
        var firstAt: String?
        /// Where the stretch begins, and why, if that is not where the one before has ended.
        var interruption: (place: LogCursor, reason: Gap.Reason)?
        /// Up to here all has been read. The last event can have a lower number: numbers can be missing at the log's
        /// end, too.
        var end: LogCursor
    }

    private func read(_ news: LogNews) -> Reading {
        let stretch = news.stretch
        let batches = Self.stretches(of: stretch.entries).map {
            DeliveryBatch(events: $0, in: stretch.end.era, encoder: encoder)
        }
        let arrivals = receivers.loops.map(\.arrivals)
        var isConcerned = arrivals.map { _ in stretch.interruption != nil }
        for (receiverClass, sockets) in receivers.census.classes {
            // Each is encoded for here, not on a loop.
            let isSentAny = batches.count { !$0.frames(for: receiverClass).isEmpty } > 0
            for loop in isConcerned.indices where isSentAny && sockets[loop] > 0 { isConcerned[loop] = true }
        }
        return Reading(
            identities: news.identities, batches: batches, isConcerned: isConcerned, arrivals: arrivals,
            firstAt: stretch.entries.first?.at, interruption: Self.reason(stretch).map { (stretch.start, $0) },
            end: stretch.end)
    }

    private static func reason(_ stretch: LogStretch) -> Gap.Reason? {
        switch stretch.interruption {
        case nil: nil
        case .retention: .retention
        case .setBack: .unknown
        }
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

    private func deliver(_ reading: Reading, turn: FollowerTurn) {
        let concerned = server.hubs.filter { !canSkip(loop: $0.index, reading) }
        let loops = Countdown(max(1, concerned.count)) {
            identities.recordDelay(of: reading.identities)
            metrics.delivered(from: reading.firstAt, through: reading.end.sequence, at: .now)
            turn.end()
        }
        if concerned.isEmpty { return loops.countDown() }
        for hub in concerned {
            hub.eventLoop.execute {
                // First of all: nothing is sent to an identity that had ended when it was read.
                identities.apply(reading.identities, on: hub) {
                    if let (place, reason) = reading.interruption {
                        receivers.loops[hub.index].interrupt(at: place, reason: reason, on: hub)
                    }
                    deliver(reading.batches[...], of: reading, on: hub, loops)
                }
            }
        }
    }

    /// Whether a loop has nothing to do for a reading; then its watermark has been moved on.
    private func canSkip(loop: Int, _ reading: Reading) -> Bool {
        guard reading.identities.entries.isEmpty, !reading.identities.isReset, !reading.isConcerned[loop] else {
            return false
        }
        return receivers.loops[loop].skip(
            to: reading.end, identities: reading.identities.cursor, since: reading.arrivals[loop])
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
        delivery.advance(to: reading.end)
        loops.countDown()
    }
}
