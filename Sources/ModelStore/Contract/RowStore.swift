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
    ///     looked at, so that no caller learns of a row that he may not see.
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

/// Which rows of a model.
public struct PageQuery: Sendable {
    public var model: Model
    /// Only rows that come behind this key.
    public var after: Value?
    public var order: KeyOrder
    /// Only rows whose columns have these values.
    public var equals: [(column: Column, value: Value)]
    /// At most so many rows are answered.
    public var limit: Int
    /// The page ends once its rows come to about so many bytes.
    public var bytes: Int
    /// At most so many rows are looked at.
    public var examined: Int
    /// Whether the log's position is asked for; a reading without one is cheaper to a store that must look for it.
    public var positioned: Bool

    public init(
        of model: Model, after: Value? = nil, order: KeyOrder = .ascending,
        equals: [(column: Column, value: Value)] = [], limit: Int = .max, bytes: Int = .max, examined: Int = .max,
        positioned: Bool = false
    ) {
        self.model = model
        self.after = after
        self.order = order
        self.equals = equals
        self.limit = limit
        self.bytes = bytes
        self.examined = examined
        self.positioned = positioned
    }
}

/// Some rows of one snapshot.
public struct Page: Hashable, Sendable {
    public var rows: [Row]
    /// The log's position, where it was asked for: what follows it has no hole after this page, and may repeat changes
    /// that the page already shows.
    public var position: Position?
    /// The key of the last row that was looked at, where a bound has ended the page; nil where there are no more rows.
    public var next: Value?

    public init(rows: [Row], position: Position?, next: Value?) {
        self.rows = rows
        self.position = position
        self.next = next
    }
}

/// Gathers a page within its bounds: the same for every store.
public struct PageBuilder {
    private let query: PageQuery
    private let seeing: (Row) -> Row?
    private var rows: [Row] = []
    private var size = 0
    private var examined = 0
    private var next: Value?

    public init(_ query: PageQuery, seeing: @escaping (Row) -> Row?) {
        self.query = query
        self.seeing = seeing
    }

    /// Takes the next row.
    ///
    /// - Returns: whether the page takes more.
    public mutating func add(_ row: Row) -> Bool {
        examined += 1
        if let seen = seeing(row) {
            rows.append(seen)
            size += seen.approximateBytes
        }
        guard rows.count >= query.limit || size >= query.bytes || examined >= query.examined else { return true }
        next = row[Model.keyName]
        return false
    }

    public func page(at position: Position?) -> Page { Page(rows: rows, position: position, next: next) }
}

extension Row {
    /// About how many bytes the row takes as text.
    fileprivate var approximateBytes: Int {
        fields.reduce(2) { size, field in
            let value =
                switch field.value {
                case .null, .boolean: 4
                case .integer, .real: 8
                case .text(let text): text.utf8.count + 2
                case .blob(let bytes): bytes.count * 2 + 12
                }
            return size + field.column.utf8.count + value + 4
        }
    }
}

/// What must hold of a row for it to be changed: HTTP's `If-Match`.
public struct WriteCondition: Sendable {
    /// Nil asks for nothing.
    public let since: [Position]?
    public let isSeen: @Sendable (ClaimantRecord, ChangeRecord) -> Bool

    public static let none = WriteCondition(since: nil, isSeen: { _, _ in false })

    /// Nothing has happened to the row since the latest of these places that the caller may see.
    ///
    /// - Parameters:
    ///   - positions: those that the store does not know, or whose followers it does not hold any more, count for nothing;
    ///     where none is left the condition does not hold.
    ///   - isSeen: whether the caller may see a change of the row: what he can't see he can't overwrite.
    public static func unchanged(
        since positions: [Position], isSeen: @escaping @Sendable (ClaimantRecord, ChangeRecord) -> Bool
    ) -> WriteCondition {
        WriteCondition(since: positions, isSeen: isSeen)
    }

    /// The latest place that counts; nil where none does.
    ///
    /// - Parameter judge: what the store says of a position.
    public func place(judge: (Position) throws -> PositionVerdict) rethrows -> LogCursor? {
        var latest: LogCursor?
        for position in since ?? [] {
            // The store gives every known place in the newest era: within one era numbers are ordered.
            guard case .known(let cursor) = try judge(position) else { continue }
            if latest.map({ $0.sequence < cursor.sequence }) ?? true { latest = cursor }
        }
        return latest
    }
}

/// Why a row was not changed.
public enum RowRefusal: Error, Hashable, Sendable {
    case noRow
    /// The condition does not hold.
    case changed
}
