import ModelStore
import Synchronization

/// Commits of this process in which the disk has failed, and what was found out of them.
final class UnsettledCommits: Sendable {
    private struct State {
        var settlements: [CommitReceipt: Settlement?] = [:]
        var next = 0
    }

    private let state = Mutex(State())

    /// The commit by a name.
    func note(_ commit: CutOffCommit) -> CommitReceipt {
        state.withLock { state in
            state.next += 1
            let receipt = CommitReceipt(rawValue: "\(ObjectIdentifier(self).hashValue)-\(state.next)")
            state.settlements[receipt] = .some(nil)
            return receipt
        }
    }

    /// - Returns: nil for a commit that is none of these; inside it, nil for one that is not settled yet.
    func settlement(of receipt: CommitReceipt) -> Settlement?? {
        state.withLock { $0.settlements[receipt] }
    }

    func settle(_ receipt: CommitReceipt, as settlement: Settlement) {
        state.withLock { $0.settlements[receipt] = .some(settlement) }
    }
}
