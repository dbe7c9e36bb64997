import HTTPTypes
import ModelStore
import RolecallProtocol
import Synchronization
import WireJSON

/// Reading and writing rows as somebody: what REST and the socket's `message` event have in common.
///
/// Every rule is judged inside the transaction that acts on it: between the judgement and the act nothing can change.
struct ModelService: Sendable {
    static let defaultLimit = 100
    static let maximumLimit = 1000
    /// A list ends early once it is about so large, in bytes; `after` goes on from there.
    static let maximumListSize = 8 << 20

    let store: any Store
    let policy: Policy

    func model(named name: String) -> Model? { store.models.first { $0.name == name } }
    func model(path: String) -> Model? { store.models.first { $0.path == path } }

    // MARK: Reading

    /// The column of that name, as the caller may ask for it: one that he may not see does not exist, lest a filter
    /// tell its value.
    func column(
        _ name: String, of model: Model, for principal: Principal?
    ) throws(RequestFailure) -> Column {
        try refuseStranger(principal, reading: model)
        guard let column = model.column(name), policy.mayRead(column: name, of: model.name, view: view(of: principal))
        else { throw .unknownField(name, of: model) }
        return column
    }

    func list(
        _ model: Model, limit: Int, after: Value?, equals: [(column: Column, value: Value)], as principal: Principal?
    ) async throws(RequestFailure) -> Snapshot<[Row]> {
        try refuseStranger(principal, reading: model)
        let view = view(of: principal)
        let policy = policy
        return try await read { transaction in
            var rows: [Row] = []
            var size = 0
            try transaction.rows(of: model, after: after, equals: equals) { row in
                if let visible = policy.visible(row, of: model.name, to: view) {
                    rows.append(visible)
                    size += visible.approximateSize
                }
                return rows.count < limit && size < Self.maximumListSize
            }
            return rows
        }
    }

    func get(_ model: Model, key: Value, as principal: Principal?) async throws(RequestFailure) -> Snapshot<Row> {
        try refuseStranger(principal, reading: model)
        let view = view(of: principal)
        let policy = policy
        let found = try await read { transaction in
            try transaction.row(of: model, key: key).flatMap { policy.visible($0, of: model.name, to: view) }
        }
        guard let row = found.value else { throw .noRow(of: model) }
        return Snapshot(value: row, position: found.position)
    }

    // MARK: Writing

