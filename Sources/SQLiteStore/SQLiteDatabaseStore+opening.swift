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
    ///   - models: those whose changes come into the log. Triggers of models that are not named stay: a second program that knows
    ///     fewer models must not silence the others.
    ///   - memberships: the tables that say who belongs where.
    ///   - consent: whether tables of others may be given triggers that have never had them.
    ///   - schema: statements to run at every opening, before the models' tables are looked up; each must do nothing
    ///     the second time (`CREATE TABLE IF NOT EXISTS`).
    /// - Throws: ``StoreError/unusable(_:cause:)`` for a path that can't be used, a file that is no database, a database of
    ///   a newer version and a model whose table does not fit; ``StoreError/unavailable(_:cause:)`` where another process
    ///   holds a lock for too long.
    public static func open(
        path: String, models: [ModelDeclaration], memberships: [MembershipSource] = [], schema: [String] = [],
        consent: Consent = .given, logger: Logger
    ) throws(StoreError) -> SQLiteDatabaseStore {
        try open(
            path: path, models: models, memberships: memberships, schema: schema, consent: consent, patience: patience,
            logger: logger)
    }

    static func open(
        path: String, models: [ModelDeclaration], memberships: [MembershipSource] = [], schema: [String],
        consent: Consent = .given, patience: Duration, logger: Logger
    ) throws(StoreError) -> SQLiteDatabaseStore {
        var configuration = Configuration()
        configuration.busyMode = .timeout(patience / .seconds(1))
        configuration.label = "rolecall.sqlite"
        // Writes of one server are serial.
        configuration.maximumReaderCount = SnapshotReader.Width.all
        try checkPath(path)
        try checkNames(models)
        let preparation = Preparation(path: path, models: models, memberships: memberships, schema: schema)
        return try mapped(path) {
            createPrivately(path)
            let journalMode = try check(preparation, configuration, consent)
            let pool = try DatabasePool(path: path, configuration: configuration)
            return try open(pool, preparation, journalMode: journalMode, patience: patience, logger: logger)
        }
    }

    private static func open(
        _ pool: DatabasePool, _ preparation: Preparation, journalMode: String, patience: Duration, logger: Logger
    ) throws -> SQLiteDatabaseStore {
        let path = pool.path
        let models = preparation.models
        return try pool.writeWithoutTransaction { db in
            // Here, because the pool itself sets NORMAL when it opens.
            try db.run("PRAGMA synchronous = FULL")
            var tables: [ModelTable] = []
            var memberships: [MembershipTable] = []
            var identity = (store: StoreID.random(), era: Era(rawValue: 0))
            var (head, identityHead): (Int64, Int64) = (0, 0)
            var schemaVersion: Int64 = 0
            try db.withoutForeignKeys {
                try db.inTransaction(.immediate) {
                    let outcome = try preparation.carryOut(in: db, journalMode: journalMode)
                    tables = outcome.tables
                    memberships = outcome.memberships
                    for table in outcome.writtenMemberships {
                        logger.info("installed triggers for memberships", metadata: ["table": "\(table.name)"])
                    }
                    for (table, hadLost) in outcome.written {
                        logger.log(
                            level: hadLost ? .warning : .info,
                            hadLost
                                ? "put back triggers: changes of the table since they were lost have not been told"
                                : "installed triggers",
                            metadata: ["model": "\(table.model.name)", "table": "\(table.model.table)"])
                    }
                    identity = try StoreSchema.identity(of: db, path: path)
                    let place = try EventLog.place(db)
                    (head, identityHead) = (place.head, place.identityHead)
                    schemaVersion = try db.first("PRAGMA schema_version") { $0.integer(0) } ?? 0
                    return .commit
                }
            }
            let readers = Readers(pool: pool, tables: tables, memberships: memberships, logger: logger)
            let followers = LogFollowers(head: head, reader: readers.logTurns)
            let identityFollowers = LogFollowers(head: identityHead, reader: readers.identityTurns)
            let keeper = TriggerKeeper(
                pool: pool, models: Array(zip(models, tables.map(\.model))).map { ($0, $1) }, memberships: memberships,
                logger: logger)
            let watch = try ForeignCommitWatch(
                path: path, schemaVersion: schemaVersion, era: identity.era, followers: followers,
                identityFollowers: identityFollowers,
                keeper: keeper, logger: logger)
            return SQLiteDatabaseStore(
                storeID: identity.store, models: tables.map(\.model), readers: readers, followers: followers,
                identityFollowers: identityFollowers, watch: watch, patience: patience)
        }
    }

    // MARK: - Checks before anything is changed

    static func checkPath(_ path: String, forWriting: Bool = true) throws(StoreError) {
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
        guard !forWriting || files.isWritableFile(atPath: directory) else {
            throw .unusable(
                "The database \(path) can't be opened: its directory must be writable, for the journal beside it.")
        }
        guard files.fileExists(atPath: path, isDirectory: &isDirectory) else { return }
        if isDirectory.boolValue { throw .unusable("The database \(path) can't be opened: it is a directory.") }
        guard files.isReadableFile(atPath: path), !forWriting || files.isWritableFile(atPath: path) else {
            throw .unusable(
                "The database \(path) can't be opened: it must be readable\(forWriting ? " and writable" : "").")
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
    ///
    /// - Returns: the journal mode.
    private static func check(
        _ preparation: Preparation, _ configuration: Configuration, _ consent: Consent
    ) throws -> String {
        let path = preparation.path
        let queue = try DatabaseQueue(path: path, configuration: configuration)
        let journalMode = try queue.unsafeRead { db in
            _ = try StoreSchema.checkedVersion(of: db, path: path)
            if consent == .required {
                let strangers = try preparation.strangers(in: db)
                if strangers.isNewToDatabase || !strangers.tables.isEmpty {
                    throw StoreError.notAsked(path, strangers.tables)
                }
            }
            return try db.first("PRAGMA journal_mode") { $0.text(0) } ?? "delete"
        }
        try queue.close()
        return journalMode
    }

    static func openingError(_ error: DatabaseError, path: String) -> StoreError {
        switch error.resultCode {
        case .SQLITE_NOTADB: .unusable("The file \(path) is no SQLite database: name another one.")
        case .SQLITE_CORRUPT: .unusable("The database \(path) is damaged: restore a backup.")
        case .SQLITE_BUSY, .SQLITE_LOCKED:
            .unavailable(
                "The database is locked by another process: end that, or try again later.", cause: .init(path))
        case .SQLITE_FULL:
            .unavailable("The disk with the database is full: make room and try again.", cause: .init(path))
        default:
            // Nothing but the schema has been touched so far; no value can stand in the message.
            .unusable(
                "The database \(path) can't be used.",
                cause: .init(error.message ?? "SQLite \(error.extendedResultCode)"))
        }
    }
}

extension StoreError {
    /// A database or tables of another owner, without the owner's consent.
    fileprivate static func notAsked(_ path: String, _ tables: [String]) -> StoreError {
        let what =
            tables.isEmpty
            ? "The database \(path) is somebody's, and Rolecall's own tables would be put into it"
            : "Triggers would be put on \(tables.joined(separator: ", ")) of \(path), which have never had them"
        return .unusable(
            "\(what). \"rolecall-server models attach\" shows what that is, and asks; --attach agrees to it.")
    }
}

/// Makes the file where there is none, readable for its owner alone: password hashes will stand in it. SQLite gives its
/// journals the same mode. A failure shows when the file is opened.
private func createPrivately(_ path: String) {
    let descriptor = open(path, O_CREAT | O_EXCL | O_RDWR | O_CLOEXEC, 0o600)
    if descriptor >= 0 { close(descriptor) }
}
