import Foundation
import Testing
import WireJSON

extension EndToEnd {
    @Suite("Accounts over HTTP", .stage())
    struct AccountTests {
        let stage: Stage

        init() throws { stage = try Stage.current }

        private func http(
            _ method: String, _ path: String, _ json: JSON? = nil, _ token: String? = nil
        ) async throws -> HTTPAnswer {
            try await stage.peers.http(stage.server, method, path, json: json, token: token)
        }

        /// An account made over HTTP by the admin.
        private func make(_ role: String = "user") async throws -> (account: Account, id: Int64) {
            let email = stage.row("made").replacing(" ", with: "-") + "@example.org"
            let answer = try await http(
                "POST", "/api/users",
                ["email": .string(email), "name": "Made", "role": .string(role), "password": "correct horse"],
                try await stage.token(.admin))
            return (
                Account(email: email, password: "correct horse"), try #require(answer.json["_id"]?.integerValue)
            )
        }

        @Test("an admin makes an account, which can sign in; the answer and the event hold nothing secret")
        func create() async throws {
            let admin = try await stage.token(.admin)
            let (adminSocket, userSocket) = (
                try await stage.connect(.admin, "admin"), try await stage.connect(.user, "user")
            )
            let email = stage.row("new").replacing(" ", with: "-") + "@example.org"
            let answer = try await http(
                "POST", "/api/users", ["email": .string(email), "password": "correct horse"], admin)
            #expect(answer.status == 201, "\(answer)")
            #expect(answer.position != nil)
            #expect(Set(answer.json.objectValue?.keys ?? []) == ["_id", "email", "name", "role"])
            #expect(answer.json["role"] == "user")
            #expect(answer.json["name"]?.stringValue == String(email.prefix { $0 != "@" }))
            let id = try #require(answer.json["_id"])
            let toAdmin = try await adminSocket.event("user:save") { $0.first?["_id"] == id }
            #expect(toAdmin.arguments.first == answer.json)
            #expect(toAdmin.arguments[1]["by"]?["name"] == "Admin")
            let toUser = try await userSocket.event("user:save") { $0.first?["_id"] == id }
            #expect(Set(toUser.arguments.first?.objectValue?.keys ?? []) == ["_id", "name"])
            let token = try await stage.peers.signIn(
                stage.server, Account(email: email, password: "correct horse"))
            #expect(try await http("GET", "/api/users/me", nil, token).json == answer.json)

            let twice = try await http(
                "POST", "/api/users", ["email": .string(email.uppercased()), "password": "x"], admin)
            #expect(twice.status == 409)
            #expect(twice.error == "conflict")
            #expect(twice.json["field"] == "email")
        }

        @Test(
            "what an account can't be is refused with the field",
            arguments: [
                (["password": "x"], "email"), (["email": "a b@example.org", "password": "x"], "email"),
                (["email": "nobody", "password": "x"], "email"), (["email": 5, "password": "x"], "email"),
                (["email": "f@example.org"], "password"), (["email": "f@example.org", "password": ""], "password"),
                (["email": "f@example.org", "password": ["x"]], "password"),
                (["email": "f@example.org", "password": "x", "name": " "], "name"),
                (["email": "f@example.org", "password": "x", "name": "a\u{1b}[2J"], "name"),
                (["email": "f@example.org", "password": "x", "role": "root"], "role"),
                (["email": "f@example.org", "password": "x", "role": .null], "role"),
                (["email": "f@example.org", "password": "x", "generation": 7], "generation"),
            ] as [(JSON, String)])
        func invalid(_ body: JSON, _ field: String) async throws {
            let answer = try await http("POST", "/api/users", body, try await stage.token(.admin))
            #expect(answer.status == 422, "\(answer)")
            #expect(answer.json["field"]?.stringValue == field, "\(answer)")
        }

