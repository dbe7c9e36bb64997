import Foundation
import ModelStore
import RolecallProtocol

/// A transaction: it sees what is committed at each of its readings, and what it has written itself. What it writes it
/// locks first. One thread at a time uses it: that of its body.
final class MemoryTransaction: StoreTransaction {
    let number: Int64
    let incarnation: Int
    let store: MemoryStore
    let call: MemoryCall
    private var author: Author?
    private var rows: [String: [Value: Row?]] = [:]
    private var writtenUsers: [Int64: UserRecord?] = [:]
    private var writtenSessions: [String: SessionRecord?] = [:]
    private var changes: [ChangeRecord] = []
    private var identities: [IdentityFeedEntry.Subject] = []

    init(number: Int64, incarnation: Int, store: MemoryStore, call: MemoryCall, author: Author?) {
        self.number = number
        self.incarnation = incarnation
        self.store = store
        self.call = call
        self.author = author
    }

    func act(as author: Author?) throws { self.author = author }

    func lock(_ subject: LockSubject) throws { try store.lock(subject, for: self) }

    /// Whether anything of it comes into the log.
    var hasChanges: Bool { !changes.isEmpty }

    /// Puts what was written where all can see it.
    func apply(to state: inout MemoryState, era: Era) {
        var members = Set(touched(in: state))
        for (model, rows) in rows {
            for (key, row) in rows { state.tables[model, default: [:]][key] = row }
        }
        for (id, user) in writtenUsers { state.users[id] = user }
        for (id, session) in writtenSessions { state.sessions[id] = session }
        if !changes.isEmpty { state.inbox.append(MemoryState.Inbound(transaction: number, changes: changes)) }
        members.formUnion(touched(in: state))
        let memberships = members.sorted().compactMap { id in
            state.users[id].map { IdentityFeedEntry.Subject.memberships(state.memberships(of: $0), ofUser: id) }
        }
        let mark = IdentityMark(era: era, number: number)
        state.identities += (identities + memberships).map {
            IdentityFeedEntry(mark: mark, subject: $0, at: Timestamp.now.description)
        }
    }

    /// The users whose memberships the transaction may have changed, as a state names them.
    private func touched(in state: MemoryState) -> [Int64] {
        let rows = changes.flatMap { change in
            [change.before, change.after].compactMap { row in row.map { (model: change.model, row: $0) } }
        }
        let renamed =
            state.sources.contains { $0.source.user.name == .email }
            ? changes.filter { $0.model == ModelName.user && $0.before?["email"] != $0.after?["email"] }.map(\.key) : []
        return rows.flatMap { state.members(in: $0.row, of: $0.model).map(\.id) }
            + renamed.compactMap { if case .integer(let id) = $0 { id } else { nil } }
    }

    /// What is committed now.
    private func committed() throws -> MemoryState {
        try call.check()
        if store.tripTime > .zero { Thread.sleep(forTimeInterval: store.tripTime / .seconds(1)) }
        return try store.locked { try store.snapshot().state }
    }

    private func table(of model: Model) throws -> MemoryStore.Table {
        guard let table = store.tables[model.name] else {
            throw StoreError.unusable("This store has no model \(model.name).")
        }
        return table
    }

    private func note(_ change: ChangeRecord.Change, of model: String, key: Value, before: Row?, after: Row?) {
        changes.append(
            ChangeRecord(
                sequence: 0, model: model, change: change, key: key, before: before, after: after, author: author,
                at: Timestamp.now.description))
    }
}

// MARK: - Rows

extension MemoryTransaction {
    func row(of model: Model, key: Value) throws -> Row? {
        _ = try table(of: model)
        if model.name == ModelName.user {
            guard case .integer(let id) = key else { return nil }
            return try user(id: id)?.image
        }
        if let written = rows[model.name]?[key] { return written }
        return try committed().row(of: model.name, key: key)
    }

    func rows(
        of model: Model, after: Value?, order: KeyOrder, equals: [(column: Column, value: Value)],
        visit: (Row) throws -> Bool
    ) throws {
        var all = try committed().rows(of: model.name)
        for (key, row) in rows[model.name] ?? [:] { all[key] = row }
        if model.name == ModelName.user {
            for (id, user) in writtenUsers { all[.integer(id)] = user?.image }
        }
        try all.visit(after: after, order: order, equals: equals, visit)
    }

