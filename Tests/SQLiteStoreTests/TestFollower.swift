import ModelStore
import Synchronization
import Testing

@testable import SQLiteStore

/// Follows a store's log as the server does: from where it was on, up to a limit in each turn.
final class TestFollower: Sendable {
    struct Seen {
        var turns = 0
        var sequences: [Int64] = []
        /// The `name` of each event's row.
        var names: [String] = []
        /// Whether a turn has begun before the one before it had ended.
        var overlapped = false
    }

    private struct State {
        var seen = Seen()
        var turn: (LogFollower.Turn, wantsMore: Bool)?
        var isReading = false
        var failures: Int
    }

    private struct Failure: Error {}

    private let state: Mutex<State>
    private let subscription = Mutex<LogSubscription?>(nil)

    var seen: Seen { state.withLock { $0.seen } }

    /// - Parameters:
    ///   - endsTurns: whether each turn ends as soon as it has read; otherwise ``endTurn()`` ends it.
    ///   - failures: how many turns fail at first.
    init(_ store: SQLiteDatabaseStore, limit: Int = 1000, endsTurns: Bool = true, failures: Int = 0) {
        state = Mutex(State(failures: failures))
        let subscription = store.followers.add { [weak self] transaction, turn in
            guard let self else { return turn.end() }
            let (after, fails) = begin()
            if fails { throw Failure() }
            let events = try transaction.events(after: after, limit: limit)
            let wantsMore = events.count == limit
            state.withLock { state in
                state.seen.sequences += events.map(\.sequence)
                state.seen.names += events.map { event in
                    guard case .text(let name) = (event.after ?? event.before)?["name"] else { return "" }
                    return name
                }
                if endsTurns { state.isReading = false } else { state.turn = (turn, wantsMore) }
            }
            if endsTurns { turn.end(wantsMore: wantsMore) }
        }
        self.subscription.withLock { $0 = subscription }
    }

    deinit {
        leave()
    }

    private func begin() -> (after: Int64, fails: Bool) {
        state.withLock { state in
            state.seen.turns += 1
            if state.failures > 0 {
                state.failures -= 1
                return (0, true)
            }
            if state.isReading { state.seen.overlapped = true }
            state.isReading = true
            return (state.seen.sequences.last ?? 0, false)
        }
    }

    /// Ends the turn that lasts, if one does.
    func endTurn() {
        let ended = state.withLock { state -> (LogFollower.Turn, wantsMore: Bool)? in
            guard let turn = state.turn else { return nil }
            state.turn = nil
            state.isReading = false
            return turn
        }
        ended?.0.end(wantsMore: ended?.wantsMore ?? false)
    }

    func leave() {
        subscription.withLock { $0 }?.end()
    }

    /// Waits until what was seen is as it should be.
    func reaches(
        _ condition: (Seen) -> Bool, sourceLocation: SourceLocation = #_sourceLocation
    ) async throws {
        let deadline = ContinuousClock.now + .seconds(60)
        while !condition(seen) {
            guard ContinuousClock.now < deadline else {
                Issue.record("it never came: \(seen)", sourceLocation: sourceLocation)
                return
            }
            try await Task.sleep(for: .milliseconds(1))
        }
    }
}
