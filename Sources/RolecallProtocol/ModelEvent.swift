import WireJSON

/// What happened to a row, as one receiver sees it.
public enum ModelOperation: String, Sendable, Hashable {
    case created
    case updated
    case removed
    /// The row still exists, but this receiver may no longer see it.
    case hidden

    /// The last part of the event's name: `save` or `remove`.
    public var verb: String {
        switch self {
        case .created, .updated: "save"
        case .removed, .hidden: "remove"
        }
    }
}

/// Who made a change; nil stands for a change made outside the server.
public struct Author: Hashable, Sendable {
    public var id: Int64
    public var name: String

    public init(id: Int64, name: String) {
        self.id = id
        self.name = name
    }

    public init?(json: JSON) {
        guard let id = json["_id"]?.integerValue, let name = json["name"]?.stringValue else { return nil }
        self.init(id: id, name: name)
    }

    public var json: JSON { ["_id": .integer(id), "name": .string(name)] }
}

/// `<model>:save` and `<model>:remove`, as they travel: the row (or its key), what happened, the position.
public struct ModelEvent: Hashable, Sendable {
    public var model: String
    public var operation: ModelOperation
    /// The row as the receiver may see it; for a removal `{_id}`.
    public var row: JSON
    /// Milliseconds' precision, the database's clock; nil where a foreign writer wrote something else.
    public var at: String
    public var by: Author?
    /// The visible fields that an update changed.
    public var changed: [String]
    /// How many events of the row this one stands for, itself included, where a slow receiver's queue was folded.
    public var folded: Int?
    public var position: Position

    public init(
        model: String, operation: ModelOperation, row: JSON, at: String, by: Author?, changed: [String],
        folded: Int? = nil, position: Position
    ) {
        self.model = model
        self.operation = operation
        self.row = row
        self.at = at
        self.by = by
        self.changed = changed
        self.folded = folded
        self.position = position
    }

    public var name: String { "\(model):\(operation.verb)" }

    /// The event's arguments. The position stands last, as a string, and nothing else does in any event: stock
    /// clients take a trailing string for their recovery offset.
    public var arguments: [JSON] {
        var facts: JSONObject = [
            "op": .string(operation.rawValue), "at": .string(at), "by": by?.json ?? .null,
        ]
        if operation.verb == "save" { facts["changed"] = .array(changed.map(JSON.string)) }
        if let folded { facts["folded"] = .integer(Int64(folded)) }
        return [row, .object(facts), .string(position.description)]
    }

    /// Reads an event by its name and arguments; nil for any that is not a model's.
    public init?(name: String, arguments: [JSON]) {
        guard let colon = name.lastIndex(of: ":"), arguments.count >= 3 else { return nil }
        let model = String(name[..<colon])
        let verb = name[name.index(after: colon)...]
        guard !model.isEmpty, let row = arguments.first, row.objectValue != nil,
            let operation = arguments[1]["op"]?.stringValue.flatMap(ModelOperation.init), operation.verb == verb,
            let position = arguments[2].stringValue.flatMap(Position.init)
        else { return nil }
        self.init(
            model: model, operation: operation, row: row, at: arguments[1]["at"]?.stringValue ?? "",
            by: arguments[1]["by"].flatMap(Author.init),
            changed: arguments[1]["changed"]?.arrayValue?.compactMap(\.stringValue) ?? [],
            folded: arguments[1]["folded"]?.integerValue.map(Int.init(clamping:)), position: position)
    }
}

/// Events in between are lost to this receiver: it should reload what it shows.
public struct Gap: Hashable, Sendable {
    public static let eventName = "gap"

    public enum Reason: String, Sendable, Hashable {
        /// The log no longer holds what was missed.
        case retention
        /// The receiver took too little, too slowly.
        case overflow
        /// The position is not one of this log.
        case unknown
        /// The socket's rights changed.
        case identity
        /// The server itself was not told of some changes of ``Gap/models``: their tables were rebuilt, for example.
        case missed
    }

    /// What stands up to this position was told, but for what has been overtaken by something in the gap. As it was
    /// asked for, where a client asked.
    public var after: String?
    /// What stands behind this position is told.
    public var before: Position
    public var reason: Reason
    /// The models of which something may be lost; nil for all of them.
    public var models: [String]?

    public init(after: String?, before: Position, reason: Reason, models: [String]? = nil) {
        self.after = after
        self.before = before
        self.reason = reason
        self.models = models
    }

    public init?(json: JSON) {
        guard let before = json["before"]?.stringValue.flatMap(Position.init),
            let reason = json["reason"]?.stringValue.flatMap(Reason.init)
        else { return nil }
        self.init(
            after: json["after"]?.stringValue, before: before, reason: reason,
            models: json["models"]?.arrayValue?.compactMap(\.stringValue))
    }

    public var json: JSON {
        var object: JSONObject = [
            "after": after.map(JSON.string) ?? .null, "before": .string(before.description),
            "reason": .string(reason.rawValue),
        ]
        if let models { object["models"] = .array(models.map(JSON.string)) }
        return .object(object)
    }
}
