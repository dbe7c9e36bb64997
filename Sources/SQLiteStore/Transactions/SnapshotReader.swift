import GRDB
import Logging
import ModelStore

/// Reads snapshots, on a few threads of its own. There is one for each kind of reading, so that none waits for another.
struct SnapshotReader: Sendable {
    let pool: DatabasePool
    let queue: WorkerQueue
    let tables: [String: ModelTable]
    let memberships: MembershipReader
    let logger: Logger

    /// How many connections read at the same time, by what they read.
    enum Width {
        static let rows = 4
        static let log = 2
        static let identities = 2
        static let logTurns = 2
        static let identityTurns = 2
        static let all = rows + log + identities + logTurns + identityTurns
    }

    init(
        pool: DatabasePool, tables: [ModelTable], memberships: MembershipReader, name: String, width: Int,
        logger: Logger
    ) {
        self.pool = pool
        queue = WorkerQueue(label: "rolecall.sqlite.\(name)", width: width)
        self.tables = Dictionary(tables.map { ($0.model.name, $0) }, uniquingKeysWith: { first, _ in first })
        self.memberships = memberships
        self.logger = logger
    }

    /// Runs a body on a snapshot, on this thread: one of the queue's.
    func read<Output>(_ body: (SQLiteReadTransaction) throws -> Output) throws -> Output {
        try pool.unsafeRead { db in
            try db.transaction(.deferred) { try body(transaction(in: db)) }
        }
    }

    /// Runs a body on a snapshot once there is a thread for it, and ends it when the call has to end.
    func read<Output: Sendable>(
        until control: CallControl, _ body: @escaping @Sendable (SQLiteReadTransaction) throws -> Output
    ) async throws -> Output {
        try await queue.run(control) {
            try pool.unsafeRead { db in
                try db.transaction(.deferred, by: control) {
                    let output = try body(transaction(in: db, control))
                    try control.check()
                    return output
                }
            }
        }
    }

    /// A connection's transaction, as the body of a read sees it.
    func transaction(in db: Database, _ control: CallControl? = nil) -> SQLiteReadTransaction {
        SQLiteReadTransaction(db: db, tables: tables, memberships: memberships, logger: logger, control: control)
    }
}
