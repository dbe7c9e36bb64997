import RolecallProtocol
import WireJSON

/// One line of the live list. What it shows was made safe when it came.
struct Entry: Sendable {
    /// What kind of thing happened, told by a sign as well as by a colour.
    enum Mark: Hashable, Sendable {
        case created
        case updated
        case removed
        case chat
        /// An error, lost events, or text that was made safe.
        case alarm
        /// Identity and connection.
        case notice
    }

    enum Content: Sendable {
        case event(EventLine)
        /// A sentence of the program's own.
        case note(String)
        /// A sentence that stands across the list: what follows begins anew.
        case divider(String)
    }

    let time: Timestamp
    let mark: Mark
    var content: Content

    var isEvent: Bool { if case .event = content { true } else { false } }

    /// Roughly how many bytes it keeps in memory.
    var cost: Int {
        switch content {
        case .event(let line): line.cost
        case .note(let text), .divider(let text): text.utf8.count + 64
        }
    }
}

/// A model's event as a line of the list. It never changes, and frames and searches hand thousands of them about: a
/// reference is cheaper than its parts.
final class EventLine: Sendable {
    /// The most characters of one text in the list; the detail pane has them all.
    static let textLimit = 2000
    private static let nameLimit = 80
    private static let valueLimit = 40

    /// As it came: data, never drawn as it is.
    let event: ModelEvent
    let model: String
    /// What people call the row; of a message, its author.
    let label: String
    /// Of a message, what it says; of anything else, what changed. Only a message's has line breaks.
    let text: String
    /// How many characters of these texts were made safe.
    let marks: Int
    /// Where the version before stands, as far as one was told; it may have gone from the list.
    let previous: Int?
    /// What lies between that version and this one.
    let link: Link
    /// 1 for the first version that this client was told.
    let version: Int
    /// Where the first version of this row stood: what all of its versions have in common.
    let history: Int
    let cost: Int

    /// The text as the list shows it.
    var wholeText: String {
        marks > 0 ? "\(text)  (\(marks) character\(marks == 1 ? "" : "s") made safe)" : text
    }

    /// Whether it holds for any text that the list shows of this: sign, model, name, and what happened.
    func shows(_ holds: (String) -> Bool) -> Bool {
        holds(wholeText) || holds(label) || holds(model) || holds(Entry.Mark(self).sign(isUnicode: true))
    }

    var isChat: Bool { event.model == "message" && event.operation == .created }

    /// What lies between a version and the one before.
    enum Link: Hashable, Sendable {
        /// Nothing.
        case direct
        /// Versions that were missed, perhaps.
        case gap
        /// Another identity: the one before was told to somebody who may see more, or less.
        case otherEyes
    }

    /// A row's version before, as far as it is known.
    struct Before {
        /// Where it stands.
        let id: Int
        let line: EventLine
        let link: Link
    }

    /// - Parameters:
    ///   - id: where it is to stand.
    ///   - isUnicode: whether it may hold signs that are not ASCII.
    init(_ event: ModelEvent, id: Int, before: Before?, isUnicode: Bool = true) {
        self.event = event
        let signs = Signs(isUnicode: isUnicode)
        previous = before?.id
        link = before?.link ?? .gap
        version = (before?.line.version ?? 0) + 1
        history = before?.line.history ?? id
        var marks = 0
        func safe(_ text: String, _ limit: Int) -> String {
            let made = SafeText(signs.shortened(text, to: limit))
            marks += made.marks
            return made.text
        }
        model = safe(event.model, Self.nameLimit)
        let row = event.row
        if event.model == "message", event.operation == .created {
            label = safe(event.by?.name ?? row["name"]?.stringValue ?? "somebody", Self.nameLimit)
            // Where nothing else is said, everybody is in the lobby.
            let named = row["room"]?.stringValue.flatMap { $0 == "lobby" ? nil : $0 }
            let room = named.map { "[\(safe($0, Self.nameLimit))] " } ?? ""
            let body = row["body"]?.plainText ?? ""
            let lines = body.prefix(Self.textLimit).split(separator: "\n", omittingEmptySubsequences: false)
            text = room + lines.map { safe(String($0), Self.textLimit) }.joined(separator: "\n")
        } else {
            let name = row["name"]?.stringValue ?? before?.line.event.row["name"]?.stringValue
            label = safe(name ?? row["_id"]?.plainText ?? "", Self.nameLimit)
            text = safe(Self.summary(of: event, before: link == .direct ? before?.line.event.row : nil, signs), 400)
        }
        self.marks = marks
        // The tree of the row takes several times its text; an estimate is enough for a bound.
        cost = 400 + text.utf8.count + Self.weight(of: row)
    }

    private static func summary(of event: ModelEvent, before: JSON?, _ signs: Signs) -> String {
        func brief(_ value: JSON) -> String { Self.brief(value, signs) }

        var parts: [String] = []
        switch event.operation {
        case .created:
            for (key, value) in event.row.objectValue ?? [:] where key != "_id" && key != "name" && parts.count < 8 {
                parts.append("\(key) \(brief(value))")
            }
        case .updated:
            for key in event.changed.prefix(8) {
                let new = event.row[key].map(brief) ?? "(gone)"
                parts.append(before?[key].map { "\(key) \(brief($0))\(signs.arrow)\(new)" } ?? "\(key) \(new)")
            }
            // Written anew with the values that it had, or with others that this user may not see.
            if event.changed.isEmpty { parts.append("nothing changed") }
            let more = event.changed.count - min(8, event.changed.count)
            if more > 0 { parts.append("+\(more) field\(more == 1 ? "" : "s")") }
        case .removed: parts.append("removed")
        case .hidden: parts.append("no longer visible to you")
        }
        var text = parts.joined(separator: ", ")
        if let by = event.by { text += "  by \(by.name.prefix(nameLimit))" }
        if let folded = event.folded { text += "  (stands for \(folded) more)" }
        return text
    }

    private static func brief(_ value: JSON, _ signs: Signs) -> String {
        switch value {
        case .string(let text): return "\"\(signs.shortened(text, to: valueLimit))\""
        case .array(let elements): return "[\(elements.count)]"
        case .object(let members): return "{\(members.count)}"
        case .null, .bool, .integer, .number: return value.description
        }
    }

    private static func weight(of value: JSON) -> Int {
        switch value {
        case .null, .bool, .integer, .number: 24
        case .string(let text): 24 + text.utf8.count
        case .array(let elements): elements.reduce(48) { $0 + weight(of: $1) }
        case .object(let members): members.reduce(48) { $0 + $1.key.utf8.count + 24 + weight(of: $1.value) }
        }
    }
}

extension Entry.Mark {
    init(_ line: EventLine) {
        if line.marks > 0 {
            self = .alarm
        } else if line.isChat {
            self = .chat
        } else {
            switch line.event.operation {
            case .created: self = .created
            case .updated: self = .updated
            case .removed, .hidden: self = .removed
            }
        }
    }

    /// The sign that tells it without a colour.
    func sign(isUnicode: Bool) -> String {
        switch self {
        case .created: "+"
        case .updated: "~"
        case .removed: "-"
        case .chat: "#"
        case .alarm: "!"
        case .notice: isUnicode ? "·" : "."
        }
    }
}
