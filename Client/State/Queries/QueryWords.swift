import RolecallProtocol
import WireJSON

/// The names that are known here and can stand in a query: what Tab completes.
struct QueryWords {
    /// How many of the last entries are looked through.
    private static let depth = 1000

    private(set) var models: [String] = []
    private(set) var people: [String] = []
    private(set) var fields: [String] = []

    init(_ state: ScreenState) {
        var models = Set(state.identity?.models ?? [])
        var people = Set<String>()
        var fields = Set<String>()
        if let user = state.user { people.insert(user.name) }
        for person in state.people.present.values.prefix(Self.depth) { people.insert(person.name) }
        for id in state.timeline.ids.suffix(Self.depth) {
            guard let event = state.timeline.line(id)?.event else { continue }
            models.insert(event.model)
            if let by = event.by { people.insert(by.name) }
            if case .object(let members) = event.row { for (key, _) in members { fields.insert(key) } }
        }
        self.models = models.sorted()
        self.people = people.sorted()
        self.fields = fields.sorted()
    }

    /// What a term could become that is begun like this, without its `-`.
    func candidates(for term: String) -> [String] {
        guard let colon = term.firstIndex(of: ":") else {
            let facets = ["key:", "model:", "op:", "role:", "since:", "who:"]
            // A field's name is followed by what it should be; a quote or a space could not stand in it.
            let names = fields.filter { name in !name.contains { $0.isWhitespace || "\":=~".contains($0) } }
            return (facets + names.map { "\($0)=" }).filter { Self.begins($0, term) }
        }
        let facet = term[...colon]
        let typed = String(term[term.index(after: colon)...].drop { $0 == "\"" })
        let values: [String]
        switch facet {
        case "model:": values = models
        case "op:": values = ["created", "hidden", "remove", "removed", "save", "updated"]
        case "who:": values = people + ["none"]
        case "role:": values = ["admin", "guest", "user"]
        case "since:": values = ["1m", "5m", "1h", "1d"]
        default: values = []
        }
        return values.filter { Self.begins($0, typed) }.map { "\(facet)\(Self.quoted($0))" }
    }

    private static func begins(_ text: String, _ start: String) -> Bool {
        text.lowercased().hasPrefix(start.lowercased())
    }

    /// A value as it is written in a query.
    static func quoted(_ value: String) -> String {
        guard value.contains(where: { $0.isWhitespace || $0 == "\"" }) else { return value }
        let escaped = value.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"")
        return "\"\(escaped)\""
    }
}

extension ScreenState {
    /// Completes the term before the cursor as far as it is certain.
    mutating func completeTerm(_ purpose: QueryPrompt.Purpose) {
        var editor = queryLines[purpose]
        completeTerm(&editor)
        queryLines[purpose] = editor
    }

    /// The same in the input, where a command takes a query.
    mutating func completeInputTerm() {
        var editor = input
        completeTerm(&editor)
        input = editor
    }

    private mutating func completeTerm(_ line: inout LineEditor) {
        var editor = line
        let before = editor.characters[..<editor.cursor]
        // A quoted value may hold spaces.
        let quotes = before.filter { $0 == "\"" }.count
        let start: Int
        if quotes % 2 == 1, let quote = before.lastIndex(of: "\"") {
            start = before[..<quote].lastIndex(where: \.isWhitespace).map { $0 + 1 } ?? 0
        } else {
            start = before.lastIndex(where: \.isWhitespace).map { $0 + 1 } ?? 0
        }
        var term = String(before[start...])
        if term.hasPrefix("-") { term.removeFirst() }
        let candidates = QueryWords(self).candidates(for: term)
        guard let first = candidates.first else {
            return alarm(term.isEmpty ? "Nothing is known here to complete." : "Nothing that is known begins so.")
        }
        let common = candidates.dropFirst().reduce(first) { common, next in
            String(zip(common, next).prefix { $0 == $1 }.map(\.0))
        }
        if candidates.count == 1 || common.count > term.count && common.lowercased().hasPrefix(term.lowercased()) {
            for _ in term { editor.deleteBackward() }
            editor.insert(common)
            // A whole value is followed by another term.
            if candidates.count == 1, common.last != ":", common.last != "=" { editor.insert(" ") }
            line = editor
        } else {
            say(candidates.prefix(20).map { SafeText(String($0.prefix(40))).text }.joined(separator: "  "))
        }
    }
}
