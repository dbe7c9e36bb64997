import GRDB
import ModelStore
import WireJSON

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
        /// Computed: read, never written.
        var isGenerated: Bool { column.isGenerated }
    }

    /// A column of the table, told or not.
    struct Source: Sendable {
        var name: String
        /// A default that is a plain literal; nil for none and for anything else.
        var literalDefault: String?
        var isNotNull: Bool
    }

    var model: Model
    /// The columns that may be told, in the table's order; in front of them the key, where it is made of several.
    var fields: [Field]
    /// The columns that name a row together; mostly one.
    var keys: [Field]
    /// Whether the key is SQLite's own row number and therefore always an integer.
    var isKeyRowID: Bool
    /// By what name a statement can say the table's row number: the column that is it, or a name that no column has. Nil
    /// for a table without row numbers, and where columns have all of those names.
    var rowIDName: String?
    /// Columns that are never told, by their names in the table.
    var secrets: [String]
    /// Every column of the table that a statement can name.
    var sources: [Source]
    var uniqueIndexes: [UniqueIndex]
    /// Whether the owner has triggers that fire before a write and may write the same row.
    var hasBeforeTriggers: Bool
    /// The columns that refer to other tables, by their names in the table.
    var references: [String]

    var table: String { SQL.name(model.table) }
    /// The key's columns, as they stand in a statement.
    var keyNames: [String] { keys.map { SQL.name($0.name) } }
    /// The same as a list.
    var keyList: String { keyNames.joined(separator: ", ") }
    /// Whether the key is made of several columns, and told as one text.
    var hasCompositeKey: Bool { keys.count > 1 }

    /// `SELECT` list of the told columns.
    var selection: String {
        let image = RowImage(table: self)
        return fields.map { $0.isCompositeKey ? image.keyText(of: table) : SQL.name($0.name) }.joined(separator: ", ")
    }

    /// The condition that finds the row with a key, and its arguments; nil for what is the key of no row.
    func condition(forKey key: Value) -> (sql: String, arguments: [Value])? {
        parts(ofKey: key).map { parts in (keyNames.map { "\($0) = ?" }.joined(separator: " AND "), parts) }
    }

    /// The condition that finds the rows that come behind a key.
    func condition(behindKey key: Value, _ order: KeyOrder) -> (sql: String, arguments: [Value])? {
        let places = Array(repeating: "?", count: keys.count).joined(separator: ", ")
        return parts(ofKey: key).map { parts in
            ("(\(keyList)) \(order == .ascending ? ">" : "<") (\(places))", parts)
        }
    }

    /// The values of the key's columns.
    private func parts(ofKey key: Value) -> [Value]? {
        guard hasCompositeKey else { return [key] }
        guard case .text(let text) = key, let array = (try? JSON(parsing: Array(text.utf8)))?.arrayValue else {
            return nil
        }
        let parts = array.compactMap(Value.init(json:))
        return parts.count == keys.count && parts.count == array.count ? parts : nil
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

extension ModelTable.Field {
    /// What stands for a key of several columns; no column of the table.
    static let compositeKey = ModelTable.Field(
        name: "",
        column: ModelStore.Column(
            name: keyColumnName, kind: .text, isRequired: false, isNullable: false, isGenerated: true))

    var isCompositeKey: Bool { name.isEmpty }
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
