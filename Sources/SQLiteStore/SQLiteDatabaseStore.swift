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
/// **Atomic.** Triggers append to the log, so a row and its event are one transaction for every writer: this store, the
/// `sqlite3` shell, another service. What a write has done is undone whole if a closure of it throws, if its task is
/// cancelled or its deadline passes before the commit, or if the machine stops.
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
/// **Locks.** Readers see a snapshot and wait for no writer. A write holds everything from its beginning
/// (``StoreTransaction/lock(_:)`` has nothing left to do), and waits for other writers up to its ``Deadline``, by default
/// ``patience`` from the moment of the call; then it throws ``StoreError/unavailable(_:cause:)``.
///
/// **Names.** The contract names a model's key `_id`, in rows, in values and in events, whatever the table calls it.
/// All other columns have the names of the table.
public final class SQLiteDatabaseStore: Store {
    /// How long a call may take: a write waits for the locks of other processes, its time in the store's own queue
    /// included.
    public static let patience = Duration.seconds(5)

    public let storeID: StoreID
    public let models: [Model]
    public var standardTimeout: Duration { patience }

    let pool: DatabasePool
    let readers: Readers
    let followers: LogFollowers
    let identityFollowers: LogFollowers
    let unsettled = UnsettledCommits()
    private let watch: ForeignCommitWatch
    let patience: Duration
    /// Writes that have been asked for and have not come to their end.
    private let writes = Atomic(0)

    /// One for each kind of reading, so that none waits for another.
    struct Readers: Sendable {
        var rows: SnapshotReader
        var log: SnapshotReader
        var identities: SnapshotReader
        /// The turns of ``LogFollowers``, which wait for no replay, judgement or history.
        var logTurns: SnapshotReader
        /// The turns of the identity feed's followers, which wait for no claimant and for no turn of the log.
        var identityTurns: SnapshotReader

        init(pool: DatabasePool, tables: [ModelTable], memberships: [MembershipTable], logger: Logger) {
            let memberships = MembershipReader(tables: memberships, logger: logger)
            func reader(_ name: String, _ width: Int) -> SnapshotReader {
                SnapshotReader(
                    pool: pool, tables: tables, memberships: memberships, name: name, width: width, logger: logger)
            }
            rows = reader("rows", SnapshotReader.Width.rows)
            log = reader("log", SnapshotReader.Width.log)
            identities = reader("identities", SnapshotReader.Width.identities)
            logTurns = reader("log.turns", SnapshotReader.Width.logTurns)
            identityTurns = reader("identities.turns", SnapshotReader.Width.identityTurns)
        }
    }

    init(
        storeID: StoreID, models: [Model], readers: Readers, followers: LogFollowers,
        identityFollowers: LogFollowers, watch: ForeignCommitWatch, patience: Duration
    ) {
        pool = readers.rows.pool
        self.storeID = storeID
        self.models = models
        self.readers = readers
        self.followers = followers
        self.identityFollowers = identityFollowers
        self.watch = watch
        self.patience = patience
    }

    deinit {
        followers.close()
        identityFollowers.close()
        watch.stop()
    }

    /// Runs a body in a transaction of its own once the writer is free, and leaves nothing if the call has to end before
    /// it is committed.
    func committing<Output: Sendable>(
        by author: Author? = nil, _ deadline: Deadline,
        _ body: @escaping @Sendable (SQLiteWriteTransaction) throws -> Output
    ) async throws -> Committed<Output> {
        let control = CallControl(until: deadline.moment(standard: patience))
        let isAlone = writes.add(1, ordering: .relaxed).newValue == 1
        defer { writes.subtract(1, ordering: .relaxed) }
        let (value, place) = try await mapped {
            try await PendingCall<(Output, EventLog.Place)>().answer(control) { call in
                pool.asyncWriteWithoutTransaction { db in
                    call.run { try self.commit(by: author, control, in: db, body) }
                }
                return !isAlone
            }
        }
        return Committed(
            value: value, position: .at(Position(era: place.era, sequence: place.head)),
            identity: IdentityMark(era: place.era, number: place.identityHead))
    }

    /// Runs a body on a snapshot, on the threads of a reader.
    func reading<Output: Sendable>(
        _ reader: SnapshotReader, _ deadline: Deadline,
        _ body: @escaping @Sendable (SQLiteReadTransaction) throws -> Output
    ) async throws -> Output {
        let control = CallControl(until: deadline.moment(standard: patience))
        return try await mapped { try await reader.read(until: control, body) }
    }

    public func close() async throws {
        followers.close()
        identityFollowers.close()
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

    /// Closes it on this thread: for a store that has served no call.
    func closeNow() {
        followers.close()
        identityFollowers.close()
        watch.stop()
        pool.invalidateReadOnlyConnections()
        try? pool.close()
    }

    /// A whole write, on the writer's connection.
    private func commit<Output>(
        by author: Author?, _ control: CallControl, in db: Database,
        _ body: (SQLiteWriteTransaction) throws -> Output
    ) throws -> (Output, EventLog.Place) {
        try control.check()
        db.setPatience(until: control.deadline)
        let written = try db.transaction(.immediate, by: control) {
            let transaction = SQLiteWriteTransaction(
                db: db, tables: readers.rows.tables, memberships: readers.rows.memberships, logger: readers.rows.logger,
                control: control)
            if let author { try transaction.act(as: author) }
            let value = try body(transaction)
            // Before the commit: from there on it is answered what that came to.
            try control.check()
            try transaction.clean()
            return (value, try EventLog.place(db))
        }
        followers.committed(head: written.1.head, isAlone: writes.load(ordering: .relaxed) == 1) {
            pool.asyncWriteWithoutTransaction($0)
        }
        identityFollowers.raiseSoon(head: written.1.identityHead)
        return written
    }

    func mapped<Output>(_ body: () async throws -> Output) async throws -> Output {
        do {
            return try await body()
        } catch let error as DatabaseError {
            throw StoreError(error)
        } catch let error as CutOffCommit {
            readers.rows.logger.error(
                "the disk failed during a commit", metadata: ["error": "SQLite \(error.cause.extendedResultCode)"])
            throw StoreError.unknown(
                "The disk failed while this was being committed: it may have been done, or not; look before you try again.",
                unsettled.note())
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
