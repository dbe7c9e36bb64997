import ModelStore
import WireJSON

/// How a text spells the key of a row.
package enum RowKey {
    /// - Parameter text: the key as its `_id` says it; one of several columns also as the parts with commas between,
    ///   `7,shirt`.
    /// - Returns: nil for what can be the key of no row.
    package static func value(text: String, of model: Model) -> Value? {
        guard model.keyColumns.count > 1 else { return RowService.value(text: text, for: model.key) }
        if text.hasPrefix("[") { return canonical(text, of: model) }
        let parts = text.split(separator: ",", omittingEmptySubsequences: false).map(String.init)
        let columns = model.keyColumns.compactMap(model.column)
        guard parts.count == columns.count, columns.count == model.keyColumns.count else { return nil }
        var values: [JSON] = []
        for (part, column) in zip(parts, columns) {
            guard let value = RowService.value(text: part, for: column) else { return nil }
            values.append(value.json)
        }
        return .text(JSON.array(values).description)
    }

    /// What a part of a key of several columns is; nil for a column that is none.
    static func part(_ column: String, of key: Value, in model: Model) -> Value? {
        guard model.keyColumns.count > 1, let index = model.keyColumns.firstIndex(of: column),
            case .text(let text) = key,
            let parts = (try? JSON(parsing: Array(text.utf8)))?.arrayValue, parts.indices.contains(index)
        else { return nil }
        return Value(json: parts[index])
    }

    /// The array's one spelling.
    private static func canonical(_ text: String, of model: Model) -> Value? {
        guard let parts = (try? JSON(parsing: Array(text.utf8)))?.arrayValue, parts.count == model.keyColumns.count
        else {
            return nil
        }
        let values = parts.compactMap { Value(json: $0)?.json }
        return values.count == parts.count ? .text(JSON.array(values).description) : nil
    }
}
