import GRDB
import GRDBSQLite
import ModelStore

extension Database {
    enum TransactionStart: String {
        /// Takes the writer's lock at once: one that reads first could not wait for a foreign writer, and would have to
        /// begin again.
        case immediate = "BEGIN IMMEDIATE TRANSACTION"
        /// Takes its snapshot when it first reads.
        case deferred = "BEGIN DEFERRED TRANSACTION"
    }

    /// Runs a body in a transaction of its own: commits what it has done, or rolls all of it back if it throws or the
    /// commit fails. No transaction is open afterwards, whatever has failed.
    ///
    /// - Parameter control: ends the body's statements once the call has to end; it never ends the beginning, the commit
    ///   or the rollback. How long the beginning waits for a lock is the connection's busy timeout.
    ///
    /// GRDB's own compiles its statements each time, which costs more than most of what stands between them.
    func transaction<Output>(
        _ start: TransactionStart, by control: CallControl? = nil, _ body: () throws -> Output
    ) throws -> Output {
        do {
            try run(start.rawValue)
            let output = try controlled(by: control, body)
            try checkTransaction()
            try commit()
            return output
        } catch {
            // The first error says more than one of the rollback, after which nothing is kept either.
            if isInsideTransaction { try? rollback() }
            throw error
        }
    }

    private func commit() throws {
        let version = fileVersion
        do {
            try run("COMMIT TRANSACTION")
        } catch let error as DatabaseError {
            if error.resultCode == .SQLITE_IOERR { throw CutOffCommit(cause: error) }
            // An interrupt that comes behind the commit itself fails the statement, and undoes nothing.
            let isDone = !isInsideTransaction && version != nil && fileVersion != version
            guard isDone else { throw error }
        }
    }

    /// Changes with each commit of this connection. Within a transaction that holds the writer's lock nothing else
    /// changes it, and neither does a rollback. Nil where SQLite does not say.
    ///
    /// Source: `SQLITE_FCNTL_DATA_VERSION` in SQLite's "Standard File Control Opcodes".
    private var fileVersion: UInt32? {
        guard let sqliteConnection else { return nil }
        var version: UInt32 = 0
        let code = sqlite3_file_control(sqliteConnection, "main", SQLITE_FCNTL_DATA_VERSION, &version)
        return code == SQLITE_OK ? version : nil
    }

    /// Runs a body while foreign keys are not looked at, in no transaction as yet.
    ///
    /// Where one refers to a table that is gone, as most programs never notice, no statement on its table can even be
    /// compiled otherwise.
    func withoutForeignKeys<Output>(_ body: () throws -> Output) throws -> Output {
        // Not cached: this takes effect when it is compiled.
        try execute(sql: "PRAGMA foreign_keys = OFF")
        defer { try? execute(sql: "PRAGMA foreign_keys = ON") }
        return try body()
    }

    /// Refuses to go on where a statement has ended the transaction, as a trigger of the table's owner can: what
    /// followed would be committed by itself.
    func checkTransaction() throws {
        guard isInsideTransaction else { throw DatabaseError(resultCode: .SQLITE_ABORT) }
    }
}

/// The disk has failed during a commit.
///
/// The write-ahead log may hold all of the transaction, and only the flush have failed: the process that opens the file next, after a
/// crash of this process say, finds a transaction that was committed. Until then it is not, and after any other commit of
/// this process it never is: that one is written over it.
struct CutOffCommit: Error {
    var cause: DatabaseError
}
