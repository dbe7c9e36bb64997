import Foundation
import Testing
import WireJSON

extension EndToEnd {
    @Suite("Signing in over HTTP", .stage())
    struct SigningInTests {
        let stage: Stage

        init() throws { stage = try Stage.current }

        @Test("a sign-in answers the token and the user, and sets the cookie for this site's pages only")
        func signIn() async throws {
            let answer = try await post(["email": "admin@example.com", "password": "admin"])
            #expect(answer.status == 200)
            #expect(answer.header("content-type")?.hasPrefix("application/json") == true)
            let token = try #require(answer.json["token"]?.stringValue)
            #expect(token.split(separator: ".").count == 3)
            let user = try #require(answer.json["user"]?.objectValue)
            #expect(user["email"] == "admin@example.com")
            #expect(user["role"] == "admin")
            #expect(user["_id"]?.integerValue != nil)
            #expect(user["password"] == nil)
            let cookie = try #require(answer.header("set-cookie"))
            let parts = cookie.split(separator: ";").map { $0.trimmingCharacters(in: .whitespaces) }
            #expect(parts.first == "token=" + token)
            #expect(parts.contains("HttpOnly"))
            #expect(parts.contains("SameSite=Lax"))
            #expect(parts.contains("Path=/"))
            #expect(!parts.contains("Secure"), "It is plain HTTP.")
            #expect(!parts.contains { $0.lowercased().hasPrefix("domain") })

            let socket = try await stage.peers.connect(stage.server, cookie: token)
            #expect(try await socket.identity().identity["user"] == answer.json["user"])
        }

        @Test("an unknown address and a wrong password are answered alike")
        func alike() async throws {
            let wrong = try await post(["email": "admin@example.com", "password": "wrong"])
            let unknown = try await post(["email": "who@example.com", "password": "admin"])
            #expect(wrong.status == 401)
            #expect(wrong.error == "invalid_credentials")
            #expect(unknown.status == 401)
            #expect(wrong.body == unknown.body)
            #expect(wrong.header("set-cookie") == nil)
            let varying: Set = ["date"]
            #expect(
                wrong.headers.filter { !varying.contains($0.name) }.map { "\($0)" }
                    == unknown.headers.filter { !varying.contains($0.name) }.map { "\($0)" })
        }

        @Test("an unknown address takes the time of a wrong password")
        func equalTime() async throws {
            func fastest(_ email: String) async throws -> Double {
                var best = Double.infinity
                for _ in 1...3 {
                    let start = Shell.now
                    _ = try await post(["email": .string(email), "password": "wrong"])
                    best = min(best, Shell.now - start)
                }
                return best
            }
            let known = try await fastest("admin@example.com")
            let unknown = try await fastest("who@example.com")
            print("A wrong password took \(Int(known * 1000)) ms, an unknown address \(Int(unknown * 1000)) ms.")
            #expect(unknown > known / 2 && unknown < known * 2)
        }

        @Test("an address is known in any case of its letters")
        func letterCase() async throws {
            #expect(try await post(["email": "Admin@Example.COM", "password": "admin"]).status == 200)
        }

        @Test(
            "a sign-in that lacks something, or has it of the wrong kind, is refused with the field",
            arguments: [
                (["password": "admin"], "email"), (["email": "admin@example.com"], "password"),
                (["email": 5, "password": "admin"], "email"),
                (["email": "admin@example.com", "password": ["admin"]], "password"), ([], "email"), (5, "email"),
                (.null, "email"),
            ] as [(JSON, String)])
        func incomplete(_ body: JSON, _ field: String) async throws {
            let answer = try await post(body)
            #expect(answer.status == 422, "\(answer)")
            #expect(answer.json["field"]?.stringValue == field, "\(answer)")
            #expect(answer.json["message"]?.stringValue?.isEmpty == false)
        }

        @Test(
            "a body that is no JSON is refused as invalid_json", arguments: ["", "{", "email=admin", "{} {}", "\u{1}"])
        func noJSON(_ body: String) async throws {
            let answer = try await stage.peers.http(stage.server, "POST", "/auth/local", body: body)
            #expect(answer.status == 400, "\(answer)")
            #expect(answer.error == "invalid_json", "\(answer)")
        }

