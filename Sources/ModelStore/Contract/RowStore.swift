import RolecallProtocol

/// The rows of the models: single calls, each of which a store can make one trip.
///
/// **Isolation.** Several calls are under way at the same time. A write reads, judges and changes its row under the row's
/// lock, so that of two that rely on the same state (``WriteCondition``) one is refused. Closures may run more than once,
/// on any thread of the store, and have no other effects than what they return or throw; the last run counts.
///
/// **Outcomes.** A write that returns is committed. One that throws has done nothing, with one exception:
/// ``StoreError/unknown(_:_:)``.
public protocol RowStore: Sendable {
    /// The models, with the columns that their tables have.
    var models: [Model] { get }

    /// What a call may take by default.
    var standardTimeout: Duration { get }

    /// The row with this key.
    ///
    /// - Parameter positioned: whether the log's position is asked for: what follows it has no hole after this reading, and
    ///   may repeat changes that the row already shows.
    func row(
        of model: Model, key: Value, positioned: Bool, deadline: Deadline
    ) async throws -> Reading<Row?>

    /// Rows of one snapshot, in the order of their keys.
    ///
    /// - Parameter seeing: what is answered of a row; nil leaves it out.
    func page(
        _ query: PageQuery, deadline: Deadline, seeing: @escaping @Sendable (Row) -> Row?
    ) async throws -> Page

    /// Makes a row, if the records confirm the claim.
    ///
    /// - Parameters:
    ///   - values: what the caller's row is to hold.
    ///   - result: judges the row as it stands, defaults included; what it throws takes the row back.
    /// - Throws: ``ClaimRefusal``; ``StoreError``; what the closures throw.
    func create<Output: Sendable>(
        _ model: Model, as claim: Claim, deadline: Deadline,
        values: @escaping @Sendable (ClaimantRecord) throws -> [(column: String, value: Value)],
        result: @escaping @Sendable (ClaimantRecord, Row) throws -> Output
    ) async throws -> Committed<Output>

    /// Changes a row, if the records confirm the claim and the condition holds.
    ///
    /// - Parameters:
    ///   - values: judges the row before the change and says what it is to hold from then on; before the condition is
    ///     looked at, so that the condition betrays no hidden row.
    ///   - result: judges the row before and after.
    /// - Throws: ``ClaimRefusal``; ``RowRefusal``; ``StoreError``; what the closures throw.
    func update<Output: Sendable>(
        _ model: Model, key: Value, as claim: Claim, if condition: WriteCondition, deadline: Deadline,
        values: @escaping @Sendable (ClaimantRecord, Row) throws -> [(column: String, value: Value)],
        result: @escaping @Sendable (ClaimantRecord, _ before: Row, _ after: Row) throws -> Output
    ) async throws -> Committed<Output>

    /// Removes a row, if the records confirm the claim and the condition holds.
    ///
    /// - Parameter judging: the row before it goes; before the condition is looked at.
    /// - Throws: as ``update(_:key:as:if:deadline:values:result:)``.
    func remove<Output: Sendable>(
        _ model: Model, key: Value, as claim: Claim, if condition: WriteCondition, deadline: Deadline,
        judging: @escaping @Sendable (ClaimantRecord, Row) throws -> Output
    ) async throws -> Committed<Output>
}

extension RowStore {
    public func row(of model: Model, key: Value, positioned: Bool = false) async throws -> Reading<Row?> {
        try await row(of: model, key: key, positioned: positioned, deadline: .standard)
    }

    public func page(_ query: PageQuery, seeing: @escaping @Sendable (Row) -> Row? = { $0 }) async throws -> Page {
        try await page(query, deadline: .standard, seeing: seeing)
    }
}

/// What was read, and the log's position at that moment where it was asked for.
public struct Reading<Value: Sendable>: Sendable {
    public var value: Value
    public var position: Position?

    public init(value: Value, position: Position?) {
        self.value = value
        self.position = position
    }
}
