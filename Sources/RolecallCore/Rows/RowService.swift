import ModelStore
import RolecallProtocol

/// Reading and writing rows as a caller may: what REST and the socket's `message` event have in common.
///
/// Every rule is judged inside the transaction that acts on it: between the judgement and the act nothing can change.
package struct RowService: Sendable {
    package static let defaultLimit = 100
    package static let maximumLimit = 1000
    /// How many messages a room's history begins with.
    static let historyLength = 50
    /// A list ends early once it is about so large, in bytes; `after` goes on from there.
    static let maximumListSize = 8 << 20

    let store: any Store
    package let policy: Policy
    /// Whether every write is refused.
    let isReadOnly: Bool

    package init(store: any Store, policy: Policy, isReadOnly: Bool = false) {
        self.store = store
        self.policy = policy
        self.isReadOnly = isReadOnly
    }

    package func model(named name: String) -> Model? { store.models.first { $0.name == name } }
    package func model(path: String) -> Model? { store.models.first { $0.path == path } }

    // MARK: Reading

    /// The column of that name, as the caller may ask for it: one that he may not see does not exist, lest a filter
    /// tell its value.
    package func column(
        _ name: String, of model: Model, for principal: Principal?
    ) throws(DomainError) -> Column {
        try refuseStranger(principal, reading: model)
        guard let column = model.column(name), policy.mayRead(column: name, of: model.name, view: view(of: principal))
        else { throw .unknownField(name, of: model) }
        return column
    }

    package func list(
        _ model: Model, limit: Int, after: Value?, equals: [(column: Column, value: Value)], as principal: Principal?
    ) async throws(DomainError) -> Page {
        try refuseStranger(principal, reading: model)
        let view = view(of: principal)
        let policy = policy
        let filtered = equals.map(\.column.name)
        return try await DomainError.mapping {
            try await store.page(
                PageQuery(
                    of: model, after: after, equals: equals, limit: limit, bytes: Self.maximumListSize,
                    positioned: true)
            ) { row in
                // A column that the caller sees in other rows alone is no filter for this one.
                policy.visible(row, of: model.name, to: view).flatMap { seen in
                    filtered.allSatisfy { seen[$0] != nil } ? seen : nil
                }
            }
        }
    }

    package func get(_ model: Model, key: Value, as principal: Principal?) async throws(DomainError) -> Reading<Row> {
        try refuseStranger(principal, reading: model)
        let found = try await DomainError.mapping { try await store.row(of: model, key: key, positioned: true) }
        guard let row = found.value.flatMap({ policy.visible($0, of: model.name, to: view(of: principal)) }) else {
            throw .noRow(of: model)
        }
        return Reading(value: row, position: found.position)
    }

    /// Whether a view may see messages of a room.
    package func mayRead(room: String, view: View) -> Bool {
        let row = Row([(column: Model.keyName, value: .null), (column: MessageColumn.room, value: .text(room))])
        return policy.visible(row, of: ModelName.message, to: view) != nil
    }

    /// The last messages of a room that a view may see, oldest first.
    package func history(of room: String, to view: View) async throws(DomainError) -> Reading<[Row]> {
        guard let model = model(named: ModelName.message), let column = model.column(MessageColumn.room) else {
            throw .noModel(ModelName.message)
        }
        let policy = policy
        let page = try await DomainError.mapping {
            try await store.page(
                PageQuery(
                    of: model, order: .descending, equals: [(column, .text(room))], limit: Self.historyLength,
                    positioned: true)
            ) { policy.visible($0, of: model.name, to: view) }
        }
        return Reading(value: page.rows.reversed(), position: page.position)
    }

    // MARK: Parts

    func view(of principal: Principal?) -> View {
        policy.view(of: principal)
    }

    func refuseStranger(_ principal: Principal?, reading model: Model) throws(DomainError) {
        guard !policy.visibleModels(to: view(of: principal)).contains(model.name) else { return }
        guard let principal else { throw .unauthenticated }
        throw .mayNot("see any", model, principal.writer)
    }
}

extension DomainError {
    static func noRow(of model: Model) -> DomainError { .notFound("There is no such \(model.name).") }

    static func noModel(_ name: String) -> DomainError { .notFound("There is no model \"\(name.prefix(64))\".") }

    static func unknownField(_ name: String, of model: Model) -> DomainError {
        .invalidField("\(model.name) has no field \"\(name.prefix(64))\".", field: name)
    }

    static func mayNot(_ act: String, _ model: Model, _ writer: Writer) -> DomainError {
        .forbidden("The role \(writer.role) may not \(act) \(model.name).")
    }

    static func changedMeanwhile(_ model: Model) -> DomainError {
        .preconditionFailed(
            "This \(model.name) has changed since it was read: read it again, and make the change anew.")
    }
}
