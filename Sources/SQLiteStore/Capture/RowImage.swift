import ModelStore
import WireJSON

/// SQL expressions that give a row's image, as the triggers write it into the log: a JSON object of the told columns,
/// each value in the form of ``Value/json``.
///
/// The expressions use built-in functions only and can't fail, whatever a column holds: a trigger that fails would
/// fail the statement of some other program.
/// - Integers are text in full; reals have twenty significant digits, because SQLite's conversion to seventeen is off
///   by one in the last place now and then, and the nearest double to twenty is the stored one.
/// - They are given rows as the table holds them, and never `NEW`: there, the outcome of `json('{}')` still has its
///   subtype, and `json_quote` would take it for JSON and not for the text that the column comes to hold.
/// - NUL is `\u0000`. Bytes that are no UTF-8 go through as they are and are repaired when the log is read.
/// - A text or blob that is longer than ``longestValue`` stands as null: the image as a whole must stay below the
///   10^9 bytes that SQLite gives a string.
struct RowImage {
    let table: ModelTable

    /// The longest text or blob of an image, in bytes. Escapes can make six of one.
    var longestValue: Int {
        min(16_777_216, 100_000_000 / max(1, table.fields.count))
    }

    /// The image.
    ///
    /// - Parameter row: `OLD` or an alias of the table.
    func image(of row: String) -> String {
        var operands: [String] = []
        for (index, field) in table.fields.enumerated() {
            var name: [UInt8] = Array((index == 0 ? "{" : ",").utf8)
            JSON.appendString(field.column.name, to: &name)
            name.append(UInt8(ascii: ":"))
            operands.append(SQL.text(String(decoding: name, as: UTF8.self)))
            operands.append(value(of: field, in: row))
        }
        operands.append("'}'")
        return SQL.concatenation(operands[...])
    }

    /// The key's JSON text. Two keys are one row to those who are told exactly when these texts are the same.
    func key(of row: String) -> String {
        table.hasCompositeKey ? "json_quote(\(keyText(of: row)))" : value(of: table.keys[0], in: row)
    }

    /// A key of several columns as the text that it is told as: the JSON array of their values.
    func keyText(of row: String) -> String {
        var operands: [String] = []
        for (index, key) in table.keys.enumerated() {
            operands.append(index == 0 ? "'['" : "','")
            operands.append(value(of: key, in: row))
        }
        return SQL.concatenation((operands + ["']'"])[...])
    }

    private func value(of field: ModelTable.Field, in row: String) -> String {
        if field.isCompositeKey { return key(of: row) }
        let value = "\(row).\(SQL.name(field.name))"
        if table.isKeyRowID, field.name == table.keys[0].name { return "CAST(\(value) AS TEXT)" }
        let integer =
            field.column.kind == .boolean
            ? "CASE \(value) WHEN 0 THEN 'false' WHEN 1 THEN 'true' ELSE CAST(\(value) AS TEXT) END"
            : "CAST(\(value) AS TEXT)"
        return """
            CASE typeof(\(value)) \
            WHEN 'integer' THEN \(integer) \
            WHEN 'text' THEN CASE WHEN length(CAST(\(value) AS BLOB)) > \(longestValue) \
            THEN 'null' ELSE json_quote(\(value)) END \
            WHEN 'real' THEN CASE \(value) WHEN 9e999 THEN '{"$real":"Infinity"}' \
            WHEN -9e999 THEN '{"$real":"-Infinity"}' ELSE printf('%!.20g', \(value)) END \
            WHEN 'blob' THEN CASE WHEN length(\(value)) > \(longestValue) \
            THEN 'null' ELSE '{"$blob":"' || hex(\(value)) || '"}' END \
            ELSE 'null' END
            """
    }
}
