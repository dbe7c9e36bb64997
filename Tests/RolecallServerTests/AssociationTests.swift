import ModelStore
import RolecallProtocol
import SocketIOClient
import TestSupport
import Testing
import WireJSON

@testable import RolecallCore
@testable import RolecallServer

@Suite("Association on a live server")
struct AssociationTests {
    @Test("the cookie of the handshake associates a socket with no login event")
    func cookie() async throws {
        try await LiveServer.run { server in
            let token = try await server.token(for: "admin@example.com")
            let socket = try await server.connect(headers: [("Cookie", "theme=dark; token=\(token)")])
            let identity = try await socket.identity(.cookie)
            #expect(identity.user?.email == "admin@example.com")
            #expect(identity.epoch == 1)
            #expect(identity.models == ["message", "thing", "user"])
            #expect(try await socket.call("whoami") == identity.json)
        }
    }

    @Test("the first source that is present decides, and a bad one does not fall through")
    func precedence() async throws {
        try await LiveServer.run { server in
            let admin = try await server.token(for: "admin@example.com")
            let user = try await server.token(for: "test@example.com")
            let headers = [("Authorization", "Bearer \(user)"), ("Cookie", "token=\(admin)")]

            let byAuth = try await server.connect(headers: headers, auth: ["token": .string(admin)])
            #expect(try await byAuth.identity(.auth).user?.role == "admin")
            let byHeader = try await server.connect(headers: headers)
            #expect(try await byHeader.identity(.header).user?.role == "user")
            let refused = try await server.connect(headers: headers, auth: ["token": "nonsense"])
            #expect(try await refused.identity(.tokenInvalid).user == nil)
        }
    }

