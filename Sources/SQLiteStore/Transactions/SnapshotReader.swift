import GRDB
import Logging
import ModelStore

/// Reads snapshots, on a few threads of its own.
struct SnapshotReader: Sendable {
    let pool: DatabasePool
    let queue: WorkerQueue
    let tables: [String: ModelTable]
    let logger: Logger

    init(pool: DatabasePool, tables: [ModelTable], logger: Logger) {
        self.pool = pool
        queue = WorkerQueue(label: "rolecall.sqlite.read", width: pool.configuration.maximumReaderCount)
        self.tables = Dictionary(tables.map { ($0.model.name, $0) }, uniquingKeysWith: { first, _ in first })
        self.logger = logger
    }

    /// Runs a body on a snapshot, on this thread: one of the queue's.
    func read<Output>(_ body: (SQLiteReadTransaction) throws -> Output) throws -> Output {
        try pool.unsafeRead { db in
            try db.transaction(.deferred) { try body(transaction(in: db)) }
        }
    }

    /// A connection's transaction, as the body of a read sees it.
    func transaction(in db: Database) -> SQLiteReadTransaction {
        SQLiteReadTransaction(db: db, tables: tables, logger: logger)
    }
}
