import NIOHTTP1
import NIOPosix
import RolecallProtocol
import Terminal
import Testing
import WireJSON

@testable import RolecallClient

@Suite("Pages, driven", .timeLimit(.minutes(1)))
@MainActor
struct LivePageTests {
    /// {"sid":"s1","exp":1} and {"sid":"s1","exp":2}
    nonisolated private static let saved = "h.eyJzaWQiOiJzMSIsImV4cCI6MX0.s"
    nonisolated private static let newer = "h.eyJzaWQiOiJzMSIsImV4cCI6Mn0.s"

    private struct Stand {
        let screen: HeadlessScreen
        let link: ScriptedLink
        let server: ScriptedServer
        let store: TokenStore
        let origin: ServerOrigin

        var requests: [String] { server.requests.map { "\($0.method) \($0.uri)" } }
        var token: Token? { try? store.token(for: origin) }
    }

    private func stand(
        as user: UserSummary = root, http: @escaping @Sendable (ScriptedServer.Request) -> ScriptedServer.Reply,
        _ body: (Stand) async throws -> Void
    ) async throws {
        try await withTemporaryDirectory { directory in
            try await ScriptedServer.with(http: http) { server in
                let link = ScriptedLink("S1", .identity(identity(user), at: 1)) { event, _, link in
                    switch event {
                    case ClientEvent.login:
                        link.push(.identity(identity(user, reason: .login), at: 1), .acknowledgement)
                        return ["data": "registered"]
                    case ClientEvent.logout:
                        link.push(.identity(identity(nil, epoch: 3, reason: .logout), at: 1), .acknowledgement)
                        return ["data": "un-registered"]
                    default:
                        link.push(.acknowledgement)
                        return .null
                    }
                }
                let screen = HeadlessScreen(Size(columns: 120, rows: 36))
                var configuration = Configuration(verb: .screen(ScreenRequest()))
                configuration.server = try ServerOrigin(parsing: server.url)
                configuration.tokenDirectory = "\(directory)/rolecall"
                let store = TokenStore(directory: "\(directory)/rolecall", profile: .default)
                try await store.save(#require(Token(Self.saved)), for: configuration.server)
                let pipe = try Pipe()
                let input = Input(descriptor: pipe.readEnd, terminalPath: "/dev/null", threads: .singleton)
                let output = Output(lines: RecordingSink(), messages: RecordingSink())
                let given = configuration
                let running = Task {
                    await Application.run(
                        given, ScreenRequest(), on: screen, output: output, input: input,
                        connector: { _ in ScriptedConnector(link) })
                }
                let stand = Stand(
                    screen: screen, link: link, server: server, store: store, origin: configuration.server)
                do {
                    try await shows(stand, "you are \(user.email)")
                    try await body(stand)
                    screen.press(.function(10))
                } catch {
                    screen.receive(.signal(.terminate))
                    _ = await running.value
                    throw error
                }
                #expect(await running.value == .done)
            }
        }
    }

    private func shows(_ stand: Stand, _ text: String) async throws {
        try await eventually("\(text) is shown; this is:\n\(stand.screen.shown.text)") {
            stand.screen.shown.text.contains(text)
        }
    }

    @Test("F2 lists the sessions, and a yes ends the selected one")
    func sessions() async throws {
        let list: JSON = [session("s1", current: true, sockets: ["S1"]), session("a/b", address: "10.0.0.7")]
        try await stand(http: { request in
            ScriptedServer.Reply(body: request.method == .GET ? list.description : #"{"revoked":1}"#)
        }) { stand in
            stand.screen.press(.function(2))
            try await shows(stand, "10.0.0.7")
            stand.screen.press(.up, .enter, .character("y"))
            try await shows(stand, "The session was ended.")
            let expected = ["GET", "DELETE", "GET"].map {
                "\($0) /api/users/me/sessions\($0 == "GET" ? "" : "/a%2Fb")"
            }
            try await eventually("The list is asked for again.") { stand.requests == expected }
            #expect(stand.server.requests.allSatisfy { $0.headers["Authorization"] == ["Bearer \(Self.saved)"] })
        }
    }

    @Test("signing out everywhere ends the sessions, leaves the socket, and deletes the saved login")
    func everywhere() async throws {
        try await stand(http: { request in
            ScriptedServer.Reply(body: request.method == .GET ? "[]" : #"{"revoked":3}"#)
        }) { stand in
            stand.screen.press(.function(2), .down, .down, .enter, .character("y"))
            try await shows(stand, "Signed out everywhere: 3 sessions ended.")
            #expect(stand.requests.contains("DELETE /api/users/me/sessions"))
            #expect(stand.token == nil)
            #expect(stand.link.requests.map(\.event).contains(ClientEvent.logout))
            try await shows(stand, "unassociated: signed out here")
        }
    }

    @Test("signing out everywhere that the server does not do leaves the login as it is")
    func notEverywhere() async throws {
        let reply = WireError(.unavailable, "Not now.").json.description
        try await stand(http: { _ in ScriptedServer.Reply(status: .serviceUnavailable, body: reply) }) { stand in
            stand.screen.press(.function(2), .down, .down, .enter, .character("y"))
            try await shows(stand, "Not signed out: Not now.")
            #expect(stand.token?.secret == Self.saved)
            #expect(!stand.link.requests.map(\.event).contains(ClientEvent.logout))
        }
    }

    @Test("an admin sees the sockets, and kicks")
    func kicking() async throws {
        let list: JSON = [socket("S1", root), socket("x", ann)]
        try await stand(http: { request in
            ScriptedServer.Reply(
                body: request.method == .GET ? list.description : #"{"id":"x","user":{}}"#)
        }) { stand in
            stand.screen.press(.alt("4"))
            try await shows(stand, "ann@example.org")
            stand.screen.press(.character("k"), .character("y"))
            try await shows(stand, "Kicked 1 socket (ann@example.org).")
            #expect(stand.requests.contains("DELETE /api/sockets/x"))
            stand.screen.press(.escape, .character(":"))
            stand.screen.type("kick nobody@x")
            stand.screen.press(.enter, .character("y"))
            try await shows(stand, "Nobody was kicked")
        }
    }

    @Test("an event is explained on the screen, and a refusal is shown there")
    func explaining() async throws {
        let explained = RESTTests.explanation.replacing("000000000abc-000000000000001f", with: "\(position(7))")
        let refused = WireError(.forbidden, "The role user may not do this.").json.description
        try await stand(http: { request in
            if request.uri == "/api/sockets" { return ScriptedServer.Reply(body: "[]") }
            return request.uri.hasSuffix("user=guest")
                ? ScriptedServer.Reply(body: explained) : ScriptedServer.Reply(status: .forbidden, body: refused)
        }) { stand in
            let saved = event(7, .created, row: ["_id": 12, "name": "boiler 3"])
            stand.link.push(.event(name: saved.name, arguments: saved.arguments))
            try await shows(stand, "boiler 3")
            stand.screen.press(.escape, .character("x"))
            stand.screen.type("guest")
            stand.screen.press(.enter)
            try await shows(stand, "So it is.")
            #expect(stand.requests.contains("GET /api/events/\(position(7))/explain?user=guest"))
            stand.screen.press(.character("x"), .control("u"), .character("9"), .enter)
            try await shows(stand, "! The role user may not do this.")
        }
    }

    @Test("others see who is on by presence, and are not shown that they are denied more")
    func presences() async throws {
        let reply = WireError(.forbidden, "Only for admins.").json.description
        try await stand(as: ann, http: { _ in ScriptedServer.Reply(status: .forbidden, body: reply) }) { stand in
            stand.link.push(.presence(presence(root, sockets: 2)), .presence(presence(ann)))
            stand.screen.press(.function(7))
            try await shows(stand, "2 people on · 3 sockets")
            try await eventually("The server was asked.") { stand.requests == ["GET /api/sockets"] }
            stand.link.push(.presence(presence(root, state: "left")))
            try await shows(stand, "1 person on · 1 socket")
            #expect(!stand.screen.shown.text.contains("Only for admins."))
        }
    }

    @Test("a login that expires is renewed on its socket and in the store")
    func renewal() async throws {
        let soon = Timestamp(milliseconds: Timestamp.now().milliseconds + 60_000)
        try await stand(http: { _ in ScriptedServer.Reply(body: #"{"token":"\#(Self.newer)","user":{}}"#) }) { stand in
            stand.link.push(
                .event(name: ExpiryWarning.eventName, arguments: [["expiresAt": .string(soon.description)]]))
            try await shows(stand, "the login was renewed")
            #expect(stand.requests == ["POST /auth/refresh"])
            #expect(stand.link.requests.contains { $0.arguments == [.string(Self.newer)] })
            try await eventually("It is kept.") { stand.token?.secret == Self.newer }
        }
    }
}
