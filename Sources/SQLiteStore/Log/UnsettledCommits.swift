import ModelStore
import Synchronization

/// Commits of this process in which the disk has failed, and what was found out of them.
final class UnsettledCommits: Sendable {
    enum Knowledge {
        /// It is none of these.
        case foreign
        case open
        case settled(Settlement)
    }

    private struct State {
        var commits: [CommitReceipt: Knowledge] = [:]
        var last = 0
    }

    private let state = Mutex(State())

    /// Notes a commit, and names it: differently from those of every other store.
    func note() -> CommitReceipt {
        state.withLock { state in
            state.last += 1
            let receipt = CommitReceipt(rawValue: "\(UInt64.random(in: .min ... .max))-\(state.last)")
            state.commits[receipt] = .open
            return receipt
        }
    }

    func knowledge(of receipt: CommitReceipt) -> Knowledge {
        state.withLock { $0.commits[receipt] ?? .foreign }
    }

    func settle(_ receipt: CommitReceipt, as settlement: Settlement) {
        state.withLock { $0.commits[receipt] = .settled(settlement) }
    }
}
