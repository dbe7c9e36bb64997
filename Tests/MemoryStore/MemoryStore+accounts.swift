import ModelStore
import RolecallProtocol

extension MemoryStore {
    public func credentials(email: String, deadline: Deadline) async throws -> UserRecord? {
        try await read(deadline) { state, _ in
            state.users.values.first { $0.email.lowercased() == email.lowercased() }
        }
    }

    public func beginSession(
        _ session: SessionRecord, generation: Int64, upgraded: String?, deadline: Deadline
    ) async throws -> Committed<UserRecord> {
        try await commit(by: nil, deadline) { transaction in
            try transaction.lock(user: session.user)
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
        try await commit(by: nil, deadline) { transaction in
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

    public func endSession(_ id: String, at moment: Timestamp, deadline: Deadline) async throws -> Committed<Bool> {
        try await commit(by: nil, deadline) { try $0.revokeSession(id: id, at: moment) }
    }

    public func noteUse(of sessions: Set<String>, at moment: Timestamp, deadline: Deadline) async throws {
        _ = try await commit(by: nil, deadline) { transaction in
            // In one order, so that two of these never wait for each other.
            for session in sessions.sorted() { _ = try transaction.touchSession(id: session, at: moment) }
        }
    }

    public func inspect<Output: Sendable>(
        positioned: Bool, deadline: Deadline,
        _ body: @escaping @Sendable (any RowReader & AccountReader) throws -> Output
    ) async throws -> Reading<Output> {
        try await read(deadline) { state, call in
            Reading(
                value: try body(MemorySnapshot(state: state, call: call)),
                position: positioned ? state.place.position : nil)
        }
    }

    public func transaction<Output: Sendable>(
        by author: Author?, deadline: Deadline, _ body: @escaping @Sendable (any StoreTransaction) throws -> Output
    ) async throws -> Committed<Output> {
        try await commit(by: author, deadline) { try body($0) }
    }
}

/// One snapshot, as the body of a reading sees it.
private struct MemorySnapshot: RowReader, AccountReader {
    let state: MemoryState
    let call: MemoryCall

    func row(of model: Model, key: Value) throws -> Row? { state.row(of: model.name, key: key) }

    func rows(
        of model: Model, after: Value?, order: KeyOrder, equals: [(column: Column, value: Value)],
        visit: (Row) throws -> Bool
    ) throws {
        try state.rows(of: model.name).visit(after: after, order: order, equals: equals) { row in
            try call.check()
            return try visit(row)
        }
    }

    func user(id: Int64) throws -> UserRecord? { state.users[id] }
    func user(email: String) throws -> UserRecord? {
        state.users.values.first { $0.email.lowercased() == email.lowercased() }
    }
    func users() throws -> [UserRecord] { state.users.values.sorted { $0.id < $1.id } }
    func userCount(role: String) throws -> Int { state.users.values.count { $0.role == role } }
    func session(id: String) throws -> SessionRecord? { state.sessions[id] }
    func sessions(ofUser id: Int64) throws -> [SessionRecord] {
        state.sessions.values.filter { $0.user == id }.sorted {
            ($1.createdAt.milliseconds, $0.id) < ($0.createdAt.milliseconds, $1.id)
        }
    }
}
