import Foundation
import Testing
import WireJSON

extension EndToEnd {
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
