import NIOHTTP1
import RolecallProtocol
import WireJSON

/// What a server's HTTP interface offers about logins, sessions and sockets, to the user of a token.
///
/// Everything throws ``Failure`` for a refusal, and what ``RESTClient/send(_:_:query:body:)`` throws.
struct AccountClient: Sendable {
    let rest: RESTClient

    /// A token of the same session that lasts longer.
    func refresh() async throws -> Token {
        let answer = try await accepted(rest.send(.POST, ["auth", "refresh"]))
        guard let token = answer.json["token"]?.stringValue.flatMap(Token.init) else {
            throw RESTClient.InvalidAnswer(description: "The server's answer to the renewal holds no token.")
        }
        return token
    }

    /// The user's own sign-ins, the newest first.
    func sessions() async throws -> [UserSession] {
        let answer = try await accepted(rest.send(.GET, ["api", "users", "me", "sessions"]))
        return try list(answer, of: "sessions", UserSession.init)
    }

    /// Ends one of the user's own sessions. One that is no longer there has been ended.
    func endSession(_ id: String) async throws {
        let answer = try await rest.send(.DELETE, ["api", "users", "me", "sessions", id])
        if answer.status != 404 { _ = try accepted(answer) }
    }

    /// Ends all of the user's own sessions.
    ///
    /// - Returns: how many there were, where the server said so.
    func endAllSessions() async throws -> Int? {
        let answer = try await accepted(rest.send(.DELETE, ["api", "users", "me", "sessions"]))
        return answer.json["revoked"]?.integerValue.map { Int(clamping: $0) }
    }

    /// All connected sockets.
    func sockets() async throws -> [SocketRecord] {
        let answer = try await accepted(rest.send(.GET, ["api", "sockets"]))
        return try list(answer, of: "sockets", SocketRecord.init)
    }

    /// Leaves a socket to nobody, and ends its connection too where asked.
    ///
    /// - Returns: whose it was (null for nobody); nil where there is no such socket.
    func kick(_ id: String, closes: Bool) async throws -> JSON? {
        let answer = try await rest.send(.DELETE, ["api", "sockets", id], query: closes ? [("close", "1")] : [])
        if answer.status == 404 { return nil }
        return try accepted(answer).json["user"] ?? .null
    }

    /// The sockets that somebody means by an id, or by the e-mail address of their user.
    func sockets(named name: String) async throws -> [String] {
        guard name.contains("@") else { return [name] }
        let folded = name.lowercased()
        return try await sockets().filter { $0.user?.email.lowercased() == folded }.map(\.id)
    }

    private func accepted(_ answer: RESTClient.Answer) throws -> RESTClient.Answer {
        guard (200..<300).contains(answer.status) else { throw Failure(answer) }
        return answer
    }

    private func list<Item>(
        _ answer: RESTClient.Answer, of what: String, _ item: (JSON) -> Item?
    ) throws -> [Item] {
        guard let array = answer.json.arrayValue else {
            throw RESTClient.InvalidAnswer(description: "The server's answer is no list of \(what).")
        }
        return array.compactMap { item($0) }
    }
}

extension Failure {
    /// What an answer of an error's status says.
    init(_ answer: RESTClient.Answer) {
        let error =
            WireError(json: answer.json)
            ?? WireError(
                ErrorCode(rawValue: "http_\(answer.status)"), "The server refuses with status \(answer.status).")
        self.init(error, status: answer.status)
        if answer.status == 429, let seconds = answer.retryAfter { message += " Try again in \(seconds) s." }
    }
}
