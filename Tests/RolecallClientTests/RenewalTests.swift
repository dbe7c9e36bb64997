import Logging
import NIOHTTP1
import RolecallProtocol
import SocketIOClient
import Testing
import WireJSON

@testable import RolecallClient

@Suite("Renewing a login", .timeLimit(.minutes(1)))
struct RenewalTests {
    /// {"sid":"s1","exp":1} and {"sid":"s1","exp":2}, {"sid":"s2"}
    private static let first = "h.eyJzaWQiOiJzMSIsImV4cCI6MX0.s"
    private static let second = "h.eyJzaWQiOiJzMSIsImV4cCI6Mn0.s"
    private static let others = "h.eyJzaWQiOiJzMiJ9.s"
    private static let soon = Timestamp(milliseconds: Timestamp.now().milliseconds + 60_000)

    private static let expiring = SocketArrival.event(
        name: ExpiryWarning.eventName, arguments: [["expiresAt": .string(soon.description)]])

    /// A socket that tells of the login's end and takes the new token.
    private func link(refusing: Bool = false) -> ScriptedLink {
        ScriptedLink("S1", .identity(identity(ann), at: 1), Self.expiring) { name, _, link in
            guard name == ClientEvent.login, !refusing else {
                link.push(.acknowledgement)
                return WireError(.tokenRevoked, "It was revoked.").json
            }
            link.push(
                .identity(identity(ann, reason: .login), at: 2), .acknowledgement)
            return ["data": "registered"]
        }
    }

