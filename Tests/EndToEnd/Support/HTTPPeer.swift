import Foundation
import WireJSON

/// What an HTTP request was answered.
struct HTTPAnswer: Sendable, CustomStringConvertible {
    var status: Int
    /// Names in lower case, in the order of the wire.
    var headers: [(name: String, value: String)]
    var body: String

    var json: JSON { (try? JSON(parsing: body)) ?? .null }
    /// The code of a refusal.
    var error: String? { json["error"]?.stringValue }
    /// The log's position that came along.
    var position: String? { header("x-rolecall-position") }

    func header(_ name: String) -> String? { headers.first { $0.name == name }?.value }

    var description: String { "\(status) \(headers.map { "\($0.name): \($0.value)" }) \(body)" }
}

extension PeerHost {
    /// One request on a connection of its own.
    ///
    /// - Parameters:
    ///   - token: sent as `Authorization: Bearer`.
    ///   - cookie: sent in the cookie `token`.
    func http(
        _ server: ServerProcess, _ method: String, _ path: String, json: JSON? = nil, body: String? = nil,
        token: String? = nil, cookie: String? = nil, origin: String? = nil, headers: JSONObject = [:]
    ) async throws -> HTTPAnswer {
        var headers = headers
        if json != nil || body != nil, headers["Content-Type"] == nil { headers["Content-Type"] = "application/json" }
        if let token { headers["Authorization"] = .string("Bearer " + token) }
        if let cookie { headers["Cookie"] = .string("token=" + cookie) }
        if let origin { headers["Origin"] = .string(origin) }
        var command: JSONObject = [
            "host": "127.0.0.1", "port": .integer(Int64(server.port)), "method": .string(method),
            "path": .string(path), "headers": .object(headers),
        ]
        if let text = json?.description ?? body { command["body"] = .string(text) }
        let answer = try await self.command("http", command)
        return HTTPAnswer(
            status: answer["status"]?.integerValue.map(Int.init(clamping:)) ?? 0,
            headers: (answer["headers"]?.arrayValue ?? []).map {
                (name: $0[0]?.stringValue ?? "", value: $0[1]?.stringValue ?? "")
            },
            body: answer["body"]?.stringValue ?? "")
    }

    /// Signs in, and returns the token.
    func signIn(_ server: ServerProcess, _ account: Account) async throws -> String {
        let answer = try await http(
            server, "POST", "/auth/local",
            json: ["email": .string(account.email), "password": .string(account.password)])
        guard answer.status == 200, let token = answer.json["token"]?.stringValue else {
            throw PeerError(operation: "sign-in of \(account.email)", sentence: answer.description)
        }
        return token
    }
}

/// Somebody who can sign in.
struct Account: Sendable, Hashable {
    var email: String
    var password: String

    static let admin = Account(email: "admin@example.com", password: "admin")
    static let user = Account(email: "test@example.com", password: "test")
}