    func insert(_ values: [(column: String, value: Value)], into model: Model) throws -> Row {
        let table = try table(of: model)
        try check(values, for: model)
        let given = values.first { $0.column == Model.keyName }?.value
        let key = given ?? .integer(store.nextKey(of: model.name))
        try lock(row: key, of: model)
        guard try row(of: model, key: key) == nil else {
            throw StoreError.conflict(
                "The table \(model.table) has a row with this _id already.", column: Model.keyName)
        }
        let row = Row(
            try model.columns.map { column in
                if column.name == Model.keyName { return (column: column.name, value: key) }
                if let value = values.first(where: { $0.column == column.name })?.value {
                    return (column: column.name, value: value)
                }
                if let value = table.defaults[column.name] { return (column: column.name, value: value) }
                guard column.isNullable else {
                    throw StoreError.invalid(
                        "The column \(column.name) of \(model.table) needs a value.", column: column.name)
                }
                return (column: column.name, value: .null)
            })
        rows[model.name, default: [:]][key] = .some(row)
        note(.created, of: model.name, key: key, before: nil, after: row)
        return row
    }

    func update(_ model: Model, key: Value, set values: [(column: String, value: Value)]) throws -> Row? {
        try check(values, for: model)
        try lock(row: key, of: model)
        guard let before = try row(of: model, key: key) else { return nil }
        guard !values.isEmpty else { return before }
        let after = Row(
            before.fields.map { field in
                (
                    column: field.column,
                    value: values.first { $0.column == field.column }?.value ?? field.value
                )
            })
        rows[model.name, default: [:]][key] = .some(after)
        note(.updated, of: model.name, key: key, before: before, after: after)
        return after
    }

    func remove(_ model: Model, key: Value) throws -> Row? {
        try lock(row: key, of: model)
        guard let before = try row(of: model, key: key) else { return nil }
        rows[model.name, default: [:]][key] = .some(nil)
        note(.removed, of: model.name, key: key, before: before, after: nil)
        return before
    }

    private func check(_ values: [(column: String, value: Value)], for model: Model) throws {
        for (name, value) in values {
            guard let column = model.column(name) else {
                throw StoreError.invalid("The table \(model.table) has no column \(name).", column: name)
            }
            guard value != .null || column.isNullable else {
                throw StoreError.invalid("The column \(name) of \(model.table) needs a value.", column: name)
            }
        }
    }
}

extension Dictionary where Key == ModelStore.Value, Value == Row {
    func visit(
        after: Key?, order: KeyOrder, equals: [(column: Column, value: Key)], _ visit: (Row) throws -> Bool
    ) throws {
        for (key, row) in sorted(order) {
            if let after, order == .ascending ? !after.precedes(key) : !key.precedes(after) { continue }
            guard equals.allSatisfy({ row[$0.column.name]?.isSame(as: $0.value) ?? false }) else { continue }
            guard try visit(row) else { return }
        }
    }
}

// MARK: - Accounts

extension MemoryTransaction {
    func user(id: Int64) throws -> UserRecord? {
        if let written = writtenUsers[id] { return written }
        return try committed().users[id]
    }

    func user(email: String) throws -> UserRecord? { try users().first { $0.email.lowercased() == email.lowercased() } }

    func users() throws -> [UserRecord] {
        var all = try committed().users
        for (id, user) in writtenUsers { all[id] = user }
        return all.values.sorted { $0.id < $1.id }
    }

    func userCount(role: String) throws -> Int { try users().count { $0.role == role } }

    func session(id: String) throws -> SessionRecord? {
        if let written = writtenSessions[id] { return written }
        return try committed().sessions[id]
    }

    func sessions(ofUser id: Int64) throws -> [SessionRecord] {
        var all = try committed().sessions
        for (id, session) in writtenSessions { all[id] = session }
        return all.values.filter { $0.user == id }.sorted {
            ($1.createdAt.milliseconds, $0.id) < ($0.createdAt.milliseconds, $1.id)
        }
    }

