import Foundation
import ModelStore
import RolecallProtocol
import TestSupport

/// A ``Store`` in memory, made to show what the contract allows and SQLite never does: transactions that run at the
/// same time and see what others commit between two of their readings, bodies that run twice, positions that come
/// later, commits that are cut off, logs that are set back.
///
/// Unchecked: all that changes is guarded by `condition`.
public final class MemoryStore: Store, @unchecked Sendable {
    /// What a commit's cutting off looks like.
    public enum CutOff: Sendable {
        case afterCommit
        case beforeCommit
    }

    /// A table, and what stands in its columns where nothing is given.
    public struct Table: Sendable {
        public var model: Model
        public var defaults: [String: Value]

        public init(_ model: Model, defaults: [String: Value] = [:]) {
            self.model = model
            self.defaults = defaults
        }
    }

    public let storeID = StoreID.random()
    public let models: [Model]
    public let standardTimeout: Duration
    let tables: [String: Table]

    let condition = NSCondition()
    // From here on everything is guarded by `condition`.
    var state: MemoryState
    /// What was committed, each time that entries got their numbers.
    private var checkpoints: [MemoryState]
    var locks = LockTable()
    private var running: Set<Int64> = []
    private var lastTransaction: Int64 = 0
    private var lastKeys: [String: Int64] = [:]
    private var isHolding = false
    private var cutOff: CutOff?
    private var settlements: [CommitReceipt: Settlement] = [:]
    /// Where the entries of a receipt's transaction end, once they have numbers.
    private var places: [CommitReceipt: Position] = [:]
    private var random: Seeded
    private let rerunsBodies: Bool
    /// How long each reading of a transaction takes, as a round trip to a server does.
    let tripTime: Duration
    private var followers: [Int: MemoryFollower] = [:]
    private var lastFollower = 0
    private var isClosed = false
    /// Raised when the data are set back: a transaction of an earlier one can't commit.
    private var incarnation = 0

    /// - Parameters:
    ///   - seed: decides which bodies run twice.
    ///   - rerunsBodies: whether any does without need.
    ///   - standardTimeout: what a call may take by default.
    ///   - tripTime: how long each reading of a transaction takes.
    public init(
        _ tables: [Table], memberships: [MembershipSource] = [], seed: UInt64 = 1, rerunsBodies: Bool = true,
        standardTimeout: Duration = .seconds(5),
        tripTime: Duration = .zero
    ) {
        self.tables = Dictionary(tables.map { ($0.model.name, $0) }, uniquingKeysWith: { first, _ in first })
        models = tables.map(\.model)
        self.standardTimeout = standardTimeout
        state = MemoryState(
            era: .random(),
            sources: memberships.flatMap { source in
                tables.filter { $0.model.table == source.table }.map { ($0.model.name, source) }
            })
        checkpoints = [state]
        random = Seeded(seed)
        self.rerunsBodies = rerunsBodies
        self.tripTime = tripTime
    }

    func locked<Output>(_ body: () throws -> Output) rethrows -> Output {
        condition.lock()
        defer { condition.unlock() }
        return try body()
    }

    /// What has been committed. Under the lock.
    func snapshot() throws -> (state: MemoryState, identities: IdentityCursor) {
        guard !isClosed else { throw StoreError.unavailable("The database is closed.") }
        return (state, IdentityCursor(era: state.eras.newest, upTo: lastTransaction, except: running))
    }

    // MARK: Switches

    /// From now on entries get their numbers when ``releasePositions()`` says so.
    public func holdPositions() { locked { isHolding = true } }

    /// Gives numbers to all that has been committed, and from now on at once.
    public func releasePositions() {
        locked {
            isHolding = false
            number()
        }
    }

    /// Gives numbers to all that has been committed so far.
    public func numberNow() { locked { number() } }

    /// Cuts the next commit off.
    public func cutOffNextCommit(_ cutOff: CutOff) { locked { self.cutOff = cutOff } }

    /// Puts back what was there when the log had this head, as the promotion of a standby that lacks a tail does, and
    /// begins a new era.
    public func setBack(to head: Int64) {
        locked {
            guard let kept = checkpoints.lastIndex(where: { $0.head <= head }) else { return }
            checkpoints.removeSubrange((kept + 1)...)
            state = checkpoints[kept]
            incarnation += 1
            startEra()
        }
    }

    /// How many transactions wait for a lock.
    public var waiters: Int { locked { locks.waiters } }

    // MARK: Transactions

    private struct Deadlock: Error {}

    /// Runs a body in a transaction of its own: again, where it was resolved to, or where chance will have it.
    func commit<Output: Sendable>(
        by author: Author?, _ deadline: Deadline, _ body: @escaping @Sendable (MemoryTransaction) throws -> Output
    ) async throws -> Committed<Output> {
        try await MemoryCall.run(until: deadline.moment(standard: standardTimeout)) { call in
            let runsTwice = self.rerunsBodies && self.locked { self.random.below(3) == 0 }
            if runsTwice { try? self.attempt(by: author, call, body) { _, _ in throw Deadlock() } }
            while true {
                do {
                    return try self.attempt(by: author, call, body) { try self.finish($0, $1) }
                } catch is Deadlock {
                    try call.check()
                }
            }
        }
    }

