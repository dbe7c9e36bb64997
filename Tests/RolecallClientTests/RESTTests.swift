import NIOHTTP1
import RolecallProtocol
import Testing
import WireJSON

@testable import RolecallClient

@Suite("Requests by HTTP", .timeLimit(.minutes(1)))
struct RESTTests {
    private static let token = ["ROLECALL_TOKEN": "token.of.ann"]

    private static func refusal(
        _ status: HTTPResponseStatus, _ code: ErrorCode, field: String? = nil
    ) -> ScriptedServer.Reply {
        ScriptedServer.Reply(
            status: status, body: WireError(code, "So says the server.", field: field).json.description)
    }

    // MARK: Rows

    @Test("each verb is its request, with the token as a bearer's")
    func requests() async throws {
        let table: [([String], HTTPMethod, String, String, HTTPResponseStatus, String, JSON)] = [
            (
                ["create", "thing", "name=x y", "active=true"], .POST, "/api/things", #"{"name":"x y","active":true}"#,
                .created, #"{"_id":1}"#, ["kind": "row", "model": "thing", "row": ["_id": 1], "position": "P"]
            ),
            (
                ["update", "thing", "a/b?c", "name=\"5\""], .PATCH, "/api/things/a%2Fb%3Fc", #"{"name":"5"}"#, .ok,
                #"{"_id":"a/b?c"}"#,
                ["kind": "row", "model": "thing", "row": ["_id": "a/b?c"], "position": "P"]
            ),
            (
                ["remove", "thing", "12"], .DELETE, "/api/things/12", "", .noContent, "",
                ["kind": "removed", "model": "thing", "_id": 12]
            ),
            (
                ["list", "thing", "--limit", "5", "--after", "7", "name=a&b=c", "active=true", "code=\"5\""], .GET,
                "/api/things?name=a%26b%3Dc&active=true&code=5&limit=5&after=7", "", .ok, #"[{"_id":8}]"#,
                ["kind": "row", "model": "thing", "row": ["_id": 8], "position": "P"]
            ),
            (
                ["get", "thing", "ä"], .GET, "/api/things/%C3%A4", "", .ok, #"{"_id":"ä"}"#,
                ["kind": "row", "model": "thing", "row": ["_id": "ä"], "position": "P"]
            ),
        ]
        for (arguments, method, uri, body, status, answer, line) in table {
            let reply = ScriptedServer.Reply(status: status, headers: [("X-Rolecall-Position", "P")], body: answer)
            try await ScriptedServer.with(http: { _ in reply }) { server in
                let run = try Run()
                #expect(try await run(arguments + ["--server", server.url], environment: Self.token) == .done)
                #expect(run.lines.json == [line])
                let request = try #require(server.requests.first)
                #expect(server.requests.count == 1)
                #expect(request.method == method)
                #expect(request.uri == uri)
                #expect(request.body == body)
                #expect(request.headers["Authorization"] == ["Bearer token.of.ann"])
                #expect(!request.headers.contains(name: "Cookie"))
                #expect(request.headers["User-Agent"] == [Program.agent])
            }
        }
    }

    @Test("without a token nothing claims one, and an empty list shows nothing")
    func anonymous() async throws {
        try await ScriptedServer.with(http: { _ in ScriptedServer.Reply(body: "[]") }) { server in
            let run = try Run()
            #expect(try await run(["list", "thing", "--server", server.url]) == .done)
            #expect(run.lines.lines == [])
            #expect(server.requests.first?.headers.contains(name: "Authorization") == false)
        }
    }

