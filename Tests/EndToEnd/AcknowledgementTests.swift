import Foundation
import Testing
import WireJSON

extension EndToEnd {
    @Suite("Acknowledgements", .stage())
    struct AcknowledgementTests {
        let stage: Stage

        init() throws { stage = try Stage.current }

        @Test("login is acknowledged with exactly registered, after the identity that holds from then on")
        func login() async throws {
            let socket = try await stage.peers.connect(stage.server)
            let first = try await socket.identity("anonymous")
            socket.emit("login", .string(try await stage.token(.user)), acknowledgement: 1)
            #expect(try await socket.acknowledgement(1) == [["data": "registered"]])
            let identity = try await socket.identity("login")
            #expect(identity.identity["user"]?["email"] == "test@example.com")
            #expect(identity.identity["user"]?["role"] == "user")
            #expect(identity.identity["user"]?["name"] != nil)
            #expect(identity.identity["user"]?["_id"]?.integerValue != nil)
            let before = try #require(first.identity["epoch"]?.integerValue)
            let after = try #require(identity.identity["epoch"]?.integerValue)
            #expect(after > before)
            #expect(socket.heard[identity.index + 1].kind == .acknowledgement(1, [["data": "registered"]]))
        }

        @Test("logout is acknowledged with exactly un-registered, after the identity of nobody")
        func logout() async throws {
            let socket = try await stage.connect(.user)
            socket.emit("logout", acknowledgement: 1)
            #expect(try await socket.acknowledgement(1) == [["data": "un-registered"]])
            let identity = try await socket.identity("logout")
            #expect(identity.identity["user"] == .null)
            #expect(identity.identity["expiresAt"] == .null)
            #expect(socket.heard[identity.index + 1].kind == .acknowledgement(1, [["data": "un-registered"]]))
        }

        @Test("logout is acknowledged alike when nobody was logged in, and any number of times")
        func logoutOfNobody() async throws {
            let socket = try await stage.peers.connect(stage.server)
            try await socket.identity("anonymous")
            for number in 1...3 {
                let before = socket.count
                socket.emit("logout", acknowledgement: number)
                #expect(try await socket.acknowledgement(number) == [["data": "un-registered"]])
                let identity = try await socket.identity("logout", from: before)
                #expect(identity.identity["user"] == .null)
                #expect(socket.heard[identity.index + 1].kind == .acknowledgement(number, [["data": "un-registered"]]))
            }
        }

        @Test("login over a login ties the socket to the second user")
        func loginOverLogin() async throws {
            let socket = try await stage.connect(.user)
            #expect(try await socket.call("login", .string(try await stage.token(.admin))) == ["data": "registered"])
            #expect(try await socket.call("whoami")["user"]?["email"] == "admin@example.com")
            let row = stage.row("row")
            try await stage.write(row, adminOnly: true)
            try await socket.thing(row)
        }

        @Test("login without a token, or with null, takes the token of the handshake's cookie")
        func loginByCookie() async throws {
            let (admin, user) = (try await stage.token(.admin), try await stage.token(.user))
            for arguments: [JSON] in [[], [.null]] {
                let socket = try await stage.peers.connect(stage.server, cookie: user)
                try await socket.identity("cookie")
                #expect(try await socket.call("login", .string(admin)) == ["data": "registered"])
                #expect(try await socket.call("logout") == ["data": "un-registered"])
                let before = socket.count
                let answer =
                    arguments.isEmpty ? try await socket.call("login") : try await socket.call("login", arguments[0])
                #expect(answer == ["data": "registered"])
                let identity = try await socket.identity(from: before)
                #expect(identity.identity["reason"] == "login")
                #expect(identity.identity["user"]?["email"] == "test@example.com")
            }
        }

        @Test("login without a token takes neither the header's nor CONNECT's token, only the cookie's")
        func loginByCookieOnly() async throws {
            let (admin, user) = (try await stage.token(.admin), try await stage.token(.user))
            let socket = try await stage.peers.connect(
                stage.server, auth: ["token": .string(admin)], cookie: user, bearer: admin)
            try await socket.identity("auth")
            #expect(try await socket.call("login") == ["data": "registered"])
            #expect(try await socket.call("whoami")["user"]?["email"] == "test@example.com")

            let without = try await stage.peers.connect(
                stage.server, auth: ["token": .string(admin)], bearer: admin)
            try await without.identity("auth")
            #expect(try await without.call("login")["error"] == "token_invalid")
            #expect(try await without.call("whoami")["user"]?["email"] == "admin@example.com")
        }

        @Test("logout revokes nothing: a later handshake with the same token is associated again")
        func logoutKeepsTheToken() async throws {
            let token = try await stage.token(.user)
            let socket = try await stage.peers.connect(stage.server, cookie: token)
            #expect(try await socket.call("logout") == ["data": "un-registered"])
            let again = try await stage.peers.connect(stage.server, cookie: token)
            #expect(try await again.identity().identity["reason"] == "cookie")
            #expect(try await socket.call("login", .string(token)) == ["data": "registered"])
        }

        @Test("whoami is what identity last said, and identity names the socket as Socket.IO does")
        func whoami() async throws {
            let token = try await stage.token(.user)
            let socket = try await stage.peers.connect(stage.server, auth: ["token": .string(token)])
            let identity = try await socket.identity().identity
            #expect(try await socket.call("whoami") == identity)
            #expect(identity["socket"]?["id"]?.stringValue == (try await socket.id()))
            let address = try #require(identity["socket"]?["address"]?.stringValue)
            #expect(address.wholeMatch(of: /127\.0\.0\.1:\d+/) != nil, "\(address)")
            #expect(identity["models"]?.arrayValue?.contains("thing") == true)
            let expires = try #require(identity["expiresAt"]?.stringValue)
            #expect(expires.wholeMatch(of: /\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z/) != nil, "\(expires)")

            let before = socket.count
            #expect(try await socket.call("logout") == ["data": "un-registered"])
            let left = try await socket.identity(from: before).identity
            #expect(try await socket.call("whoami") == left)
            #expect(left["socket"] == identity["socket"], "The connection is the same.")
        }

