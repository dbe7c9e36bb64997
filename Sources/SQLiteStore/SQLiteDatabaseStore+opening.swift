import Foundation
import GRDB
import Logging
import ModelStore
import RolecallProtocol

extension SQLiteDatabaseStore {
    /// Opens the database, or makes it where the file does not exist yet.
    ///
    /// A new file is readable for its owner alone. A database that can't be used is left as it is. Otherwise the
    /// store's tables are made or brought to this version, `schema` is run, and each model's triggers are put in place,
    /// all in one transaction. What is in place already is not written again.
    ///
    /// - Parameters:
    ///   - path: the file; its directory must exist and be writable, for the journal beside it.
    ///   - models: what to tell changes of. Triggers of models that are not named stay: a second program that knows
    ///     fewer models must not silence the others.
    ///   - schema: statements to run at every opening, before the models' tables are looked up; each must do nothing
    ///     the second time (`CREATE TABLE IF NOT EXISTS`).
    /// - Throws: ``StoreError/unusable(_:)`` for a path that can't be used, a file that is no database, a database of
    ///   a newer version and a model whose table does not fit; ``StoreError/unavailable(_:)`` where another process
    ///   holds a lock for too long.
    public static func open(
        path: String, models: [ModelDeclaration], schema: [String] = [], logger: Logger
    ) throws(StoreError) -> SQLiteDatabaseStore {
        try open(path: path, models: models, schema: schema, patience: patience, logger: logger)
    }

    static func open(
        path: String, models: [ModelDeclaration], schema: [String], patience: Duration, logger: Logger
    ) throws(StoreError) -> SQLiteDatabaseStore {
        var configuration = Configuration()
        configuration.busyMode = .timeout(patience / .seconds(1))
        configuration.label = "rolecall.sqlite"
        // Writes of one server are serial; readers are the log's followers and the requests.
        configuration.maximumReaderCount = 4
        do {
            try checkPath(path)
            try checkNames(models)
            createPrivately(path)
            try checkVersion(path, configuration)
            let pool = try DatabasePool(path: path, configuration: configuration)
            return try open(pool, models: models, schema: schema, patience: patience, logger: logger)
        } catch let error as StoreError {
            throw error
        } catch let error as DatabaseError {
            throw openingError(error, path: path)
        } catch {
            throw .unusable("The database \(path) can't be opened: \(error).")
        }
    }

    private static func open(
        _ pool: DatabasePool, models: [ModelDeclaration], schema: [String], patience: Duration, logger: Logger
    ) throws -> SQLiteDatabaseStore {
        let path = pool.path
        return try pool.writeWithoutTransaction { db in
            // Here, because the pool itself sets NORMAL when it opens.
            try db.run("PRAGMA synchronous = FULL")
            var tables: [ModelTable] = []
            var logID = LogID(rawValue: 0)
            var head: Int64 = 0
            var schemaVersion: Int64 = 0
            try db.inTransaction(.immediate) {
                try StoreSchema.migrate(db, path: path)
                for statement in schema { try db.execute(sql: statement) }
                tables = try models.map { try ModelTable($0, in: db) }
                for table in tables {
                    let count = try CaptureTriggers(table: table).install(in: db)
                    if count > 0 {
                        logger.info(
                            "installed triggers",
                            metadata: ["model": "\(table.model.name)", "table": "\(table.model.table)"])
                    }
                }
                logID = try StoreSchema.logID(of: db, path: path)
                head = try EventLog.head(db)
                schemaVersion = try db.first("PRAGMA schema_version") { $0.integer(0) } ?? 0
                return .commit
            }
            let reader = SnapshotReader(pool: pool, tables: tables, logger: logger)
            let followers = LogFollowers(head: head, reader: reader)
            let keeper = TriggerKeeper(
                pool: pool, models: Array(zip(models, tables.map(\.model))).map { ($0, $1) }, logger: logger)
            let watch = try ForeignCommitWatch(
                path: path, schemaVersion: schemaVersion, followers: followers, keeper: keeper, logger: logger)
            return SQLiteDatabaseStore(
                logID: logID, models: tables.map(\.model), reader: reader, followers: followers, watch: watch,
                patience: patience)
        }
    }

    // MARK: - Checks before anything is changed

    private static func checkPath(_ path: String) throws(StoreError) {
        let url = URL(fileURLWithPath: path)
        let directory = url.deletingLastPathComponent().path
        let files = FileManager.default
        var isDirectory: ObjCBool = false
        guard files.fileExists(atPath: directory, isDirectory: &isDirectory) else {
            throw .unusable("The database \(path) can't be opened: the directory \(directory) does not exist.")
        }
        guard isDirectory.boolValue else {
            throw .unusable("The database \(path) can't be opened: \(directory) is no directory.")
        }
        guard files.isWritableFile(atPath: directory) else {
            throw .unusable(
                "The database \(path) can't be opened: its directory must be writable, for the journal beside it.")
        }
        guard files.fileExists(atPath: path, isDirectory: &isDirectory) else { return }
        if isDirectory.boolValue { throw .unusable("The database \(path) can't be opened: it is a directory.") }
        guard files.isReadableFile(atPath: path), files.isWritableFile(atPath: path) else {
            throw .unusable("The database \(path) can't be opened: it must be readable and writable.")
        }
    }

    private static func checkNames(_ models: [ModelDeclaration]) throws(StoreError) {
        var names: Set<String> = []
        var paths: Set<String> = []
        for model in models {
            guard names.insert(model.name).inserted else { throw .unusable("Two models are called \(model.name).") }
            guard paths.insert(model.path).inserted else { throw .unusable("Two models have the path \(model.path).") }
        }
    }

    /// With a connection that changes nothing: a pool would set the journal mode, which stands in the file.
    private static func checkVersion(_ path: String, _ configuration: Configuration) throws {
        let queue = try DatabaseQueue(path: path, configuration: configuration)
        _ = try queue.unsafeRead { try StoreSchema.checkedVersion(of: $0, path: path) }
        try queue.close()
    }

    private static func openingError(_ error: DatabaseError, path: String) -> StoreError {
        switch error.resultCode {
        case .SQLITE_NOTADB: .unusable("The file \(path) is no SQLite database: name another one.")
        case .SQLITE_CORRUPT: .unusable("The database \(path) is damaged: restore a backup.")
        case .SQLITE_BUSY, .SQLITE_LOCKED:
            .unavailable("The database \(path) is locked by another process: end that, or try again later.")
        case .SQLITE_FULL: .unavailable("The disk with the database \(path) is full: make room and try again.")
        default:
            // Nothing but the schema has been touched so far; no value can stand in the message.
            .unusable("The database \(path) can't be used: \(error.message ?? "SQLite \(error.resultCode)").")
        }
    }
}

/// Makes the file where there is none, readable for its owner alone: password hashes will stand in it. SQLite gives its
/// journals the same mode. A failure shows when the file is opened.
private func createPrivately(_ path: String) {
    let descriptor = open(path, O_CREAT | O_EXCL | O_RDWR | O_CLOEXEC, 0o600)
    if descriptor >= 0 { close(descriptor) }
}