    @Test("a refusal is one line, one sentence and its exit code")
    func refusals() async throws {
        let table: [(ScriptedServer.Reply, ExitCode, String)] = [
            (Self.refusal(.forbidden, .forbidden), .denied, "forbidden"),
            (Self.refusal(.unauthorized, .unauthenticated), .loginFailed, "unauthenticated"),
            (Self.refusal(.unauthorized, .tokenExpired), .loginFailed, "token_expired"),
            (Self.refusal(.notFound, .notFound), .failed, "not_found"),
            (Self.refusal(.unprocessableEntity, .invalidField, field: "name"), .failed, "invalid_field"),
            (Self.refusal(.conflict, .conflict), .failed, "conflict"),
            (Self.refusal(.serviceUnavailable, .unavailable), .failed, "unavailable"),
            (Self.refusal(.tooManyRequests, ErrorCode(rawValue: "too_many_attempts")), .failed, "too_many_attempts"),
            (ScriptedServer.Reply(status: .forbidden, body: "[]"), .denied, "http_403"),
            (ScriptedServer.Reply(status: .badGateway), .failed, "http_502"),
            (ScriptedServer.Reply(status: .badGateway, body: "<html>"), .failed, "invalid_answer"),
            (ScriptedServer.Reply(body: "<html>"), .failed, "invalid_answer"),
            (ScriptedServer.Reply(body: #"{"no":"list"}"#), .failed, "invalid_answer"),
        ]
        for (reply, exitCode, code) in table {
            try await ScriptedServer.with(http: { _ in reply }) { server in
                let run = try Run()
                #expect(try await run(["list", "thing", "--server", server.url]) == exitCode, "\(reply)")
                #expect(run.lines.summary == ["error \(code)"])
                #expect(run.messages.lines.count == 1)
                if code == "invalid_field" { #expect(run.lines.json.first?["field"] == "name") }
            }
        }
    }

    @Test("a redirect is not followed: the token goes to no other place")
    func redirect() async throws {
        try await ScriptedServer.with { elsewhere in
            let reply = ScriptedServer.Reply(status: .found, headers: [("Location", "\(elsewhere.url)/api/things")])
            try await ScriptedServer.with(http: { _ in reply }) { server in
                let run = try Run()
                #expect(
                    try await run(["list", "thing", "--server", server.url], environment: Self.token) == .failed)
                #expect(run.lines.summary == ["error invalid_answer"])
            }
            #expect(elsewhere.requests.isEmpty)
        }
    }

    // MARK: Login and logout

    private static let loggedIn = ScriptedServer.Reply(
        body: #"{"token":"h.eyJleHAiOjE3OTUzNzA3MDF9.s","user":{"_id":1,"email":"a@b","name":"A","role":"user"}}"#)

    @Test("a login saves its token and shows everything but that; a logout ends and forgets it")
    func loginAndLogout() async throws {
        try await withTemporaryDirectory { directory in
            let environment = ["XDG_STATE_HOME": directory]
            try await ScriptedServer.with(http: { request in
                request.uri == "/auth/local" ? Self.loggedIn : ScriptedServer.Reply(body: #"{"data":"signed out"}"#)
            }) { server in
                let login = try Run(input: "pass word\r\nnot this\n")
                #expect(
                    try await login(
                        ["login", "--email", "a@b", "--password-stdin", "--server", server.url],
                        environment: environment)
                        == .done)
                #expect(
                    login.lines.json == [
                        [
                            "kind": "login", "user": ["_id": 1, "email": "a@b", "name": "A", "role": "user"],
                            "expiresAt": "2026-11-22T18:05:01.000Z", "server": .string(server.url),
                            "profile": "default",
                        ]
                    ])
                #expect(server.requests.first?.body == #"{"email":"a@b","password":"pass word"}"#)
                #expect(server.requests.first?.headers.contains(name: "Authorization") == false)
                let store = TokenStore(directory: "\(directory)/rolecall", profile: .default)
                let origin = try ServerOrigin(parsing: server.url)
                #expect(try store.token(for: origin)?.secret == "h.eyJleHAiOjE3OTUzNzA3MDF9.s")

                let elsewhere = try Run()
                #expect(
                    try await elsewhere(["logout", "--server", "http://127.0.0.1:1"], environment: environment) == .done
                )
                let logout = try Run()
                #expect(try await logout(["logout", "--server", server.url], environment: environment) == .done)
                #expect(logout.lines.json.first?["revoked"] == true)
                #expect(server.requests.last?.uri == "/auth/logout")
                #expect(server.requests.last?.headers["Authorization"] == ["Bearer h.eyJleHAiOjE3OTUzNzA3MDF9.s"])
                #expect(try store.token(for: origin) == nil)
            }
        }
    }

    @Test("a logout forgets the token also where the server can't be told, and says so")
    func logoutWithoutServer() async throws {
        try await withTemporaryDirectory { directory in
            let store = TokenStore(directory: "\(directory)/rolecall", profile: .default)
            let token = try #require(Token("a.b.c"))
            let port = try await ScriptedServer.with { $0.port }
            let url = "http://127.0.0.1:\(port)"
            let origin = try ServerOrigin(parsing: url)
            try await store.save(token, for: origin)
            var run = try Run()
            #expect(
                try await run(["logout", "--server", url], environment: ["XDG_STATE_HOME": directory]) == .cannotConnect
            )
            #expect(try store.token(for: origin) == nil)
            #expect(run.messages.lines.first?.contains("The saved token was deleted") == true)

            for (reply, exitCode) in [
                (Self.refusal(.unauthorized, .tokenExpired), ExitCode.done),
                (Self.refusal(.serviceUnavailable, .unavailable), .failed),
            ] {
                try await ScriptedServer.with(http: { _ in reply }) { server in
                    let origin = try ServerOrigin(parsing: server.url)
                    try await store.save(token, for: origin)
                    run = try Run()
                    let arguments = ["logout", "--server", server.url]
                    #expect(try await run(arguments, environment: ["XDG_STATE_HOME": directory]) == exitCode)
                    #expect(try store.token(for: origin) == nil)
                }
            }
        }
    }

