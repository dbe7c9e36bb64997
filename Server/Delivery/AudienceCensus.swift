import Synchronization

/// The audiences that some socket belongs to, over all event loops: what the log reader encodes an event for.
///
/// An audience that is entered while a batch is on its way is missing from that batch's frames; the event loop that
/// finds a member then encodes them itself. So the census saves work and decides nothing.
final class AudienceCensus: Sendable {
    private let counts = Mutex<[Audience: Int]>([:])

    func entered(_ audience: Audience) {
        counts.withLock { $0[audience, default: 0] += 1 }
    }

    func left(_ audience: Audience) {
        counts.withLock { counts in
            guard let count = counts[audience] else { return }
            counts[audience] = count > 1 ? count - 1 : nil
        }
    }

    var audiences: [Audience] { counts.withLock { Array($0.keys) } }
}
