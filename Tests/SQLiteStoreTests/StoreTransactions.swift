import Dispatch
import ModelStore
import RolecallProtocol

@testable import SQLiteStore

/// What a transaction gave, and the log's head at that moment.
struct Snapshot<Value: Sendable>: Sendable {
    var value: Value
    var position: Position
}

/// The store's own transactions, which its calls are made of.
extension SQLiteDatabaseStore {
    /// Runs a body on a snapshot, as calls that read rows do.
    func read<Output: Sendable>(
        _ body: @escaping @Sendable (SQLiteReadTransaction) throws -> Output
    ) async throws -> Snapshot<Output> {
        try await reading(readers.rows, .standard) { transaction in
            let position = try transaction.position()
            return Snapshot(value: try body(transaction), position: position)
        }
    }

    /// Runs a body in a transaction of its own, as calls that write do.
    @discardableResult
    func write<Output: Sendable>(
        by author: Author?, _ body: @escaping @Sendable (SQLiteWriteTransaction) throws -> Output
    ) async throws -> Snapshot<Output> {
        let committed = try await committing(by: author, .standard, body)
        return Snapshot(value: committed.value, position: try await position(committed.position))
    }

    /// Runs a body in a transaction of its own, whose task is cancelled where the body calls `cancel`.
    func writeCancelled<Output: Sendable>(
        _ body: @escaping @Sendable (_ transaction: SQLiteWriteTransaction, _ cancel: () -> Void) throws -> Output
    ) async throws -> Snapshot<Output> {
        let (calls, calling) = AsyncStream.makeStream(of: Void.self)
        let isCancelled = DispatchSemaphore(value: 0)
        let task = Task {
            defer { calling.finish() }
            return try await write(by: nil) { transaction in
                try body(transaction) {
                    calling.yield()
                    _ = isCancelled.wait(timeout: .now() + 30)
                }
            }
        }
        for await _ in calls { break }
        task.cancel()
        isCancelled.signal()
        return try await task.value
    }
}

extension SQLiteTransaction {
    /// What the identity feed holds above a number.
    func identityEntries(after sequence: Int64) throws -> [IdentityFeedEntry] {
        let place = try EventLog.place(db)
        let cursor = IdentityCursor(era: place.era, upTo: sequence)
        return try IdentityLog.reading(behind: cursor, at: place, in: db, memberships: memberships).entries
    }

    func earliestSequence() throws -> Int64 { try EventLog.place(db).earliest }

    func latestSequence() throws -> Int64 { try EventLog.place(db).head }
}