    func insertUser(email: String, name: String, role: String, password: String) throws -> UserRecord {
        try hold(email: email)
        let user = UserRecord(
            id: store.nextKey(of: ModelName.user), email: email, name: name, role: role, password: password,
            generation: 0)
        try lock(.user(user.id))
        writtenUsers[user.id] = .some(user)
        note(.created, of: ModelName.user, key: .integer(user.id), before: nil, after: user.image)
        identities.append(.user(user.id, IdentityRecord(user)))
        return user
    }

    func setRole(_ role: String, ofUser id: Int64) throws { try change(id) { $0.role = role } }

    func setPassword(_ hash: String, ofUser id: Int64) throws {
        try change(id) { user in
            user.password = hash
            user.generation += 1
        }
    }

    func voidTokens(ofUser id: Int64) throws { try change(id) { $0.generation += 1 } }

    func upgradePassword(_ hash: String, ofUser id: Int64) throws { try change(id) { $0.password = hash } }

    func updateUser(id: Int64, name: String?, email: String?) throws -> UserRecord? {
        if let email { try hold(email: email, besides: id) }
        return try change(id) { user in
            user.name = name ?? user.name
            user.email = email ?? user.email
        }
    }

    func removeUser(id: Int64) throws {
        try lock(.user(id))
        guard let user = try user(id: id) else { return }
        for session in try sessions(ofUser: id) { writtenSessions[session.id] = .some(nil) }
        writtenUsers[id] = .some(nil)
        note(.removed, of: ModelName.user, key: .integer(id), before: user.image, after: nil)
        identities.append(.user(id, nil))
    }

    @discardableResult
    private func change(_ id: Int64, _ body: (inout UserRecord) -> Void) throws -> UserRecord? {
        try lock(.user(id))
        guard let before = try user(id: id) else { return nil }
        var after = before
        body(&after)
        writtenUsers[id] = .some(after)
        // A better hash of the same password changes no identity.
        if before.password == after.password || before.image != after.image {
            note(.updated, of: ModelName.user, key: .integer(id), before: before.image, after: after.image)
            identities.append(.user(id, IdentityRecord(after)))
        }
        return after
    }

    private func hold(email: String, besides id: Int64? = nil) throws {
        try lock(.row(model: "address", key: .text(email.lowercased())))
        guard let other = try user(email: email), other.id != id else { return }
        throw StoreError.conflict("The table rolecall_user has a row with this email already.", column: "email")
    }

    func insertSession(_ session: SessionRecord) throws {
        try lock(.row(model: "session", key: .text(session.id)))
        writtenSessions[session.id] = .some(session)
    }

    func revokeSession(id: String, at moment: Timestamp) throws -> Bool {
        let isRevoked = try change(session: id) { $0.revokedAt = moment }
        if isRevoked { identities.append(.sessionEnded(id)) }
        return isRevoked
    }

    func revokeSessions(ofUser id: Int64, at moment: Timestamp) throws -> Int {
        try lock(.user(id))
        return try sessions(ofUser: id).filter { $0.isOpen(at: moment) }
            .count { try revokeSession(id: $0.id, at: moment) }
    }

    func touchSession(id: String, at moment: Timestamp) throws -> Bool {
        let latest = moment.milliseconds - SessionRecord.touchInterval
        guard let session = try session(id: id), session.lastUsedAt.map({ $0.milliseconds <= latest }) ?? true else {
            return false
        }
        return try change(session: id) { $0.lastUsedAt = moment }
    }

    func extendSession(id: String, expiresAt: Timestamp) throws -> Bool {
        try change(session: id) { session in
            if session.expiresAt < expiresAt { session.expiresAt = expiresAt }
        }
    }

    func pruneSessions(expiredBefore moment: Timestamp) throws {
        for (id, session) in try committed().sessions where session.expiresAt < moment {
            try lock(.row(model: "session", key: .text(id)))
            writtenSessions[id] = .some(nil)
        }
    }

    /// Changes a session that is not revoked.
    private func change(session id: String, _ body: (inout SessionRecord) -> Void) throws -> Bool {
        try lock(.row(model: "session", key: .text(id)))
        guard var session = try session(id: id), session.revokedAt == nil else { return false }
        body(&session)
        writtenSessions[id] = .some(session)
        return true
    }
}
