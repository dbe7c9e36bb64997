import NIOHTTP1
import RolecallProtocol
import Testing
import WireJSON

@testable import RolecallClient

@Suite("The program on a wire", .timeLimit(.minutes(1)))
struct WireTests {
    private static let token = ["ROLECALL_TOKEN": "token.of.ann"]

    private static func packet(_ event: String, _ arguments: [JSON]) -> String {
        "42\(JSON.array([.string(event)] + arguments))"
    }

    private static func connected(_ identity: Identity, at sequence: Int64) -> [String] {
        [
            #"40{"sid":"S1"}"#,
            packet(Identity.eventName, [identity.json, .string(position(sequence).description)]),
        ]
    }

    @Test("the handshake carries the token as a cookie and nowhere else")
    func cookie() async throws {
        for (environment, cookie) in [(Self.token, "token=token.of.ann"), ([:], nil)] as [([String: String], String?)] {
            try await ScriptedServer.with(socket: { _, _ in Self.connected(identity(ann), at: 3) }) { server in
                let run = try Run()
                #expect(try await run(["whoami", "--server", server.url], environment: environment) == .done)
                #expect(run.lines.summary == ["identity cookie"])
                #expect(server.handshakes.map { $0.first(name: "Cookie") } == [cookie])
                #expect(server.packets.first == "40")
                #expect(server.packets.allSatisfy { !$0.contains("token.of.ann") })
            }
        }
    }

    @Test("a watch resumes after the position that it is given, and after its last one when it comes back")
    func resumption() async throws {
        try await ScriptedServer.with(socket: { packet, connection in
            guard packet.hasPrefix("40") else { return nil }
            let told = event(connection == 1 ? 4 : 5)
            return Self.connected(identity(ann), at: 3) + [Self.packet(told.name, told.arguments)]
                + (connection == 1 ? ["41"] : [])
        }) { server in
            let run = try Run()
            #expect(
                try await run(["watch", "--count", "2", "--server", server.url, "--after", position(2).description])
                    == .done)
            let positions = run.lines.json.filter { $0["kind"] == "event" }.map { $0["position"]?.stringValue }
            #expect(positions == [position(4).description, position(5).description])
            #expect(
                server.packets.filter { $0.hasPrefix("40") }
                    == [position(2), position(4)].map { #"40{"after":"\#($0)"}"# })
        }
    }

    @Test("login, logout and chat are acknowledged on the very socket, in their place")
    func control() async throws {
        try await ScriptedServer.with(socket: { packet, _ in
            switch packet {
            case "40": return Self.connected(identity(nil, reason: .anonymous), at: 3)
            case #"420["login","token.of.ann"]"#:
                return [
                    Self.packet(
                        "identity",
                        [identity(ann, epoch: 2, reason: .login).json, .string(position(3).description)]),
                    #"430[{"data":"registered"}]"#, Self.packet(event(4).name, event(4).arguments),
                ]
            case #"421["message",{"body":"hi"}]"#: return [#"431[{"error":"forbidden","message":"No."}]"#]
            default: return nil
            }
        }) { server in
            let run = try Run(input: "/login\nhi\n/quit\n")
            let arguments = ["watch", "--control", "--no-reconnect", "--server", server.url]
            #expect(try await run(arguments, environment: Self.token) == .done)
            let shown = run.lines.summary.filter { !$0.hasPrefix("state") && $0 != "acknowledgement quit" }
            #expect(
                shown == [
                    "identity anonymous", "identity login", "acknowledgement login", "event thing:save",
                    "acknowledgement send",
                ])
        }
    }

    @Test("a server that refuses the socket, or speaks no Socket.IO, is one that can't be connected to")
    func refusals() async throws {
        try await ScriptedServer.with(socket: { _, _ in [#"44{"message":"Invalid namespace"}"#] }) { server in
            let run = try Run()
            #expect(try await run(["whoami", "--server", server.url]) == .cannotConnect)
            #expect(run.messages.lines.first?.contains("Invalid namespace") == true)
        }
        let forbidden = ScriptedServer.Reply(status: .forbidden, body: #"{"code":4,"message":"Forbidden"}"#)
        try await ScriptedServer.with(http: { _ in forbidden }) { server in
            let run = try Run()
            #expect(try await run(["watch", "--server", server.url]) == .cannotConnect)
            #expect(run.messages.lines.first?.contains("status 403") == true)
            #expect(run.messages.lines.first?.contains("Forbidden") == true)
        }
    }

    @Test("where nobody listens, every verb says so in one sentence")
    func nobody() async throws {
        let port = try await ScriptedServer.with { $0.port }
        for arguments in [
            ["whoami"], ["send", "x"], ["expect", "x"], ["watch", "--no-reconnect"], ["list", "thing"],
            ["get", "thing", "1"],
        ] {
            let run = try Run()
            #expect(try await run(arguments + ["--server", "http://127.0.0.1:\(port)"]) == .cannotConnect)
            #expect(
                run.messages.lines == ["rolecall: No server answers at http://127.0.0.1:\(port): Connection refused."])
        }
    }
}
