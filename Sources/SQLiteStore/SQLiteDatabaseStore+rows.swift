import GRDB
import ModelStore
import RolecallProtocol

extension SQLiteDatabaseStore {
    public func row(
        of model: Model, key: Value, positioned: Bool, deadline: Deadline
    ) async throws -> Reading<ModelStore.Row?> {
        try await reading(readers.rows, deadline) { transaction in
            let position = positioned ? try transaction.position() : nil
            return Reading(value: try transaction.row(of: model, key: key), position: position)
        }
    }

    public func page(
        _ query: PageQuery, deadline: Deadline, seeing: @escaping @Sendable (ModelStore.Row) -> ModelStore.Row?
    ) async throws -> Page {
        try await reading(readers.rows, deadline) { transaction in
            let position = query.positioned ? try transaction.position() : nil
            var page = PageBuilder(query, seeing: seeing)
            guard query.limit > 0 else { return page.page(at: position) }
            try transaction.rows(of: query.model, after: query.after, order: query.order, equals: query.equals) {
                page.add($0)
            }
            return page.page(at: position)
        }
    }

    public func create<Output: Sendable>(
        _ model: Model, as claim: Claim, deadline: Deadline,
        values: @escaping @Sendable (ClaimantRecord) throws -> [(column: String, value: Value)],
        result: @escaping @Sendable (ClaimantRecord, ModelStore.Row) throws -> Output
    ) async throws -> Committed<Output> {
        try await committing(deadline) { transaction in
            let caller = try transaction.confirmed(claim)
            return try result(caller, transaction.insert(values(caller), into: model))
        }
    }

    public func update<Output: Sendable>(
        _ model: Model, key: Value, as claim: Claim, if condition: WriteCondition, deadline: Deadline,
        values: @escaping @Sendable (ClaimantRecord, ModelStore.Row) throws -> [(column: String, value: Value)],
        result:
            @escaping @Sendable (ClaimantRecord, _ before: ModelStore.Row, _ after: ModelStore.Row) throws ->
            Output
    ) async throws -> Committed<Output> {
        try await committing(deadline) { transaction in
            let caller = try transaction.confirmed(claim)
            guard let before = try transaction.row(of: model, key: key) else { throw RowRefusal.noRow }
            let values = try values(caller, before)
            try transaction.check(condition, on: before, of: model, for: caller)
            let after = values.isEmpty ? before : try transaction.update(model, key: key, set: values)
            return try result(caller, before, after ?? before)
        }
    }

    public func remove<Output: Sendable>(
        _ model: Model, key: Value, as claim: Claim, if condition: WriteCondition, deadline: Deadline,
        judging: @escaping @Sendable (ClaimantRecord, ModelStore.Row) throws -> Output
    ) async throws -> Committed<Output> {
        try await committing(deadline) { transaction in
            let caller = try transaction.confirmed(claim)
            guard let row = try transaction.row(of: model, key: key) else { throw RowRefusal.noRow }
            let output = try judging(caller, row)
            try transaction.check(condition, on: row, of: model, for: caller)
            _ = try transaction.remove(model, key: key)
            return output
        }
    }
}

extension SQLiteTransaction {
    func position() throws -> Position {
        try mapped {
            let place = try EventLog.place(db)
            return Position(era: place.era, sequence: place.head)
        }
    }

    /// A user and a sign-in, in one statement, and the user's memberships in one for each source.
    func claimant(user: Int64, session: String?) throws -> ClaimantRecord? {
        try mapped {
            let found = try db.first(
                """
                SELECT u._id, u.email, u.name, u.role, u.generation, (SELECT 1 FROM rolecall_session AS s \
                WHERE s.id = ?2 AND s.user = u._id AND s.revoked_at IS NULL) FROM rolecall_user AS u WHERE u._id = ?1
                """, [.integer(user), session.map(Value.text) ?? .null]
            ) { row in
                (
                    IdentityRecord(
                        summary: UserSummary(
                            id: row.integer(0), email: row.text(1), name: row.text(2), role: row.text(3)),
                        generation: row.integer(4)),
                    session == nil ? ClaimantRecord.Session.unclaimed : row.isNull(5) ? .ended : .open
                )
            }
            guard let (identity, session) = found else { return nil }
            let place = try EventLog.place(db)
            let memberships = try memberships.memberships(
                ofUser: identity.summary.id, email: identity.summary.email, in: db)
            return ClaimantRecord(
                identity: identity, session: session, memberships: memberships,
                readAt: IdentityCursor(era: place.era, upTo: place.head))
        }
    }
}

extension SQLiteWriteTransaction {
    /// The user of a claim, whose changes these are from here on.
    ///
    /// - Throws: ``ClaimRefusal``.
    func confirmed(_ claim: Claim) throws -> ClaimantRecord {
        guard let caller = try claimant(user: claim.user, session: claim.session) else {
            throw ClaimRefusal.unknownUser
        }
        try caller.confirm(claim)
        try act(as: caller.identity.author)
        return caller
    }

    /// - Throws: ``RowRefusal/changed``.
    func check(
        _ condition: WriteCondition, on row: ModelStore.Row, of model: Model, for caller: ClaimantRecord
    ) throws {
        guard condition.since != nil else { return }
        try mapped {
            let (place, eras) = (try EventLog.place(db), try EraTable.chain(db))
            let since = condition.place { eras.judge($0, earliest: place.earliest, head: place.head) }
            guard let since else { throw RowRefusal.changed }
            // As the table spells the key, and the log with it.
            let key = row[Model.keyName] ?? .null
            try EventLog.events(of: model.name, key: key, after: since.sequence, in: db, logger: logger) { event in
                if event.change == .gap || condition.isSeen(caller, event) { throw RowRefusal.changed }
                return true
            }
        }
    }
}
