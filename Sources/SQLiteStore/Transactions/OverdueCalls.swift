import Dispatch
import Synchronization

/// The deadlines of calls that wait for their turn, and what to do when one passes. One timer serves all of them; it runs
/// while any call waits.
final class OverdueCalls: Sendable {
    typealias ID = UInt64

    static let shared = OverdueCalls()
    /// How long after its deadline a call can be given up.
    private static let interval = DispatchTimeInterval.milliseconds(20)

    private struct Entry {
        var deadline: ContinuousClock.Instant
        var giveUp: @Sendable () -> Void
    }

    private struct State {
        var entries: [ID: Entry] = [:]
        var nextID: ID = 0
        var hasTimer = false
    }

    private let state = Mutex(State())
    /// Serial, so that it does not wait for other work of the process.
    private let timer = DispatchQueue(label: "rolecall.sqlite.overdue", qos: .userInitiated)

    /// Runs `giveUp` once the deadline has passed, on a thread of the timer, unless the entry is forgotten before.
    ///
    /// - Returns: the entry, for ``forget(_:)``: until then it keeps `giveUp`.
    func watch(until deadline: ContinuousClock.Instant, _ giveUp: @escaping @Sendable () -> Void) -> ID {
        let (id, needsTimer) = state.withLock { state in
            defer {
                state.nextID += 1
                state.hasTimer = true
            }
            state.entries[state.nextID] = Entry(deadline: deadline, giveUp: giveUp)
            return (state.nextID, !state.hasTimer)
        }
        if needsTimer { look() }
        return id
    }

    /// Releases an entry; one that is gone already is no mistake.
    func forget(_ id: ID) {
        // Outside of the lock: whatever the closure holds may end with it.
        let released = state.withLock { $0.entries.removeValue(forKey: id) }
        _ = released
    }

    private func look() {
        timer.asyncAfter(deadline: .now() + Self.interval) {
            let now = ContinuousClock.now
            let (due, goesOn) = self.state.withLock { state in
                let due = state.entries.filter { $0.value.deadline <= now }
                for id in due.keys { state.entries.removeValue(forKey: id) }
                state.hasTimer = !state.entries.isEmpty
                return (due.values, state.hasTimer)
            }
            for entry in due { entry.giveUp() }
            if goesOn { self.look() }
        }
    }
}
