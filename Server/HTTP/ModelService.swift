import HTTPTypes
import ModelStore
import RolecallProtocol
import WireJSON

/// Reading and writing rows as somebody: what REST and the socket's `message` event have in common.
///
/// Every rule is judged inside the transaction that acts on it: between the judgement and the act nothing can change.
struct ModelService: Sendable {
    static let defaultLimit = 100
    static let maximumLimit = 1000
    /// How many messages a room's history begins with.
    static let historyLength = 50
    /// A list ends early once it is about so large, in bytes; `after` goes on from there.
    static let maximumListSize = 8 << 20

    let store: any Store
    let policy: Policy
    /// Whether every write is refused.
    var isReadOnly = false

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

    /// Whether a view may see messages of a room.
    func mayRead(room: String, view: View) -> Bool {
        let row = Row([(column: Model.keyName, value: .null), (column: MessageColumn.room, value: .text(room))])
        return policy.visible(row, of: ModelName.message, to: view) != nil
    }

    /// The last messages of a room that a view may see, oldest first.
    func history(of room: String, to view: View) async throws(RequestFailure) -> Snapshot<[Row]> {
        guard let model = model(named: ModelName.message), let column = model.column(MessageColumn.room) else {
            throw .noModel(ModelName.message)
        }
        let policy = policy
        return try await read { transaction in
            var rows: [Row] = []
            try transaction.rows(of: model, after: nil, order: .descending, equals: [(column, .text(room))]) { row in
                if let visible = policy.visible(row, of: model.name, to: view) { rows.append(visible) }
                return rows.count < Self.historyLength
            }
            return rows.reversed()
        }
    }

    // MARK: Parts

    func view(of principal: Principal?) -> View {
        policy.view(role: principal?.user.role, user: principal?.user.owner)
    }

    func refuseStranger(_ principal: Principal?, reading model: Model) throws(RequestFailure) {
        guard !policy.visibleModels(to: view(of: principal)).contains(model.name) else { return }
        guard let principal else { throw .signInFirst }
        throw .forbidden("see any", model, principal.user.writer)
    }

    func read<Output: Sendable>(
        _ body: @escaping @Sendable (any ReadTransaction) throws -> Output
    ) async throws(RequestFailure) -> Snapshot<Output> {
        do {
            return try await store.read(body)
        } catch {
            throw Self.failure(error)
        }
    }

    static func failure(_ error: any Error) -> RequestFailure {
        switch error {
        case let failure as RequestFailure: failure
        case let error as WireError: RequestFailure(identity: error)
        case let error as StoreError: RequestFailure(store: error)
        default: RequestFailure(.internalServerError, .internalError, "The server failed; its log says more.")
        }
    }
}

extension Policy {
    func view(of writer: Writer) -> View { view(role: writer.role, user: writer.user) }
}

extension RequestFailure {
    static let signInFirst = RequestFailure(
        .unauthorized, .unauthenticated, "Sign in first: POST /auth/local, then send the token.")

    static func noRow(of model: Model) -> RequestFailure {
        RequestFailure(.notFound, .notFound, "There is no such \(model.name).")
    }

    static func unknownField(_ name: String, of model: Model) -> RequestFailure {
        RequestFailure(
            .unprocessableContent, .invalidField, "\(model.name) has no field \"\(name.prefix(64))\".", field: name)
    }

    static func noModel(_ name: String) -> RequestFailure {
        RequestFailure(.notFound, .notFound, "There is no model \"\(name)\".")
    }

    static func forbidden(_ act: String, _ model: Model, _ writer: Writer) -> RequestFailure {
        RequestFailure(
            .forbidden, .forbidden, "The role \(writer.role) may not \(act) \(model.name).")
    }
}
