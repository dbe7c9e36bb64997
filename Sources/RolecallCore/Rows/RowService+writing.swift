import ModelStore
import RolecallProtocol
import Synchronization
import WireJSON

extension RowService {
    /// Creates a row.
    ///
    /// - Parameters:
    ///   - name: the model's.
    ///   - json: an object of the row's fields.
    /// - Returns: the row as the caller may see it.
    package func create(
        _ name: String, _ json: JSON, as claimant: Claimant?
    ) async throws(DomainError) -> Snapshot<Row> {
        guard let model = model(named: name) else { throw .noModel(name) }
        guard let claimant else { throw .unauthenticated }
        let preparation = try await prepared(for: claimant) { writer throws(DomainError) in
            try creation(of: json, for: model, as: writer)
        }
        let policy = policy
        return try await write(model, as: claimant) { transaction, user in
            var values = try preparation.outcome(for: user.writer)
            for (column, stamp) in (policy.models[name]?.stamps ?? [:]).sorted(by: { $0.key < $1.key }) {
                values.append((column: column, value: Self.value(of: stamp, for: user)))
            }
            let row = try transaction.insert(values, into: model)
            guard policy.mayCreate(row, of: name, as: user.writer) else {
                throw DomainError.mayNot("create such", model, user.writer)
            }
            let view = policy.view(of: user.writer)
            if let visible = policy.visible(row, of: name, to: view) { return visible }
            guard policy.mayRead(column: Model.keyName, of: name, view: view) else { return Row([]) }
            return Row([(column: Model.keyName, value: row[Model.keyName] ?? .null)])
        }
    }

    /// Changes a row.
    ///
    /// - Parameter replaces: whether columns that may be empty, and that the object does not name, become empty.
    /// - Returns: the row as the caller may see it.
    package func update(
        _ model: Model, key: Value, _ json: JSON, replaces: Bool, if precondition: RowPrecondition = .none,
        as claimant: Claimant?
    ) async throws(DomainError) -> Snapshot<Row> {
        guard let claimant else { throw .unauthenticated }
        let preparation = try await prepared(for: claimant) { writer throws(DomainError) in
            try change(by: json, of: model, key: key, replaces: replaces, as: writer)
        }
        let policy = policy
        return try await write(model, as: claimant) { transaction, user in
            let values = try preparation.outcome(for: user.writer)
            let view = policy.view(of: user.writer)
            guard let before = try transaction.row(of: model, key: key),
                policy.visible(before, of: model.name, to: view) != nil
            else { throw DomainError.noRow(of: model) }
            // Before anything is tried: what the table has against a change tells of rows that he may not see.
            guard policy.mayUpdate(before, to: before, of: model.name, as: user.writer) else {
                throw DomainError.mayNot("change this", model, user.writer)
            }
            try check(precondition, on: before, of: model, to: view, in: transaction)
            let after = values.isEmpty ? before : try transaction.update(model, key: key, set: values) ?? before
            guard policy.mayUpdate(before, to: after, of: model.name, as: user.writer) else {
                throw DomainError.mayNot("change this", model, user.writer)
            }
            return policy.visible(after, of: model.name, to: view) ?? Row([(column: Model.keyName, value: key)])
        }
    }

    /// Removes a row.
    package func remove(
        _ model: Model, key: Value, if precondition: RowPrecondition = .none, as claimant: Claimant?
    ) async throws(DomainError) -> Position {
        guard let claimant else { throw .unauthenticated }
        let policy = policy
        return try await write(model, as: claimant) { transaction, user in
            let view = policy.view(of: user.writer)
            guard let row = try transaction.row(of: model, key: key),
                policy.visible(row, of: model.name, to: view) != nil
            else { throw DomainError.noRow(of: model) }
            guard policy.mayRemove(row, of: model.name, as: user.writer) else {
                throw DomainError.mayNot("remove this", model, user.writer)
            }
            try check(precondition, on: row, of: model, to: view, in: transaction)
            _ = try transaction.remove(model, key: key)
        }.position
    }

    private func check(
        _ precondition: RowPrecondition, on row: Row, of model: Model, to view: View,
        in transaction: any ReadTransaction
    ) throws {
        // As the table spells it, and the log with it.
        let key = row[Model.keyName] ?? .null
        let isMet = try precondition.holds(for: key, of: model, log: store.logID, in: transaction) { event in
            policy.visibility(of: event, to: view) != .nothing
        }
        guard isMet else { throw DomainError.changedMeanwhile(model) }
    }

