import ModelStore
import RolecallProtocol
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
    ) async throws(DomainError) -> Reading<Row> {
        guard let model = model(named: name) else { throw .noModel(name) }
        guard let claimant else { throw .unauthenticated }
        let preparation = try await prepared(for: claimant) { writer throws(DomainError) in
            try creation(of: json, for: model, as: writer)
        }
        let policy = policy
        let stamps = (policy.models[name]?.stamps ?? [:]).sorted { $0.key < $1.key }
        return try await write(model, as: claimant) {
            try await store.create(model, as: claimant.claim, deadline: .standard) { caller in
                let user = caller.identity.summary
                return try preparation.outcome(for: caller.writer)
                    + stamps.map { (column: $0.key, value: Self.value(of: $0.value, for: user)) }
            } result: { caller, row in
                let writer = caller.writer
                let columns = try preparation.outcome(for: writer).map(\.column)
                guard policy.mayCreate(row, of: name, as: writer),
                    policy.mayWrite(columns: columns, in: row, of: name, as: writer)
                else { throw DomainError.mayNot("create such", model, writer) }
                let view = policy.view(of: writer)
                if let visible = policy.visible(row, of: name, to: view) { return visible }
                guard policy.mayRead(column: Model.keyName, of: name, view: view) else { return Row([]) }
                return Row([(column: Model.keyName, value: row[Model.keyName] ?? .null)])
            }
        }
    }

    /// Changes a row.
    ///
    /// - Parameters:
    ///   - replaces: whether columns that may be empty, and that the object does not name, become empty.
    ///   - since: positions at which the row was read: nothing may have happened to it since the latest of them that the
    ///     caller may see. Nil asks for nothing.
    /// - Returns: the row as the caller may see it.
    package func update(
        _ model: Model, key: Value, _ json: JSON, replaces: Bool, unchangedSince since: [Position]? = nil,
        as claimant: Claimant?
    ) async throws(DomainError) -> Reading<Row> {
        guard let claimant else { throw .unauthenticated }
        let preparation = try await prepared(for: claimant) { writer throws(DomainError) in
            try change(by: json, of: model, key: key, replaces: replaces, as: writer)
        }
        let policy = policy
        /// Columns that the caller has not named, and does not see in this very row, stay as they are.
        @Sendable func values(
            in row: Row, as writer: Writer
        ) throws(DomainError) -> [(column: String, value: Value)] {
            try preparation.outcome(for: writer).filter { column, _ in
                json[column] != nil || policy.mayWrite(columns: [column], in: row, of: model.name, as: writer)
            }
        }
        return try await write(model, as: claimant) {
            try await store.update(
                model, key: key, as: claimant.claim, if: condition(since), deadline: .standard
            ) { caller, before in
                let writer = caller.writer
                // First of all: a row that the caller may not see is answered as one that there is not.
                guard policy.visible(before, of: model.name, to: policy.view(of: writer)) != nil else {
                    throw DomainError.noRow(of: model)
                }
                let values = try values(in: before, as: writer)
                // Before anything is tried: what the table has against a change tells of rows that the caller may not see.
                guard policy.mayUpdate(before, to: before, of: model.name, as: writer) else {
                    throw DomainError.mayNot("change this", model, writer)
                }
                try Self.refuseHidden(values, in: before, of: model, as: writer, policy)
                return values
            } result: { caller, before, after in
                let writer = caller.writer
                guard policy.mayUpdate(before, to: after, of: model.name, as: writer) else {
                    throw DomainError.mayNot("change this", model, writer)
                }
                try Self.refuseHidden(values(in: before, as: writer), in: after, of: model, as: writer, policy)
                return policy.visible(after, of: model.name, to: policy.view(of: writer))
                    ?? Row([(column: Model.keyName, value: key)])
            }
        }
    }

    /// Removes a row.
    ///
    /// - Parameter since: as for ``update(_:key:_:replaces:unchangedSince:as:)``.
    /// - Returns: the position of the removal.
    package func remove(
        _ model: Model, key: Value, unchangedSince since: [Position]? = nil, as claimant: Claimant?
    ) async throws(DomainError) -> Position? {
        guard let claimant else { throw .unauthenticated }
        let policy = policy
        return try await write(model, as: claimant) {
            try await store.remove(
                model, key: key, as: claimant.claim, if: condition(since), deadline: .standard
            ) { caller, row in
                let writer = caller.writer
                guard policy.visible(row, of: model.name, to: policy.view(of: writer)) != nil else {
                    throw DomainError.noRow(of: model)
                }
                guard policy.mayRemove(row, of: model.name, as: writer) else {
                    throw DomainError.mayNot("remove this", model, writer)
                }
            }
        }.position
    }

    /// A column that is for others in this very row is not the caller's to write.
    private static func refuseHidden(
        _ values: [(column: String, value: Value)], in row: Row, of model: Model, as writer: Writer, _ policy: Policy
    ) throws(DomainError) {
        for (column, _) in values
        where !policy.mayWrite(columns: [column], in: row, of: model.name, as: writer) {
            throw .invalidField("\(column) is not yours to write.", field: column)
        }
    }

    /// What the caller can't see he can't overwrite: such changes count for nothing.
    private func condition(_ since: [Position]?) -> WriteCondition {
        guard let since else { return .none }
        let policy = policy
        return .unchanged(since: since) { caller, record in
            policy.visibility(of: record, to: policy.view(of: caller.writer)) != .nothing
        }
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
            throw .invalidField("\(model.name) needs a \(column.name).", field: column.name)
        }
        return values
    }

    /// The values that a row is to have from now on.
    private func change(
        by json: JSON, of model: Model, key: Value, replaces: Bool, as writer: Writer
    ) throws(DomainError) -> [(column: String, value: Value)] {
        if let id = json["_id"], !Self.names(id, key) {
            throw .invalidField("The _id in the body is not the one in the path.", field: "_id")
        }
        var values = try fields(of: json, for: model, as: writer, isCreation: false)
        for (column, value) in values {
            guard let part = RowKey.part(column, of: key, in: model), part != value else { continue }
            throw .invalidField(
                "\(column) is a part of the row's key, which stays: remove the row, and create another.", field: column)
        }
        values.removeAll { RowKey.part($0.column, of: key, in: model) != nil }
        guard replaces else { return values }
        let key = Set(model.keyColumns).union([model.key.name])
        for column in model.columns where !key.contains(column.name) && !column.isGenerated && json[column.name] == nil
        {
            guard policy.mayWrite(column: column.name, of: model.name, as: writer) else { continue }
            if column.isRequired {
                throw .invalidField("\(model.name) needs a \(column.name).", field: column.name)
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
            // Judged by a role that the user may no longer have: a refusal says nothing yet.
            if let outcome = try? prepare(writer) {
                return Preparation(seeming: writer, seemingOutcome: outcome, prepare: prepare)
            }
        }
        let writer = try await claimant.principal(in: store).writer
        return Preparation(seeming: writer, seemingOutcome: try prepare(writer), prepare: prepare)
    }

    /// Runs a write of the store, and says of its errors what the caller may know. The store judges the caller inside its
    /// transaction: a demotion that was committed a moment ago counts, and so does a sign-out.
    private func write<Output>(
        _ model: Model, as claimant: Claimant, _ body: () async throws -> Committed<Output>
    ) async throws(DomainError) -> Reading<Output> {
        guard !isReadOnly else { throw .readOnly }
        do {
            return await store.reading(try await body())
        } catch {
            throw await refusal(error, writing: model, as: claimant)
        }
    }

    private func refusal(_ error: any Error, writing model: Model, as claimant: Claimant) async -> DomainError {
        switch error {
        case RowRefusal.noRow: return .noRow(of: model)
        case RowRefusal.changed: return .changedMeanwhile(model)
        case StoreError.conflict, StoreError.invalid:
            // The sentence of the table names columns: the records say whether the caller may read them.
            let record = try? await store.claimant(user: claimant.user, session: claimant.session)
            let view = record.map { policy.view(of: $0) } ?? policy.view(role: nil, user: nil)
            return DomainError(withheld(error, writing: model, from: view))
        default: return await store.settled(error)
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