    private func watch(
        _ link: ScriptedLink, saved: String? = nil, given: String? = nil, reply: ScriptedServer.Reply,
        _ check: (Run, ScriptedServer, TokenStore, ServerOrigin) async throws -> Void
    ) async throws {
        try await withTemporaryDirectory { directory in
            try await ScriptedServer.with(http: { _ in reply }) { server in
                let store = TokenStore(directory: "\(directory)/rolecall", profile: .default)
                let origin = try ServerOrigin(parsing: server.url)
                if let saved { try await store.save(#require(Token(saved)), for: origin) }
                let run = try Run()
                var environment = ["XDG_STATE_HOME": directory]
                environment["ROLECALL_TOKEN"] = given
                let given = environment
                let url = server.url
                let watching = Task {
                    try await run(
                        ["watch", "--count", "1", "--server", url], environment: given,
                        connector: ScriptedConnector(link))
                }
                try await check(run, server, store, origin)
                link.push(.model(event(9)))
                #expect(try await watching.value == .done)
            }
        }
    }

    @Test("a watch with a saved login renews it, keeps it, and goes on")
    func watching() async throws {
        let reply = ScriptedServer.Reply(body: #"{"token":"\#(Self.second)","user":{}}"#)
        let link = link()
        try await watch(link, saved: Self.first, reply: reply) { run, server, store, origin in
            try await eventually("The new token is saved.") {
                (try? store.token(for: origin))??.secret == Self.second
            }
            #expect(server.requests.map { "\($0.method) \($0.uri)" } == ["POST /auth/refresh"])
            #expect(server.requests.first?.headers["Authorization"] == ["Bearer \(Self.first)"])
            #expect(link.requests.map(\.arguments) == [[.string(Self.second)]])
            try await eventually("It is told.") { run.lines.summary.contains("identity login") }
            #expect(run.lines.summary.contains("expiring"))
            #expect(!run.lines.summary.contains { $0.hasPrefix("acknowledgement") })
            #expect(run.messages.lines == [])
        }
    }

    @Test("the environment's token is not this program's to renew")
    func environment() async throws {
        let link = link()
        try await watch(link, given: Self.first, reply: ScriptedServer.Reply(status: .notFound)) { run, server, _, _ in
            try await eventually("The warning is told.") { run.lines.summary.contains("expiring") }
            #expect(server.requests.isEmpty)
            #expect(link.requests.isEmpty)
        }
    }

    @Test("a refusal, of the server or of the socket, is said once, and the saved login is left alone")
    func refused() async throws {
        let revoked = ScriptedServer.Reply(
            status: .unauthorized, body: WireError(.tokenRevoked, "It was revoked.").json.description)
        let granted = ScriptedServer.Reply(body: #"{"token":"\#(Self.second)"}"#)
        for (reply, refusing) in [(revoked, false), (granted, true)] {
            try await watch(link(refusing: refusing), saved: Self.first, reply: reply) { run, server, store, origin in
                try await eventually("It is said.") {
                    run.messages.lines == ["rolecall: The login could not be renewed: It was revoked."]
                }
                #expect(server.requests.count == 1)
                #expect(try store.token(for: origin)?.secret == Self.first)
            }
        }
    }

    @Test("the store takes a session's new token for its old one only")
    func store() async throws {
        let (old, new, other) = (
            try #require(Token(Self.first)), try #require(Token(Self.second)), try #require(Token(Self.others))
        )
        #expect(old.sessionID == "s1")
        #expect(Token("a.b.c")?.sessionID == nil)
        try await withTemporaryDirectory { directory in
            let store = TokenStore(directory: "\(directory)/rolecall", profile: .default)
            #expect(try await !store.renew(old, with: new, for: .default))
            #expect(names(in: directory) == [], "Nothing is made for what was never saved.")
            try await store.save(old, for: .default, email: "ann@example.org")
            #expect(try await store.renew(old, with: new, for: .default))
            #expect(try store.token(for: .default) == new)
            #expect(try store.email(for: .default) == "ann@example.org")
            // Another program of the same login was first.
            #expect(try await store.renew(old, with: new, for: .default))
            try await store.save(other, for: .default)
            #expect(try await !store.renew(old, with: new, for: .default))
            #expect(try store.token(for: .default) == other)
            let opaque = try #require(Token("a.b.c"))
            try await store.save(opaque, for: .default)
            #expect(try await !store.renew(old, with: new, for: .default))
            #expect(try await store.renew(opaque, with: new, for: .default))
        }
    }

    @Test("a token that has ended is presented once, and the next connections claim nobody")
    func spent() async throws {
        for reason: IdentityReason in [.tokenExpired, .expired, .signedOut, .passwordChanged, .userRemoved] {
            let token = try #require(Token(Self.first))
            let links = (1...3).map { ScriptedLink("S\($0)", .identity(identity(nil, reason: reason), at: 1)) }
            let connector = ScriptedConnector(links.map(ScriptedConnector.Entry.accept))
            let supervisor = ConnectionSupervisor(
                connector: connector,
                machine: ConnectionMachine(
                    persistence: .forever, backoff: ReconnectBackoff(initial: .milliseconds(1), jitter: 0)),
                credential: token, after: nil, logger: quietLogger)
            for link in links {
                for _ in 0..<3 { _ = await supervisor.next() }
                link.push(.lost(reason: "Gone."))
                _ = await supervisor.next()
            }
            #expect(connector.handshakes.map(\.token) == [token, nil, nil])
            #expect(await supervisor.credential == token, "It is known whose it was.")
            await supervisor.close()
        }
    }

    @Test("who was kicked comes back with the next connection, as the server grants it")
    func kicked() async throws {
        let token = try #require(Token(Self.first))
        let kicked = identity(nil, epoch: 2, reason: IdentityReason(rawValue: "kicked"))
        let links = [
            ScriptedLink("S1", .identity(identity(ann), at: 1), .identity(kicked, at: 1), .lost(reason: "Gone.")),
            ScriptedLink("S2"),
        ]
        let connector = ScriptedConnector(links.map(ScriptedConnector.Entry.accept))
        let supervisor = ConnectionSupervisor(
            connector: connector,
            machine: ConnectionMachine(
                persistence: .forever, backoff: ReconnectBackoff(initial: .milliseconds(1), jitter: 0)),
            credential: token, after: nil, logger: quietLogger)
        for _ in 0..<7 { _ = await supervisor.next() }
        #expect(connector.handshakes.map(\.token) == [token, token])
        await supervisor.close()
    }
}
