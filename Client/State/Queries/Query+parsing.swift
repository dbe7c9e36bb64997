import RolecallProtocol
import WireJSON

/// Why a text is no query: the term, its place, and what would be right.
struct QueryError: Error, Hashable, Sendable, CustomStringConvertible {
    /// The term at fault as it was written.
    let term: String
    /// Where the term begins, in characters from 1.
    let column: Int
    /// What is wrong with it and what would be right; a sentence without its subject.
    let fault: String

    /// For a place that is narrow, and where it is plain which query it is about.
    var brief: String { "'\(SafeText(term))' \(fault)" }

    var description: String { "The query's term '\(SafeText(term))' (column \(column)) \(fault)" }
}

extension Query {
    /// Reads a query as it is typed; an empty one holds for every event.
    init(parsing text: String) throws(QueryError) {
        var parser = QueryParser(characters: Array(text))
        terms = try parser.parse()
    }
}

/// Reads the terms from left to right. Total: every text is a query or an error, and each character is read once.
private struct QueryParser {
    let characters: [Character]
    private var position = 0
    private var termStart = 0

    init(characters: [Character]) {
        self.characters = characters
    }

    private var current: Character? {
        position < characters.count ? characters[position] : nil
    }

    private var isAtBoundary: Bool {
        current?.isWhitespace ?? true
    }

    mutating func parse() throws(QueryError) -> [Query.Term] {
        var terms: [Query.Term] = []
        while true {
            while let character = current, character.isWhitespace { position += 1 }
            guard current != nil else { return terms }
            termStart = position
            terms.append(try parseTerm())
        }
    }

    private mutating func parseTerm() throws(QueryError) -> Query.Term {
        let isNegated = current == "-"
        if isNegated {
            position += 1
            if isAtBoundary { throw fault("negates nothing; a term follows '-' at once, as in -op:removed.") }
        }
        return Query.Term(condition: try parseCondition(), isNegated: isNegated)
    }

    private mutating func parseCondition() throws(QueryError) -> Query.Condition {
        if current == "\"" {
            return .word(FoldedText(try parseQuoted()))
        }
        let start = position
        while let character = current, !character.isWhitespace {
            switch character {
            case ":":
                let name = String(characters[start..<position])
                position += 1
                return try parseFacet(name)
            case "=":
                let name = String(characters[start..<position])
                position += 1
                guard !name.isEmpty else { throw fault("names no field; write field=value.") }
                let value = try parseValue()
                return .equals(
                    field: name,
                    Query.Operand(text: value.text, json: value.isQuoted ? nil : try? JSON(parsing: value.text)))
            case "~":
                let name = String(characters[start..<position])
                position += 1
                guard !name.isEmpty else { throw fault("names no field; write field~text.") }
                let value = try parseValue()
                guard !value.text.isEmpty else { throw fault("says nothing to look for; write \(name)~text.") }
                return .contains(field: name, FoldedText(value.text))
            case "\"": throw fault("has a quote in its middle; quotes enclose a whole word or a whole value.")
            default: position += 1
            }
        }
        return .word(FoldedText(String(characters[start..<position])))
    }

    private mutating func parseFacet(_ name: String) throws(QueryError) -> Query.Condition {
        let value = try parseValue()
        let text = value.text
        switch name {
        case "model":
            guard !text.isEmpty else { throw fault("names no model; write model:thing.") }
            return .model(text)
        case "op":
            guard let operations = Self.operations(text) else {
                throw fault("names no operation; it is created, updated, removed, hidden, save or remove.")
            }
            return .operations(operations)
        case "who":
            guard !text.isEmpty else { throw fault("names nobody; write who:ann, or who:none for outside changes.") }
            return text == "none" && !value.isQuoted ? .noActor : .actor(FoldedText(text))
        case "key":
            guard !text.isEmpty else { throw fault("names no key; write key:12.") }
            return .key(text)
        case "role":
            guard !text.isEmpty else { throw fault("names no role; write role:admin.") }
            return .role(text)
        case "since":
            guard let milliseconds = Self.milliseconds(text) else {
                throw fault("is no span of time; write a whole number and s, m, h or d, as in since:5m.")
            }
            return .within(milliseconds: milliseconds)
        default:
            throw fault(
                "begins with no known word; before ':' stands model, op, who, key, role or since. "
                    + "To look for the text itself, put it in quotes.")
        }
    }

    private mutating func parseValue() throws(QueryError) -> (text: String, isQuoted: Bool) {
        if current == "\"" {
            return (try parseQuoted(), true)
        }
        let start = position
        while !isAtBoundary { position += 1 }
        return (String(characters[start..<position]), false)
    }

    /// Reads from a quote to the next one; a backslash takes the character after it literally.
    private mutating func parseQuoted() throws(QueryError) -> String {
        var text = ""
        position += 1
        while let character = current {
            position += 1
            switch character {
            case "\"":
                guard isAtBoundary else {
                    throw fault("goes on after its closing quote; put a space between terms.")
                }
                return text
            case "\\":
                guard let literal = current else { continue }
                text.append(literal)
                position += 1
            default: text.append(character)
            }
        }
        throw fault("lacks its closing quote.")
    }

    /// An error about the whole term, read on to its end so that it is shown as it was written.
    private mutating func fault(_ sentence: String) -> QueryError {
        while !isAtBoundary { position += 1 }
        return QueryError(
            term: String(characters[termStart..<position]), column: termStart + 1, fault: sentence)
    }

    private static func operations(_ text: String) -> Set<ModelOperation>? {
        switch text {
        case "save": [.created, .updated]
        case "remove": [.removed, .hidden]
        default: ModelOperation(rawValue: text).map { [$0] }
        }
    }

    private static func milliseconds(_ text: String) -> Int64? {
        let unit: Int64
        switch text.last {
        case "s": unit = 1000
        case "m": unit = 60_000
        case "h": unit = 3_600_000
        case "d": unit = 86_400_000
        default: return nil
        }
        let digits = text.dropLast().utf8
        guard !digits.isEmpty, digits.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }),
            let count = Int64(text.dropLast())
        else { return nil }
        let product = count.multipliedReportingOverflow(by: unit)
        return product.overflow ? nil : product.partialValue
    }
}
