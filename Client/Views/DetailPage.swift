import RolecallProtocol
import Terminal
import WireJSON

/// Where a value stands in a row: members by their names, elements by their places.
typealias JSONPath = [String]

/// What the detail pane can show of an entry.
enum DetailForm: Hashable, Sendable, CaseIterable {
    /// The row, indented, with parts that fold.
    case json
    /// What changed since the version before.
    case changes
    /// The event on one line.
    case raw
}

/// A line of the detail pane, before it is wrapped.
struct DetailLine: Hashable, Sendable {
    var text: StyledText
    /// The value that it shows, and where that stands; nil for a line that shows none.
    var value: JSON?
    var path: JSONPath?
    /// It opens or closes an object or an array, so that folding is about this one and not about what is around it.
    var isBracket = false
    /// Words are kept whole: it is a sentence, not a value, of which every space counts.
    var isSentence = false

    /// What folds, or unfolds, from here.
    var fold: JSONPath? {
        guard let path else { return nil }
        if isBracket { return path }
        return path.isEmpty ? nil : path.dropLast()
    }
}

/// The detail pane's text at one width: its lines, and the rows that they take.
struct DetailPage {
    struct Row {
        let text: StyledText
        /// Which of the lines it belongs to.
        let line: Int
    }

    let lines: [DetailLine]
    let rows: [Row]

    init(_ state: ScreenState, width: Int) {
        lines = DetailView.lines(state)
        let room = max(1, width - 2)
        var rows: [Row] = []
        for (number, line) in lines.enumerated() {
            rows += line.text.wrapped(to: room, line.isSentence ? .words : .anywhere).map {
                Row(text: $0, line: number)
            }
        }
        self.rows = rows
    }

    /// The line of the row at a place; nil where there is none.
    func line(at row: Int) -> DetailLine? { rows.indices.contains(row) ? lines[rows[row].line] : nil }

    /// The first row of the line that opens what stands at a path.
    func row(opening path: JSONPath) -> Int? {
        guard let number = lines.firstIndex(where: { $0.path == path }) else { return nil }
        return rows.firstIndex { $0.line == number }
    }
}

/// Lays a value out as indented JSON, a line for each member and element, without what is folded.
struct JSONLayout {
    let folded: Set<JSONPath>
    let ellipsis: String
    /// How many characters may still be laid out.
    private var budget: Int
    private(set) var lines: [DetailLine] = []

    init(folded: Set<JSONPath>, limit: Int, ellipsis: String) {
        self.folded = folded
        self.ellipsis = ellipsis
        budget = limit
    }

    static func lines(_ value: JSON, folded: Set<JSONPath>, limit: Int, ellipsis: String) -> [DetailLine] {
        var layout = JSONLayout(folded: folded, limit: limit, ellipsis: ellipsis)
        layout.append(nil, value, at: [], isLast: true)
        if layout.budget <= 0 { layout.lines.append(DetailLine(text: StyledText("\(ellipsis) cut here", Theme.faint))) }
        return layout.lines
    }

    private mutating func append(_ key: String?, _ value: JSON, at path: JSONPath, isLast: Bool) {
        guard budget > 0 else { return }
        var head = StyledText(String(repeating: "  ", count: path.count))
        if let key {
            head.append(safe("\(JSON.string(key))"), Theme.name)
            head.append(": ")
        }
        let end = isLast ? "" : ","
        guard let parts = value.parts else {
            head.append(safe("\(value)"))
            head.append(end)
            return append(head, value, path, isBracket: false)
        }
        let count = parts.members.count
        let noun = parts.isObject ? "member" : "element"
        guard !folded.contains(path) else {
            head.append(parts.open)
            head.append("\(ellipsis) \(Words.count(count, noun))", Theme.faint)
            head.append("\(parts.close)\(end)")
            return append(head, value, path, isBracket: true)
        }
        head.append(parts.open)
        append(head, value, path, isBracket: true)
        for (place, member) in parts.members.enumerated() {
            append(
                parts.isObject ? member.key : nil, member.value, at: path + [member.key], isLast: place == count - 1)
            if budget <= 0 { return }
        }
        var tail = StyledText(String(repeating: "  ", count: path.count))
        tail.append("\(parts.close)\(end)")
        append(tail, value, path, isBracket: true)
    }

    private mutating func append(_ text: StyledText, _ value: JSON, _ path: JSONPath, isBracket: Bool) {
        lines.append(DetailLine(text: text, value: value, path: path, isBracket: isBracket))
        // A line's own cost keeps a row of many small members within bounds, too.
        budget -= 1 + text.spans.reduce(0) { $0 + $1.text.utf8.count }
    }

    /// As much of a text as there is still room for, made safe.
    private func safe(_ text: String) -> String {
        let kept = text.utf8.count > budget ? String(text.prefix(budget)) : text
        return SafeText(kept).text
    }

    /// Where everything stands that can be folded, but for the whole.
    ///
    /// - Parameter limit: the most paths.
    static func foldable(in value: JSON, limit: Int = 10_000) -> Set<JSONPath> {
        var found: Set<JSONPath> = []
        func visit(_ value: JSON, _ path: JSONPath) {
            guard let parts = value.parts, found.count < limit else { return }
            if !path.isEmpty { found.insert(path) }
            for member in parts.members { visit(member.value, path + [member.key]) }
        }
        visit(value, [])
        return found
    }
}

extension JSON {
    fileprivate struct Parts {
        let isObject: Bool
        let members: [(key: String, value: JSON)]
        var open: String { isObject ? "{" : "[" }
        var close: String { isObject ? "}" : "]" }
    }

    /// What an object or an array holds; nil for an empty one, and for every other value.
    fileprivate var parts: Parts? {
        switch self {
        case .object(let members) where !members.isEmpty:
            Parts(isObject: true, members: members.map { ($0.key, $0.value) })
        case .array(let elements) where !elements.isEmpty:
            Parts(isObject: false, members: elements.enumerated().map { ("\($0.offset)", $0.element) })
        default: nil
        }
    }
}
