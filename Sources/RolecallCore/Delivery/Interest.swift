import ModelStore
import WireJSON

/// What a socket wants to be sent of all that it may see: `subscribe` and `unsubscribe`, `join` and `leave`.
package struct Interest: Hashable, Sendable {
    private enum Models: Hashable, Sendable {
        case allBut(Set<String>)
        case only(Set<String>)
    }

    /// The most rooms that a socket can have left: each makes its class one more to encode for.
    static let maximumRooms = 64

    private var models = Models.allBut([])
    private var leftRooms: Set<String> = []

    static let everything = Interest()

    // MARK: Asking

    func includes(model: String) -> Bool {
        switch models {
        case .allBut(let others): !others.contains(model)
        case .only(let these): these.contains(model)
        }
    }

    /// A message is left out where every room that it was in, and is in, has been left.
    func includes(_ event: ChangeRecord) -> Bool {
        guard includes(model: event.model) else { return false }
        guard event.model == ModelName.message, !leftRooms.isEmpty, event.change != .gap else { return true }
        return [event.before, event.after].contains { row in
            guard case .text(let room) = row?[MessageColumn.room] else { return row != nil }
            return !leftRooms.contains(room)
        }
    }

    func reduced(to model: String) -> Interest {
        var reduced = Interest()
        if model == ModelName.message { reduced.leftRooms = leftRooms }
        return reduced
    }

    /// One text for each interest; nil for everything.
    var name: String? {
        guard self != .everything else { return nil }
        let names =
            switch models {
            case .allBut(let others): ["allBut"] + others.sorted()
            case .only(let these): ["only"] + these.sorted()
            }
        return JSON.array([JSON.array(names.map(JSON.string)), JSON.array(leftRooms.sorted().map(JSON.string))])
            .description
    }

    // MARK: Changing

    mutating func subscribe(to names: Set<String>) {
        switch models {
        case .allBut(let others): models = .allBut(others.subtracting(names))
        case .only(let these): models = .only(these.union(names))
        }
    }

    mutating func unsubscribe(from names: Set<String>) {
        switch models {
        case .allBut(let others): models = .allBut(others.union(names))
        case .only(let these): models = .only(these.subtracting(names))
        }
    }

    mutating func subscribeToAll() { models = .allBut([]) }
    mutating func unsubscribeFromAll() { models = .only([]) }

    mutating func join(_ room: String) { leftRooms.remove(room) }

    /// - Returns: false where too many rooms have been left.
    mutating func leave(_ room: String) -> Bool {
        guard leftRooms.count < Self.maximumRooms || leftRooms.contains(room) else { return false }
        leftRooms.insert(room)
        return true
    }
}

/// The columns of `message` that the server itself speaks of.
enum MessageColumn {
    static let room = "room"
}
