import Synchronization

/// The audiences that some socket belongs to, over all event loops: what the log reader encodes an event for, and which
/// loops have to hear of it.
///
/// An audience that is entered while a batch is on its way is missing from that batch's frames; the event loop that
/// finds a member then encodes them itself. So the census saves work and decides nothing: whether a loop may be passed
/// by is ``LoopDelivery/pass(to:identities:since:)``'s to say.
final class ReceiverCensus: Sendable {
    /// How many sockets each audience has, by the event loop's place.
    private let counts = Mutex<[ReceiverClass: [Int]]>([:])
    private let loopCount: Int

    init(loopCount: Int) {
        self.loopCount = loopCount
    }

    func entered(_ audience: ReceiverClass, on loop: Int) {
        counts.withLock { $0[audience, default: Array(repeating: 0, count: loopCount)][loop] += 1 }
    }

    func left(_ audience: ReceiverClass, on loop: Int) {
        counts.withLock { counts in
            guard var left = counts.removeValue(forKey: audience) else { return }
            left[loop] -= 1
            if left.contains(where: { $0 > 0 }) { counts[audience] = left }
        }
    }

    /// Each audience, with how many sockets it has by the event loop's place.
    var audiences: [(audience: ReceiverClass, sockets: [Int])] {
        counts.withLock { $0.map { (audience: $0.key, sockets: $0.value) } }
    }
}
