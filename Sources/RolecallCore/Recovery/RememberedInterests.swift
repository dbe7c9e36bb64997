import NIOCore
import Synchronization

/// What sockets want to be sent, by their recovery tickets: a client that is recovered goes on with what it wanted.
///
/// Only of sockets that have said so, bounded in bytes, and for a while after they are gone: a client whose interest has
/// been forgotten, as by a restart, is sent all that it may see.
package final class RememberedInterests: Sendable {
    private struct Entry {
        var interest: Interest
        /// When the socket that wants it came. One that came earlier, and is only found to be gone when its client is
        /// back on another, has no say any more.
        var since: NIODeadline
        /// When it is forgotten; nil while the socket is there.
        var until: NIODeadline?
        var size: Int
        var stamp: Int
    }

    private struct State {
        var entries: [String: Entry] = [:]
        /// The oldest first; one whose stamp is not its entry's any more says nothing.
        var order: CircularBuffer<(ticket: String, stamp: Int)> = []
        var size = 0
        var stamp = 0

        mutating func remove(_ ticket: String) {
            guard let entry = entries.removeValue(forKey: ticket) else { return }
            size -= entry.size
        }
    }

    /// What an entry takes besides its names, about.
    private static let overhead = 300

    private let capacity: Int
    private let lifetime: TimeAmount
    private let state = Mutex(State())

    /// - Parameter capacity: in bytes, about.
    init(capacity: Int = 8 << 20, lifetime: TimeAmount = .minutes(10)) {
        self.capacity = capacity
        self.lifetime = lifetime
    }

    /// A socket wants this from now on.
    ///
    /// - Parameter since: when the socket came.
    func note(_ interest: Interest, of ticket: String, since: NIODeadline) {
        state.withLock { state in
            if let entry = state.entries[ticket], entry.since > since { return }
            state.remove(ticket)
            let size = Self.overhead + (interest.name?.utf8.count ?? 0)
            state.stamp += 1
            state.entries[ticket] = Entry(
                interest: interest, since: since, until: nil, size: size, stamp: state.stamp)
            state.size += size
            state.order.append((ticket, state.stamp))
            while state.size > capacity, let oldest = state.order.popFirst() {
                if state.entries[oldest.ticket]?.stamp == oldest.stamp { state.remove(oldest.ticket) }
            }
            // Wishes that were replaced leave their places behind.
            if state.order.count > 2 * state.entries.count + 1000 {
                let entries = state.entries
                state.order.removeAll { entries[$0.ticket]?.stamp != $0.stamp }
            }
        }
    }

    /// A client is back.
    ///
    /// - Returns: nil where it wants everything, as far as is known.
    func resume(_ ticket: String, since: NIODeadline) -> Interest? {
        state.withLock { state in
            guard let entry = state.entries[ticket] else { return nil }
            if let until = entry.until, until <= since {
                state.remove(ticket)
                return nil
            }
            state.entries[ticket]?.since = since
            state.entries[ticket]?.until = nil
            return entry.interest
        }
    }

    /// A socket is gone.
    func left(_ ticket: String, since: NIODeadline, at now: NIODeadline = .now()) {
        state.withLock { state in
            if state.entries[ticket]?.since == since { state.entries[ticket]?.until = now + lifetime }
            while let oldest = state.order.first {
                let entry = state.entries[oldest.ticket]
                if let entry, entry.stamp == oldest.stamp {
                    guard let until = entry.until, until <= now else { return }
                    state.remove(oldest.ticket)
                }
                state.order.removeFirst()
            }
        }
    }
}
