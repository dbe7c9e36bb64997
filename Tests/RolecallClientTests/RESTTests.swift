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

    /// What the server says of its models.
    static let models = ScriptedServer.Reply(
        body: #"""
            [{"name":"thing","path":"things","key":{"columns":["_id"]},"fields":[
            {"name":"_id","kind":"any","required":false,"nullable":false,"writable":false},
            {"name":"name","kind":"text","required":true,"nullable":false,"writable":true},
            {"name":"note","kind":"text","required":false,"nullable":true,"writable":true},
            {"name":"active","kind":"boolean","required":false,"nullable":false,"writable":true},
            {"name":"total","kind":"real","required":false,"nullable":true,"writable":true},
            {"name":"photo","kind":"blob","required":false,"nullable":true,"writable":true}],
            "create":true,"update":true,"remove":true},
            {"name":"line","path":"order-lines","key":{"columns":["order_id","item"]},"fields":[
            {"name":"_id","kind":"text","required":false,"nullable":false,"writable":false},
            {"name":"order_id","kind":"integer","required":true,"nullable":false,"writable":true},
            {"name":"item","kind":"text","required":true,"nullable":false,"writable":true}],
            "create":true,"update":true,"remove":true}]
            """#)

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
                [
                    "create", "thing", "name=5", "note=null", "active=1", "total=5", "photo=00ff", "other=5", "more=x",
                ], .POST, "/api/things",
                #"{"name":"5","note":null,"active":true,"total":5,"photo":{"$blob":"00ff"},"other":5,"more":"x"}"#,
                .created, #"{"_id":1}"#, ["kind": "row", "model": "thing", "row": ["_id": 1], "position": "P"]
            ),
            (
                ["create", "thing", "name=null", "note=\"null\"", "total=x", "photo=null"], .POST, "/api/things",
                #"{"name":"null","note":"null","total":"x","photo":null}"#,
                .created, #"{"_id":1}"#, ["kind": "row", "model": "thing", "row": ["_id": 1], "position": "P"]
            ),
            (
                ["list", "thing", "name=5", "photo=00ff"], .GET, "/api/things?name=5&photo=00ff", "", .ok,
                #"[{"_id":8}]"#, ["kind": "row", "model": "thing", "row": ["_id": 8], "position": "P"]
            ),
            (
                ["remove", "line", "7,5"], .DELETE, "/api/order-lines/7%2C5", "", .noContent, "",
                ["kind": "removed", "model": "line", "_id": "[7,\"5\"]"]
            ),
            (
                ["remove", "line", "[7,\"5\"]"], .DELETE, "/api/order-lines/%5B7%2C%225%22%5D", "", .noContent, "",
                ["kind": "removed", "model": "line", "_id": "[7,\"5\"]"]
            ),
            (
                ["get", "thing", "ä"], .GET, "/api/things/%C3%A4", "", .ok, #"{"_id":"ä"}"#,
                ["kind": "row", "model": "thing", "row": ["_id": "ä"], "position": "P"]
            ),
        ]
        for (arguments, method, uri, body, status, answer, line) in table {
            let reply = ScriptedServer.Reply(status: status, headers: [("X-Rolecall-Position", "P")], body: answer)
            try await ScriptedServer.with(http: { $0.uri == "/api/models" ? Self.models : reply }) { server in
                let run = try Run()
                #expect(try await run(arguments + ["--server", server.url], environment: Self.token) == .done)
                #expect(run.lines.json == [line])
                let request = try #require(server.requests.last)
                #expect(server.requests.map(\.uri) == ["/api/models", request.uri])
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
        let empty = ScriptedServer.Reply(body: "[]")
        try await ScriptedServer.with(http: { $0.uri == "/api/models" ? Self.models : empty }) { server in
            let run = try Run()
            #expect(try await run(["list", "thing", "--server", server.url]) == .done)
            #expect(run.lines.lines == [])
            #expect(!server.requests.contains { $0.headers.contains(name: "Authorization") })
        }
    }

    @Test("a model that the server does not tell of is named beside those there are, and nothing is asked of it")
    func unknownModel() async throws {
        try await ScriptedServer.with(http: { _ in Self.models }) { server in
            for verb in [
                ["list", "thng"], ["get", "thng", "1"], ["remove", "thng", "1"], ["create", "thng", "a=1"],
            ] {
                let run = try Run()
                #expect(try await run(verb + ["--server", server.url], environment: Self.token) == .failed)
                #expect(
                    run.lines.json == [
                        [
                            "kind": "error", "error": "unknown_model",
                            "message":
                                "There is no model thng for this user. Is thing meant? There are thing, line.",
                        ]
                    ])
            }
            #expect(Set(server.requests.map(\.uri)) == ["/api/models"])
        }
        // Who is shown no model at all is told what to do.
        try await ScriptedServer.with(http: { _ in ScriptedServer.Reply(body: "[]") }) { server in
            let nobody = try Run()
            #expect(try await nobody(["list", "thing", "--server", server.url]) == .loginFailed)
            let somebody = try Run()
            #expect(
                try await somebody(["list", "thing", "--server", server.url], environment: Self.token) == .denied)
        }
    }

    // MARK: Explanations

    static let explanation = #"""
        {"position":"000000000abc-000000000000001f","model":"order","op":"updated","_id":7,"at":\#
        "2026-11-22T13:42:36.123Z","by":{"_id":1,"name":"Root"},"user":null,"role":"guest","outcome":"hidden",\#
        "changed":[],"sentence":"So it is.","before":{"visible":true,"rules":[{"number":1,"asks":"nothing",\#
        "granted":true,"reasons":[]}],"withheld":[{"field":"cost","role":"manager","sentence":"cost is for manager."}]},\#
        "after":{"visible":false,"rules":[{"number":1,"asks":"open is true","granted":false,"reasons":[{"reason":"value",\#
        "sentence":"open is\u001b[2J false.","column":"open","asked":true,"found":false}]}],"withheld":[]}}
        """#

    @Test("an explanation is shown as it came, or in lines for people")
    func explain() async throws {
        let position = "000000000abc-000000000000001f"
        let reply = ScriptedServer.Reply(body: Self.explanation)
        try await ScriptedServer.with(http: { _ in reply }) { server in
            let run = try Run()
            let arguments = ["explain", position, "--user", "a b@c", "--server", server.url]
            #expect(try await run(arguments, environment: Self.token) == .done)
            #expect(server.requests.first?.uri == "/api/events/\(position)/explain?user=a%20b%40c")
            var expected: JSONObject = ["kind": "explanation"]
            for (name, value) in try JSON(parsing: Self.explanation).objectValue ?? [:] { expected[name] = value }
            #expect(run.lines.json == [.object(expected)])
            let people = try Run()
            #expect(try await people(arguments + ["--format", "line"], environment: Self.token) == .done)
            #expect(
                people.lines.lines == [
                    "So it is.", "order 7 was updated by Root (1) at 2026-11-22T13:42:36.123Z", "Before: in sight",
                    " ✓ rule 1: nothing", " kept back:", "    cost is for manager.", "After: out of sight",
                    " ✗ rule 1: open is true", "    open is⟨1b⟩[2J false.",
                ])
        }
        let refusals: [(ScriptedServer.Reply, ExitCode)] = [
            (Self.refusal(.forbidden, .forbidden), .denied),
            (Self.refusal(.unauthorized, .unauthenticated), .loginFailed),
            (Self.refusal(.notFound, .notFound, field: "user"), .failed), (Self.refusal(.gone, .gap), .failed),
            (ScriptedServer.Reply(body: "{}"), .failed),
        ]
        for (reply, exitCode) in refusals {
            try await ScriptedServer.with(http: { _ in reply }) { server in
                let run = try Run()
                let arguments = ["explain", position, "--user", "guest", "--server", server.url]
                #expect(try await run(arguments) == exitCode)
            }
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