    @Test("a login that fails says why and saves nothing")
    func failedLogin() async throws {
        let tooMany = ErrorCode(rawValue: "too_many_attempts")
        var limited = Self.refusal(.tooManyRequests, tooMany)
        limited.headers = [("Retry-After", "30")]
        let table: [(ScriptedServer.Reply, ExitCode, String)] = [
            (Self.refusal(.unauthorized, .invalidCredentials), .loginFailed, "So says the server."),
            (limited, .loginFailed, "Try again in 30 s."),
            (Self.refusal(.serviceUnavailable, .unavailable), .failed, "So says the server."),
            (ScriptedServer.Reply(body: #"{"token":"a b"}"#), .failed, "holds no token"),
        ]
        try await withTemporaryDirectory { directory in
            for (reply, exitCode, sentence) in table {
                try await ScriptedServer.with(http: { _ in reply }) { server in
                    let run = try Run(input: "x\n")
                    let arguments = ["login", "--email", "a@b", "--password-stdin", "--server", server.url]
                    #expect(try await run(arguments, environment: ["XDG_STATE_HOME": directory]) == exitCode)
                    #expect(run.messages.lines.first?.contains(sentence) == true, "\(run.messages.lines)")
                    #expect(names(in: "\(directory)/rolecall") == [])
                }
            }
        }
    }

    @Test("the environment's token wins, and saved ones are left alone by its logout")
    func environmentToken() async throws {
        try await withTemporaryDirectory { directory in
            try await ScriptedServer.with(http: { _ in ScriptedServer.Reply() }) { server in
                let origin = try ServerOrigin(parsing: server.url)
                let store = TokenStore(directory: "\(directory)/rolecall", profile: .default)
                try await store.save(#require(Token("a.b.c")), for: origin)
                let run = try Run()
                let environment = ["XDG_STATE_HOME": directory, "ROLECALL_TOKEN": "from.the.environment"]
                #expect(try await run(["logout", "--server", server.url], environment: environment) == .done)
                #expect(server.requests.first?.headers["Authorization"] == ["Bearer from.the.environment"])
                #expect(try store.token(for: origin)?.secret == "a.b.c")
            }
        }
    }
}