        @Test("me is who the token names, by header and by cookie; without a token it is 401")
        func me() async throws {
            let token = try await stage.token(.user)
            let byHeader = try await stage.peers.http(stage.server, "GET", "/api/users/me", token: token)
            let byCookie = try await stage.peers.http(stage.server, "GET", "/api/users/me", cookie: token)
            for answer in [byHeader, byCookie] {
                #expect(answer.status == 200)
                #expect(answer.json["email"] == "test@example.com")
                #expect(answer.json["role"] == "user")
                #expect(Set(answer.json.objectValue?.keys ?? []) == ["_id", "email", "name", "role"])
            }
            let none = try await stage.peers.http(stage.server, "GET", "/api/users/me")
            #expect(none.status == 401)
            #expect(none.error == "unauthenticated")
            let bad = try await stage.peers.http(stage.server, "GET", "/api/users/me", token: "bad")
            #expect(bad.status == 401)
            #expect(bad.error == "token_invalid")
        }

        @Test("over HTTP too the header goes before the cookie, good or bad")
        func precedence() async throws {
            let (admin, user) = (try await stage.token(.admin), try await stage.token(.user))
            let both = try await stage.peers.http(stage.server, "GET", "/api/users/me", token: user, cookie: admin)
            #expect(both.json["email"] == "test@example.com")
            let bad = try await stage.peers.http(stage.server, "GET", "/api/users/me", token: "bad", cookie: admin)
            #expect(bad.status == 401)
        }

        @Test("a sign-out ends the session: its sockets are nobody's by signed_out, its token is void, the cookie gone")
        func signOut() async throws {
            let (server, peers) = (stage.server, stage.peers)
            let token = try await peers.signIn(server, .admin)
            let other = try await peers.signIn(server, .admin)
            let sockets = [
                try await peers.connect(server, cookie: token),
                try await peers.connect(server, auth: ["token": .string(token)]),
            ]
            let stays = try await peers.connect(server, auth: ["token": .string(other)])
            for socket in sockets + [stays] { try await socket.identity() }

            let answer = try await peers.http(server, "POST", "/auth/logout", token: token)
            #expect(answer.status == 200)
            let cookie = try #require(answer.header("set-cookie"))
            #expect(cookie.hasPrefix("token=;"))
            #expect(cookie.contains("Max-Age=0") || cookie.contains("1970"))
            #expect(cookie.contains("Path=/"))
            for socket in sockets {
                let told = try await socket.identity("signed_out", within: .seconds(2))
                #expect(told.identity["user"] == .null)
                #expect(try await socket.isConnected())
            }
            let row = stage.row("row")
            try await stage.write(row, adminOnly: true)
            try await stays.thing(row)
            for socket in sockets {
                #expect(try await socket.call("login", .string(token))["error"] == "token_revoked")
                try await stage.barrier(anonymous: socket)
                #expect(!socket.things().contains(row))
            }
            #expect(stays.heard.filter { $0.identity != nil }.count == 1, "Another session of this user is another.")
            for (method, path) in [("GET", "/api/users/me"), ("POST", "/auth/logout"), ("GET", "/api/things")] {
                let again = try await peers.http(server, method, path, token: token)
                #expect(again.status == 401)
                #expect(again.error == "token_revoked")
            }
            #expect(try await peers.http(server, "POST", "/auth/logout").status == 401)
        }

        @Test("an unsafe request that relies on the cookie needs an Origin of this server; one with a header does not")
        func origin() async throws {
            let (server, peers) = (stage.server, stage.peers)
            let token = try await stage.token(.user)
            for origin in [
                nil, "https://evil.example", "null", "http://127.0.0.1:1", "http://localhost:\(server.port)",
            ] {
                let answer = try await peers.http(
                    server, "POST", "/api/things", json: ["name": "by a stranger's page"], cookie: token,
                    origin: origin)
                #expect(answer.status == 403, "\(origin ?? "no origin")")
                #expect(answer.error == "origin_refused", "\(origin ?? "no origin")")
            }
            let own = try await peers.http(
                server, "POST", "/api/things", json: ["name": "by our own page"], cookie: token, origin: server.url)
            #expect(own.status == 201)
            let byHeader = try await peers.http(
                server, "POST", "/api/things", json: ["name": "by a program"], token: token)
            #expect(byHeader.status == 201)
            let reading = try await peers.http(server, "GET", "/api/things", cookie: token)
            #expect(reading.status == 200)
            let leaving = try await peers.http(server, "POST", "/auth/logout", cookie: token)
            #expect(leaving.error == "origin_refused")
            #expect(try await peers.http(server, "GET", "/api/users/me", token: token).status == 200)
        }