        @Test("401 goes before 403, 403 before 404, and 404 before 422, on every route of accounts")
        func precedence() async throws {
            let (admin, user) = (try await stage.token(.admin), try await stage.token(.user))
            let body: JSON = ["nonsense": 1]
            let routes: [(method: String, path: String, body: JSON?)] = [
                ("PATCH", "/api/users/%", body), ("PUT", "/api/users/%/password", body),
                ("PUT", "/api/users/%/role", body), ("DELETE", "/api/users/%", nil),
                ("GET", "/api/users/%/sessions", nil), ("DELETE", "/api/users/%/sessions", nil),
                ("DELETE", "/api/users/%/sessions/nonsense", nil),
            ]
            for route in routes {
                for id in ["1", "987654321", "nonsense"] {
                    let path = route.path.replacing("%", with: id)
                    let nobody = try await http(route.method, path, route.body)
                    #expect(nobody.status == 401 && nobody.error == "unauthenticated", "\(path): \(nobody)")
                    let other = try await http(route.method, path, route.body, user)
                    #expect(other.status == 403 && other.error == "forbidden", "\(path): \(other)")
                }
                for id in ["987654321", "nonsense"] {
                    let path = route.path.replacing("%", with: id)
                    let unknown = try await http(route.method, path, route.body, admin)
                    #expect(unknown.status == 404 && unknown.error == "not_found", "\(path): \(unknown)")
                }
                guard route.body != nil else { continue }
                let path = route.path.replacing("%", with: "1")
                #expect(try await http(route.method, path, route.body, admin).status == 422, "\(path)")
            }
            for (method, path) in [
                ("POST", "/api/users"), ("GET", "/api/sockets"), ("DELETE", "/api/sockets/nonsense"),
            ] {
                #expect(try await http(method, path, method == "POST" ? body : nil).status == 401)
                #expect(try await http(method, path, method == "POST" ? body : nil, user).status == 403)
            }
            #expect(try await http("DELETE", "/api/sockets/nonsense", nil, admin).status == 404)
            #expect(try await http("DELETE", "/api/users/me/sessions/nonsense", nil, user).status == 404)
        }

        @Test("everyone renames himself and nobody else; the name is told to open sockets and to who is on")
        func rename() async throws {
            let (account, id) = try await make()
            let token = try await stage.peers.signIn(stage.server, account)
            let socket = try await stage.peers.connect(stage.server, auth: ["token": .string(token)])
            try await socket.identity()
            let watcher = try await stage.connect(.user, "watcher")
            let answer = try await http("PATCH", "/api/users/me", ["name": "Ann"], token)
            #expect(answer.status == 200, "\(answer)")
            #expect(answer.json["name"] == "Ann")
            #expect(answer.json["email"]?.stringValue == account.email)
            #expect(try await socket.identity("user_changed").identity["user"] == answer.json)
            try await watcher.event("presence") {
                $0.first?["user"] == ["_id": .integer(id), "name": "Ann"] && $0.first?["state"] == "joined"
            }
            let taken = try await http("PATCH", "/api/users/me", ["email": "admin@example.com"], token)
            #expect(taken.status == 409 && taken.json["field"] == "email", "\(taken)")
            #expect(try await http("PATCH", "/api/users/me", ["role": "admin"], token).json["field"] == "role")
            let byAdmin = try await http(
                "PATCH", "/api/users/\(id)", ["name": "Anna"], try await stage.token(.admin))
            #expect(byAdmin.json["name"] == "Anna")
        }

