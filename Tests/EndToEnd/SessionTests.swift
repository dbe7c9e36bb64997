import Foundation
import Testing
import WireJSON

extension EndToEnd {
    @Suite("Sessions and sockets over HTTP", .stage())
    struct SessionTests {
        let stage: Stage

        init() throws { stage = try Stage.current }

        private func http(
            _ method: String, _ path: String, _ token: String, headers: JSONObject = [:]
        ) async throws -> HTTPAnswer {
            try await stage.peers.http(stage.server, method, path, token: token, headers: headers)
        }

        private func list(_ token: String, _ id: String = "me") async throws -> [JSON] {
            try #require(try await http("GET", "/api/users/\(id)/sessions", token).json.arrayValue)
        }

        @Test("a user's sign-ins are listed, the newest first, each with its sockets, and end one by one")
        func sessions() async throws {
            let account = try await stage.account()
            let (server, peers) = (stage.server, stage.peers)
            let first = try await peers.signIn(server, account)
            let second = try await peers.http(
                server, "POST", "/auth/local",
                json: ["email": .string(account.email), "password": .string(account.password)],
                headers: ["User-Agent": "a browser"])
            let newer = try #require(second.json["token"]?.stringValue)
            let socket = try await peers.connect(server, auth: ["token": .string(first)])
            let polling = try await peers.connect(server, auth: ["token": .string(first)], polls: true)
            let stays = try await peers.connect(server, auth: ["token": .string(newer)])
            for socket in [socket, polling, stays] { try await socket.identity("auth") }

            let rows = try await list(newer)
            #expect(rows.count == 2)
            #expect(rows.map { $0["current"] } == [true, false])
            #expect(rows[0]["agent"] == "a browser")
            #expect(rows.allSatisfy { $0["address"] == "127.0.0.1" })
            #expect(rows.allSatisfy { $0["expiresAt"]?.stringValue?.hasSuffix("Z") == true })
            let (socketID, pollingID, staysID) = (try await socket.id(), try await polling.id(), try await stays.id())
            #expect(rows[0]["sockets"]?.arrayValue?.map { $0["id"]?.stringValue } == [staysID])
            let sockets = rows[1]["sockets"]?.arrayValue ?? []
            #expect(Set(sockets.map { $0["id"]?.stringValue }) == [socketID, pollingID])
            #expect(Set(sockets.map { $0["transport"] }) == ["websocket", "polling"])
            #expect(
                sockets.allSatisfy { Set($0.objectValue?.keys ?? []) == ["id", "address", "transport", "connectedAt"] })
            #expect(
                try await list(try await stage.token(.admin), rowID(account)).count == 2, "An admin sees them, too.")

            let id = try #require(rows[1]["_id"]?.stringValue)
            let foreign = try await http("DELETE", "/api/users/me/sessions/\(id)", try await stage.token(.user))
            #expect(foreign.status == 404, "Another user's session is none of one's own: \(foreign)")
            let ended = try await http("DELETE", "/api/users/me/sessions/\(id)", newer)
            #expect(ended.status == 200 && ended.json == ["revoked": 1], "\(ended)")
            for socket in [socket, polling] {
                #expect(try await socket.identity("signed_out").identity["user"] == .null)
                #expect(try await socket.isConnected())
            }
            #expect(try await http("GET", "/api/users/me", first).error == "token_revoked")
            #expect(try await http("DELETE", "/api/users/me/sessions/\(id)", newer).status == 404)
            try await stage.barrier(stays)
            #expect(stays.heard.filter { $0.identity != nil }.count == 1)
            #expect(try await list(newer).count == 1)

