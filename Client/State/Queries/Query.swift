import RolecallProtocol
import WireJSON

/// What a reader wants to see of the live events: terms that must all hold.
///
/// | term | holds for |
/// | --- | --- |
/// | `model:thing` | events of that model |
/// | `op:updated` | `created`, `updated`, `removed`, `hidden`; `save` and `remove` stand for two each |
/// | `who:ann` | changes by a user whose name contains the text; `who:none` for changes made outside the server |
/// | `key:12` | the row of that key |
/// | `name=value` | a field that equals the value, read as JSON or as text |
/// | `name~text` | a field that contains the text |
/// | `role:admin` | an identity of that role, and events of the model `user` with it |
/// | `since:5m` | events of the last five minutes (`s`, `m`, `h`, `d`) |
/// | `word` | a text that contains the word: of the row, its model, who changed it, and what the list shows of it |
///
/// `-` before a term turns it round, quotes hold spaces together, and containment disregards case.
struct Query: Hashable, Sendable {
    struct Term: Hashable, Sendable {
        var condition: Condition
        var isNegated = false
    }

    enum Condition: Hashable, Sendable {
        case model(String)
        case operations(Set<ModelOperation>)
        case actor(FoldedText)
        case noActor
        case key(String)
        case equals(field: String, Operand)
        case contains(field: String, FoldedText)
        case role(String)
        /// Not older than this many milliseconds.
        case within(milliseconds: Int64)
        case word(FoldedText)
    }

    /// The right side of `field=value`.
    struct Operand: Hashable, Sendable {
        var text: String
        /// The value that the text spells as JSON; nil where it spells none, or was quoted and so is text.
        var json: JSON?
    }

    /// In the order in which they were written; none at all holds for every event.
    var terms: [Term] = []
}

// MARK: - Matching

extension Query {
    /// - Parameter now: what `since:` counts back from.
    func matches(_ event: ModelEvent, now: Timestamp) -> Bool {
        terms.allSatisfy { $0.condition.holds(for: event, now: now) != $0.isNegated }
    }

    /// Asks the query of a line of the list: what a reader sees in it, he finds by a word.
    ///
    /// - Parameter now: what `since:` counts back from.
    func matches(_ line: EventLine, now: Timestamp) -> Bool {
        terms.allSatisfy { term in
            var holds = term.condition.holds(for: line.event, now: now)
            if !holds, case .word(let word) = term.condition { holds = line.shows { word.occurs(in: $0) } }
            return holds != term.isNegated
        }
    }

    /// Asks the query of an event that is not a model's. It has no model, operation, author or field, but texts.
    func matches(eventName _: String, arguments: [JSON]) -> Bool {
        terms.allSatisfy { term in
            if case .word(let word) = term.condition {
                arguments.contains(where: word.occurs(inTextsOf:)) != term.isNegated
            } else {
                term.isNegated
            }
        }
    }

    /// Whether it speaks of nothing but people: who they are, and of which role.
    var isAboutPeople: Bool {
        terms.contains { !$0.isNegated }
            && terms.allSatisfy { term in
                switch term.condition {
                case .role, .actor: true
                default: false
                }
            }
    }

    /// Asks the query of somebody who has come on; only one that is about people can hold.
    func matches(_ presence: Presence) -> Bool {
        isAboutPeople
            && terms.allSatisfy { term in
                switch term.condition {
                case .role(let role): (presence.role == role) != term.isNegated
                case .actor(let name): name.occurs(in: presence.name) != term.isNegated
                default: false
                }
            }
    }

    /// Asks the query of an identity. Only a query that speaks of nothing but roles is about identities, so that
    /// `-op:removed` is not answered by the next login.
    func matches(_ identity: Identity) -> Bool {
        !terms.isEmpty
            && terms.allSatisfy { term in
                guard case .role(let role) = term.condition else { return false }
                return (identity.user?.role == role) != term.isNegated
            }
    }
}

extension Query.Condition {
    fileprivate func holds(for event: ModelEvent, now: Timestamp) -> Bool {
        switch self {
        case .model(let model): return event.model == model
        case .operations(let operations): return operations.contains(event.operation)
        case .actor(let name): return event.by.map { name.occurs(in: $0.name) } ?? false
        case .noActor: return event.by == nil
        case .key(let key): return event.row["_id"]?.plainText == key
        case .equals(let field, let operand):
            guard let value = event.row[field] else { return false }
            return value == operand.json || value == .string(operand.text)
        case .contains(let field, let text): return event.row[field].map { text.occurs(in: $0.plainText) } ?? false
        case .role(let role): return event.model == "user" && event.row["role"]?.stringValue == role
        case .within(let milliseconds):
            guard let at = Timestamp(event.at) else { return false }
            return now.milliseconds &- at.milliseconds <= milliseconds
        case .word(let word):
            return word.occurs(inTextsOf: event.row) || word.occurs(in: event.model)
                || event.by.map { word.occurs(in: $0.name) } ?? false
        }
    }
}

extension JSON {
    /// A string as it is, every other value as JSON text.
    var plainText: String { stringValue ?? description }
}

// MARK: - Containment

/// A text to look for without regard to case.
struct FoldedText: Hashable, Sendable {
    /// Lower case, in UTF-8.
    private let bytes: [UInt8]
    private let isASCII: Bool

    init(_ text: String) {
        bytes = Array(text.lowercased().utf8)
        isASCII = bytes.allSatisfy { $0 < 0x80 }
    }

    /// In lower case.
    var text: String { String(decoding: bytes, as: UTF8.self) }

    func occurs(in text: String) -> Bool {
        // Of ASCII each byte can be folded where it stands; nothing is copied for an event that is passed over.
        guard isASCII else { return occurs(in: Array(text.lowercased().utf8), folding: false) }
        return text.utf8.withContiguousStorageIfAvailable { occurs(in: $0, folding: true) }
            ?? occurs(in: Array(text.utf8), folding: true)
    }

    /// Whether it occurs in any string of a value, however deep.
    func occurs(inTextsOf value: JSON) -> Bool { value.hasText { occurs(in: $0) } }

    private func occurs(in haystack: some RandomAccessCollection<UInt8>, folding: Bool) -> Bool {
        guard let first = bytes.first else { return true }
        func folded(_ byte: UInt8) -> UInt8 {
            folding && UInt8(ascii: "A") <= byte && byte <= UInt8(ascii: "Z") ? byte | 0x20 : byte
        }
        guard haystack.count >= bytes.count else { return false }
        let last = haystack.index(haystack.endIndex, offsetBy: -bytes.count)
        var start = haystack.startIndex
        while start <= last {
            if folded(haystack[start]) == first,
                zip(haystack[start...], bytes).allSatisfy({ folded($0) == $1 })
            {
                return true
            }
            haystack.formIndex(after: &start)
        }
        return false
    }
}

extension JSON {
    /// Whether it holds for any string of this value, however deep.
    func hasText(where holds: (String) -> Bool) -> Bool {
        switch self {
        case .string(let text): holds(text)
        case .array(let elements): elements.contains { $0.hasText(where: holds) }
        case .object(let members): members.contains { $0.value.hasText(where: holds) }
        case .null, .bool, .integer, .number: false
        }
    }
}
