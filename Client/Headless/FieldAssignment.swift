import RolecallProtocol
import WireJSON

/// `field=value` of a command line. What the value is depends on what the field takes.
struct FieldAssignment: Hashable, Sendable {
    let field: String
    /// As it was typed.
    let spelled: String

    /// Nil where there is no field or no `=`.
    init?(_ text: String) {
        guard let separator = text.firstIndex(of: "="), separator > text.startIndex else { return nil }
        field = String(text[..<separator])
        spelled = String(text[text.index(after: separator)...])
    }

    /// The value that a row of this model gets.
    func value(in model: ModelDescription) -> JSON { Self.value(spelled, for: model.field(field)) }

    /// The value as a query spells it.
    func queryText(in model: ModelDescription) -> String {
        let value = value(in: model)
        return value["$blob"]?.stringValue ?? value.plainText
    }

    /// A value in JSON's quotes is the text between them, wherever it stands. In a field of text all else is a text as it
    /// is, but for `null` where nothing may stand there; in any other field what spells JSON is that, and what does not
    /// is for the server to refuse.
    ///
    /// - Parameter field: nil for one that the server has not told of.
    static func value(_ spelled: String, for field: ModelDescription.Field?) -> JSON {
        let json = try? JSON(parsing: spelled)
        if let text = json?.stringValue {
            return field?.kind == .blob ? ["$blob": .string(text)] : .string(text)
        }
        switch field?.kind {
        case .text?: return json?.isNull == true && field?.isNullable == true ? .null : .string(spelled)
        case .blob?:
            // Hexadecimal digits can look like a number.
            if let json, json.isNull || json.objectValue != nil { return json }
            return ["$blob": .string(spelled)]
        case .boolean? where json == 0: return false
        case .boolean? where json == 1: return true
        default: return json ?? .string(spelled)
        }
    }
}
