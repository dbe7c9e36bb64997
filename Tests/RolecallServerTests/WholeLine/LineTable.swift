import WireJSON

/// A value as a test writes it: into SQL, into a request's body, into the configuration.
enum LineValue: Hashable, Sendable {
    case null
    case boolean(Bool)
    case integer(Int64)
    /// A number and a half: it has few digits, and comes through every conversion as it is.
    case half(Int64)
    case text(String)
    /// Bytes whose hexadecimal digits are an `a` and the number.
    case blob(Int64)

    var sql: String {
        switch self {
        case .null: "NULL"
        case .boolean(let value): value ? "1" : "0"
        case .integer(let value): String(value)
        case .half(let value): "\(value).5"
        case .text(let value): LineValue.quoted(value)
        case .blob(let value): "X'a\(value)'"
        }
    }

    var json: JSON {
        switch self {
        case .null: .null
        case .boolean(let value): .bool(value)
        case .integer(let value): .integer(value)
        case .half(let value): .number(Double(value) + 0.5)
        case .text(let value): .string(value)
        case .blob(let value): ["$blob": .string("a\(value)")]
        }
    }

    /// JSON is YAML, but for blobs, which no rule asks for.
    var yaml: String { json.description }

    /// The JSON texts of all values that a rule means by this one: numbers count as they are spelled without a
    /// fraction, and true is 1.
    var meanings: Set<String> {
        switch self {
        case .boolean(let value): value ? ["true", "1", "1.0"] : ["false", "0", "0.0"]
        case .integer(let value): [String(value), "\(value).0"]
        default: [json.description]
        }
    }

    static func quoted(_ text: String) -> String {
        "'\(text.split(separator: "'", omittingEmptySubsequences: false).joined(separator: "''"))'"
    }
}

struct LineColumn: Sendable {
    enum Kind: Sendable {
        case key
        /// Told as true and false.
        case flag
        /// What rules ask for.
        case mark
        case ownerID
        case ownerEmail
        case text
        case integer
        case real
        case blob
        /// Takes anything.
        case any
        /// One of few values, of which no two rows may have the same.
        case code
        /// The key of another table's row.
        case reference(to: Int)
        case generated
    }

    /// In the table.
    var name: String
    var kind: Kind
    /// The type that its values have in requests and in the configuration.
    var isText = false
    /// What stands behind its name in the table's definition.
    var declaration: String
    var isNullable = true
    var hasDefault = false
    /// The table gives a value by itself, in the place of the row's number.
    var isRowID = false
    var isSecret = false
    /// The least rank that sees it, and that writes it.
    var readRank: Int?
    var writeRank: Int?

    var isGenerated: Bool { if case .generated = kind { true } else { false } }
    var isKey: Bool { if case .key = kind { true } else { false } }
    /// Told as true and false.
    var isBoolean: Bool { if case .flag = kind { true } else { false } }
    /// A new row must bring it.
    var isRequired: Bool { !isNullable && !hasDefault && !isGenerated && !isRowID }
}

struct LineRule: Sendable {
    /// The least rank; nil for none.
    var rank: Int?
    /// Columns, and the values of which each must have one.
    var when: [(column: String, values: [LineValue])] = []
    var owner: (column: String, isEmail: Bool)?

    /// Whether this one grants all that the other one does.
    func covers(_ other: LineRule) -> Bool {
        guard (rank ?? 0) <= (other.rank ?? 0) else { return false }
        if let owner {
            guard let narrow = other.owner, narrow.column == owner.column, narrow.isEmail == owner.isEmail else {
                return false
            }
        }
        return when.allSatisfy { wide in
            other.when.contains { $0.column == wide.column && Set($0.values).isSubset(of: wide.values) }
        }
    }