    private func attempt<Output, Result>(
        by author: Author?, _ call: MemoryCall, _ body: (MemoryTransaction) throws -> Output,
        finish: (MemoryTransaction, Output) throws -> Result
    ) throws -> Result {
        let transaction = try locked {
            _ = try snapshot()
            lastTransaction += 1
            running.insert(lastTransaction)
            return MemoryTransaction(
                number: lastTransaction, incarnation: incarnation, store: self, call: call, author: author)
        }
        defer {
            locked {
                running.remove(transaction.number)
                locks.release(transaction.number)
                condition.broadcast()
                // A change of what is excepted is news for who waits for a mark.
                for follower in followers.values { follower.wake() }
            }
        }
        let output = try body(transaction)
        return try finish(transaction, output)
    }

    private func finish<Output: Sendable>(
        _ transaction: MemoryTransaction, _ output: Output
    ) throws -> Committed<Output> {
        try locked {
            try transaction.call.check()
            _ = try snapshot()
            guard transaction.incarnation == incarnation else {
                throw StoreError.unavailable("The database has failed over: try again.")
            }
            let receipt = CommitReceipt(rawValue: "\(transaction.number)")
            let cut = cutOff
            cutOff = nil
            if cut == .beforeCommit {
                settlements[receipt] = .rolledBack
                throw StoreError.unknown("The connection was lost during the commit.", receipt)
            }
            running.remove(transaction.number)
            transaction.apply(to: &state, era: state.eras.newest)
            if !transaction.hasChanges { places[receipt] = state.place.position }
            if !isHolding { number() } else { checkpoints.append(state) }
            let position = places[receipt].map(CommitPosition.at) ?? .pending(receipt)
            settlements[receipt] = .committed(position)
            wake()
            if cut == .afterCommit {
                throw StoreError.unknown("The connection was lost during the commit.", receipt)
            }
            return Committed(
                value: output, position: position,
                identity: IdentityMark(era: state.eras.newest, number: transaction.number))
        }
    }

    /// Gives numbers. Under the lock.
    private func number() {
        let receipts = state.inbox.map { CommitReceipt(rawValue: "\($0.transaction)") }
        state.number()
        for receipt in receipts { places[receipt] = state.place.position }
        checkpoints.append(state)
        wake()
    }

    /// Waits until a transaction holds a subject.
    func lock(_ subject: LockSubject, for transaction: MemoryTransaction) throws {
        try locked {
            while true {
                try transaction.call.check()
                guard transaction.incarnation == incarnation else {
                    throw StoreError.unavailable("The database has failed over: try again.")
                }
                switch locks.take(subject, for: transaction.number) {
                case .held: return
                case .deadlock: throw Deadlock()
                case .taken:
                    // In slices: a cancelled task signals nothing.
                    _ = condition.wait(until: Date(timeIntervalSinceNow: 0.005))
                    locks.stopWaiting(transaction.number)
                }
            }
        }
    }

    /// A key that no other row of the table gets, whatever becomes of the transaction.
    func nextKey(of model: String) -> Int64 {
        locked {
            lastKeys[model, default: 0] += 1
            return lastKeys[model, default: 0]
        }
    }

    // MARK: Upkeep

    func change<Output>(_ body: (inout MemoryState) throws -> Output) throws -> Output {
        try locked {
            _ = try snapshot()
            let output = try body(&state)
            checkpoints.append(state)
            wake()
            return output
        }
    }

    /// Under the lock.
    @discardableResult
    func startEra() -> LogCursor {
        state.eras = EraChain(state.eras.eras + [EraRecord(era: .random(), first: state.head + 1)])
        checkpoints.append(state)
        wake()
        return state.place
    }

    func mark() -> IdentityMark { locked { IdentityMark(era: state.eras.newest, number: lastTransaction) } }

    func place(of receipt: CommitReceipt, _ call: MemoryCall) throws -> Position {
        try locked {
            while true {
                try call.check()
                if let position = places[receipt] { return position }
                guard case .committed = settlements[receipt] else {
                    throw StoreError.unusable("This store has given no such receipt.")
                }
                _ = condition.wait(until: Date(timeIntervalSinceNow: 0.005))
            }
        }
    }

    func settlement(of receipt: CommitReceipt) -> Settlement {
        locked {
            switch settlements[receipt] {
            case nil: .unknown
            case .committed: .committed(places[receipt].map(CommitPosition.at) ?? .pending(receipt))
            case let settlement?: settlement
            }
        }
    }

    public func close() async throws {
        let ended = locked {
            isClosed = true
            defer { followers = [:] }
            return Array(followers.values)
        }
        for follower in ended { follower.end() }
    }

    // MARK: Followers

    func add(_ follower: MemoryFollower) -> LogSubscription {
        let id = locked {
            lastFollower += 1
            if !isClosed { followers[lastFollower] = follower }
            return lastFollower
        }
        follower.wake()
        return LogSubscription { [weak self] in
            self?.locked { _ = self?.followers.removeValue(forKey: id) }
            follower.end()
        }
    }

    /// Under the lock.
    private func wake() {
        condition.broadcast()
        for follower in followers.values { follower.wake() }
    }
}
