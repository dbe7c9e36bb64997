import ModelStore
import RolecallProtocol
import WireJSON

/// What stands in a body, a path or a query, as values of a table's columns.
extension RowService {
    /// The columns that a body names, typed and checked against the table and the policy.
    func fields(
        of json: JSON, for model: Model, as writer: Writer, isCreation: Bool
    ) throws(DomainError) -> [(column: String, value: Value)] {
        guard let object = json.objectValue else {
            throw .invalidPayload("The body has to be a JSON object: the row's fields.")
        }
        let view = policy.view(of: writer)
        var values: [(column: String, value: Value)] = []
        for (name, json) in object {
            if name == model.key.name, !isCreation { continue }
            guard let column = model.column(name),
                policy.mayRead(column: name, of: model.name, view: view)
            else { throw .unknownField(name, of: model) }
            if column.isGenerated, name != model.key.name {
                throw .invalidField("\(name) is computed by the table.", field: name)
            }
            // A key that the table gives by itself is the table's; one that has to be brought is brought once.
            guard name != model.key.name || model.key.isRequired,
                policy.mayWrite(column: name, of: model.name, as: writer)
            else {
                throw .invalidField("\(name) is not yours to write.", field: name)
            }
            values.append((column: name, value: try Self.value(json, for: column)))
        }
        return values
    }

    static func value(_ json: JSON, for column: Column) throws(DomainError) -> Value {
        switch (column.kind, json) {
        case (_, .null) where column.isNullable: return .null
        case (.boolean, .bool(let value)): return .boolean(value)
        case (.boolean, .integer(0)): return .boolean(false)
        case (.boolean, .integer(1)): return .boolean(true)
        case (.integer, _) where json.integerValue != nil: return .integer(json.integerValue ?? 0)
        case (.real, _) where json.doubleValue != nil: return .real(json.doubleValue ?? 0)
        case (.text, .string(let text)): return .text(text)
        case (.real, .object), (.blob, .object), (.any, _):
            switch (column.kind, Value(json: json)) {
            // A database can't be relied upon to keep it: SQLite makes it NULL.
            case (_, .real(let value)?) where value.isNaN: break
            case (.real, .real(let value)?): return .real(value)
            case (.blob, .blob(let bytes)?): return .blob(bytes)
            case (.any, let value?): return value
            default: break
            }
        default: break
        }
        throw .invalidField(
            "\(column.name) has to be \(wanted(for: column.kind))\(column.isNullable ? " or null" : "").",
            field: column.name)
    }

    private static func wanted(for kind: Column.Kind) -> String {
        switch kind {
        case .boolean: "true or false"
        case .integer: "an integer"
        case .real: "a number"
        case .text: "a string"
        case .blob: "{\"$blob\": \"<hexadecimal>\"}"
        case .any: "a single value"
        }
    }

    /// A value as a path or a query spells it.
    package static func value(text: String, for column: Column) -> Value? {
        switch column.kind {
        case .integer: Int64(text).map(Value.integer)
        case .real: Double(text).flatMap { $0.isNaN ? nil : .real($0) }
        case .boolean:
            switch text {
            case "true", "1": .boolean(true)
            case "false", "0": .boolean(false)
            default: nil
            }
        case .text: .text(text)
        case .blob: Value(json: ["$blob": .string(text)])
        case .any: Int64(text).map(Value.integer) ?? .text(text)
        }
    }

    static func names(_ json: JSON, _ key: Value) -> Bool {
        json == key.json || Value(json: json) == key
    }

    static func value(of stamp: Stamp, for user: UserSummary) -> Value {
        switch stamp {
        case .authorID: .integer(user.id)
        case .authorName: .text(user.name)
        case .now: .text(Timestamp.now.description)
        }
    }
}
