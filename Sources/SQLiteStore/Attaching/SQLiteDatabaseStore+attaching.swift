import Foundation
import GRDB
import Logging
import ModelStore

/// What the store puts into another owner's database, before it is opened for service: looked at, put there, taken out.
extension SQLiteDatabaseStore {
    /// What stands in a database. Nothing of it is changed.
    ///
    /// - Throws: ``StoreError/unusable(_:cause:)`` for a path without a database.
    public static func schema(path: String) throws(StoreError) -> DatabaseSchema {
        try looking(at: path) { try SchemaReader.schema(named: path, in: $0) }
    }

    /// What opening with these models would put into a database. Nothing of it is changed.
    ///
    /// - Throws: as ``open(path:models:schema:consent:logger:)``.
    public static func plan(
        path: String, models: [ModelDeclaration], memberships: [MembershipSource] = [], schema: [String] = []
    ) throws(StoreError) -> AttachmentPlan {
        try looking(at: path) { db in
            _ = try StoreSchema.checkedVersion(of: db, path: path)
            let preparation = Preparation(path: path, models: models, memberships: memberships, schema: schema)
            return try SchemaTwin(of: db).plan(preparation, for: db)
        }
    }

    /// Puts it there, in one transaction.
    ///
    /// - Returns: what was put there.
    /// - Throws: as ``open(path:models:schema:consent:logger:)``.
    @discardableResult
    public static func attach(
        path: String, models: [ModelDeclaration], memberships: [MembershipSource] = [], schema: [String] = [],
        logger: Logger
    ) throws(StoreError) -> AttachmentPlan {
        let plan = try plan(path: path, models: models, memberships: memberships, schema: schema)
        let store = try open(
            path: path, models: models, memberships: memberships, schema: schema, consent: .given, logger: logger)
        store.closeNow()
        return plan
    }

    /// Takes the triggers of models out of a database; with `everything` all that the store has ever put there, its
    /// users, messages and log included: the tables of others are then as if it had never come. A server that runs on
    /// the database puts back what it misses: it has to be ended first.
    ///
    /// - Parameter models: names.
    /// - Returns: a sentence for each thing that was taken out.
    /// - Throws: ``StoreError/unusable(_:cause:)`` for a model that is not attached or is the store's own, and then nothing is
    ///   taken out; ``StoreError/unavailable(_:cause:)`` where the database is locked for too long.
    public static func detach(
        path: String, models: [String], everything: Bool = false, logger: Logger
    ) throws(StoreError) -> [String] {
        try checkPath(path)
        return try mapped(path) {
            guard FileManager.default.fileExists(atPath: path) else {
                throw StoreError.unusable("There is no database \(path).")
            }
            var configuration = Configuration()
            configuration.busyMode = .timeout(patience / .seconds(1))
            let queue = try DatabaseQueue(path: path, configuration: configuration)
            let done = try queue.writeWithoutTransaction { db in
                guard try StoreSchema.checkedVersion(of: db, path: path) > 0 else { return [String]() }
                return everything
                    ? try Detachment.takeOutEverything(of: path, in: db) : try Detachment.takeOut(models, in: db)
            }
            try queue.close()
            return done
        }
    }

    /// How each model stands: those that are declared, then those that have been attached beyond them.
    public static func status(
        path: String, models: [ModelDeclaration]
    ) throws(StoreError) -> [ModelStatus] {
        try looking(at: path) { db in
            let attached = try Preparation.attached(in: db)
            let hasLog = try db.hasTable("rolecall_events")
            func events(_ model: String) throws -> Int64 {
                guard hasLog else { return 0 }
                return try db.first(
                    "SELECT count(*) FROM rolecall_events WHERE model = ?", [.text(model)]
                ) { $0.integer(0) } ?? 0
            }
            var statuses: [ModelStatus] = []
            for model in models {
                let state: ModelStatus.State
                do {
                    let table = try ModelTable(model, in: db)
                    let isAttached = attached[model.name]?.lowercased() == table.model.table.lowercased()
                    state =
                        !isAttached
                        ? .notAttached
                        : try CaptureTriggers(table: table).areUpToDate(in: db) ? .attached : .outdated
                } catch let error as StoreError {
                    state = .unusable(error.description)
                }
                statuses.append(
                    ModelStatus(model: model.name, table: model.table, state: state, events: try events(model.name)))
            }
            for (name, table) in attached.sorted(by: { $0.key < $1.key })
            where !models.contains(where: { $0.name == name }) {
                statuses.append(
                    ModelStatus(model: name, table: table, state: .undeclared, events: try events(name)))
            }
            return statuses
        }
    }

    // MARK: Parts

    /// Reads a database with a connection that can't change it.
    static func looking<Output>(at path: String, _ body: (Database) throws -> Output) throws(StoreError) -> Output {
        try checkPath(path, forWriting: false)
        return try mapped(path) {
            guard FileManager.default.fileExists(atPath: path) else {
                throw StoreError.unusable("There is no database \(path).")
            }
            var configuration = Configuration()
            configuration.readonly = true
            configuration.busyMode = .timeout(patience / .seconds(1))
            let queue = try DatabaseQueue(path: path, configuration: configuration)
            let output = try queue.unsafeRead { db in try db.transaction(.deferred) { try body(db) } }
            try queue.close()
            return output
        }
    }

    /// Runs a body with errors turned into those that a database's opener reads.
    static func mapped<Output>(_ path: String, _ body: () throws -> Output) throws(StoreError) -> Output {
        do {
            return try body()
        } catch let error as StoreError {
            throw error
        } catch let error as DatabaseError {
            throw openingError(error, path: path)
        } catch {
            throw .unusable("The database \(path) can't be opened.", cause: .init("\(error)"))
        }
    }
}
