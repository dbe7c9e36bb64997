import WireJSON

/// `field=value` of a command line: a value that spells JSON is that, any other is text.
struct FieldAssignment: Hashable, Sendable {
    let field: String
    let value: JSON

    /// Nil where there is no field or no `=`.
    init?(_ text: String) {
        guard let separator = text.firstIndex(of: "="), separator > text.startIndex else { return nil }
        field = String(text[..<separator])
        let spelled = text[text.index(after: separator)...]
        value = (try? JSON(parsing: spelled)) ?? .string(String(spelled))
    }
}
