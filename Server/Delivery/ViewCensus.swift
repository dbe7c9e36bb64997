import ModelStore
import Synchronization

/// The views that some socket has, over all event loops: what the log reader encodes an event for.
///
/// A view that is entered while a batch is on its way is missing from that batch's frames; the event loop that finds
/// a member then encodes them itself. So the census saves work and decides nothing.
final class ViewCensus: Sendable {
    private let counts = Mutex<[View: Int]>([:])

    func entered(_ view: View) {
        counts.withLock { $0[view, default: 0] += 1 }
    }

    func left(_ view: View) {
        counts.withLock { counts in
            guard let count = counts[view] else { return }
            counts[view] = count > 1 ? count - 1 : nil
        }
    }

    var views: [View] { counts.withLock { Array($0.keys) } }
}
