import ModelStore

extension ChangeRecord {
    /// About how many bytes it takes to tell it.
    var approximateSize: Int { 128 + (before?.approximateSize ?? 0) + (after?.approximateSize ?? 0) }
}

extension Row {
    /// About how many bytes it takes to tell it.
    var approximateSize: Int {
        zip(columns, values).reduce(0) { size, field in
            switch field.1 {
            case .text(let text): size + field.0.utf8.count + text.utf8.count
            case .blob(let bytes): size + field.0.utf8.count + 2 * bytes.count
            case .null, .integer, .real, .boolean: size + field.0.utf8.count + 16
            }
        }
    }
}
