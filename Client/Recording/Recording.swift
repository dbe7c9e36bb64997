import RolecallProtocol
import WireJSON

/// A recording is a file of the lines that `watch` prints, in their order: what one writes the other reads.
extension Notice {
    /// The line that tells it; nil for what is not recorded: answers are to somebody's own questions.
    func recorded(at server: ServerOrigin) -> OutputLine? {
        switch self {
        case .state(let state): .state(state, server: server)
        case .identity(let identity, let position): .identity(identity, position)
        case .event(let event): .event(event)
        case .other(let name, let arguments): .other(name: name, arguments: arguments)
        case .gap(let gap): .gap(gap)
        case .expiring(let expiry): .expiring(expiry)
        case .presence(let presence): .presence(presence)
        case .answer, .duplicate: nil
        }
    }

    /// Reads a line of a recording; nil where it is none that this program writes.
    init?(recorded json: JSON) {
        switch json["kind"]?.stringValue {
        case "state":
            guard let state = ConnectionState(recorded: json) else { return nil }
            self = .state(state)
        case "identity":
            guard let identity = Identity(json: json) else { return nil }
            self = .identity(identity, json["position"]?.stringValue.flatMap(Position.init))
        case "event":
            if let event = ModelEvent(recorded: json) {
                self = .event(event)
            } else if let name = json["event"]?.stringValue, let arguments = json["arguments"]?.arrayValue {
                self = .other(name: name, arguments: arguments)
            } else {
                return nil
            }
        case "gap":
            guard let gap = Gap(json: json) else { return nil }
            self = .gap(gap)
        case "expiring":
            guard let expiry = json["expiresAt"]?.stringValue.flatMap(Timestamp.init) else { return nil }
            self = .expiring(expiry)
        case "presence":
            guard let presence = Presence(json: json) else { return nil }
            self = .presence(presence)
        default: return nil
        }
    }
}

extension ModelEvent {
    fileprivate init?(recorded json: JSON) {
        guard let model = json["model"]?.stringValue, !model.isEmpty,
            let operation = json["op"]?.stringValue.flatMap(ModelOperation.init),
            let row = json["row"], row.objectValue != nil,
            let position = json["position"]?.stringValue.flatMap(Position.init)
        else { return nil }
        self.init(
            model: model, operation: operation, row: row, at: json["at"]?.stringValue ?? "",
            by: json["by"].flatMap(Author.init), changed: json["changed"]?.arrayValue?.compactMap(\.stringValue) ?? [],
            folded: json["folded"]?.integerValue.map(Int.init(clamping:)), position: position)
    }
}

extension ConnectionState {
    fileprivate init?(recorded json: JSON) {
        let attempt = json["attempt"]?.integerValue.map(Int.init(clamping:)) ?? 1
        switch json["state"]?.stringValue {
        case "connecting": self = .connecting(attempt: attempt)
        case "online": self = .online(socketID: json["socket"]?.stringValue ?? "?")
        case "offline":
            let seconds = json["retryIn"]?.doubleValue ?? 0
            let wait = seconds.isFinite ? min(max(0, seconds), 86_400) : 0
            self = .offline(
                reason: json["reason"]?.stringValue ?? "", retryIn: .milliseconds(Int64(wait * 1000)),
                attempt: attempt)
        case "closed": self = .closed(reason: json["reason"]?.stringValue ?? "")
        default: return nil
        }
    }
}
