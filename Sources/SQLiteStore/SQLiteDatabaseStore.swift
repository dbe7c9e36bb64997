import Dispatch
import GRDB
import GRDBSQLite
import Logging
import ModelStore
import RolecallProtocol
import Synchronization
import WireJSON

/// A ``Store`` in one SQLite file, which other processes may read and write at the same time.
///
/// **Atomic.** Triggers append to the log, so a row and its event are one transaction whoever writes: this store, the
/// `sqlite3` shell, another service. What a body of ``write(by:_:)`` has done is undone whole if it throws, if its
/// task is cancelled before the commit, or if the machine stops.
///
/// **Ordered.** SQLite has one writer at a time over all processes, and the log's numbers are given within the write.
/// So a later commit has higher numbers, without exception; numbers of events that were rolled back are given again,
/// numbers that were committed never are, even when the log is pruned or empty.
///
/// **Durable.** The journal is a write-ahead log with `synchronous = FULL`: it is flushed to the disk before a commit
/// returns. (NORMAL, the usual choice there, flushes at checkpoints only: after a loss of power a row that had been
/// acknowledged, with an event that had been delivered under a position, would be gone, and that position would be
/// given again to another event.) What other processes commit is as durable as their own settings make it.
///
/// **Locks.** Readers see a snapshot and wait for nobody. A writer waits for another process up to ``patience`` from
/// the moment of the call, then throws ``StoreError/unavailable(_:)``.
///
/// **Names.** The contract names a model's key `_id`, in rows, in values and in events, whatever the table calls it.
/// All other columns have the names of the table.
public final class SQLiteDatabaseStore: Store {
    /// How long a write waits for the locks of other processes, its time in the store's own queue included.
    public static let patience = Duration.seconds(5)

    public let logID: Era
    public let models: [Model]

    let pool: DatabasePool
    private let reader: SnapshotReader
    private let followers: LogFollowers
    private let watch: ForeignCommitWatch
    private let patience: Duration
    /// Writes that have been asked for and have not come to their end.
    private let writes = Atomic(0)

    init(
        logID: Era, models: [Model], reader: SnapshotReader, followers: LogFollowers, watch: ForeignCommitWatch,
        patience: Duration
    ) {
        pool = reader.pool
        self.logID = logID
        self.models = models
        self.reader = reader
        self.followers = followers
        self.watch = watch
        self.patience = patience
    }

    deinit {
        followers.close()
        watch.stop()
    }

    /// Runs a body on a consistent snapshot; see ``Store/read(_:)``. Several run at the same time.
    ///
    /// - Throws: what the body throws; ``StoreError`` for errors of the database; `CancellationError` where the task
    ///   is cancelled.
    public func read<Output: Sendable>(
        _ body: @escaping @Sendable (any ReadTransaction) throws -> Output
    ) async throws -> Snapshot<Output> {
        try await mapped {
            try await self.reader.queue.run { [reader, logID] in
                try reader.read { transaction in
                    // The first look takes the snapshot; both are of the same.
                    let head = try transaction.latestSequence()
                    return Snapshot(value: try body(transaction), position: Position(era: logID, sequence: head))
                }
            }
        }
    }

    /// Runs a body in a transaction of its own; see ``Store/write(by:_:)``.
    ///
    /// - Throws: what the body throws; ``StoreError`` for errors of the database, those of the commit included;
    ///   `CancellationError` where the task is cancelled. Whatever it throws, nothing has been written.
    @discardableResult
    public func write<Output: Sendable>(
        by author: Author?, _ body: @escaping @Sendable (any WriteTransaction) throws -> Output
    ) async throws -> Snapshot<Output> {
        let deadline = ContinuousClock.now + patience
        writes.add(1, ordering: .relaxed)
        defer { writes.subtract(1, ordering: .relaxed) }
        return try await mapped {
            try await self.pool.writeWithoutTransaction { db in
                db.setPatience(until: deadline)
                let written = try db.transaction(.immediate) { try self.perform(body, by: author, in: db) }
                self.followers.committed(
                    head: written.position.sequence, isAlone: self.writes.load(ordering: .relaxed) == 1
                ) { self.pool.asyncWriteWithoutTransaction($0) }
                return written
            }
        }
    }

    public func follow(
        _ body: @escaping @Sendable (any ReadTransaction, LogTurn) throws -> Void
    ) -> LogSubscription {
        followers.add(body)
    }

    public func close() async throws {
        followers.close()
        try await withCheckedThrowingContinuation { (continuation: CheckedContinuation<Void, any Error>) in
            // Waits for transactions under way, which no thread of the concurrency pool should do.
            DispatchQueue.global().async { [pool, watch] in
                watch.stop()
                do {
                    // Readers first: the last connection to close empties the write-ahead log into the database file,
                    // and only the writer can.
                    pool.invalidateReadOnlyConnections()
                    try pool.close()
                    continuation.resume()
                } catch {
                    continuation.resume(throwing: (error as? DatabaseError).map { StoreError($0) } ?? error)
                }
            }
        }
    }

    /// Closes it on this thread: for a store that has served nobody.
    func closeNow() {
        followers.close()
        watch.stop()
        pool.invalidateReadOnlyConnections()
        try? pool.close()
    }

    /// The inside of a write transaction.
    private func perform<Output: Sendable>(
        _ body: (any WriteTransaction) throws -> Output, by author: Author?, in db: Database
    ) throws -> Snapshot<Output> {
        let transaction = SQLiteWriteTransaction(db: db, tables: reader.tables, logger: reader.logger)
        if let author { try transaction.act(as: author) }
        let value = try body(transaction)
        try transaction.clean()
        return Snapshot(value: value, position: Position(era: logID, sequence: try EventLog.head(db)))
    }

    private func mapped<Output>(_ body: () async throws -> Output) async throws -> Output {
        do {
            return try await body()
        } catch let error as DatabaseError {
            throw StoreError(error)
        }
    }
}

extension Database {
    /// How long statements wait for locks from now on: until the deadline, and a moment even past it, since most
    /// locks of others last shorter than that.
    fileprivate func setPatience(until deadline: ContinuousClock.Instant) {
        // Nil once the database is closed; the statement that follows says so.
        guard let sqliteConnection else { return }
        let left = max(ContinuousClock.now.duration(to: deadline), .milliseconds(250))
        sqlite3_busy_timeout(sqliteConnection, CInt(left / .milliseconds(1)))
    }
}
