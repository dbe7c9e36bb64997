import GRDB
import Logging
import ModelStore
import Synchronization

/// Puts the triggers back where another program has rebuilt a table, which is SQLite's way to change one, and lost
/// them by that.
///
/// What is told stays as it was at the opening: a column that was added since is not told before the next one, when
/// the policy can be checked with it.
final class TriggerKeeper: Sendable {
    private let pool: DatabasePool
    private let models: [(declaration: ModelDeclaration, model: Model)]
    private let memberships: [MembershipTable]
    private let logger: Logger
    /// The models and tables that it could not look after, as has been logged.
    private let failing = Mutex<Set<String>>([])

    init(
        pool: DatabasePool, models: [(declaration: ModelDeclaration, model: Model)], memberships: [MembershipTable],
        logger: Logger
    ) {
        self.pool = pool
        self.models = models
        self.memberships = memberships
        self.logger = logger
    }

    /// Looks at every model's triggers, in a transaction of its own, after those that wait already.
    ///
    /// - Parameter completion: is called with false where it could not look, because of a lock for example.
    func keep(completion: @escaping @Sendable (Bool) -> Void) {
        pool.asyncWriteWithoutTransaction { db in
            do {
                var findings: [MembershipFinding] = []
                try db.withoutForeignKeys {
                    try db.inTransaction(.immediate) {
                        for (declaration, model) in self.models { try self.keep(declaration, model, in: db) }
                        findings = try self.memberships.map { try self.keep($0, in: db) }
                        return .commit
                    }
                }
                // Only now: a gap that was rolled back is appended the next time.
                for finding in findings { self.note(finding) }
                completion(true)
            } catch {
                self.logger.warning("could not look after the triggers", metadata: ["error": "\(error)"])
                completion(false)
            }
        }
    }

    private func keep(_ declaration: ModelDeclaration, _ model: Model, in db: Database) throws {
        let metadata: Logger.Metadata = ["model": "\(model.name)", "table": "\(model.table)"]
        do {
            let table = try ModelTable(declaration, in: db).limited(to: model)
            // A savepoint for each: one table that no longer fits must not cost the others their triggers.
            var written = 0
            try db.inSavepoint {
                let triggers = CaptureTriggers(table: table)
                let hadLost = try !triggers.areThere(in: db)
                written = try triggers.install(in: db)
                if hadLost { try EventLog.appendGap(of: model.name, in: db) }
                return .commit
            }
            failing.withLock { _ = $0.remove(model.name) }
            if written > 0 {
                logger.warning(
                    "put back triggers: changes of the table since they were lost have not been told",
                    metadata: metadata)
            }
        } catch let error as StoreError {
            // Once: it is looked at again with every change of the schema.
            guard failing.withLock({ $0.insert(model.name).inserted }) else { return }
            logger.error("changes are not told any more: \(error)", metadata: metadata)
        }
    }
}

extension TriggerKeeper {
    /// How a table of memberships was found.
    private struct MembershipFinding {
        var table: String
        /// Why it can't say anything; nil where it can.
        var fault: StoreError?
        /// Whether it has changed since the last look, so that a gap was appended.
        var isNews: Bool
        // No model's name has a colon.
        var place: String { "memberships:\(table)" }
    }

    /// Where triggers were lost, or the table itself, every identity is read anew: nothing says who has come and gone.
    private func keep(_ known: MembershipTable, in db: Database) throws -> MembershipFinding {
        var finding = MembershipFinding(table: known.name, isNews: false)
        let wasFailing = failing.withLock { $0.contains(finding.place) }
        do {
            try db.inSavepoint {
                var written = 0
                for table in try MembershipTable.all(known.sources, in: db) {
                    written += try MembershipTriggers(table: table).install(in: db)
                }
                finding.isNews = written > 0 || wasFailing
                return .commit
            }
        } catch let error as StoreError {
            finding.fault = error
            finding.isNews = !wasFailing
        }
        if finding.isNews { try EventLog.appendGap(of: MembershipTriggers.model, in: db) }
        return finding
    }

    private func note(_ finding: MembershipFinding) {
        let metadata: Logger.Metadata = ["table": "\(finding.table)"]
        failing.withLock { failing in
            _ = finding.fault == nil ? failing.remove(finding.place) : failing.insert(finding.place).memberAfterInsert
        }
        guard finding.isNews else { return }
        if let fault = finding.fault {
            logger.error("memberships of the table end: \(fault)", metadata: metadata)
        } else {
            logger.warning("put back triggers: every membership is read anew", metadata: metadata)
        }
    }
}

extension ModelTable {
    /// The table with no more columns told than the model has.
    ///
    /// - Throws: ``StoreError/unusable(_:cause:)`` where one of the model's is missing.
    fileprivate func limited(to model: Model) throws -> ModelTable {
        let missing = model.columns.filter { column in field(column.name)?.column.kind != column.kind }
        guard missing.isEmpty, self.model.keyColumns == model.keyColumns else {
            let names = missing.map(\.name).joined(separator: ", ")
            throw StoreError.unusable("The table \(model.table) has lost or changed \(names): start again.")
        }
        var limited = self
        limited.fields = fields.filter { model.column($0.column.name) != nil }
        limited.model = model
        return limited
    }
}