        @Test("a handshake with a cookie and a foreign Origin is refused with 403, one of our own or without is not")
        func handshakeOrigin() async throws {
            let (server, peers) = (stage.server, stage.peers)
            let token = try await stage.token(.admin)
            for origin in ["https://evil.example", "http://127.0.0.1:1", "null"] {
                let error = await #expect(throws: PeerError.self) {
                    _ = try await peers.webSocket(
                        server, headers: ["Cookie": .string("token=" + token)], origin: origin)
                }
                #expect(error?.sentence.contains("403") == true, "\(origin): \(error.map { "\($0)" } ?? "")")
            }
            let crossSite = await #expect(throws: PeerError.self) {
                _ = try await peers.webSocket(
                    server, headers: ["Cookie": .string("token=" + token), "Sec-Fetch-Site": "cross-site"],
                    origin: server.url)
            }
            #expect(crossSite?.sentence.contains("403") == true)
            for origin in [nil, server.url] {
                let socket = try await peers.connect(server, cookie: token, origin: origin)
                #expect(try await socket.identity().identity["reason"] == "cookie")
            }
            let withoutCookie = try await peers.connect(
                server, auth: ["token": .string(token)], origin: "https://app.example")
            #expect(try await withoutCookie.identity().identity["reason"] == "auth")
        }

        private func post(_ body: JSON) async throws -> HTTPAnswer {
            try await stage.peers.http(stage.server, "POST", "/auth/local", json: body)
        }
    }

    @Suite("An allowed origin", .stage("--demo", "--allowed-origin", "https://app.example"))
    struct AllowedOriginTests {
        @Test("may use the cookie, in a handshake and in an unsafe request; others still may not")
        func allowed() async throws {
            let stage = try Stage.current
            let (server, peers) = (stage.server, stage.peers)
            let token = try await stage.token(.user)
            let socket = try await peers.connect(server, cookie: token, origin: "https://app.example")
            #expect(try await socket.identity().identity["reason"] == "cookie")
            let answer = try await peers.http(
                server, "POST", "/api/things", json: ["name": "x"], cookie: token, origin: "https://app.example")
            #expect(answer.status == 201)
            for origin in ["https://app.example.evil", "http://app.example", "https://app.example:444"] {
                let refused = try await peers.http(
                    server, "POST", "/api/things", json: ["name": "x"], cookie: token, origin: origin)
                #expect(refused.error == "origin_refused", "\(origin)")
                await #expect(throws: PeerError.self) {
                    _ = try await peers.connect(server, cookie: token, origin: origin)
                }
            }
        }
    }

    @Suite("Rows over HTTP", .stage())
    struct RowTests {
        let stage: Stage

        init() throws { stage = try Stage.current }

        @Test("a row is created, read, changed and removed by those whose role may, and each change is told live")
        func lifeOfARow() async throws {
            let (admin, user) = (try await stage.token(.admin), try await stage.token(.user))
            let witness = try await stage.connect(.user, "witness")
            let name = stage.row("row")

            let created = try await http("POST", "/api/things", ["name": .string(name)], user)
            #expect(created.status == 201)
            let id = try #require(created.json["_id"]?.integerValue)
            #expect(
                created.json
                    == [
                        "_id": .integer(id), "name": .string(name), "info": nil, "active": true, "admin_only": false,
                    ])
            let save = try await witness.thing(name)
            #expect(save.arguments[0] == created.json)
            #expect(save.arguments[1]["op"] == "created")
            #expect(save.arguments[1]["by"]?["name"] == "Test User")
            #expect(save.arguments[2].stringValue == created.position)

            let read = try await http("GET", "/api/things/\(id)", nil, user)
            #expect(read.status == 200)
            #expect(read.json == created.json)

            let patched = try await http("PATCH", "/api/things/\(id)", ["info": "leak", "active": false], user)
            #expect(patched.status == 200)
            #expect(patched.json["info"] == "leak")
            #expect(patched.json["name"]?.stringValue == name, "What is not named stays.")
            let update = try await witness.event("thing:save", from: save.index + 1)
            #expect(update.arguments[0] == patched.json)
            #expect(update.arguments[1]["op"] == "updated")
            #expect(
                Set(update.arguments[1]["changed"]?.arrayValue?.compactMap(\.stringValue) ?? []) == ["info", "active"])

            let put = try await http("PUT", "/api/things/\(id)", ["name": .string(name + " again")], user)
            #expect(put.status == 200)
            #expect(put.json["name"]?.stringValue == name + " again")
            #expect(put.json["info"] == .null, "PUT replaces the row.")

            let refused = try await http("DELETE", "/api/things/\(id)", nil, user)
            #expect(refused.status == 403)
            #expect(refused.error == "forbidden")
            let removed = try await http("DELETE", "/api/things/\(id)", nil, admin)
            #expect((200...204).contains(removed.status))
            let gone = try await witness.event("thing:remove")
            #expect(gone.arguments[0] == ["_id": .integer(id)])
            #expect(gone.arguments[1]["op"] == "removed")
            #expect(gone.arguments[1]["by"]?["name"] == "Admin")
            for method in ["GET", "DELETE"] {
                #expect(try await http(method, "/api/things/\(id)", nil, admin).status == 404)
            }
            #expect(try await http("PATCH", "/api/things/\(id)", ["info": "x"], admin).status == 404)
        }

        @Test("without a token every route of rows answers 401")
        func nobody() async throws {
            let requests: [(String, String, JSON?)] = [
                ("GET", "/api/things", nil), ("POST", "/api/things", ["name": "x"]), ("GET", "/api/things/1", nil),
                ("PATCH", "/api/things/1", ["name": "x"]), ("PUT", "/api/things/1", ["name": "x"]),
                ("DELETE", "/api/things/1", nil), ("GET", "/api/messages", nil), ("GET", "/api/users", nil),
            ]
            for (method, path, body) in requests {
                let answer = try await http(method, path, body, nil)
                #expect(answer.status == 401, "\(method) \(path): \(answer)")
                #expect(answer.error == "unauthenticated", "\(method) \(path): \(answer)")
            }
        }

        @Test("a row for admins does not exist for a user: 404 on every route, and nothing of it is told")
        func hidden() async throws {
            let (admin, user) = (try await stage.token(.admin), try await stage.token(.user))
            let witness = try await stage.connect(.user, "witness")
            let name = stage.row("secret")
            let created = try await http("POST", "/api/things", ["name": .string(name), "admin_only": true], admin)
            #expect(created.status == 201)
            let id = try #require(created.json["_id"]?.integerValue)
            for (method, body) in [("GET", nil), ("PATCH", ["info": "x"]), ("PUT", ["name": "x"])] as [(String, JSON?)]
            {
                let answer = try await http(method, "/api/things/\(id)", body, user)
                let never = try await http(method, "/api/things/987654321", body, user)
                #expect(answer.status == 404, "\(method): \(answer)")
                #expect(answer.body == never.body, "It is not even known that it exists.")
            }
            let removal = try await http("DELETE", "/api/things/\(id)", nil, user)
            let neverRemoval = try await http("DELETE", "/api/things/987654321", nil, user)
            #expect(removal.status == neverRemoval.status, "It is not even known that it exists.")
            #expect(removal.body == neverRemoval.body)
            let list = try await http("GET", "/api/things?limit=1000", nil, user)
            #expect(!list.body.contains(name))
            let filtered = try await http("GET", "/api/things?admin_only=true", nil, user)
            #expect(filtered.json == [])
            #expect(try await http("GET", "/api/things/\(id)", nil, admin).status == 200)
            try await stage.barrier(witness)
            #expect(witness.heard.allSatisfy { !$0.description.contains(name) })

            // It comes to light when it is no longer for admins, and goes when it is again.
            let before = witness.count
            #expect(try await http("PATCH", "/api/things/\(id)", ["admin_only": false], admin).status == 200)
            let shown = try await witness.thing(name, from: before)
            #expect(try await http("PATCH", "/api/things/\(id)", ["admin_only": true], admin).status == 200)
            let gone = try await witness.event("thing:remove", from: shown.index)
            #expect(gone.arguments[0] == ["_id": .integer(id)])
            #expect(gone.arguments[1]["op"] == "hidden")
        }

        @Test("a user may not make a row for admins, nor turn one into it")
        func notForUsers() async throws {
            let user = try await stage.token(.user)
            let create = try await http("POST", "/api/things", ["name": "x", "admin_only": true], user)
            #expect(create.status == 403)
            #expect(create.error == "forbidden")
            let row = try await http("POST", "/api/things", ["name": "x"], user)
            let id = try #require(row.json["_id"]?.integerValue)
            let turn = try await http("PATCH", "/api/things/\(id)", ["admin_only": true], user)
            #expect(turn.status == 403)
            #expect(try await http("GET", "/api/things/\(id)", nil, user).json == row.json)
        }

        @Test("a row that exists already, or is none, is refused with its field")
        func invalid() async throws {
            let user = try await stage.token(.user)
            let row = try await http("POST", "/api/things", ["name": "x"], user)
            let id = try #require(row.json["_id"])
            let double = try await http("POST", "/api/things", ["_id": id, "name": "double"], user)
            #expect([409, 422].contains(double.status), "\(double)")
            for (body, field) in [
                ([:], "name"), (["name": .null], "name"), (["name": 5], "name"),
                (["name": "x", "active": "maybe"], "active"),
                (["name": "x", "colour": "red"], "colour"), (["name": ["x"]], "name"),
            ] as [(JSON, String)] {
                let answer = try await http("POST", "/api/things", body, user)
                #expect(answer.status == 422, "\(body): \(answer)")
                #expect(answer.json["field"]?.stringValue == field, "\(body): \(answer)")
            }
            for body: JSON in [[], 5, .null, "x"] {
                let answer = try await http("POST", "/api/things", body, user)
                #expect([400, 422].contains(answer.status), "\(body): \(answer)")
                #expect(answer.error != nil)
            }
            #expect(try await http("GET", "/api/things/\(id)", nil, user).json == row.json)
        }

        @Test(
            "a body that is no JSON is 400 invalid_json, one that is too large 413",
            arguments: ["POST", "PATCH", "PUT"])
        func badBodies(_ method: String) async throws {
            let user = try await stage.token(.user)
            let path = method == "POST" ? "/api/things" : "/api/things/1"
            for body in ["", "{", "{\"name\": \"x\",}", "nothing"] {
                let answer = try await stage.peers.http(stage.server, method, path, body: body, token: user)
                #expect(answer.status == 400, "\(body): \(answer)")
                #expect(answer.error == "invalid_json", "\(body): \(answer)")
            }
            let deep = String(repeating: "[", count: 100_000) + String(repeating: "]", count: 100_000)
            let answer = try await stage.peers.http(stage.server, method, path, body: deep, token: user)
            #expect(answer.status == 400)
            let large = "{\"name\":\"\(String(repeating: "x", count: 1_100_000))\"}"
            let refused = try await stage.peers.http(stage.server, method, path, body: large, token: user)
            #expect(refused.status == 413, "\(refused)")
            #expect(refused.error == "payload_too_large")
            #expect(try await stage.peers.http(stage.server, "GET", "/healthz").json == ["status": "ok"])
        }

        @Test("lists take limit, after and field=value, and refuse what they do not know")
        func lists() async throws {
            let user = try await stage.token(.user)
            let info = stage.row("info")
            var ids: [JSON] = []
            for number in 1...5 {
                let row = try await http(
                    "POST", "/api/things",
                    ["name": "list \(number)", "info": .string(info), "active": number % 2 == 0 ? true : false], user)
                ids.append(try #require(row.json["_id"]))
            }
            let encoded = info.replacing(" ", with: "%20")
            let all = try await http("GET", "/api/things?info=\(encoded)", nil, user)
            #expect(all.status == 200)
            #expect(all.json.arrayValue?.compactMap { $0["_id"] } == ids)
            #expect(all.position?.wholeMatch(of: /[0-9a-f]{12}-[0-9a-f]{16}/) != nil)
            let two = try await http("GET", "/api/things?info=\(encoded)&limit=2", nil, user)
            #expect(two.json.arrayValue?.compactMap { $0["_id"] } == Array(ids[..<2]))
            let next = try await http("GET", "/api/things?info=\(encoded)&limit=2&after=\(ids[1])", nil, user)
            #expect(next.json.arrayValue?.compactMap { $0["_id"] } == Array(ids[2..<4]))
            let inactive = try await http("GET", "/api/things?info=\(encoded)&active=false", nil, user)
            #expect(inactive.json.arrayValue?.count == 3)
            for query in ["limit=0", "limit=-1", "limit=x", "limit=99999999999999999999", "colour=red", "after=x'--"] {
                let answer = try await http("GET", "/api/things?\(query)", nil, user)
                #expect([400, 422].contains(answer.status), "\(query): \(answer)")
                #expect(answer.error != nil, "\(query): \(answer)")
            }
        }

        @Test(
            "messages are written by users as themselves, removed by their author or an admin, and rewritten by nobody")
        func messages() async throws {
            let (admin, user) = (try await stage.token(.admin), try await stage.token(.user))
            let said = try await http("POST", "/api/messages", ["body": "said over HTTP"], user)
            #expect(said.status == 201)
            #expect(said.json["name"] == "Test User")
            let id = try #require(said.json["_id"])
            #expect(try await http("PATCH", "/api/messages/\(id)", ["body": "rewritten"], admin).status == 403)
            let byAdmin = try await http("POST", "/api/messages", ["body": "of the admin"], admin)
            let other = try #require(byAdmin.json["_id"])
            #expect(try await http("DELETE", "/api/messages/\(other)", nil, user).status == 403)
            #expect((200...204).contains(try await http("DELETE", "/api/messages/\(id)", nil, user).status))
            #expect((200...204).contains(try await http("DELETE", "/api/messages/\(other)", nil, admin).status))
        }

        @Test("of users a user sees names only, an admin all but what is secret")
        func users() async throws {
            let (admin, user) = (try await stage.token(.admin), try await stage.token(.user))
            let seenByUser = try await http("GET", "/api/users", nil, user)
            #expect(!seenByUser.body.contains("@example.com"))
            #expect(!seenByUser.body.contains("scrypt"))
            let seenByAdmin = try await http("GET", "/api/users", nil, admin)
            #expect(seenByAdmin.status == 200)
            #expect(seenByAdmin.json.arrayValue?.contains { $0["email"] == "admin@example.com" } == true)
            for secret in ["password", "generation", "scrypt"] {
                #expect(!seenByAdmin.body.contains(secret))
                #expect(!seenByUser.body.contains(secret))
            }
            for query in ["password=x", "generation=0", "email=admin@example.com", "role=admin"] {
                let answer = try await http("GET", "/api/users?\(query)", nil, user)
                #expect(answer.json.arrayValue?.isEmpty != false, "What is not seen is no oracle: \(query): \(answer)")
            }
        }

        @Test("an address or a method that is not there is refused with a code")
        func unknownRoutes() async throws {
            let admin = try await stage.token(.admin)
            for path in ["/", "/nope", "/api", "/api/nopes", "/api/things/1/2", "/api/things/x", "/auth", "/auth/nope"]
            {
                let answer = try await http("GET", path, nil, admin)
                #expect(answer.status == 404, "\(path): \(answer)")
                #expect(answer.error == "not_found", "\(path): \(answer)")
                #expect(answer.json["message"]?.stringValue?.isEmpty == false, "\(path): \(answer)")
            }
            for (method, path) in [("GET", "/auth/local"), ("PUT", "/api/things"), ("DELETE", "/healthz")] {
                let answer = try await http(method, path, nil, admin)
                #expect([404, 405].contains(answer.status), "\(method) \(path): \(answer)")
                #expect(answer.error != nil, "\(method) \(path): \(answer)")
            }
            let health = try await http("GET", "/healthz", nil, nil)
            #expect(health.status == 200)
            #expect(health.json == ["status": "ok"])
        }

        private func http(_ method: String, _ path: String, _ json: JSON?, _ token: String?) async throws -> HTTPAnswer
        {
            try await stage.peers.http(stage.server, method, path, json: json, token: token)
        }
    }
}
