import Logging
import ModelStore
import NIOCore
import RolecallProtocol
import ServiceLifecycle
import SocketIOServer

/// Reads the log as it grows and tells it to the event loops: the only way by which an event comes to a socket live.
struct LogReader: Service, CustomStringConvertible {
    /// Events read and told at once, at most.
    private static let batchLimit = 256

    /// What one stretch holds, about, in bytes; an event alone can be larger.
    private static let stretchLimit = 1 << 20

    let store: any Store
    let server: SocketIOServer
    let association: Association
    let encoder: EventEncoder
    let census: ViewCensus
    let start: Int64
    let logger: Logger
    var description: String { "log reader" }

    func run() async throws {
        guard let hub = server.hubs.first else { return }
        // Between two reads there is nothing to do but to tell the event loops; the work of a stretch, its reading and
        // encoding, is done where the store reads.
        try await withTaskExecutorPreference(hub.taskExecutor) { try await follow() }
    }

    private func follow() async throws {
        var cursor = start
        for await _ in store.changes().cancelOnGracefulShutdown() {
            cursor = await follow(from: cursor)
        }
        for hub in server.hubs {
            let delivery = association.loops[hub.index]
            try await hub.eventLoop.submit { delivery.stop() }.get()
        }
    }

    /// Tells all that stands in the log behind `start`, and returns where that ends.
    private func follow(from start: Int64) async -> Int64 {
        var cursor = start
        while !Task.isCancelled, !Task.isShuttingDownGracefully {
            let snapshot: Snapshot<(batches: [DeliveryBatch], count: Int, last: Int64)>
            do {
                let (after, encoder, census) = (cursor, encoder, census)
                snapshot = try await store.read { transaction in
                    let events = try transaction.events(after: after, limit: Self.batchLimit)
                    let views = census.views
                    let batches = Self.stretches(of: events).map {
                        DeliveryBatch(events: $0, views: views, encoder: encoder)
                    }
                    return (batches, events.count, events.last?.sequence ?? after)
                }
            } catch is CancellationError {
                break
            } catch {
                // Nothing is skipped: the same stretch is read again.
                logger.error("the log can't be read; trying again", metadata: ["error": .string("\(error)")])
                try? await Task.sleep(for: .milliseconds(200))
                continue
            }
            for batch in snapshot.value.batches { await deliver(batch) }
            guard snapshot.value.count == Self.batchLimit else {
                // There are no more up to the snapshot's own position.
                if snapshot.position.sequence > cursor { await advance(to: snapshot.position.sequence) }
                return snapshot.position.sequence
            }
            cursor = snapshot.value.last
        }
        return cursor
    }

    /// Cuts before each change of a user, so that identities change exactly where the log says, and where a stretch
    /// grows so large that a turn of the loop should not send all of it.
    static func stretches(of events: [ModelStore.LogEvent]) -> [[ModelStore.LogEvent]] {
        var stretches: [[ModelStore.LogEvent]] = []
        var size = 0
        for event in events {
            size += event.approximateSize
            if event.model == ModelName.user || stretches.isEmpty || size > Self.stretchLimit {
                stretches.append([event])
                size = event.approximateSize
            } else {
                stretches[stretches.count - 1].append(event)
            }
        }
        return stretches
    }

    private func advance(to sequence: Int64) async {
        for hub in server.hubs {
            let delivery = association.loops[hub.index]
            try? await hub.eventLoop.submit { delivery.advance(to: sequence) }.get()
        }
    }

    private func deliver(_ batch: DeliveryBatch) async {
        let told = server.hubs.map { hub in
            let delivery = association.loops[hub.index]
            return hub.eventLoop.submit { delivery.deliver(batch, on: hub, association: association) }
        }
        // The next batch waits for the slowest loop: what is on its way stays bounded.
        for future in told { try? await future.get() }
    }
}
