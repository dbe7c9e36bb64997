import GRDB
import ModelStore
import RolecallProtocol

extension SQLiteDatabaseStore {
    public func probe(deadline: Deadline) async throws {
        _ = try await reading(readers.identities, deadline) { transaction in
            _ = try EventLog.place(transaction.db)
            try transaction.memberships.probe(transaction.db)
        }
    }

    public func prepareForService() async throws { try await reserveJournal() }

    public func prune(_ order: PruneOrder, deadline: Deadline) async throws -> Int {
        // A reader looks first, so that nothing is written where nothing is to go.
        let through = try await reading(readers.log, deadline) { transaction -> Int64 in
            let place = try EventLog.place(transaction.db)
            let common = try EraTable.chain(transaction.db).lastCommon(of: order.through.era, head: place.head)
            let through = min(order.through.sequence, common ?? 0)
            let isDue = order.before != nil || place.head - place.earliest + 1 > Int64(order.keeping ?? .max)
            return isDue && place.earliest <= through ? through : 0
        }
        guard through > 0 else { return 0 }
        return try await committing(deadline) {
            try $0.pruneEvents(before: order.before, keeping: order.keeping, through: through, limit: order.limit)
        }.value
    }

    public func eraseEvents(of model: Model, key: Value, deadline: Deadline) async throws -> Committed<Int> {
        try await committing(deadline) { try $0.eraseEvents(of: model, key: key) }
    }

    public func eraseAuthor(_ user: Int64, deadline: Deadline) async throws -> Committed<Int> {
        try await committing(deadline) { try $0.eraseActor(user) }
    }

    public func beginEra(deadline: Deadline) async throws -> LogCursor {
        let begun = try await committing(deadline) { transaction in
            try transaction.mapped { try EraTable.begin(in: transaction.db) }
        }
        followers.wake()
        identityFollowers.wake()
        return begun.value
    }

    public func position(of receipt: CommitReceipt, deadline: Deadline) async throws -> Position {
        // A commit of this store is in the log when it returns.
        throw StoreError.unusable("This store has given no receipt for a position that is pending.")
    }

    /// A cut-off commit is not in force as long as this process has the database open; the next commit is written over
    /// its place in the write-ahead log, and then it never will be. So something is committed.
    public func settle(_ receipt: CommitReceipt, deadline: Deadline) async throws -> Settlement {
        switch unsettled.knowledge(of: receipt) {
        case .foreign: return .unknown
        case .settled(let settlement): return settlement
        case .open: break
        }
        do {
            _ = try await committing(deadline) { transaction in
                try transaction.mapped {
                    try transaction.db.run(
                        "INSERT OR REPLACE INTO rolecall_meta(key, value) VALUES ('settled', ?)",
                        [.text(receipt.rawValue)])
                }
            }
        } catch is StoreError {
            return .unknown
        }
        unsettled.settle(receipt, as: .rolledBack)
        return .rolledBack
    }
}