        @Test("one's own password asks for the old one; every token made before is void, another's included")
        func ownPassword() async throws {
            let (account, id) = try await make()
            let token = try await stage.peers.signIn(stage.server, account)
            let path = "/api/users/\(id)/password"
            let missing = try await http("PUT", path, ["newPassword": "battery staple"], token)
            #expect(missing.status == 422 && missing.json["field"] == "oldPassword", "\(missing)")
            let wrong = try await http("PUT", path, ["oldPassword": "x", "newPassword": "battery staple"], token)
            #expect(wrong.status == 422 && wrong.json["field"] == "oldPassword", "\(wrong)")
            #expect(!wrong.body.contains("scrypt"))
            let right = try await http(
                "PUT", path, ["oldPassword": .string(account.password), "newPassword": "battery staple"], token)
            #expect(right.status == 200, "\(right)")
            #expect(right.json == ["data": "password changed"])
            #expect(try await http("GET", "/api/users/me", nil, token).error == "token_revoked")
            let next = try await stage.peers.signIn(
                stage.server, Account(email: account.email, password: "battery staple"))
            let sessions = try await http("GET", "/api/users/me/sessions", nil, next)
            #expect(sessions.json.arrayValue?.count == 1, "Those with void tokens are over: \(sessions)")
        }

        @Test("the last admin can be neither demoted nor removed: 409 with a sentence, and nothing changes")
        func lastAdmin() async throws {
            let admin = try await stage.token(.admin)
            let demotion = try await http("PUT", "/api/users/me/role", ["role": "user"], admin)
            let removal = try await http("DELETE", "/api/users/me", nil, admin)
            for answer in [demotion, removal] {
                #expect(answer.status == 409, "\(answer)")
                #expect(answer.error == "conflict")
                #expect(answer.json["message"]?.stringValue?.contains("last admin") == true)
            }
            #expect(try await http("GET", "/api/users/me", nil, admin).json["role"] == "admin")
            let (_, id) = try await make("admin")
            #expect(try await http("PUT", "/api/users/\(id)/role", ["role": "user"], admin).json["role"] == "user")
            let removed = try await http("DELETE", "/api/users/\(id)", nil, admin)
            #expect(removed.status == 200)
            #expect(removed.json == ["_id": .integer(id)])
            #expect(try await http("GET", "/api/users/\(id)", nil, admin).status == 404)
        }

        @Test("nobody makes himself an account where sign-up is closed")
        func closed() async throws {
            let body: JSON = ["email": "stranger@example.org", "password": "x"]
            let answer = try await http("POST", "/api/users", body)
            #expect(answer.status == 401 && answer.error == "unauthenticated", "\(answer)")
        }
    }

    @Suite("Sign-up", .stage("--demo", "--sign-up"))
    struct SignUpTests {
        let stage: Stage

        init() throws { stage = try Stage.current }

        @Test("anyone makes an account and is signed in; its role is user whatever the body says")
        func signUp() async throws {
            let body: JSON = [
                "email": "stranger@example.org", "name": "Stranger", "role": "admin", "password": "correct horse",
            ]
            let foreign = try await stage.peers.http(
                stage.server, "POST", "/api/users", json: body, origin: "https://evil.example")
            #expect(foreign.status == 403 && foreign.error == "origin_refused", "\(foreign)")
            let answer = try await stage.peers.http(stage.server, "POST", "/api/users", json: body)
            #expect(answer.status == 201, "\(answer)")
            #expect(answer.json["role"] == "user")
            #expect(answer.json["name"] == "Stranger")
            let token = try #require(answer.json["token"]?.stringValue)
            #expect(answer.header("set-cookie")?.hasPrefix("token=\(token);") == true)
            let me = try await stage.peers.http(stage.server, "GET", "/api/users/me", token: token)
            #expect(me.json["role"] == "user")
            let other = try await stage.peers.http(
                stage.server, "POST", "/api/users",
                json: ["email": "second@example.org", "role": "admin", "password": "x"], token: token)
            #expect(other.status == 201 && other.json["role"] == "user", "\(other)")
            let byAdmin = try await stage.peers.http(
                stage.server, "POST", "/api/users",
                json: ["email": "third@example.org", "role": "admin", "password": "x"],
                token: try await stage.token(.admin))
            #expect(byAdmin.json["role"] == "admin" && byAdmin.json["token"] == nil, "\(byAdmin)")
        }
    }
}
