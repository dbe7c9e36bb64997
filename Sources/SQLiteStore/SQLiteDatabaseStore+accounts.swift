import ModelStore
import RolecallProtocol

extension SQLiteDatabaseStore {
    public func credentials(email: String, deadline: Deadline) async throws -> UserRecord? {
        try await reading(readers.identities, deadline) { try $0.user(email: email) }
    }

    public func beginSession(
        _ session: SessionRecord, generation: Int64, upgraded: String?, deadline: Deadline
    ) async throws -> Committed<UserRecord> {
        try await committing(deadline) { transaction in
            guard let user = try transaction.user(id: session.user) else { throw ClaimRefusal.unknownUser }
            guard user.generation == generation else { throw ClaimRefusal.tokensVoided }
            try transaction.pruneSessions(expiredBefore: session.createdAt)
            try transaction.insertSession(session)
            if let upgraded { try transaction.upgradePassword(upgraded, ofUser: user.id) }
            return user
        }
    }

    public func renewSession(
        of claim: Claim, as fresh: SessionRecord, deadline: Deadline
    ) async throws -> Committed<RenewedSession> {
        try await committing(deadline) { transaction in
            let caller = try transaction.confirmed(claim)
            guard let user = try transaction.user(id: caller.identity.summary.id) else {
                throw ClaimRefusal.unknownUser
            }
            guard let session = claim.session else {
                try transaction.insertSession(fresh)
                return RenewedSession(user: user, session: fresh.id)
            }
            guard try transaction.extendSession(id: session, expiresAt: fresh.expiresAt) else {
                throw ClaimRefusal.sessionEnded
            }
            return RenewedSession(user: user, session: session)
        }
    }

    public func endSession(
        _ id: String, at moment: Timestamp, deadline: Deadline
    ) async throws -> Committed<Bool> {
        try await committing(deadline) { try $0.revokeSession(id: id, at: moment) }
    }

    public func noteUse(of sessions: Set<String>, at moment: Timestamp, deadline: Deadline) async throws {
        _ = try await committing(deadline) { transaction in
            for session in sessions { _ = try transaction.touchSession(id: session, at: moment) }
        }
    }

    public func inspect<Output: Sendable>(
        positioned: Bool, deadline: Deadline,
        _ body: @escaping @Sendable (any RowReader & AccountReader) throws -> Output
    ) async throws -> Reading<Output> {
        try await reading(readers.rows, deadline) { transaction in
            let position = positioned ? try transaction.position() : nil
            return Reading(value: try body(transaction), position: position)
        }
    }

    public func transaction<Output: Sendable>(
        by author: Author?, deadline: Deadline,
        _ body: @escaping @Sendable (any StoreTransaction) throws -> Output
    ) async throws -> Committed<Output> {
        try await committing(by: author, deadline) { try body($0) }
    }
}

extension SQLiteWriteTransaction: StoreTransaction {
    /// SQLite has one writer at a time, over all processes: a transaction that writes holds everything from its beginning.
    func lock(_ subject: LockSubject) throws {
        try mapped {}
    }
}
