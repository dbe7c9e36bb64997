import ModelStore

/// Takes nodes for what they should be, and says so where they are not.
struct NodeReader {
    var mistakes: Mistakes

    /// A text, a number or whatever else is written in one piece.
    mutating func text(_ node: YAMLNode, _ subject: String, takes expected: String) -> Located<String>? {
        guard case .scalar(let scalar) = node.content, !scalar.isNull else {
            return refuse(node, subject, takes: expected)
        }
        return Located(scalar.text, node.location)
    }

    /// One text, or a list of them.
    mutating func texts(_ node: YAMLNode, _ subject: String, takes expected: String) -> [Located<String>]? {
        guard case .list(let elements) = node.content else {
            return text(node, subject, takes: expected).map { [$0] }
        }
        let texts = elements.map { text($0, subject, takes: expected) }
        return texts.contains { $0 == nil } ? nil : texts.compactMap(\.self)
    }

    mutating func entries(_ node: YAMLNode, _ subject: String, takes expected: String) -> [YAMLEntry]? {
        guard case .map(let entries) = node.content else { return refuse(node, subject, takes: expected) }
        return entries
    }

    mutating func list(_ node: YAMLNode, _ subject: String, takes expected: String) -> [YAMLNode]? {
        guard case .list(let elements) = node.content else { return refuse(node, subject, takes: expected) }
        return elements
    }

    mutating func flag(_ node: YAMLNode, _ subject: String) -> Bool? {
        guard case .scalar(let scalar) = node.content, case .success(let value) = scalar.value(),
            case .boolean(let flag) = value
        else { return refuse(node, subject, takes: "true or false") }
        return flag
    }

    /// A name that is none of those that may stand here.
    mutating func unknown(_ entry: YAMLEntry, in subject: String, among names: [String]) {
        mistakes.report(
            entry.location,
            """
            \(subject) has no \(Words.quoted(entry.key)); \
            \(Words.suggestion(for: entry.key, among: names, noun: "name"))
            """)
    }

    mutating func refuse<Output>(_ node: YAMLNode, _ subject: String, takes expected: String) -> Output? {
        mistakes.report(node.location, "\(subject) takes \(expected), not \(node.noun)")
        return nil
    }
}
