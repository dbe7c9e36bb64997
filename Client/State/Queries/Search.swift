import RolecallProtocol
import WireJSON

/// What is searched for among the entries that are shown.
struct Search: Sendable {
    let pattern: SearchPattern
    private(set) var hits = EntryIndex()

    init(_ pattern: SearchPattern) {
        self.pattern = pattern
    }

    /// Asks of the entries that came since.
    ///
    /// - Parameter listed: what is shown; nil for every entry.
    mutating func update(_ timeline: Timeline, among listed: EntryIndex?) {
        let pattern = pattern
        hits.update(timeline) { id, entry in
            (listed?.contains(id) ?? true) && pattern.holds(for: entry)
        }
    }

    /// Other entries are shown now, or others of their texts.
    mutating func askAnew() { hits = EntryIndex() }
}

/// What a searcher typed: a query where it has a term of the query language, otherwise a text to be found as it stands.
struct SearchPattern: Sendable {
    /// As it was typed.
    let text: String
    /// What to highlight.
    let needles: [Needle]
    private let query: Query?
    /// What `since:` counts back from.
    private let startedAt: Timestamp

    /// - Returns: nil of a text of spaces only.
    init?(_ text: String, at now: Timestamp) {
        guard text.contains(where: { !$0.isWhitespace }) else { return nil }
        self.text = text
        startedAt = now
        if let query = try? Query(parsing: text), query.terms.contains(where: \.isSpecial) {
            self.query = query
            needles = query.terms.compactMap(\.needle)
        } else {
            query = nil
            needles = [Needle(text)]
        }
    }

    func holds(for entry: Entry) -> Bool {
        switch entry.content {
        case .event(let line):
            if let query { return query.matches(line, now: startedAt) }
            return needles.allSatisfy { needle in
                line.shows { needle.occurs(in: $0) } || needle.occurs(inTextsOf: line.event.row)
            }
        case .note(let text), .divider(let text):
            return query == nil && needles.allSatisfy { $0.occurs(in: text) }
        }
    }
}

extension Query.Term {
    /// Whether it says more than that a word occurs.
    fileprivate var isSpecial: Bool {
        if case .word = condition { isNegated } else { true }
    }

    /// What there is to see of it.
    fileprivate var needle: Needle? {
        guard !isNegated else { return nil }
        return switch condition {
        case .word(let text), .contains(_, let text), .actor(let text): Needle(text.text)
        case .equals(_, let operand): Needle(operand.text)
        case .model(let text), .key(let text), .role(let text): Needle(text)
        case .operations, .noActor, .within: nil
        }
    }
}