    func create(
        _ name: String, _ json: JSON, as claimant: Claimant?
    ) async throws(RequestFailure) -> Snapshot<Row> {
        guard let model = model(named: name) else { throw .noModel(name) }
        guard let claimant else { throw .signInFirst }
        let preparation = try await prepared(for: claimant) { writer throws(RequestFailure) in
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
                throw RequestFailure.forbidden("create such", model, user.writer)
            }
            let view = policy.view(of: user.writer)
            if let visible = policy.visible(row, of: name, to: view) { return visible }
            guard policy.mayRead(column: Model.keyName, of: name, view: view) else { return Row([]) }
            return Row([(column: Model.keyName, value: row[Model.keyName] ?? .null)])
        }
    }

    /// - Parameter replaces: PUT: what may be empty and is not named becomes empty.
    func update(
        _ model: Model, key: Value, _ json: JSON, replaces: Bool, as claimant: Claimant?
    ) async throws(RequestFailure) -> Snapshot<Row> {
        guard let claimant else { throw .signInFirst }
        let preparation = try await prepared(for: claimant) { writer throws(RequestFailure) in
            try change(by: json, of: model, key: key, replaces: replaces, as: writer)
        }
        let policy = policy
        return try await write(model, as: claimant) { transaction, user in
            let values = try preparation.outcome(for: user.writer)
            let view = policy.view(of: user.writer)
            guard let before = try transaction.row(of: model, key: key),
                policy.visible(before, of: model.name, to: view) != nil
            else { throw RequestFailure.noRow(of: model) }
            let after = values.isEmpty ? before : try transaction.update(model, key: key, set: values) ?? before
            guard policy.mayUpdate(before, to: after, of: model.name, as: user.writer) else {
                throw RequestFailure.forbidden("change this", model, user.writer)
            }
            return policy.visible(after, of: model.name, to: view) ?? Row([(column: Model.keyName, value: key)])
        }
    }

    func remove(_ model: Model, key: Value, as claimant: Claimant?) async throws(RequestFailure) -> Position {
        guard let claimant else { throw .signInFirst }
        let policy = policy
        return try await write(model, as: claimant) { transaction, user in
            guard let row = try transaction.row(of: model, key: key),
                policy.visible(row, of: model.name, to: policy.view(of: user.writer)) != nil
            else { throw RequestFailure.noRow(of: model) }
            guard policy.mayRemove(row, of: model.name, as: user.writer) else {
                throw RequestFailure.forbidden("remove this", model, user.writer)
            }
            _ = try transaction.remove(model, key: key)
        }.position
    }

    /// The values of a new row, without its stamps.
    private func creation(
        of json: JSON, for model: Model, as writer: Writer
    ) throws(RequestFailure) -> [(column: String, value: Value)] {
        guard let rules = policy.models[model.name] else { throw .noModel(model.name) }
        guard policy.mayCreate(model.name, as: writer) else { throw .forbidden("create", model, writer) }
        let values = try fields(of: json, for: model, as: writer, isCreation: true)
        for column in model.columns where column.isRequired && column.name != model.key.name {
            guard rules.stamps[column.name] == nil, !values.contains(where: { $0.column == column.name }) else {
                continue
            }
            // What he may not see he can't give, and is not told to.
            guard policy.mayRead(column: column.name, of: model.name, view: policy.view(of: writer)) else {
                throw .forbidden("create", model, writer)
            }
            throw RequestFailure(
                .unprocessableContent, .invalidField, "\(model.name) needs a \(column.name).", field: column.name)
        }
        return values
    }

    /// The values that a row is to have from now on.
    private func change(
        by json: JSON, of model: Model, key: Value, replaces: Bool, as writer: Writer
    ) throws(RequestFailure) -> [(column: String, value: Value)] {
        if let id = json["_id"], !Self.names(id, key) {
            throw RequestFailure(
                .unprocessableContent, .invalidField, "The _id in the body is not the one in the path.", field: "_id")
        }
        var values = try fields(of: json, for: model, as: writer, isCreation: false)
        guard replaces else { return values }
        for column in model.columns where column.name != model.key.name && json[column.name] == nil {
            guard policy.mayWrite(column: column.name, of: model.name, as: writer) else { continue }
            if column.isRequired {
                throw RequestFailure(
                    .unprocessableContent, .invalidField, "\(model.name) needs a \(column.name).", field: column.name)
            }
            if column.isNullable { values.append((column: column.name, value: .null)) }
        }
        return values
    }

    // MARK: Parts

    private func view(of principal: Principal?) -> View {
        policy.view(role: principal?.user.role, user: principal?.user.owner)
    }

    private func refuseStranger(_ principal: Principal?, reading model: Model) throws(RequestFailure) {
        guard !policy.visibleModels(to: view(of: principal)).contains(model.name) else { return }
        guard let principal else { throw .signInFirst }
        throw .forbidden("see any", model, principal.user.writer)
    }

    /// The columns that a body names, typed and checked against the table and the policy.
    private func fields(
        of json: JSON, for model: Model, as writer: Writer, isCreation: Bool
    ) throws(RequestFailure) -> [(column: String, value: Value)] {
        guard let object = json.objectValue else {
            throw RequestFailure(
                .unprocessableContent, .invalidPayload, "The body has to be a JSON object: the row's fields.")
        }
        let view = policy.view(of: writer)
        var values: [(column: String, value: Value)] = []
        for (name, json) in object {
            if name == model.key.name, !isCreation { continue }
            guard let column = model.column(name),
                policy.mayRead(column: name, of: model.name, view: view)
            else { throw .unknownField(name, of: model) }
            guard name != model.key.name, policy.mayWrite(column: name, of: model.name, as: writer) else {
                throw RequestFailure(
                    .unprocessableContent, .invalidField, "\(name) is not yours to write.", field: name)
            }
            values.append((column: name, value: try Self.value(json, for: column)))
        }
        return values
    }

    static func value(_ json: JSON, for column: Column) throws(RequestFailure) -> Value {
        switch (column.kind, json) {
        case (_, .null) where column.isNullable: return .null
        case (.boolean, .bool(let value)): return .boolean(value)
        case (.boolean, .integer(0)): return .boolean(false)
        case (.boolean, .integer(1)): return .boolean(true)
        case (.integer, _) where json.integerValue != nil: return .integer(json.integerValue ?? 0)
        case (.real, _) where json.doubleValue != nil: return .real(json.doubleValue ?? 0)
        case (.text, .string(let text)): return .text(text)
        case (.real, .object), (.blob, .object), (.any, _):
            switch (column.kind, Value(json: json)) {
            // A database can't be relied upon to keep it: SQLite makes it NULL.
            case (_, .real(let value)?) where value.isNaN: break
            case (.real, .real(let value)?): return .real(value)
            case (.blob, .blob(let bytes)?): return .blob(bytes)
            case (.any, let value?): return value
            default: break
            }
        default: break
        }
        throw RequestFailure(
            .unprocessableContent, .invalidField,
            "\(column.name) has to be \(wanted(for: column.kind))\(column.isNullable ? " or null" : "").",
            field: column.name)
    }

    private static func wanted(for kind: Column.Kind) -> String {
        switch kind {
        case .boolean: "true or false"
        case .integer: "an integer"
        case .real: "a number"
        case .text: "a string"
        case .blob: "{\"$blob\": \"<hexadecimal>\"}"
        case .any: "a single value"
        }
    }

    /// A value as a path or a query spells it.
    static func value(text: String, for column: Column) -> Value? {
        switch column.kind {
        case .integer: Int64(text).map(Value.integer)
        case .real: Double(text).flatMap { $0.isNaN ? nil : .real($0) }
        case .boolean:
            switch text {
            case "true", "1": .boolean(true)
            case "false", "0": .boolean(false)
            default: nil
            }
        case .text: .text(text)
        case .blob: Value(json: ["$blob": .string(text)])
        case .any: Int64(text).map(Value.integer) ?? .text(text)
        }
    }

    private static func names(_ json: JSON, _ key: Value) -> Bool {
        json == key.json || Value(json: json) == key
    }

    private static func value(of stamp: Stamp, for user: UserSummary) -> Value {
        switch stamp {
        case .authorID: .integer(user.id)
        case .authorName: .text(user.name)
        case .now: .text(Timestamp.now.description)
        }
    }

    private func read<Output: Sendable>(
        _ body: @escaping @Sendable (any ReadTransaction) throws -> Output
    ) async throws(RequestFailure) -> Snapshot<Output> {
        do {
            return try await store.read(body)
        } catch {
            throw Self.failure(error)
        }
    }

    /// What a write comes down to for whom its claimant seems to be, before any record is read.
    private struct Preparation<Outcome: Sendable>: Sendable {
        let seeming: Writer
        let seemingOutcome: Outcome
        let prepare: @Sendable (Writer) throws(RequestFailure) -> Outcome

        /// What it comes down to for whom he is.
        func outcome(for writer: Writer) throws(RequestFailure) -> Outcome {
            // Nothing that is prepared asks for more of a user.
            writer.user.id == seeming.user.id && writer.role == seeming.role ? seemingOutcome : try prepare(writer)
        }
    }

    /// Prepares a write by the role that the token names, so that one trip to the database suffices where all is well.
    /// Whatever seems to be refused is refused as the record says, and by a reader: it never has the writer's lock.
    private func prepared<Outcome: Sendable>(
        for claimant: Claimant, _ prepare: @escaping @Sendable (Writer) throws(RequestFailure) -> Outcome
    ) async throws(RequestFailure) -> Preparation<Outcome> {
        if let role = claimant.role {
            let writer = Writer(user: Owner(id: claimant.user), role: role)
            do throws(RequestFailure) {
                return Preparation(seeming: writer, seemingOutcome: try prepare(writer), prepare: prepare)
            } catch {}
        }
        let writer: Writer
        do throws(WireError) {
            writer = try await claimant.principal(in: store).user.writer
        } catch {
            throw RequestFailure(identity: error)
        }
        return Preparation(seeming: writer, seemingOutcome: try prepare(writer), prepare: prepare)
    }

    /// Runs a body as the user is inside its transaction: a demotion that was committed a moment ago counts, and so does
    /// a sign-out.
    private func write<Output: Sendable>(
        _ model: Model, as claimant: Claimant,
        _ body: @escaping @Sendable (any WriteTransaction, UserSummary) throws -> Output
    ) async throws(RequestFailure) -> Snapshot<Output> {
        // Here, since the commit can be refused, too.
        let judged = Judged()
        do {
            return try await store.write(by: nil) { transaction in
                let user = try claimant.user(in: transaction).summary
                judged.user = user
                try transaction.act(as: user.actor)
                return try body(transaction, user)
            }
        } catch {
            let view = policy.view(role: judged.user?.role, user: judged.user?.owner)
            throw Self.failure(withheld(error, writing: model, from: view))
        }
    }

    /// Who a transaction's user was found to be.
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

    private static func failure(_ error: any Error) -> RequestFailure {
        switch error {
        case let failure as RequestFailure: failure
        case let error as WireError: RequestFailure(identity: error)
        case let error as StoreError: RequestFailure(store: error)
        default: RequestFailure(.internalServerError, .internalError, "The server failed; its log says more.")
        }
    }
}

extension Policy {
    fileprivate func view(of writer: Writer) -> View { view(role: writer.role, user: writer.user) }
}

extension RequestFailure {
    static let signInFirst = RequestFailure(
        .unauthorized, .unauthenticated, "Sign in first: POST /auth/local, then send the token.")

    fileprivate static func noRow(of model: Model) -> RequestFailure {
        RequestFailure(.notFound, .notFound, "There is no such \(model.name).")
    }

    fileprivate static func unknownField(_ name: String, of model: Model) -> RequestFailure {
        RequestFailure(
            .unprocessableContent, .invalidField, "\(model.name) has no field \"\(name.prefix(64))\".", field: name)
    }

    fileprivate static func noModel(_ name: String) -> RequestFailure {
        RequestFailure(.notFound, .notFound, "There is no model \"\(name)\".")
    }

    fileprivate static func forbidden(_ act: String, _ model: Model, _ writer: Writer) -> RequestFailure {
        RequestFailure(
            .forbidden, .forbidden, "The role \(writer.role) may not \(act) \(model.name).")
    }
}