        @Test("an event that the server does not know is acknowledged as unknown_event, and harms nothing")
        func unknownEvent() async throws {
            let socket = try await stage.connect(.user)
            for name in ["nope", "identity", "thing:save", ""] {
                let answer = try await socket.call(name, ["a": 1], "b")
                #expect(answer["error"] == "unknown_event", "\(name)")
            }
            socket.emit("nope", 1)
            #expect(try await socket.call("whoami")["user"]?["email"] == "test@example.com")
        }

        @Test("a message is the socket's user's, whatever the client claims, and nobody says nothing")
        func message() async throws {
            let socket = try await stage.connect(.user)
            let witness = try await stage.connect(.admin)
            let body = stage.row("hello")
            let answer = try await socket.call(
                "message",
                ["body": .string(body), "author": 1, "name": "Admin", "_id": 4711, "at": "2001-01-01T00:00:00.000Z"])
            #expect(answer["data"] == "sent")
            let id = try #require(answer["_id"]?.integerValue)
            let position = try #require(answer["position"]?.stringValue)
            let identity = try await socket.call("whoami")
            for listener in [socket, witness] {
                let told = try await listener.event("message:save") { $0.first?["body"]?.stringValue == body }
                #expect(told.arguments[0]["_id"]?.integerValue == id)
                #expect(told.arguments[0]["author"] == identity["user"]?["_id"])
                #expect(told.arguments[0]["name"] == identity["user"]?["name"])
                #expect(told.arguments[0]["at"]?.stringValue?.hasPrefix("2001") == false)
                #expect(told.arguments[1]["op"] == "created")
                #expect(told.arguments[1]["by"]?["_id"] == identity["user"]?["_id"])
                #expect(told.arguments[2].stringValue == position)
            }
            #expect(id != 4711)

            #expect(try await socket.call("logout") == ["data": "un-registered"])
            #expect(try await socket.call("message", ["body": "from nobody"])["error"] == "forbidden")
        }

        @Test("a message that is none is refused with a code, and not told")
        func badMessage() async throws {
            let socket = try await stage.connect(.user)
            let before = socket.count
            for payload: JSON in [.null, 5, "text", [], [:], ["body": 5], ["body": .null], ["body": ["a": 1]]] {
                let answer = try await socket.call("message", payload)
                #expect(answer["error"]?.stringValue != nil, "\(payload): \(answer)")
                #expect(answer["message"]?.stringValue?.isEmpty == false, "\(payload): \(answer)")
            }
            #expect(try await socket.call("message")["error"]?.stringValue != nil)
            try await stage.barrier(socket)
            #expect(socket.heard.dropFirst(before).allSatisfy { $0.event?.name != "message:save" })
        }

        @Test("events of one socket are handled one at a time: their answers come in the order of the questions")
        func order() async throws {
            let (admin, user) = (try await stage.token(.admin), try await stage.token(.user))
            let socket = try await stage.peers.connect(stage.server)
            try await socket.identity()
            socket.emit("login", .string(user), acknowledgement: 1)
            socket.emit("whoami", acknowledgement: 2)
            socket.emit("message", ["body": "in between"], acknowledgement: 3)
            socket.emit("login", .string(admin), acknowledgement: 4)
            socket.emit("whoami", acknowledgement: 5)
            socket.emit("nope", acknowledgement: 6)
            socket.emit("logout", acknowledgement: 7)
            socket.emit("message", ["body": "too late"], acknowledgement: 8)
            socket.emit("whoami", acknowledgement: 9)
            _ = try await socket.acknowledgement(9)
            let answers = socket.heard.compactMap { heard -> (Int, JSON)? in
                guard case .acknowledgement(let number, let arguments) = heard.kind else { return nil }
                return (number, arguments.first ?? .null)
            }
            #expect(answers.map(\.0) == Array(1...9))
            #expect(answers[1].1["user"]?["email"] == "test@example.com")
            #expect(answers[2].1["data"] == "sent")
            #expect(answers[4].1["user"]?["email"] == "admin@example.com")
            #expect(answers[7].1["error"] == "forbidden")
            #expect(answers[8].1["user"] == .null)
        }

        @Test("in no event does a string stand last but the position")
        func positionsLast() async throws {
            let socket = try await stage.connect(.admin)
            try await stage.write(stage.row("row"), adminOnly: true)
            #expect(try await socket.call("message", ["body": "said"])["data"] == "sent")
            #expect(try await socket.call("logout") == ["data": "un-registered"])
            try await stage.barrier(anonymous: socket)
            var positions: [String] = []
            for event in socket.heard.compactMap(\.event) {
                let last = event.arguments.last?.stringValue
                guard let position = last else {
                    // Who is on is no part of the log. A gap names its positions within, and comes where what had not
                    // left yet is taken back by the logout.
                    let isGap = event.name == "gap" && event.arguments.last?["reason"] == "identity"
                    #expect(event.name == "presence" || isGap, "\(event.name) ends in \(event.arguments.last ?? .null)")
                    continue
                }
                #expect(position.wholeMatch(of: /[0-9a-f]{12}-[0-9a-f]{16}/) != nil, "\(event.name): \(position)")
                positions.append(position)
            }
            let places = positions.compactMap(LogPlace.init)
            #expect(places == places.sorted(), "Events come in the log's order.")
        }
    }
}
