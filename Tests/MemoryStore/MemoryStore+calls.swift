import ModelStore
import RolecallProtocol
import Synchronization

// MARK: - Rows

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
    fileprivate func confirmed(_ claim: Claim) throws -> ClaimantRecord {
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
            identity: IdentityRecord(user), session: isOpen.map { $0 ? .open : .ended } ?? .unclaimed, readAt: cursor)
    }
}

// MARK: - Log

extension MemoryStore {
    public func head(deadline: Deadline) async throws -> LogCursor {
        try await read(deadline) { state, _ in state.place }
    }

    public func judge(_ position: Position, deadline: Deadline) async throws -> PositionVerdict {
        try await read(deadline) { state, _ in state.judge(position) }
    }

    public func stretch(behind cursor: LogCursor, limit: Int, deadline: Deadline) async throws -> LogStretch {
        try await read(deadline) { state, _ in state.stretch(behind: cursor, limit: limit) }
    }

    public func history(
        of model: Model, key: Value, behind cursor: LogCursor, limit: Int, deadline: Deadline
    ) async throws -> LogStretch {
        try await read(deadline) { state, _ in
            state.stretch(behind: cursor, limit: limit) { event in
                event.model == model.name && (event.change == .gap || event.key == key)
            }
        }
    }

    public func follow(
        from cursor: LogCursor, identities: IdentityCursor, limit: Int,
        _ body: @escaping @Sendable (LogNews, FollowerTurn) throws -> Void
    ) -> LogSubscription {
        let place = Place((log: cursor, identities: identities))
        return add(
            MemoryFollower { [weak self] finish in
                guard let self else { return false }
                let (cursor, identities) = place.value
                let (state, here) = try locked { try self.snapshot() }
                let stretch = state.stretch(behind: cursor, limit: limit)
                guard stretch.end != cursor || stretch.interruption != nil else { return false }
                let news = LogNews(stretch: stretch, identities: state.identities(behind: identities, upTo: here))
                try body(
                    news,
                    FollowerTurn {
                        place.value = (stretch.end, news.identities.cursor)
                        finish()
                    })
                return true
            })
    }
}

extension MemoryState {
    fileprivate func identities(behind cursor: IdentityCursor, upTo here: IdentityCursor) -> IdentityReading {
        guard cursor.era == here.era else { return IdentityReading(entries: [], cursor: here, isReset: true) }
        return IdentityReading(
            entries: identities.filter { $0.mark.era == here.era && !cursor.covers($0.mark) }, cursor: here)
    }
}

/// Where a follower has come to.
private final class Place<Value: Sendable>: Sendable {
    private let place: Mutex<Value>

    init(_ place: sending Value) { self.place = Mutex(place) }

    var value: Value {
        get { place.withLock { $0 } }
        set { place.withLock { $0 = newValue } }
    }
}

// MARK: - Identities

extension MemoryStore {
    public func claimant(user: Int64, session: String?, deadline: Deadline) async throws -> ClaimantRecord? {
        try await MemoryCall.run(until: deadline.moment(standard: standardTimeout)) { _ in
            let (state, cursor) = try self.locked { try self.snapshot() }
            return state.claimant(user: user, session: session, readAt: cursor)
        }
    }

    public func identityCursor(deadline: Deadline) async throws -> IdentityCursor {
        try await MemoryCall.run(until: deadline.moment(standard: standardTimeout)) { _ in
            try self.locked { try self.snapshot().identities }
        }
    }

    public func followIdentities(
        from cursor: IdentityCursor, _ body: @escaping @Sendable (IdentityReading, FollowerTurn) throws -> Void
    ) -> LogSubscription {
        let place = Place((cursor: cursor, isFirst: true))
        return add(
            MemoryFollower { [weak self] finish in
                guard let self else { return false }
                let (cursor, isFirst) = place.value
                let (state, here) = try locked { try self.snapshot() }
                guard isFirst || here != cursor else { return false }
                let reading = state.identities(behind: cursor, upTo: here)
                try body(
                    reading,
                    FollowerTurn {
                        place.value = (reading.cursor, false)
                        finish()
                    })
                return true
            })
    }
}

// MARK: - Accounts

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

// MARK: - Upkeep

extension MemoryStore {
    public func probe(deadline: Deadline) async throws { try await read(deadline) { _, _ in } }

    public func prepareForService() async throws {}

    public func prune(_ order: PruneOrder, deadline: Deadline) async throws -> Int {
        try change { state in
            let common = state.eras.lastCommon(of: order.through.era, head: state.head) ?? 0
            let through = min(order.through.sequence, common)
            var last: Int64 = 0
            if let before = order.before {
                last = state.log.prefix { $0.sequence <= through && $0.at < before.description }.last?.sequence ?? 0
            }
            if let keeping = order.keeping { last = max(last, min(state.head - Int64(keeping), through)) }
            let gone = min(order.limit, state.log.prefix { $0.sequence <= last }.count)
            state.log.removeFirst(gone)
            return gone
        }
    }

    public func eraseEvents(of model: Model, key: Value, deadline: Deadline) async throws -> Committed<Int> {
        let count = try change { state in
            let count = state.log.count { $0.model == model.name && $0.key == key }
            state.log.removeAll { $0.model == model.name && $0.key == key }
            if count > 0 {
                let gap = ChangeRecord(
                    sequence: 0, model: model.name, change: .gap, key: .null, before: nil, after: nil, author: nil,
                    at: Timestamp.now.description)
                state.inbox.append(MemoryState.Inbound(transaction: 0, changes: [gap]))
                state.number()
            }
            return count
        }
        return Committed(value: count, position: .at(locked { state.place.position }), identity: mark())
    }

    public func eraseAuthor(_ user: Int64, deadline: Deadline) async throws -> Committed<Int> {
        let count = try change { state in
            var count = 0
            for index in state.log.indices where state.log[index].author?.id == user {
                state.log[index].author = nil
                count += 1
            }
            return count
        }
        return Committed(value: count, position: .at(locked { state.place.position }), identity: mark())
    }

    public func beginEra(deadline: Deadline) async throws -> LogCursor {
        try locked {
            _ = try snapshot()
            return startEra()
        }
    }

    public func position(of receipt: CommitReceipt, deadline: Deadline) async throws -> Position {
        try await MemoryCall.run(until: deadline.moment(standard: standardTimeout)) { call in
            try self.place(of: receipt, call)
        }
    }

    public func settle(_ receipt: CommitReceipt, deadline: Deadline) async throws -> Settlement {
        settlement(of: receipt)
    }
}