    /// The values of a new row, without its stamps.
    private func creation(
        of json: JSON, for model: Model, as writer: Writer
    ) throws(DomainError) -> [(column: String, value: Value)] {
        guard let rules = policy.models[model.name] else { throw .noModel(model.name) }
        guard policy.mayCreate(model.name, as: writer) else { throw .mayNot("create", model, writer) }
        let values = try fields(of: json, for: model, as: writer, isCreation: true)
        for column in model.columns where column.isRequired {
            guard rules.stamps[column.name] == nil, !values.contains(where: { $0.column == column.name }) else {
                continue
            }
            // A writer can't give what he may not see, and is not asked to.
            guard policy.mayRead(column: column.name, of: model.name, view: policy.view(of: writer)) else {
                throw .mayNot("create", model, writer)
            }
            throw DomainError.invalidField("\(model.name) needs a \(column.name).", field: column.name)
        }
        return values
    }

    /// The values that a row is to have from now on.
    private func change(
        by json: JSON, of model: Model, key: Value, replaces: Bool, as writer: Writer
    ) throws(DomainError) -> [(column: String, value: Value)] {
        if let id = json["_id"], !Self.names(id, key) {
            throw DomainError.invalidField("The _id in the body is not the one in the path.", field: "_id")
        }
        var values = try fields(of: json, for: model, as: writer, isCreation: false)
        for (column, value) in values {
            guard let part = RowKey.part(column, of: key, in: model), part != value else { continue }
            throw DomainError.invalidField(
                "\(column) is a part of the row's key, which stays: remove the row, and create another.", field: column)
        }
        values.removeAll { RowKey.part($0.column, of: key, in: model) != nil }
        guard replaces else { return values }
        let key = Set(model.keyColumns).union([model.key.name])
        for column in model.columns where !key.contains(column.name) && !column.isGenerated && json[column.name] == nil
        {
            guard policy.mayWrite(column: column.name, of: model.name, as: writer) else { continue }
            if column.isRequired {
                throw DomainError.invalidField("\(model.name) needs a \(column.name).", field: column.name)
            }
            if column.isNullable { values.append((column: column.name, value: .null)) }
        }
        return values
    }

    /// What a write comes down to for the role that its token names, before any record is read.
    private struct Preparation<Outcome: Sendable>: Sendable {
        let seeming: Writer
        let seemingOutcome: Outcome
        let prepare: @Sendable (Writer) throws(DomainError) -> Outcome

        /// What it comes down to for the user of the record.
        func outcome(for writer: Writer) throws(DomainError) -> Outcome {
            // Nothing that is prepared asks for more of a user.
            writer.user.id == seeming.user.id && writer.role == seeming.role ? seemingOutcome : try prepare(writer)
        }
    }

    /// Prepares a write by the role that the token names, so that one trip to the database suffices where all is well.
    /// Whatever seems to be refused is refused as the record says, and by a reader: it never has the writer's lock.
    private func prepared<Outcome: Sendable>(
        for claimant: Claimant, _ prepare: @escaping @Sendable (Writer) throws(DomainError) -> Outcome
    ) async throws(DomainError) -> Preparation<Outcome> {
        if let role = claimant.role {
            let writer = Writer(user: Owner(id: claimant.user), role: role)
            do throws(DomainError) {
                return Preparation(seeming: writer, seemingOutcome: try prepare(writer), prepare: prepare)
            } catch {}
        }
        let writer = try await claimant.principal(in: store).user.writer
        return Preparation(seeming: writer, seemingOutcome: try prepare(writer), prepare: prepare)
    }

    /// Runs a body as the user is inside its transaction: a demotion that was committed a moment ago counts, and so does
    /// a sign-out.
    private func write<Output: Sendable>(
        _ model: Model, as claimant: Claimant,
        _ body: @escaping @Sendable (any WriteTransaction, UserSummary) throws -> Output
    ) async throws(DomainError) -> Snapshot<Output> {
        guard !isReadOnly else { throw .readOnly }
        // Here, since the commit can be refused, too.
        let judged = Judged()
        do {
            return try await store.write(by: nil) { transaction in
                let user = try claimant.user(in: transaction).summary
                judged.user = user
                try transaction.act(as: user.author)
                return try body(transaction, user)
            }
        } catch {
            let view = policy.view(role: judged.user?.role, user: judged.user?.owner)
            throw DomainError(withheld(error, writing: model, from: view))
        }
    }

    /// The user as a transaction has found him.
    private final class Judged: Sendable {
        private let value = Mutex<UserSummary?>(nil)

        var user: UserSummary? {
            get { value.withLock(\.self) }
            set { value.withLock { $0 = newValue } }
        }
    }

    /// A refusal of the table that says nothing of columns which the writer may not see.
    private func withheld(_ error: any Error, writing model: Model, from view: View) -> any Error {
        let hidden = model.columns.map(\.name).filter { !policy.mayRead(column: $0, of: model.name, view: view) }
        // A sentence can name more columns than one, and it is better to say too little.
        switch error {
        case StoreError.conflict(let sentence, _) where hidden.contains(where: sentence.contains):
            return StoreError.conflict("Other rows stand against this \(model.name).", column: nil)
        case StoreError.invalid(let sentence, _) where hidden.contains(where: sentence.contains):
            return StoreError.invalid("The table does not take this \(model.name).", column: nil)
        default: return error
        }
    }
}
