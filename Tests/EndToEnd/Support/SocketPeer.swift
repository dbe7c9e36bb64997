import Foundation
import WireJSON

/// A socket of python-socketio.
struct SocketPeer: Sendable {
    let host: PeerHost
    let name: String
    let transcript: Transcript<Heard>

    /// What it heard so far, in the order of the wire.
    var heard: [Heard] { transcript.elements }
    var count: Int { transcript.count }

    func emit(_ event: String, _ arguments: JSON..., acknowledgement: Int? = nil) {
        var command: JSONObject = ["socket": .string(name), "event": .string(event), "args": .array(arguments)]
        if let acknowledgement { command["ack"] = .integer(Int64(acknowledgement)) }
        host.tell("emit", command)
    }

    /// Sends an event and waits for its acknowledgement: its only argument, or an array where it is not one.
    func call(_ event: String, _ arguments: JSON..., within deadline: Duration = .seconds(40)) async throws -> JSON {
        let number = host.number()
        host.tell(
            "emit",
            [
                "socket": .string(name), "event": .string(event), "args": .array(arguments),
                "ack": .integer(Int64(number)),
            ])
        let answer = try await acknowledgement(number, of: event, within: deadline)
        return answer.count == 1 ? answer[0] : .array(answer)
    }

    func acknowledgement(
        _ number: Int, of event: String = "an event", within deadline: Duration = .seconds(40)
    ) async throws -> [JSON] {
        let found = try await transcript.first(within: deadline, "the acknowledgement of \(event) to \(name)") {
            if case .acknowledgement(number, _) = $0.kind { true } else { false }
        }
        guard case .acknowledgement(_, let arguments) = found.element.kind else { return [] }
        return arguments
    }

    /// The first event of that name at or after `start`.
    @discardableResult
    func event(
        _ event: String, from start: Int = 0, within deadline: Duration = .seconds(40),
        where matches: @escaping @Sendable ([JSON]) -> Bool = { _ in true }
    ) async throws -> (index: Int, at: Double, arguments: [JSON]) {
        let found = try await transcript.first(from: start, within: deadline, "\(event) to \(name)") { heard in
            heard.event.map { $0.name == event && matches($0.arguments) } ?? false
        }
        return (found.index, found.element.at, found.element.event?.arguments ?? [])
    }

    /// The first `identity` at or after `start`, with that reason where one is given.
    @discardableResult
    func identity(
        _ reason: String? = nil, from start: Int = 0, within deadline: Duration = .seconds(40)
    ) async throws -> (index: Int, at: Double, identity: JSON, position: String) {
        let found = try await transcript.first(
            from: start, within: deadline, "identity\(reason.map { " with reason " + $0 } ?? "") to \(name)"
        ) { heard in
            guard let identity = heard.identity else { return false }
            return reason == nil || identity["reason"]?.stringValue == reason
        }
        return (
            found.index, found.element.at, found.element.identity ?? .null,
            found.element.event?.arguments.last?.stringValue ?? ""
        )
    }

    /// The `thing:save` of the row with that name.
    @discardableResult
    func thing(
        _ row: String, from start: Int = 0, within deadline: Duration = .seconds(40)
    ) async throws -> (index: Int, at: Double, arguments: [JSON]) {
        try await event("thing:save", from: start, within: deadline) { $0.first?["name"]?.stringValue == row }
    }

    /// The names of all rows that it was sent a `thing:save` of, from `start` on.
    func things(from start: Int = 0) -> [String] {
        heard.dropFirst(start).compactMap { $0.savedThing?["name"]?.stringValue }
    }

    /// The positions of all model events that it was sent.
    func positions(from start: Int = 0) -> [String] {
        heard.dropFirst(start).compactMap { heard in
            guard let event = heard.event, event.name.hasSuffix(":save") || event.name.hasSuffix(":remove") else {
                return nil
            }
            return event.arguments.last?.stringValue
        }
    }

    /// The places of those events in the log.
    func places(from start: Int = 0) -> [LogPlace] { positions(from: start).compactMap(LogPlace.init) }

    func isConnected() async throws -> Bool {
        try await host.command("connected", ["socket": .string(name)]).boolValue ?? false
    }

    /// The id that Socket.IO gave it.
    func id() async throws -> String? {
        try await host.command("sid", ["socket": .string(name)]).stringValue
    }

    func disconnect() async throws { try await host.command("close", ["socket": .string(name)]) }
}

/// What the server itself reads in a position. To a client a position is a text without an order.
struct LogPlace: Hashable, Comparable, CustomStringConvertible {
    let description: String
    private let number: UInt64

    init?(_ position: String) {
        guard let match = position.prefixMatch(of: /[0-9a-f]{12}-([0-9a-f]{16})/),
            let number = UInt64(match.1, radix: 16)
        else { return nil }
        description = position
        self.number = number
    }

    static func < (left: LogPlace, right: LogPlace) -> Bool { left.number < right.number }
}

extension PeerHost {
    /// Connects python-socketio, and returns when CONNECT is answered.
    ///
    /// - Parameters:
    ///   - auth: the payload of CONNECT.
    ///   - cookie: the token in the cookie `token`.
    ///   - origin: the `Origin` that is sent; nil sends none, as native clients do.
    ///   - polls: whether it stays with HTTP long-polling.
    func connect(
        _ server: ServerProcess, _ stem: String = "socket", auth: JSON? = nil, cookie: String? = nil,
        bearer: String? = nil, headers: JSONObject = [:], origin: String? = nil, namespace: String = "/",
        polls: Bool = false
    ) async throws -> SocketPeer {
        let name = name(stem)
        let peer = SocketPeer(host: self, name: name, transcript: transcript(of: name))
        var headers = headers
        if let cookie { headers["Cookie"] = .string("token=" + cookie) }
        if let bearer { headers["Authorization"] = .string("Bearer " + bearer) }
        var command: JSONObject = [
            "socket": .string(name), "url": .string(server.url), "headers": .object(headers),
            "namespace": .string(namespace),
        ]
        if let auth { command["auth"] = auth }
        if polls { command["transports"] = ["polling"] }
        if let origin { command["origin"] = .string(origin) } else { command["no_origin"] = true }
        try await self.command("connect", command)
        return peer
    }

    /// A JSON web token, made by hand: signed with the server's key unless another is given.
    func sign(
        _ claims: JSON, header: JSON = ["alg": "HS256", "typ": "JWT"], server: ServerProcess, key: String? = nil
    ) async throws -> String {
        var command: JSONObject = ["claims": claims, "header": header]
        if let key { command["key"] = .string(key) } else { command["key_file"] = .string(server.key.path) }
        return try await self.command("sign", command).stringValue ?? ""
    }
}
