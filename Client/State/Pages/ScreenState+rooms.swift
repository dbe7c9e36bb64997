import RolecallProtocol
import WireJSON

/// Where the user's messages go, and what was heard of.
struct Rooms: Hashable, Sendable {
    /// Where messages go that name no room.
    static let lobby = "lobby"
    private static let mostRooms = 100
    private static let mostNames = 200

    /// Nil for the lobby; as the server calls it, not made safe.
    var current: String?
    /// Messages that its opening has shown: one that is told again is not shown twice.
    var told: Set<JSON> = []
    /// Rooms that this user wants to hear no more of; each new socket has to be told.
    var left: Set<String> = []
    /// Rooms and authors that were heard of, the latest last; as they are, not made safe.
    private(set) var known: [String] = []
    private(set) var authors: [String] = []

    mutating func heard(of event: ModelEvent) {
        if let room = event.row["room"]?.stringValue { heard(of: room) }
        if let name = event.by?.name ?? event.row["name"]?.stringValue { Self.add(name, to: &authors, Self.mostNames) }
    }

    /// Somebody else looks; what the socket has left it has left.
    mutating func forget() {
        let left = left
        self = Rooms()
        self.left = left
    }

    mutating func heard(of room: String) { Self.add(room, to: &known, Self.mostRooms) }

    private static func add(_ name: String, to list: inout [String], _ limit: Int) {
        // Longer ones are nobody's to type.
        guard !name.isEmpty, name.count <= 80, list.last != name else { return }
        list.removeAll { $0 == name }
        list.append(name)
        if list.count > limit { list.removeFirst() }
    }
}

extension ScreenState {
    /// `/join ROOM`.
    mutating func join(_ room: String) -> [Effect]? {
        guard connection.isOnline else {
            alarm("Not joined: there is no connection.")
            return nil
        }
        return [.join(room)]
    }

    /// `/leave [ROOM]`.
    mutating func leaveRoom(_ argument: String) -> [Effect]? {
        guard let room = argument.isEmpty ? rooms.current : argument else {
            alarm("This is the lobby. /leave ROOM ends a room's messages.")
            return nil
        }
        guard connection.isOnline else {
            alarm("Not left: there is no connection.")
            return nil
        }
        return [.leave(room)]
    }

    /// The server has let the user in: its last messages are shown, whatever the list holds of them.
    mutating func joined(_ room: String, _ history: [JSON], at position: Position) {
        let name = SafeText(String(room.prefix(80))).text
        rooms.current = room == Rooms.lobby ? nil : room
        rooms.left.remove(room)
        rooms.heard(of: room)
        rooms.told = []
        let messages = history.suffix(500).filter { $0.objectValue != nil }
        let opening =
            switch messages.count {
            case 0: "nothing was said yet"
            case 1: "the last message"
            case let count: "the last \(Words.count(count, "message"))"
            }
        divide("room \(name): \(opening)")
        for row in messages {
            var by: Author?
            if let id = row["author"]?.integerValue, let author = row["name"]?.stringValue {
                by = Author(id: id, name: author)
            }
            let event = ModelEvent(
                model: "message", operation: .created, row: row, at: row["at"]?.stringValue ?? "", by: by, changed: [],
                position: position)
            if let id = row["_id"] { rooms.told.insert(id) }
            rooms.heard(of: event)
            timeline.append(past: event, receivedAt: now.wall, isUnicode: isUnicode)
        }
        if !messages.isEmpty { divide("from here on as it comes") }
        follow()
        say("You are in \(name)\(rooms.current == nil ? "" : "; /leave ends it").")
    }

    mutating func left(_ room: String) {
        let name = SafeText(String(room.prefix(80))).text
        rooms.left.insert(room)
        if rooms.current == room { rooms.current = nil }
        note("left \(name): its messages are no longer told; /join \(name) tells them again")
    }

    /// Whether a message was shown when its room was opened.
    mutating func wasTold(_ event: ModelEvent) -> Bool {
        guard event.model == "message", event.operation == .created, let id = event.row["_id"] else { return false }
        return rooms.told.remove(id) != nil
    }

    private mutating func divide(_ text: String) {
        timeline.append(Entry(time: now.wall, mark: .notice, content: .divider(text)))
    }

    // MARK: Completing

    /// Completes what stands before the cursor: a command, the room or the person that it takes, or somebody's name.
    ///
    /// - Returns: whether there was anything to complete.
    mutating func completeInput() -> Bool {
        let before = String(input.characters.prefix(input.cursor))
        if before.hasPrefix("/"), !before.contains(" ") {
            complete()
            return true
        }
        if ["/notify ", "/filter ", "/only ", "/search "].contains(where: before.hasPrefix) {
            completeInputTerm()
            return true
        }
        let names = Array(Set(people.rows.compactMap(\.name) + rooms.authors + [user?.name].compactMap { $0 }))
        for (command, values) in [("/join ", rooms.known), ("/leave ", rooms.known), ("/kick ", emails)] {
            guard before.hasPrefix(command) else { continue }
            let typed = String(before.dropFirst(command.count))
            if !complete(typed, among: values, ending: "") {
                alarm("Nothing that is known begins with \(typed.prefix(40)).")
            }
            return true
        }
        guard !before.hasPrefix("/"), let typed = before.split(separator: " ", omittingEmptySubsequences: false).last,
            !typed.isEmpty
        else { return false }
        return complete(String(typed), among: names, ending: before == typed ? ": " : " ")
    }

    private var emails: [String] {
        people.rows.compactMap { row in
            if case .person(let person) = row { person.email } else { nil }
        }
    }

    private mutating func complete(_ typed: String, among values: [String], ending: String) -> Bool {
        let folded = typed.lowercased()
        let matches = values.filter { $0.lowercased().hasPrefix(folded) }.sorted()
        guard let first = matches.first else { return false }
        let common = matches.dropFirst().reduce(first) { common, match in
            String(zip(common, match).prefix { $0.lowercased() == $1.lowercased() }.map(\.0))
        }
        if matches.count > 1, common.count <= typed.count {
            say(matches.prefix(20).joined(separator: "  "))
            return true
        }
        for _ in typed { input.deleteBackward() }
        input.insert(matches.count == 1 ? common + ending : common)
        return true
    }
}

extension People.Row {
    fileprivate var name: String? {
        if case .person(let person) = self, person.id != nil { person.name } else { nil }
    }
}
