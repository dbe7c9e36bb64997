import GRDB
import ModelStore

/// A model together with what only the store knows of its table.
///
/// Inside the store a column has two names: its own in the table, and the one of the contract, which differs for the
/// key alone and is `_id` there.
struct ModelTable: Sendable {
    struct Field: Sendable {
        /// In the table.
        var name: String
        /// As the contract names and describes it.
        var column: ModelStore.Column
        /// Computed by the table: read, never written.
        var isGenerated: Bool
    }

    /// A column of the table, told or not.
    struct Source: Sendable {
        var name: String
        /// A default that is a plain literal; nil for none and for anything else.
        var literalDefault: String?
        var isNotNull: Bool
    }

    var model: Model
    /// The columns that may be told, in the table's order.
    var fields: [Field]
    /// The one of `fields` that names a row.
    var key: Field
    /// Whether the key is SQLite's own row number and therefore always an integer.
    var isKeyRowID: Bool
    /// Columns that are never told, by their names in the table.
    var secrets: [String]
    /// Every column of the table that a statement can name.
    var sources: [Source]
    var uniqueIndexes: [UniqueIndex]
    /// The columns that refer to other tables, by their names in the table.
    var references: [String]

    var table: String { SQL.name(model.table) }
    var keyName: String { SQL.name(key.name) }

    /// `SELECT` list of the told columns.
    var selection: String {
        fields.map { SQL.name($0.name) }.joined(separator: ", ")
    }

    func field(_ column: String) -> Field? {
        fields.first { $0.column.name == column }
    }

    /// Reads a row that was selected by ``selection``.
    func row(_ row: StatementRow) -> ModelStore.Row {
        ModelStore.Row(
            columns: model.columns.map(\.name),
            values: fields.enumerated().map { index, field in
                field.column.kind == .boolean ? row.value(index).asBoolean : row.value(index)
            })
    }
}

extension Value {
    /// What the value is in a column that is declared BOOLEAN.
    fileprivate var asBoolean: Value {
        switch self {
        case .integer(0): .boolean(false)
        case .integer(1): .boolean(true)
        default: self
        }
    }
}