            let everywhere = try await http("DELETE", "/api/users/me/sessions", newer)
            #expect(everywhere.json == ["revoked": 1], "\(everywhere)")
            try await stays.identity("signed_out")
            #expect(try await http("GET", "/api/users/me", newer).status == 401)
        }

        private func rowID(_ account: Account) async throws -> String {
            let list = try await http("GET", "/api/users?email=\(account.email)", try await stage.token(.admin))
            return "\(try #require(list.json[0]?["_id"]?.integerValue))"
        }

        @Test(
            "a refreshed token is of the same session, lasts longer, and outlives the one before; a cookie comes along")
        func refresh() async throws {
            let account = try await stage.account()
            let token = try await stage.peers.signIn(stage.server, account)
            let before = try await list(token)
            let answer = try await http("POST", "/auth/refresh", token)
            #expect(answer.status == 200, "\(answer)")
            #expect(answer.json["user"]?["email"]?.stringValue == account.email)
            let next = try #require(answer.json["token"]?.stringValue)
            #expect(answer.header("set-cookie")?.hasPrefix("token=\(next); Path=/; HttpOnly; SameSite=Lax") == true)
            let after = try await list(next)
            #expect(after.map { $0["_id"] } == before.map { $0["_id"] })
            #expect(after[0]["current"] == true)
            #expect((after[0]["expiresAt"]?.stringValue ?? "") > (before[0]["expiresAt"]?.stringValue ?? ""))
            #expect(after[0]["lastUsedAt"]?.stringValue != nil)
            let socket = try await stage.peers.connect(stage.server, auth: ["token": .string(token)])
            try await socket.identity("auth")
            #expect(try await socket.call("login", .string(next)) == ["data": "registered"])

            let byCookie = try await stage.peers.http(stage.server, "POST", "/auth/refresh", cookie: token)
            #expect(byCookie.status == 403 && byCookie.error == "origin_refused", "\(byCookie)")
            let own = try await stage.peers.http(
                stage.server, "POST", "/auth/refresh", cookie: token, origin: stage.server.url)
            #expect(own.status == 200)
            _ = try await http("POST", "/auth/logout", next)
            #expect(try await http("POST", "/auth/refresh", token).error == "token_revoked")
            #expect(try await stage.peers.http(stage.server, "POST", "/auth/refresh").error == "unauthenticated")
        }

        @Test("an admin sees all sockets, and kicks one: it is nobody's, stays open, and can log in again")
        func kick() async throws {
            let admin = try await stage.token(.admin)
            let account = try await stage.account()
            let token = try await stage.peers.signIn(stage.server, account)
            let nobody = try await stage.peers.connect(stage.server, "nobody")
            try await nobody.identity("anonymous")
            for polls in [false, true] {
                let socket = try await stage.peers.connect(
                    stage.server, auth: ["token": .string(token)], polls: polls)
                try await socket.identity("auth")
                let id = try #require(try await socket.id())
                let sockets = try #require(try await http("GET", "/api/sockets", admin).json.arrayValue)
                let entry = try #require(sockets.first { $0["id"]?.stringValue == id })
                #expect(entry["user"]?["email"]?.stringValue == account.email)
                #expect(entry["role"] == "user")
                #expect(entry["transport"]?.stringValue == (polls ? "polling" : "websocket"))
                #expect(entry["session"]?.stringValue?.isEmpty == false)
                #expect(entry["epoch"] == 1)
                #expect(entry["queuedBytes"]?.integerValue != nil)
                #expect(entry["address"]?.stringValue?.hasPrefix("127.0.0.1:") == true)
                let nobodyID = try await nobody.id()
                let guest = try #require(sockets.first { $0["id"]?.stringValue == nobodyID })
                #expect(guest["user"] == .null && guest["role"] == "guest" && guest["session"] == .null)

                let kicked = try await http("DELETE", "/api/sockets/\(id)", admin)
                #expect(kicked.status == 200, "\(kicked)")
                #expect(kicked.json == ["id": .string(id), "user": entry["user"] ?? .null])
                let told = try await socket.identity("kicked")
                #expect(told.identity["user"] == .null)
                let row = stage.row("after the kick")
                try await stage.write(row)
                let end = try await stage.barrier(anonymous: socket)
                #expect(socket.heard[told.index..<end].allSatisfy { $0.savedThing == nil })
                #expect(try await socket.call("login", .string(token)) == ["data": "registered"])

                let closed = try await http("DELETE", "/api/sockets/\(id)?close=1", admin)
                #expect(closed.status == 200, "\(closed)")
                _ = try await socket.transcript.first("its end") {
                    if case .disconnected = $0.kind { true } else { false }
                }
                #expect(try await http("DELETE", "/api/sockets/\(id)", admin).status == 404)
            }
            #expect(
                try await http("DELETE", "/api/sockets/session%3Ax", admin).status == 404, "A room is no socket.")
        }

        @Test("a cookie is not relied on where a page of another site asks, even to read")
        func crossSite() async throws {
            let token = try await stage.token(.user)
            for (site, status) in [("cross-site", 403), ("same-origin", 200), ("same-site", 200), ("none", 200)] {
                let answer = try await stage.peers.http(
                    stage.server, "GET", "/api/users/me", cookie: token, headers: ["Sec-Fetch-Site": .string(site)])
                #expect(answer.status == status, "\(site): \(answer)")
            }
            let byHeader = try await http("GET", "/api/users/me", token, headers: ["Sec-Fetch-Site": "cross-site"])
            #expect(byHeader.status == 200)
        }
    }

    @Suite("Pages of a listed origin", .stage("--demo", "--allowed-origin", "https://app.example.org"))
    struct CrossOriginTests {
        let stage: Stage

        init() throws { stage = try Stage.current }

        @Test("a listed page may use the API with its visitor's cookie and read the answers, refusals included")
        func listed() async throws {
            let token = try await stage.token(.user)
            let origin = "https://app.example.org"
            let preflight = try await stage.peers.http(
                stage.server, "OPTIONS", "/api/things/1", origin: origin,
                headers: [
                    "Access-Control-Request-Method": "PATCH", "Access-Control-Request-Headers": "content-type",
                ])
            #expect(preflight.status == 204, "\(preflight)")
            #expect(preflight.header("access-control-allow-methods")?.contains("PATCH") == true)
            #expect(preflight.header("access-control-allow-headers") == "content-type")
            let created = try await stage.peers.http(
                stage.server, "POST", "/api/things", json: ["name": "by a listed page"], cookie: token, origin: origin)
            let refused = try await stage.peers.http(stage.server, "GET", "/api/things", origin: origin)
            #expect(created.status == 201 && refused.status == 401)
            for answer in [preflight, created, refused] {
                #expect(answer.header("access-control-allow-origin") == origin)
                #expect(answer.header("access-control-allow-credentials") == "true")
                #expect(answer.header("vary") == "Origin")
            }
            #expect(created.header("access-control-expose-headers")?.contains("X-Rolecall-Position") == true)
        }

        @Test("no other page may: its preflight is granted nothing, and its requests are refused")
        func others() async throws {
            let token = try await stage.token(.user)
            let origin = "https://evil.example"
            let preflight = try await stage.peers.http(
                stage.server, "OPTIONS", "/api/things/1", origin: origin,
                headers: ["Access-Control-Request-Method": "PATCH"])
            let posted = try await stage.peers.http(
                stage.server, "POST", "/api/things", json: ["name": "x"], cookie: token, origin: origin)
            let read = try await stage.peers.http(stage.server, "GET", "/api/things", cookie: token, origin: origin)
            #expect(posted.status == 403 && read.status == 403)
            for answer in [preflight, posted, read] {
                #expect(answer.header("access-control-allow-origin") == nil)
                #expect(answer.header("vary") == "Origin")
            }
        }
    }
}
