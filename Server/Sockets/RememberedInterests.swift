import NIOCore
import Synchronization

/// What sockets want to be told, by their recovery tickets: a client that is recovered goes on with what it wanted.
///
/// Only of those that do not want everything, so many at a time, and for a while after they are gone: a client whose wish
/// has been forgotten, as by a restart, is told of all that it may see.
final class RememberedInterests: Sendable {
    private struct Entry {
        var interest: Interest
        /// The socket that wants it. One that is only found to be gone when its client is back on another has no say.
        var socket: String
        /// When it is forgotten; nil while the socket is there.
        var until: NIODeadline?
        var stamp: Int
    }

    private struct State {
        var entries: [String: Entry] = [:]
        /// The oldest first; one whose stamp is not its entry's any more says nothing.
        var order: CircularBuffer<(ticket: String, stamp: Int)> = []
        var stamp = 0
    }

    private let capacity: Int
    private let lifetime: TimeAmount
    private let state = Mutex(State())

    init(capacity: Int = 10_000, lifetime: TimeAmount = .minutes(10)) {
        self.capacity = capacity
        self.lifetime = lifetime
    }

    /// A socket wants this from now on.
    func note(_ interest: Interest, of ticket: String, on socket: String) {
        state.withLock { state in
            guard interest != .everything else {
                state.entries[ticket] = nil
                return
            }
            state.stamp += 1
            state.entries[ticket] = Entry(interest: interest, socket: socket, until: nil, stamp: state.stamp)
            state.order.append((ticket, state.stamp))
            while state.entries.count > capacity || state.order.count > 2 * capacity, !state.order.isEmpty {
                let oldest = state.order.removeFirst()
                guard state.entries[oldest.ticket]?.stamp == oldest.stamp else { continue }
                if state.entries.count > capacity {
                    state.entries[oldest.ticket] = nil
                } else {
                    state.order.append(oldest)
                }
            }
        }
    }

    /// A client is back.
    ///
    /// - Returns: nil where it wants everything, as far as is known.
    func resume(_ ticket: String, on socket: String, at now: NIODeadline = .now()) -> Interest? {
        state.withLock { state in
            guard let entry = state.entries[ticket] else { return nil }
            if let until = entry.until, until <= now {
                state.entries[ticket] = nil
                return nil
            }
            state.entries[ticket]?.socket = socket
            state.entries[ticket]?.until = nil
            return entry.interest
        }
    }

    /// A socket is gone.
    func left(_ ticket: String, by socket: String, at now: NIODeadline = .now()) {
        state.withLock { state in
            guard state.entries[ticket]?.socket == socket else { return }
            state.entries[ticket]?.until = now + lifetime
        }
    }
}
