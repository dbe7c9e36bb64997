import WireJSON

/// What a payload says of an account. Each field is checked where it is asked for, and named where it is wrong.
struct AccountFields {
    private let object: JSONObject

    /// - Parameter fields: those that the payload may have.
    /// - Throws: ``DomainError/invalidPayload(_:)`` for what is no object, ``DomainError/invalidField(_:field:)`` for a
    ///   field that is not one of these.
    init(_ json: JSON, fields: Set<String>) throws(DomainError) {
        guard let object = json.objectValue else {
            throw .invalidPayload("The body has to be a JSON object: the account's fields.")
        }
        for name in object.keys where !fields.contains(name) {
            throw Self.invalid(name, "\"\(name.prefix(64))\" is not something to be set here.")
        }
        self.object = object
    }

    /// Nil where it is not given.
    func email() throws(DomainError) -> String? {
        guard let text = try text("email") else { return nil }
        guard AccountRules.isAddress(text) else {
            throw Self.invalid("email", "\"\(text.prefix(64))\" is no e-mail address.")
        }
        return text
    }

    /// Nil where it is not given.
    func name() throws(DomainError) -> String? {
        guard let text = try text("name") else { return nil }
        guard AccountRules.isName(text) else {
            throw Self.invalid(
                "name", "A name has at most \(AccountRules.longestText) bytes, something to read, and no controls.")
        }
        return text
    }

    /// Nil where it is not given.
    func role(of roles: [String]) throws(DomainError) -> String? {
        guard let text = try text("role") else { return nil }
        guard roles.contains(text) else {
            throw Self.invalid(
                "role", "There is no role \"\(text.prefix(64))\"; there are \(roles.joined(separator: ", ")).")
        }
        return text
    }

    /// A password that is to be set.
    func newPassword(_ field: String) throws(DomainError) -> String {
        let text = try required(field, text(field))
        guard AccountRules.isPassword(text) else {
            throw Self.invalid(field, "A password has from 1 to \(AccountRules.longestText) bytes.")
        }
        return text
    }

    /// A password that is to be checked.
    func oldPassword() throws(DomainError) -> String {
        try required("oldPassword", text("oldPassword"))
    }

    func required<Value>(_ field: String, _ value: Value?) throws(DomainError) -> Value {
        guard let value else { throw Self.invalid(field, "\(field) is missing.") }
        return value
    }

    private func text(_ field: String) throws(DomainError) -> String? {
        guard let value = object[field] else { return nil }
        guard let text = value.stringValue else { throw Self.invalid(field, "\(field) has to be a string.") }
        return text
    }

    static func invalid(_ field: String, _ sentence: String) -> DomainError {
        .invalidField(sentence, field: field)
    }
}
