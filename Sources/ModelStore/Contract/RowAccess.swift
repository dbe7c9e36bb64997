import RolecallProtocol

/// Reads rows inside a transaction. Valid only inside its body.
public protocol RowReader {
    /// The row with this key; nil where there is none.
    func row(of model: Model, key: Value) throws -> Row?

    /// Hands the rows of a model to `visit` in the order of their keys until it returns false.
    ///
    /// - Parameters:
    ///   - after: only rows that come behind this key.
    ///   - order: of the keys.
    ///   - equals: only rows whose columns have these values.
    func rows(
        of model: Model, after: Value?, order: KeyOrder, equals: [(column: Column, value: Value)],
        visit: (Row) throws -> Bool
    ) throws
}

extension RowReader {
    /// The rows in the ascending order of their keys.
    public func rows(
        of model: Model, after: Value?, equals: [(column: Column, value: Value)], visit: (Row) throws -> Bool
    ) throws {
        try rows(of: model, after: after, order: .ascending, equals: equals, visit: visit)
    }
}

/// In which direction rows are read.
public enum KeyOrder: Hashable, Sendable {
    case ascending
    case descending
}

/// Writes rows inside a transaction. Valid only inside its body.
public protocol RowWriter {
    /// - Returns: the row as it stands, defaults included.
    /// - Throws: ``StoreError`` where a constraint refuses it.
    func insert(_ values: [(column: String, value: Value)], into model: Model) throws -> Row
    /// - Returns: the row as it stands; nil where there is none.
    func update(_ model: Model, key: Value, set values: [(column: String, value: Value)]) throws -> Row?
    /// - Returns: the row that was removed; nil where there was none.
    func remove(_ model: Model, key: Value) throws -> Row?
}
