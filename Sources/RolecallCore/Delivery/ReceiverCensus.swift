import Synchronization

/// The classes that live sockets belong to, over all event loops: what the log reader encodes an event for, and which
/// loops it concerns.
///
/// A class that is entered while a batch is on its way is missing from that batch's frames; the event loop that finds a
/// member then encodes them itself. So the census saves work and decides nothing: whether a loop may be skipped is
/// ``LoopDelivery/skip(to:identities:since:)``'s to say.
final class ReceiverCensus: Sendable {
    /// How many sockets each class has, by the event loop's place.
    private let counts = Mutex<[ReceiverClass: [Int]]>([:])
    private let loopCount: Int

    init(loopCount: Int) {
        self.loopCount = loopCount
    }

    func entered(_ receiverClass: ReceiverClass, on loop: Int) {
        counts.withLock { $0[receiverClass, default: Array(repeating: 0, count: loopCount)][loop] += 1 }
    }

    func left(_ receiverClass: ReceiverClass, on loop: Int) {
        counts.withLock { counts in
            guard var left = counts.removeValue(forKey: receiverClass) else { return }
            left[loop] -= 1
            if left.contains(where: { $0 > 0 }) { counts[receiverClass] = left }
        }
    }

    /// Each class, with how many sockets it has by the event loop's place.
    var classes: [(receiverClass: ReceiverClass, sockets: [Int])] {
        counts.withLock { $0.map { (receiverClass: $0.key, sockets: $0.value) } }
    }
}
