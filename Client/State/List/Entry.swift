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

    /// Roughly how many bytes it keeps in memory.
    var cost: Int {
        switch content {
        case .event(let line): line.cost
        case .note(let text), .divider(let text): text.utf8.count + 64
        }
    }
}

/// A model's event as a line of the list.
struct EventLine: Sendable {
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
    /// The line of the version before, where the client still has it.
    let previous: Int?
    /// 1 for the first version that this client was told.
    let version: Int
    let cost: Int

    var isChat: Bool { event.model == "message" && event.operation == .created }

    /// - Parameter before: the row's version before and where it stands, as far as it is known.
    init(_ event: ModelEvent, before: (id: Int, line: EventLine)?, arrow: String = "→") {
        self.event = event
        previous = before?.id
        version = (before?.line.version ?? 0) + 1
        var marks = 0
        func safe(_ text: String, _ limit: Int) -> String {
            let made = SafeText(text.count > limit ? "\(text.prefix(limit))…" : text)
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
            text = safe(Self.summary(of: event, before: before?.line.event.row, arrow: arrow), 400)
        }
        self.marks = marks
        // The tree of the row takes several times its text; an estimate is enough for a bound.
        cost = 400 + text.utf8.count + Self.weight(of: row)
    }

    private static func summary(of event: ModelEvent, before: JSON?, arrow: String) -> String {
        var parts: [String] = []
        switch event.operation {
        case .created:
            for (key, value) in event.row.objectValue ?? [:] where key != "_id" && key != "name" && parts.count < 8 {
                parts.append("\(key) \(brief(value))")
            }
        case .updated:
            for key in event.changed.prefix(8) {
                let new = event.row[key].map(brief) ?? "(gone)"
                parts.append(before?[key].map { "\(key) \(brief($0))\(arrow)\(new)" } ?? "\(key) \(new)")
            }
            let more = event.changed.count - parts.count
            if more > 0 { parts.append("+\(more) field\(more == 1 ? "" : "s")") }
        case .removed: parts.append("removed")
        case .hidden: parts.append("no longer visible to you")
        }
        var text = parts.joined(separator: ", ")
        if let by = event.by { text += "  by \(by.name.prefix(nameLimit))" }
        if let folded = event.folded { text += "  (stands for \(folded) more)" }
        return text
    }

    private static func brief(_ value: JSON) -> String {
        switch value {
        case .string(let text):
            return "\"\(text.count > valueLimit ? "\(text.prefix(valueLimit))…" : text)\""
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
