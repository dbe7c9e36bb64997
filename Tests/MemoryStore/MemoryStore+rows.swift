import ModelStore
import RolecallProtocol

extension MemoryStore {
    public func row(
        of model: Model, key: Value, positioned: Bool, deadline: Deadline
    ) async throws -> Reading<Row?> {
        try await read(deadline) { state, _ in
            Reading(value: state.row(of: model.name, key: key), position: positioned ? state.place.position : nil)
        }
    }

    public func page(
        _ query: PageQuery, deadline: Deadline, seeing: @escaping @Sendable (Row) -> Row?
    ) async throws -> Page {
        try await read(deadline) { state, call in
            var page = PageBuilder(query, seeing: seeing)
            if query.limit > 0 {
                try state.rows(of: query.model.name).visit(
                    after: query.after, order: query.order, equals: query.equals
                ) { row in
                    try call.check()
                    return page.add(row)
                }
            }
            return page.page(at: query.positioned ? state.place.position : nil)
        }
    }

    public func create<Output: Sendable>(
        _ model: Model, as claim: Claim, deadline: Deadline,
        values: @escaping @Sendable (ClaimantRecord) throws -> [(column: String, value: Value)],
        result: @escaping @Sendable (ClaimantRecord, Row) throws -> Output
    ) async throws -> Committed<Output> {
        try await commit(by: nil, deadline) { transaction in
            let caller = try transaction.confirmed(claim)
            return try result(caller, transaction.insert(values(caller), into: model))
        }
    }

    public func update<Output: Sendable>(
        _ model: Model, key: Value, as claim: Claim, if condition: WriteCondition, deadline: Deadline,
        values: @escaping @Sendable (ClaimantRecord, Row) throws -> [(column: String, value: Value)],
        result: @escaping @Sendable (ClaimantRecord, _ before: Row, _ after: Row) throws -> Output
    ) async throws -> Committed<Output> {
        try await commit(by: nil, deadline) { transaction in
            let caller = try transaction.confirmed(claim)
            try transaction.lock(row: key, of: model)
            guard let before = try transaction.row(of: model, key: key) else { throw RowRefusal.noRow }
            let values = try values(caller, before)
            try transaction.check(condition, on: key, of: model, for: caller)
            let after = try transaction.update(model, key: key, set: values) ?? before
            return try result(caller, before, after)
        }
    }

    public func remove<Output: Sendable>(
        _ model: Model, key: Value, as claim: Claim, if condition: WriteCondition, deadline: Deadline,
        judging: @escaping @Sendable (ClaimantRecord, Row) throws -> Output
    ) async throws -> Committed<Output> {
        try await commit(by: nil, deadline) { transaction in
            let caller = try transaction.confirmed(claim)
            try transaction.lock(row: key, of: model)
            guard let row = try transaction.row(of: model, key: key) else { throw RowRefusal.noRow }
            let output = try judging(caller, row)
            try transaction.check(condition, on: key, of: model, for: caller)
            _ = try transaction.remove(model, key: key)
            return output
        }
    }

    func read<Output: Sendable>(
        _ deadline: Deadline, _ body: @escaping @Sendable (MemoryState, MemoryCall) throws -> Output
    ) async throws -> Output {
        try await MemoryCall.run(until: deadline.moment(standard: standardTimeout)) { call in
            let output = try body(self.locked { try self.snapshot().state }, call)
            try call.check()
            return output
        }
    }
}

extension MemoryTransaction {
    func confirmed(_ claim: Claim) throws -> ClaimantRecord {
        try lock(.user(claim.user))
        let (state, cursor) = try store.locked { try store.snapshot() }
        guard let caller = state.claimant(user: claim.user, session: claim.session, readAt: cursor) else {
            throw ClaimRefusal.unknownUser
        }
        try caller.confirm(claim)
        try act(as: caller.identity.author)
        return caller
    }

    fileprivate func check(
        _ condition: WriteCondition, on key: Value, of model: Model, for caller: ClaimantRecord
    ) throws {
        guard condition.since != nil else { return }
        let state = try store.locked { try store.snapshot().state }
        guard let since = condition.place(judge: state.judge) else { throw RowRefusal.changed }
        // What has no number yet is behind every place.
        let later = state.log.filter { $0.sequence > since.sequence } + state.inbox.flatMap(\.changes)
        let isChanged = later.contains { event in
            event.model == model.name
                && (event.change == .gap || event.key == key && condition.isSeen(caller, event))
        }
        if isChanged { throw RowRefusal.changed }
    }
}

extension MemoryState {
    func claimant(user id: Int64, session: String?, readAt cursor: IdentityCursor) -> ClaimantRecord? {
        guard let user = users[id] else { return nil }
        let isOpen = session.map { sessions[$0].map { $0.user == id && $0.revokedAt == nil } ?? false }
        return ClaimantRecord(
            identity: IdentityRecord(user), session: isOpen.map { $0 ? .open : .ended } ?? .unclaimed,
            memberships: memberships(of: user), readAt: cursor)
    }
}
