import RolecallProtocol

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
