import RolecallProtocol
import WireJSON

/// One line of standard output: what it says, whatever it looks like.
enum OutputLine: Hashable, Sendable {
    case state(ConnectionState, server: ServerOrigin)
    case identity(Identity, Position?)
    case event(ModelEvent)
    case other(name: String, arguments: [JSON])
    case gap(Gap)
    case expiring(Timestamp)
    case presence(Presence)
    case socket(SocketRecord)
    /// - Parameter user: whose the socket was.
    case kicked(socket: String, user: JSON, closes: Bool)
    case error(code: String, message: String, field: String?)
    case acknowledgement(command: String, answer: JSON)
    /// - Parameter position: the log's position at which the row was read, where the server said so.
    case row(model: String, JSON, position: String?)
    case removed(model: String, key: JSON)
    case explanation(EventExplanation)
    case login(user: JSON, expiresAt: Timestamp?, server: ServerOrigin, profile: Profile)
    /// - Parameters:
    ///   - hadToken: whether there was anything to log out from.
    ///   - revoked: whether the server ended the session.
    case logout(hadToken: Bool, revoked: Bool, server: ServerOrigin, profile: Profile)
}

extension OutputLine {
    /// The line as a value; the member `kind` stands first.
    var json: JSON {
        switch self {
        case .state(let state, let server): Self.json(of: state, server: server)
        case .identity(let identity, let position):
            Self.object("identity", identity.json, ["position": position.map { .string($0.description) }])
        case .event(let event): Self.json(of: event)
        case .other(let name, let arguments):
            ["kind": "event", "event": .string(name), "arguments": .array(arguments)]
        case .gap(let gap): Self.object("gap", gap.json)
        case .expiring(let expiry): ["kind": "expiring", "expiresAt": .string(expiry.description)]
        case .presence(let presence): Self.object("presence", presence.json)
        case .socket(let socket): Self.object("socket", socket.json)
        case .kicked(let socket, let user, let closes):
            ["kind": "kicked", "socket": .string(socket), "user": user, "closed": .bool(closes)]
        case .error(let code, let message, let field):
            Self.object(
                "error",
                ["error": .string(code), "message": .string(message)],
                ["field": field.map(JSON.string)])
        case .acknowledgement(let command, let answer):
            ["kind": "acknowledgement", "command": .string(command), "answer": answer]
        case .row(let model, let row, let position):
            Self.object(
                "row", ["model": .string(model), "row": row], ["position": position.map(JSON.string)])
        case .removed(let model, let key): ["kind": "removed", "model": .string(model), "_id": key]
        case .explanation(let explanation): Self.object("explanation", explanation.json)
        case .login(let user, let expiresAt, let server, let profile):
            [
                "kind": "login", "user": user,
                "expiresAt": expiresAt.map { .string($0.description) } ?? .null,
                "server": .string(server.description), "profile": .string(profile.description),
            ]
        case .logout(let hadToken, let revoked, let server, let profile):
            [
                "kind": "logout", "hadToken": .bool(hadToken), "revoked": .bool(revoked),
                "server": .string(server.description), "profile": .string(profile.description),
            ]
        }
    }

    /// The line as JSON in UTF-8, without the end of its line. No character in it acts on a terminal: JSON's escapes
    /// stand for those that would.
    var jsonBytes: [UInt8] { Self.safe(json.encoded()) }

    /// JSON text that has no line breaks, with escapes for the characters that would act on a terminal.
    static func safe(_ bytes: [UInt8]) -> [UInt8] {
        guard bytes.contains(where: { $0 >= 0x7F }) else { return bytes }
        var safe: [UInt8] = []
        safe.reserveCapacity(bytes.count + 32)
        // Outside of its strings JSON is ASCII without DEL, so that every character found here stands in a string.
        for scalar in String(decoding: bytes, as: UTF8.self).unicodeScalars {
            if scalar.isTerminalHazard {
                for unit in UTF16.encode(scalar) ?? .init() {
                    let digits = String(unit, radix: 16)
                    safe.append(contentsOf: "\\u\(String(repeating: "0", count: 4 - digits.utf8.count))\(digits)".utf8)
                }
            } else {
                safe.append(contentsOf: UTF8.encode(scalar) ?? .init())
            }
        }
        return safe
    }

    private static func object(
        _ kind: String, _ members: JSON, _ optional: KeyValuePairs<String, JSON?> = [:]
    ) -> JSON {
        var object: JSONObject = ["kind": .string(kind)]
        for (key, value) in members.objectValue ?? [:] { object[key] = value }
        for (key, value) in optional { if let value { object[key] = value } }
        return .object(object)
    }

    private static func json(of state: ConnectionState, server: ServerOrigin) -> JSON {
        var object: JSONObject = ["kind": "state"]
        switch state {
        case .connecting(let attempt):
            object["state"] = "connecting"
            object["server"] = .string(server.description)
            object["attempt"] = .integer(Int64(attempt))
        case .online(let socketID):
            object["state"] = "online"
            object["server"] = .string(server.description)
            object["socket"] = .string(socketID)
        case .offline(let reason, let retryIn, let attempt):
            object["state"] = "offline"
            object["server"] = .string(server.description)
            object["reason"] = .string(reason)
            object["retryIn"] = .number(retryIn.seconds)
            object["attempt"] = .integer(Int64(attempt))
        case .closed(let reason):
            object["state"] = "closed"
            object["server"] = .string(server.description)
            object["reason"] = .string(reason)
        }
        return .object(object)
    }

    private static func json(of event: ModelEvent) -> JSON {
        var object: JSONObject = [
            "kind": "event", "event": .string(event.name), "model": .string(event.model),
            "op": .string(event.operation.rawValue), "row": event.row, "at": .string(event.at),
            "by": event.by?.json ?? .null,
        ]
        if event.operation.verb == "save" { object["changed"] = .array(event.changed.map(JSON.string)) }
        if let folded = event.folded { object["folded"] = .integer(Int64(folded)) }
        object["position"] = .string(event.position.description)
        return .object(object)
    }
}

extension Duration {
    /// In seconds, to the millisecond.
    var seconds: Double {
        let (seconds, attoseconds) = components
        return Double(seconds) + (Double(attoseconds) / 1e15).rounded() / 1000
    }
}
