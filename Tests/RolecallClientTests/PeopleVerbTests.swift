import NIOHTTP1
import RolecallProtocol
import Testing
import WireJSON

@testable import RolecallClient

@Suite("who and kick", .timeLimit(.minutes(1)))
struct PeopleVerbTests {
    private static let token = ["ROLECALL_TOKEN": "token.of.ann"]
    private static let records: JSON = [socket("a", ann), socket("b", root), socket("c", ann), socket("d", nil)]

    private static func refusal(_ status: HTTPResponseStatus, _ code: ErrorCode) -> ScriptedServer.Reply {
        ScriptedServer.Reply(status: status, body: WireError(code, "So says the server.").json.description)
    }

    @Test("who shows an admin each socket, as the server tells it")
    func sockets() async throws {
        let list = ScriptedServer.Reply(body: Self.records.description)
        try await ScriptedServer.with(http: { _ in list }) { server in
            let run = try Run()
            #expect(try await run(["who", "--server", server.url], environment: Self.token) == .done)
            #expect(run.lines.json.map { $0["kind"] } == Array(repeating: "socket", count: 4))
            #expect(run.lines.json.map { $0["id"] } == ["a", "b", "c", "d"])
            #expect(run.lines.json.first?["user"] == ann.json)
            #expect(server.requests.map(\.uri) == ["/api/sockets"])
        }
    }

    @Test("who shows another user who is on, each once, as the server tells a socket of that user")
    func presences() async throws {
        let denied = Self.refusal(.forbidden, .forbidden)
        let link = ScriptedLink("S1", .identity(identity(ann), at: 1)) { event, _, link in
            #expect(event == ClientEvent.whoami)
            link.push(.presence(presence(root, sockets: 3)), .acknowledgement, .presence(presence(ann, sockets: 9)))
            return identity(ann).json
        }
        var gone = root
        gone.id = 9
        link.push(
            .presence(presence(gone)), .presence(presence(ann, sockets: 2)), .presence(presence(gone, state: "left")))
        try await ScriptedServer.with(http: { _ in denied }) { server in
            let run = try Run()
            let connector = ScriptedConnector(link)
            #expect(
                try await run(["who", "--server", server.url], environment: Self.token, connector: connector) == .done)
            #expect(run.lines.json.map { $0["kind"] } == ["presence", "presence"])
            #expect(run.lines.json.map { $0["user"]?["name"] } == ["Ann", "Root"])
            #expect(run.lines.json.map { $0["sockets"] } == [2, 3])
            #expect(link.isClosed)
        }
    }

    @Test("who tells nobody nothing, and says why")
    func nobody() async throws {
        let table: [(ScriptedServer.Reply, IdentityReason, ExitCode)] = [
            (Self.refusal(.unauthorized, .unauthenticated), .anonymous, .loginFailed),
            (Self.refusal(.forbidden, .forbidden), .tokenExpired, .loginFailed),
            (Self.refusal(.forbidden, .forbidden), .anonymous, .denied),
            (Self.refusal(.serviceUnavailable, .unavailable), .anonymous, .failed),
            (ScriptedServer.Reply(body: "{}"), .anonymous, .failed),
        ]
        for (reply, reason, code) in table {
            try await ScriptedServer.with(http: { _ in reply }) { server in
                let run = try Run()
                let link = ScriptedLink("S1", .identity(identity(nil, reason: reason), at: 1))
                let arguments = ["who", "--server", server.url]
                #expect(
                    try await run(arguments, environment: Self.token, connector: ScriptedConnector(link)) == code)
                #expect(run.lines.json.map { $0["kind"] } == ["error"])
            }
        }
    }

    @Test("kick takes a socket's id, or all sockets of an e-mail address, and disconnects them where asked")
    func kick() async throws {
        let table: [([String], [String], [JSON])] = [
            (
                ["kick", "a/b"], ["DELETE /api/sockets/a%2Fb"],
                [["kind": "kicked", "socket": "a/b", "user": ann.json, "closed": false]]
            ),
            (
                ["kick", "Ann@example.org", "--close"],
                ["GET /api/sockets", "DELETE /api/sockets/a?close=1", "DELETE /api/sockets/c?close=1"],
                ["a", "c"].map { ["kind": "kicked", "socket": $0, "user": ann.json, "closed": true] }
            ),
        ]
        for (arguments, requests, lines) in table {
            try await ScriptedServer.with(http: { request in
                let user: JSON = ["id": "x", "user": ann.json]
                return ScriptedServer.Reply(body: (request.method == .GET ? Self.records : user).description)
            }) { server in
                let run = try Run()
                #expect(try await run(arguments + ["--server", server.url], environment: Self.token) == .done)
                #expect(server.requests.map { "\($0.method) \($0.uri)" } == requests)
                #expect(run.lines.json == lines)
            }
        }
    }

    @Test("a kick that hits nothing fails, and one that is denied ends with 7")
    func unkicked() async throws {
        let table: [(String, ScriptedServer.Reply, ExitCode, String)] = [
            ("x", Self.refusal(.notFound, .notFound), .failed, "There is no socket x."),
            ("x@y", ScriptedServer.Reply(body: "[]"), .failed, "No socket belongs to x@y."),
            ("x", Self.refusal(.forbidden, .forbidden), .denied, "So says the server."),
            ("x@y", Self.refusal(.forbidden, .forbidden), .denied, "So says the server."),
            ("x", Self.refusal(.unauthorized, .tokenRevoked), .loginFailed, "So says the server."),
        ]
        for (name, reply, code, sentence) in table {
            try await ScriptedServer.with(http: { _ in reply }) { server in
                let run = try Run()
                #expect(try await run(["kick", name, "--server", server.url], environment: Self.token) == code)
                #expect(run.messages.lines == ["rolecall: \(sentence)"])
            }
        }
        #expect(try await Run()(["kick"]) == .usage)
        #expect(try await Run()(["kick", ""]) == .usage)
    }

    @Test("records of a server that are none are passed over")
    func totality() {
        for json: JSON in [
            nil, 5, [:], ["id": ""], ["id": "a", "user": 5], ["_id": true], ["_id": ""], ["user": ["_id": "x"]],
            ["user": ["_id": 1], "state": "gone"],
        ] {
            #expect(SocketRecord(json: json) == nil, "\(json)")
            #expect(UserSession(json: json) == nil, "\(json)")
            #expect(Presence(json: json) == nil, "\(json)")
        }
        let odd: JSON = [
            "_id": 1, "sockets": [5, ["id": "\u{1B}"]], "agent": .string(String(repeating: "x", count: 9999)),
        ]
        #expect(UserSession(json: odd)?.sockets.map(\.id) == ["⟨1b⟩"])
        #expect(UserSession(json: odd)?.agent?.count == 200)
        #expect(Presence(json: ["user": ["_id": 1], "sockets": -5, "state": "joined"])?.sockets == 0)
    }
}

extension SocketArrival {
    static func presence(_ json: JSON) -> SocketArrival {
        .event(name: Presence.eventName, arguments: [json])
    }
}