    /// As the configuration says it.
    func yaml(roles: [String]) -> String {
        var parts: [String] = []
        if let rank { parts.append("role: \(roles[rank])") }
        if !when.isEmpty {
            let conditions = when.map { column, values in
                let list = values.map(\.yaml).joined(separator: ", ")
                return "\"\(column)\": \(values.count == 1 ? list : "[\(list)]")"
            }
            parts.append("when: {\(conditions.joined(separator: ", "))}")
        }
        if let owner { parts.append("owner: {\(owner.isEmail ? "email" : "id"): \"\(owner.column)\"}") }
        return parts.isEmpty ? "everyone" : "{\(parts.joined(separator: ", "))}"
    }
}

/// A table with its rules.
struct LineTable: Sendable {
    enum Stamp: Sendable {
        case authorID
        case authorName
        case now
    }

    var model: String
    var path: String
    /// In the database.
    var table: String
    var columns: [LineColumn]
    /// The columns that name a row.
    var keys: [String]
    /// Constraints and what follows the definition.
    var constraints: [String] = []
    var isWithoutRowID = false
    var indexes: [String] = []
    var read: [LineRule] = []
    var create: [LineRule] = []
    var update: [LineRule] = []
    var remove: [LineRule] = []
    var stamps: [String: Stamp] = [:]
    /// What the configuration says of it; empty for nothing.
    var yaml = ""
    /// Rolecall's own: made and changed in ways of its own.
    var isBuiltIn = false

    var hasCompositeKey: Bool { keys.count > 1 }
    var sqlName: String { "\"\(table)\"" }

    /// As rows and requests name a column.
    func told(_ column: LineColumn) -> String { told(column.name) }
    func told(_ name: String) -> String { keys == [name] ? "_id" : name }

    func column(told name: String) -> LineColumn? { columns.first { told($0) == name && !$0.isSecret } }

    var definition: String {
        let parts = columns.map { "\"\($0.name)\" \($0.declaration)" } + constraints
        let statement =
            "CREATE TABLE \(sqlName)(\(parts.joined(separator: ", ")))\(isWithoutRowID ? " WITHOUT ROWID" : "")"
        return ([statement] + indexes).map { "\($0);" }.joined(separator: "\n")
    }

    /// Selects every row as a JSON array: the table's place, then each column's type and its text.
    func dump(as place: Int) -> String {
        let cells = columns.map { column in
            let name = "\"\(column.name)\""
            return
                "json_array(typeof(\(name)), CASE typeof(\(name)) WHEN 'blob' THEN lower(hex(\(name))) ELSE CAST(\(name) AS TEXT) END)"
        }
        return "SELECT json_array(\(place), \(cells.joined(separator: ", "))) FROM \(sqlName);"
    }

    /// A row as the dump prints it: JSON texts by the names that they are told under, secrets left out.
    func row(_ cells: [JSON]) -> LineRow {
        var row: LineRow = [:]
        var parts: [String: JSON] = [:]
        for (column, cell) in zip(columns, cells) {
            let text = cell[1]?.stringValue ?? ""
            let value: JSON =
                switch cell[0]?.stringValue {
                case "integer" where column.isBoolean && text == "0": false
                case "integer" where column.isBoolean && text == "1": true
                case "integer": .integer(Int64(text) ?? .min)
                case "real": .number(Double(text) ?? -1)
                case "text": .string(text)
                case "blob": ["$blob": .string(text)]
                default: .null
                }
            parts[column.name] = value
            if !column.isSecret { row[told(column)] = value.description }
        }
        if hasCompositeKey {
            row["_id"] = JSON.string(JSON.array(keys.map { parts[$0] ?? .null }).description).description
        }
        return row
    }
}

/// JSON texts by columns: what a row looks like to whom sees all of it.
typealias LineRow = [String: String]

extension JSON {
    /// One text for each value: as a row's cell stands in a ``LineRow``.
    var cell: String {
        if let hexadecimal = self["$blob"]?.stringValue {
            return JSON.object(["$blob": .string(hexadecimal.lowercased())]).description
        }
        return description
    }

    /// An object as a row.
    var lineRow: LineRow? {
        guard let object = objectValue else { return nil }
        var row: LineRow = [:]
        for (name, value) in object { row[name] = value.cell }
        return row
    }
}
