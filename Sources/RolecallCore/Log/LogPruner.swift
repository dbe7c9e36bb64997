import Logging
import ModelStore
import RolecallProtocol
import ServiceLifecycle

/// Keeps the log as long as the configuration says, in small steps: no writer waits for it longer than for another row.
struct LogPruner: Service, CustomStringConvertible {
    /// How many entries go in one transaction, at most.
    private static let step = 500

    let store: any StoreUpkeep
    let node: LocalNode
    let retention: Retention
    /// How often it looks.
    let interval: Duration
    let logger: Logger
    var description: String { "log pruner" }

    func run() async throws {
        try? await cancelWhenGracefulShutdown {
            while !Task.isCancelled {
                do {
                    while try await prune() == Self.step { await Task.yield() }
                } catch is CancellationError {
                    return
                } catch {
                    // A lock, or a full disk; the log waits for the next time.
                    logger.warning("could not prune the log", metadata: ["error": .string("\(error)")])
                }
                try await Task.sleep(for: interval)
            }
        }
    }

    private func prune() async throws -> Int {
        // What has not been delivered yet stays, however much is written at once.
        guard let delivered = await node.deliveredCursor() else { return 0 }
        return try await store.prune(
            PruneOrder(
                before: retention.age.map {
                    Timestamp(milliseconds: Timestamp.now.milliseconds - Int64($0) * 1000)
                }, keeping: retention.events, through: delivered, limit: Self.step))
    }
}
