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
            func time(_ email: String) async throws -> Double {
                let start = Shell.now
                _ = try await post(["email": .string(email), "password": "wrong"])
                return Shell.now - start
            }
            // In turn, so that a busy machine holds up both alike; the fastest of each says what it costs.
            var (known, unknown) = (Double.infinity, Double.infinity)
            for _ in 1...4 {
                known = min(known, try await time("admin@example.com"))
                unknown = min(unknown, try await time("who@example.com"))
            }
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
                let told = try await socket.identity("signed_out")
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
                    server, headers: ["Cookie": .string("token=" + token), "Sec-Fetch-Site": "cross-site"])
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
}
