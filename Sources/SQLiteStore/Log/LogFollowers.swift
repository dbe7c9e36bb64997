import Dispatch
import GRDB
import Logging
import ModelStore
import Synchronization

/// The followers of the log, or of the identity feed, and how far it has been known to reach when their turns were last
/// scheduled.
///
/// They get their turns where a commit is known first: one of this store on the writer's own connection, right behind
/// the commit, where its pages are cached; one of another process on the connection of the watch that has seen it. So
/// no other thread has to wake, which would cost more than a short reading. Where a commit was large, or another write
/// is waiting already, they get them on the threads that read: a turn never keeps anything waiting that would go on
/// without it.
final class LogFollowers: Sendable {
    private struct State {
        var followers: [UInt64: LogFollower] = [:]
        var nextID: UInt64 = 0
        var head: Int64
        var isClosed = false
    }

    /// How many events may have been appended for them to be read where that was found.
    private static let fewEvents: Int64 = 16

    /// How long a follower waits after a turn that failed.
    private static let pause = DispatchTimeInterval.milliseconds(200)

    private let reader: SnapshotReader
    private let state: Mutex<State>
    private var logger: Logger { reader.logger }

    /// - Parameter head: the log's head now.
    init(head: Int64, reader: SnapshotReader) {
        self.reader = reader
        state = Mutex(State(head: head))
    }

    /// Adds a follower. Its first turn comes at once, the next ones whenever the head has moved.
    func add(_ body: @escaping LogFollower.Body) -> LogSubscription {
        let follower = LogFollower(body)
        let id = state.withLock { state -> UInt64? in
            guard !state.isClosed else { return nil }
            defer { state.nextID += 1 }
            state.followers[state.nextID] = follower
            return state.nextID
        }
        guard let id else {
            follower.end()
            return LogSubscription {}
        }
        schedule(follower)
        return LogSubscription { [weak self] in
            _ = self?.state.withLock { $0.followers.removeValue(forKey: id) }
            follower.end()
        }
    }

    /// Tells that the log's head is at this number. A commit of this store is seen twice, by
    /// its writer and by the watch for foreign ones, and schedules their turns once.
    ///
    /// - Parameter db: the connection on which that was seen, outside of any transaction.
    func raise(head: Int64, in db: Database) {
        let (followers, growth) = news(head: head)
        let scheduled = followers.filter { $0.schedule() }
        if growth <= Self.fewEvents { read(scheduled, in: db) } else { readSoon(scheduled) }
    }

    /// Tells that a write has been committed, on the writer's connection and outside of any transaction.
    ///
    /// - Parameters:
    ///   - isAlone: whether no other write is waiting.
    ///   - afterwards: runs something on the writer's connection, behind what it is doing now.
    func committed(
        head: Int64, isAlone: Bool, afterwards: (_ work: @escaping @Sendable (Database) -> Void) -> Void
    ) {
        let (followers, growth) = news(head: head)
        let scheduled = followers.filter { $0.schedule() }
        guard !scheduled.isEmpty else { return }
        if isAlone, growth <= Self.fewEvents {
            afterwards { db in self.read(scheduled, in: db) }
        } else {
            readSoon(scheduled)
        }
    }

    /// Tells that the head is at this number, from a thread that has something else to do: the turns are taken on the
    /// threads that read.
    func raiseSoon(head: Int64) {
        readSoon(news(head: head).followers.filter { $0.schedule() })
    }

    /// Schedules a turn of each: what they follow has changed without a new number.
    func wake() {
        let followers = state.withLock { Array($0.followers.values) }
        readSoon(followers.filter { $0.schedule() })
    }

    /// Gives no more turns, to followers that are added later neither.
    func close() {
        let ended = state.withLock { state in
            state.isClosed = true
            defer { state.followers = [:] }
            return Array(state.followers.values)
        }
        for follower in ended { follower.end() }
    }

    /// Those whose turns have to be scheduled, since the head is news, and by how much it has grown.
    private func news(head: Int64) -> (followers: [LogFollower], growth: Int64) {
        state.withLock { state in
            // Not only upwards: an older database that is put in place is news, too.
            guard head != state.head else { return ([], 0) }
            defer { state.head = head }
            return (Array(state.followers.values), head - state.head)
        }
    }

    // MARK: Turns

    private func schedule(_ follower: LogFollower) {
        if follower.schedule() { readSoon([follower]) }
    }

    /// Each on a thread of its own, as far as there are any: one's reading can be long.
    private func readSoon(_ scheduled: [LogFollower]) {
        for follower in scheduled {
            reader.queue.schedule {
                self.run([follower]) { body in try self.reader.read(body) }
            }
        }
    }

    private func read(_ scheduled: [LogFollower], in db: Database) {
        run(scheduled) { body in
            try db.transaction(.deferred) { try body(reader.transaction(in: db)) }
        }
    }

    /// Runs each one's turn, all on the same snapshot.
    private func run(
        _ scheduled: [LogFollower], on snapshot: (_ body: (SQLiteReadTransaction) throws -> Void) throws -> Void
    ) {
        var due = scheduled.compactMap { follower in follower.begin().map { (follower: follower, body: $0) } }[...]
        guard !due.isEmpty else { return }
        do {
            try snapshot { transaction in
                while let (follower, body) = due.first {
                    try body(
                        transaction,
                        LogFollower.Turn { wantsMore in
                            if follower.finish(wantsMore: wantsMore) { self.readSoon([follower]) }
                        })
                    // Once it has been given its turn, the follower ends that.
                    due.removeFirst()
                }
            }
        } catch {
            guard let failed = due.popFirst()?.follower else { return }
            for (follower, _) in due where follower.finish(wantsMore: true) { readSoon([follower]) }
            guard !failed.hasEnded else { return }
            logger.error("the log can't be read; trying again", metadata: ["error": "\(error)"])
            DispatchQueue.global().asyncAfter(deadline: .now() + Self.pause) {
                if failed.finish(wantsMore: true) { self.readSoon([failed]) }
            }
        }
    }
}