    @Test("the identity event stands before the acknowledgement, on login and on logout")
    func order() async throws {
        try await LiveServer.run { server in
            let socket = try await server.connect()
            #expect(
                try await socket.call("login", [.string(try await server.token(for: "test@example.com"))])
                    == ["data": "registered"])
            #expect(try await socket.call("logout") == ["data": "un-registered"])
            let received = try await socket.received(atLeast: 5)
            #expect(received.map(\.identity?.reason) == [.anonymous, .login, nil, .logout, nil])
            #expect(received.map { $0 == .acknowledged } == [false, false, true, false, true])
        }
    }

    @Test("logout answers the same when nobody was logged in")
    func logoutOfNobody() async throws {
        try await LiveServer.run { server in
            let socket = try await server.connect()
            #expect(try await socket.call("logout") == ["data": "un-registered"])
        }
    }

    @Test("a token that is not good is refused by name and leaves the association as it was")
    func badTokens() async throws {
        try await LiveServer.run { server in
            let admin = try await server.user("admin@example.com")
            let good = try await server.token(for: "test@example.com")
            let socket = try await server.connect(auth: ["token": .string(good)])
            let before = try await socket.identity(.auth)

            let stranger = await TokenAuthority(key: Array("another key, of more than 32 bytes".utf8))
            let claims = TokenAuthority.Claims(
                _id: admin.id, role: "admin", exp: Timestamp.now.seconds + 60, gen: admin.generation)
            var nobody = claims
            nobody._id = 4711
            var old = claims
            old.gen = admin.generation + 1
            var unknownSession = claims
            unknownSession.sid = "no-such-session"
            var early = claims
            early.nbf = Timestamp.now.seconds + 60
            let bad: [(String, ErrorCode)] = [
                ("", .tokenInvalid), ("a.b.c", .tokenInvalid), (String(repeating: "x", count: 100_000), .tokenInvalid),
                (try await stranger.token(for: claims), .tokenInvalid),
                // {"alg":"none","typ":"JWT"} over the admin's claims, without a signature.
                (
                    "eyJhbGciOiJub25lIiwidHlwIjoiSldUIn0.eyJfaWQiOjEsInJvbGUiOiJhZG1pbiIsImV4cCI6OTk5OTk5OTk5OX0.",
                    .tokenInvalid
                ),
                (try await server.token(for: "admin@example.com", lifetime: -1), .tokenExpired),
                (try await server.tokens.token(for: nobody), .userUnknown),
                (try await server.tokens.token(for: old), .tokenRevoked),
                (try await server.tokens.token(for: unknownSession), .tokenRevoked),
                (try await server.tokens.token(for: early), .tokenInvalid),
            ]
            for (token, code) in bad {
                let answer = try await socket.call("login", [.string(token)])
                #expect(answer["error"]?.stringValue == code.rawValue)
                #expect(answer["message"]?.stringValue?.isEmpty == false)
            }
            #expect(try await socket.call("login", [5])["error"] == "token_invalid")
            #expect(try await socket.call("login")["error"] == "token_invalid")
            #expect(try await socket.call("whoami") == before.json)
            #expect(await socket.received.compactMap(\.identity) == [before])
        }
    }

    @Test("logins and logouts that race on one socket end as their order says")
    func races() async throws {
        try await LiveServer.run { server in
            let admin = try await server.token(for: "admin@example.com")
            let user = try await server.token(for: "test@example.com")
            let socket = try await server.connect()
            var generator = Seeded(42)
            var roles: [String?] = [nil]
            for _ in 0..<200 {
                switch Int.random(in: 0..<3, using: &generator) {
                case 0:
                    socket.connection.emit("login", [.string(admin)])
                    roles.append("admin")
                case 1:
                    socket.connection.emit("login", [.string(user)])
                    roles.append("user")
                default:
                    socket.connection.emit("logout")
                    roles.append(nil)
                }
            }
            let last = try await socket.call("whoami")
            #expect(last["user"]?["role"]?.stringValue == roles[roles.count - 1])
            #expect(await socket.received.compactMap(\.identity).map { $0.user?.role } == roles)
            #expect(await socket.received.compactMap(\.identity).map(\.epoch) == Array(1...201))
        }
    }

    @Test("an association ends by itself when its token expires, and the socket stays")
    func expiry() async throws {
        try await LiveServer.run { server in
            let token = try await server.token(for: "admin@example.com", lifetime: 2)
            let socket = try await server.connect(auth: ["token": .string(token)])
            #expect(try await socket.identity(.auth).expiresAt != nil)
            #expect(try await socket.identity(.expired).user == nil)
            try await server.addThing("secret", adminOnly: true)
            #expect(try await socket.call("whoami")["reason"] == "expired")
            #expect(await socket.thingNames.isEmpty)
        }
    }

    @Test("an expiry is said ahead, once; a login before it goes on without a gap, and a late one is nobody, once")
    func expiring() async throws {
        try await LiveServer.run { server in
            let first = try await server.token(for: "test@example.com", lifetime: 4)
            let socket = try await server.connect(auth: ["token": .string(first)])
            let expiresAt = try #require(try await socket.identity(.auth).expiresAt)
            func warnings(_ received: [TestSocket.Received]) -> [Expiring?] {
                received.compactMap { item in
                    guard case .event(Expiring.eventName, let arguments) = item else { return nil }
                    return arguments.first.flatMap(Expiring.init)
                }
            }
            try await server.addThing("0")
            _ = try await socket.first { item in
                if case .event(Expiring.eventName, _) = item { true } else { nil }
            }
            #expect(warnings(await socket.received) == [Expiring(expiresAt: expiresAt)])
            #expect(Timestamp.now < expiresAt)
            let second = try await server.token(for: "test@example.com", lifetime: 6)
            try await server.addThing("1")
            #expect(try await socket.call("login", [.string(second)]) == ["data": "registered"])
            try await server.addThing("2")
            try await socket.thing("2")
            #expect(try await socket.identity(.expired).user == nil)
            #expect(await socket.thingNames == ["0", "1", "2"])
            #expect(await socket.received.compactMap(\.identity).map(\.reason) == [.auth, .login, .expired])
            #expect(warnings(await socket.received).count == 2)

            let late = try await server.connect(auth: ["token": .string(first)])
            #expect(try await late.identity(.tokenExpired).user == nil)
            #expect(try await late.call("whoami")["user"] == .null)
            #expect(await late.received.compactMap(\.identity).count == 1)
        }
    }

    @Test(
        "how long ahead of the expiry it is said, in milliseconds",
        arguments: [(3_600_000, 60_000), (600_000, 60_000), (599_990, 59_999), (4_000, 400), (0, 0)]
            as [(Int64, Int64)])
    func lead(left: Int64, lead: Int64) {
        #expect(ExpiryTimer.lead(left: left) == lead)
    }

    @Test("who logs in again as who he is, while he is told what he missed, is told the rest of it")
    func replayGoesOn() async throws {
        try await LiveServer.run { server in
            let token = try await server.token(for: "test@example.com")
            let start = try await server.store.head().position
            let model = try server.model("thing")
            let count = 3000
            try await server.store.transaction { transaction in
                for number in 0..<count {
                    _ = try transaction.insert([(column: "name", value: .text("\(number)"))], into: model)
                }
            }
            for _ in 0..<3 {
                let socket = try await server.connect(
                    auth: ["token": .string(token), "after": .string(start.description)])
                let user = try await server.user("test@example.com")
                try await server.store.transaction {
                    _ = try $0.updateUser(id: user.id, name: "Name \(Int.random(in: 0...1_000_000))", email: nil)
                }
                _ = try await socket.call("login", [.string(token)])
                try await socket.thing("\(count - 1)")
                let things = await socket.received.compactMap(\.modelEvent).filter { $0.model == "thing" }
                #expect(things.map { $0.row["name"]?.stringValue } == (0..<count).map(String.init))
            }
        }
    }

    @Test("open sockets follow the user's record: role, name, password, removal")
    func followsTheRecord() async throws {
        try await LiveServer.run { server in
            let admin = try await server.user("admin@example.com")
            let token = try await server.token(for: "admin@example.com")
            let socket = try await server.connect(auth: ["token": .string(token)])
            _ = try await socket.identity(.auth)

            try await server.store.transaction { try $0.setRole("user", ofUser: admin.id) }
            #expect(try await socket.identity(.roleChanged).user?.role == "user")
            try await server.addThing("hidden", adminOnly: true)
            try await server.addThing("shown")
            try await socket.thing("shown")
            #expect(await socket.thingNames == ["shown"])

            try await server.store.transaction { try $0.setPassword("$other", ofUser: admin.id) }
            #expect(try await socket.identity(.passwordChanged).user == nil)
            #expect(try await socket.call("login", [.string(token)])["error"] == "token_revoked")

            let again = try await server.token(for: "admin@example.com")
            #expect(try await socket.call("login", [.string(again)]) == ["data": "registered"])
            try await server.store.transaction { try $0.removeUser(id: admin.id) }
            #expect(try await socket.identity(.userRemoved).user == nil)
            #expect(try await socket.call("login", [.string(again)])["error"] == "user_unknown")
        }
    }

    @Test("a message's author is the socket's user, whatever it claims")
    func author() async throws {
        try await LiveServer.run { server in
            let user = try await server.user("test@example.com")
            let socket = try await server.connect(
                auth: ["token": .string(try await server.token(for: "test@example.com"))])
            let answer = try await socket.call(
                "message", [["body": "hi", "author": 1, "name": "Admin", "at": "1999-01-01"]])
            #expect(answer["data"] == "sent")
            let event = try await socket.first { $0.modelEvent }
            #expect(event.name == "message:save")
            #expect(event.row["author"] == .integer(user.id))
            #expect(event.row["name"] == "Test User")
            #expect(event.row["body"] == "hi")
            #expect(event.row["room"] == "lobby")
            #expect(event.by == Author(id: user.id, name: "Test User"))
            #expect(answer["position"]?.stringValue == event.position.description)

            #expect(try await socket.call("message", ["hi"])["error"] == "invalid_payload")
            #expect(try await socket.call("message", [["body": 5]])["error"] == "invalid_field")
            _ = try await socket.call("logout")
            #expect(try await socket.call("message", [["body": "hi"]])["error"] == "forbidden")
            #expect(try await socket.call("no such")["error"] == "unknown_event")
        }
    }
}
