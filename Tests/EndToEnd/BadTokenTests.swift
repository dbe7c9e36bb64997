import Foundation
import Testing
import WireJSON

extension EndToEnd {
    @Suite("Bad tokens", .stage())
    struct BadTokenTests {
        let stage: Stage

        init() throws { stage = try Stage.current }

        /// A token that is not good, and what it is refused as.
        enum Flaw: String, CaseIterable, CustomTestStringConvertible {
            case words = "a text that is no token"
            case empty = "an empty text"
            case cut = "a token without its signature"
            case altered = "a token whose claims were altered"
            case expired = "an expired token"
            case unsigned = "alg none"
            case unsignedInCapitals = "alg nOnE"
            case otherAlgorithm = "HS512 with the right key"
            case foreignKey = "a token signed with a foreign key"
            case notYet = "a token that is not valid yet"
            case endless = "a token without an expiry"
            case userless = "a token that names no user"
            case otherGeneration = "a token from before the password was changed"
            case otherSession = "a token that names another user's session"
            case unknownSession = "a token of a session that never was"
            case revoked = "a token of a session that was ended"
            case userRemoved = "a token of a user who was removed"
            case huge = "a text of 300,000 letters"

            var testDescription: String { rawValue }

            var codes: [String] {
                switch self {
                case .expired: ["token_expired"]
                case .revoked, .otherGeneration: ["token_revoked"]
                case .userRemoved: ["user_unknown"]
                // Whether a session was ended or never was, a server that forgets old ones can't tell.
                case .unknownSession, .otherSession: ["token_invalid", "token_revoked"]
                default: ["token_invalid"]
                }
            }

            /// Those that fit into an HTTP header.
            static let forHeaders = allCases.filter { $0 != .huge && $0 != .empty }
        }

        @Test(
            "login with a bad token is refused with its code, and the socket stays who it was", arguments: Flaw.allCases
        )
        func login(_ flaw: Flaw) async throws {
            let bad = try await token(flaw)
            let nobody = try await stage.peers.connect(stage.server, "nobody")
            let admin = try await stage.connect(.admin, "admin")
            try await nobody.identity()
            for socket in [nobody, admin] {
                let before = try await socket.call("whoami")
                let count = socket.count
                let answer = try await socket.call("login", .string(bad))
                let code = answer["error"]?.stringValue ?? "none"
                #expect(flaw.codes.contains(code), "\(answer)")
                #expect(answer["message"]?.stringValue?.isEmpty == false, "\(answer)")
                #expect(answer.objectValue?.count == 2, "\(answer)")
                #expect(try await socket.call("whoami") == before)
                #expect(socket.heard.dropFirst(count).allSatisfy { $0.identity == nil }, "Nothing changed.")
            }
            let row = stage.row("row")
            try await stage.write(row, adminOnly: true)
            try await admin.thing(row)
            #expect(try await nobody.call("login", .string(try await stage.token(.user))) == ["data": "registered"])
            try await stage.barrier(nobody)
            #expect(!nobody.things().contains(row))
        }

        @Test(
            "a bad token at the handshake leaves the socket connected, nobody's, and told why, wherever it stands",
            arguments: Flaw.forHeaders)
        func handshake(_ flaw: Flaw) async throws {
            let (server, peers) = (stage.server, stage.peers)
            let bad = try await token(flaw)
            let sockets = [
                try await peers.connect(server, "cookie", cookie: bad),
                try await peers.connect(server, "header", bearer: bad),
                try await peers.connect(server, "auth", auth: ["token": .string(bad)]),
            ]
            for socket in sockets {
                let identity = try await socket.identity().identity
                #expect(identity["user"] == .null)
                #expect(flaw.codes.contains(identity["reason"]?.stringValue ?? ""), "\(socket.name): \(identity)")
                #expect(try await socket.call("whoami") == identity)
            }
            let good = JSON.string(try await stage.token(.user))
            for socket in sockets { #expect(try await socket.call("login", good) == ["data": "registered"]) }
            try await stage.barrier(sockets[0], sockets[1], sockets[2])
        }

        @Test(
            "a write with a bad token is refused with its code, whatever else is wrong with it",
            arguments: Flaw.forHeaders)
        func write(_ flaw: Flaw) async throws {
            let bad = try await token(flaw)
            let requests: [(String, String, String?)] = [
                ("POST", "/api/things", #"{"name":"by nobody"}"#), ("POST", "/api/things", #"{"nonsense":1}"#),
                ("POST", "/api/things", "no JSON"), ("POST", "/api/nonsense", "{}"), ("POST", "/api/users", "{}"),
                ("PATCH", "/api/things/1", #"{"name":"by nobody"}"#), ("PUT", "/api/things/1", #"{"nonsense":1}"#),
                ("PATCH", "/api/things/nonsense", "no JSON"), ("DELETE", "/api/things/1", nil),
                ("DELETE", "/api/things/987654321", nil),
            ]
            for (method, path, body) in requests {
                let answer = try await stage.peers.http(stage.server, method, path, body: body, token: bad)
                #expect(answer.status == 401, "\(method) \(path) \(body ?? ""): \(answer)")
                #expect(flaw.codes.contains(answer.error ?? ""), "\(method) \(path) \(body ?? ""): \(answer)")
            }
            let list = try await stage.peers.http(
                stage.server, "GET", "/api/things?name=by%20nobody", token: try await stage.token(.admin))
            #expect(list.json == [])
        }

        @Test(
            "login with what is no text is refused with a code of the contract, and the socket stays who it was",
            arguments: [5, 1.5, true, [], [:], ["a.b.c"], ["token": "a.b.c"]] as [JSON])
        func noText(_ payload: JSON) async throws {
            let socket = try await stage.connect(.user)
            let before = try await socket.call("whoami")
            let answer = try await socket.call("login", payload)
            #expect(answer["error"] == "token_invalid", "\(answer)")
            #expect(answer["message"]?.stringValue?.isEmpty == false)
            #expect(try await socket.call("whoami") == before)
            try await stage.barrier(socket)
        }

        @Test(
            "a CONNECT whose token is no text leaves the socket connected and nobody's",
            arguments: [5, [], [:]] as [JSON])
        func noTextAtConnect(_ payload: JSON) async throws {
            let cookie = try await stage.token(.admin)
            let socket = try await stage.peers.connect(stage.server, auth: ["token": payload], cookie: cookie)
            let identity = try await socket.identity().identity
            #expect(identity["user"] == .null, "What is present decides, good or bad.")
            #expect(identity["reason"] == "token_invalid")
        }

        @Test("a refusal never repeats the token, and the log never holds one")
        func silence() async throws {
            let words = "not-a-token-but-a-secret-\(stage.peers.number())"
            let good = try await stage.token(.admin)
            let socket = try await stage.connect(.admin)
            let answer = try await socket.call("login", .string(words))
            #expect(!answer.description.contains(words))
            _ = try await stage.peers.connect(stage.server, cookie: words).identity()
            _ = try await stage.peers.http(stage.server, "GET", "/api/users/me", token: words)
            let log = stage.server.log.joined(separator: "\n")
            #expect(!log.contains(words))
            #expect(!log.contains(good))
            #expect(log.contains("admin@example.com"), "It says who was associated.")
        }

        private func token(_ flaw: Flaw) async throws -> String {
            let (server, peers) = (stage.server, stage.peers)
            let good = try await stage.token(.admin)
            let parts = good.split(separator: ".").map(String.init)
            var claims = try #require(try claims(of: good).objectValue)
            switch flaw {
            case .words: return "wrong"
            case .empty: return ""
            case .cut: return parts[0] + "." + parts[1] + "."
            case .altered:
                let user = try await stage.token(.user).split(separator: ".").map(String.init)
                return user[0] + "." + parts[1] + "." + user[2]
            case .expired:
                claims["exp"] = .integer(Int64(Date().timeIntervalSince1970) - 60)
                claims["iat"] = .integer(Int64(Date().timeIntervalSince1970) - 3600)
                return try await peers.sign(.object(claims), server: server)
            case .unsigned:
                return try await peers.sign(.object(claims), header: ["alg": "none", "typ": "JWT"], server: server)
            case .unsignedInCapitals:
                return try await peers.sign(.object(claims), header: ["alg": "nOnE", "typ": "JWT"], server: server)
            case .otherAlgorithm:
                return try await peers.sign(.object(claims), header: ["alg": "HS512", "typ": "JWT"], server: server)
            case .foreignKey:
                return try await peers.sign(
                    .object(claims), server: server, key: "this is another key of at least 32 bytes")
            case .notYet:
                claims["nbf"] = .integer(Int64(Date().timeIntervalSince1970) + 3600)
                return try await peers.sign(.object(claims), server: server)
            case .endless:
                claims["exp"] = nil
                return try await peers.sign(.object(claims), server: server)
            case .userless:
                claims["_id"] = nil
                return try await peers.sign(.object(claims), server: server)
            case .otherGeneration:
                let account = try await stage.account()
                let token = try await peers.signIn(server, account)
                try await server.user("passwd", account.email, password: "another horse")
                return token
            case .otherSession:
                let user = try await stage.token(.user)
                claims["sid"] = try self.claims(of: user)["sid"]
                return try await peers.sign(.object(claims), server: server)
            case .unknownSession:
                claims["sid"] = "aaaaaaaaaaaaaaaaaaaaaaaa"
                return try await peers.sign(.object(claims), server: server)
            case .revoked:
                let token = try await peers.signIn(server, .admin)
                let answer = try await peers.http(server, "POST", "/auth/logout", token: token)
                #expect(answer.status == 200)
                return token
            case .userRemoved:
                let account = try await stage.account(role: "admin")
                let token = try await peers.signIn(server, account)
                try await server.user("remove", account.email)
                return token
            case .huge: return String(repeating: "a", count: 300_000)
            }
        }

        private func claims(of token: String) throws -> JSON {
            var text = String(token.split(separator: ".")[1]).replacing("-", with: "+").replacing("_", with: "/")
            while text.count % 4 != 0 { text += "=" }
            return try JSON(parsing: Array(try #require(Data(base64Encoded: text))))
        }

        @Test("a token made by hand with the key file's bytes, without the final newline, is good")
        func madeByHand() async throws {
            let token = try await stage.peers.sign(
                try claims(of: try await stage.token(.admin)), server: stage.server)
            let socket = try await stage.peers.connect(stage.server, cookie: token)
            let identity = try await socket.identity().identity
            #expect(identity["reason"] == "cookie")
            #expect(identity["user"]?["role"] == "admin")
        }

        @Test("the role that a token claims is a hint only: the record decides")
        func claimedRole() async throws {
            var claims = try #require(try claims(of: try await stage.token(.user)).objectValue)
            #expect(claims["role"] == "user")
            claims["role"] = "admin"
            let token = try await stage.peers.sign(.object(claims), server: stage.server)
            let socket = try await stage.peers.connect(stage.server, auth: ["token": .string(token)])
            #expect(try await socket.identity().identity["user"]?["role"] == "user")
            let row = stage.row("row")
            try await stage.write(row, adminOnly: true)
            try await stage.barrier(socket)
            #expect(!socket.things().contains(row))
        }
    }

    @Suite("Which token decides", .stage())
    struct PrecedenceTests {
        let stage: Stage

        init() throws { stage = try Stage.current }

        @Test("CONNECT's token goes before the header, the header before the cookie")
        func order() async throws {
            let (server, peers) = (stage.server, stage.peers)
            let third = try await peers.signIn(server, try await stage.account())
            let (admin, user) = (try await stage.token(.admin), try await stage.token(.user))
            let all = try await peers.connect(server, auth: ["token": .string(admin)], cookie: third, bearer: user)
            #expect(try await all.identity().identity["reason"] == "auth")
            #expect(try await all.call("whoami")["user"]?["email"] == "admin@example.com")
            let two = try await peers.connect(server, auth: ["other": 1], cookie: third, bearer: user)
            #expect(try await two.identity().identity["reason"] == "header")
            #expect(try await two.call("whoami")["user"]?["email"] == "test@example.com")
            let one = try await peers.connect(server, cookie: user)
            #expect(try await one.identity().identity["reason"] == "cookie")
            #expect(try await one.call("whoami")["user"]?["email"] == "test@example.com")
        }

        @Test("a bad token that is present decides: there is no fall-through to a good one")
        func noFallThrough() async throws {
            let (server, peers) = (stage.server, stage.peers)
            let good = try await stage.token(.admin)
            let auth = try await peers.connect(server, auth: ["token": "bad"], cookie: good, bearer: good)
            #expect(try await auth.identity().identity["reason"] == "token_invalid")
            #expect(try await auth.call("whoami")["user"] == .null)
            let header = try await peers.connect(server, cookie: good, bearer: "bad")
            #expect(try await header.identity().identity["reason"] == "token_invalid")
            #expect(try await header.call("whoami")["user"] == .null)
        }

        @Test("the cookie is found among others, and a name that merely ends alike is not it")
        func amongOthers() async throws {
            let (server, peers) = (stage.server, stage.peers)
            let good = try await stage.token(.user)
            let among = try await peers.connect(
                server, headers: ["Cookie": .string("theme=dark; token=\(good); lang=de")])
            #expect(try await among.identity().identity["reason"] == "cookie")
            let other = try await peers.connect(server, headers: ["Cookie": .string("xtoken=\(good); tokens=\(good)")])
            #expect(try await other.identity().identity["reason"] == "anonymous")
        }

        @Test("a token in the query string is nobody's")
        func query() async throws {
            let token = try await stage.token(.admin)
            let socket = try await stage.peers.webSocket(
                stage.server, query: "EIO=4&transport=websocket&token=\(token)")
            try await socket.text(startingWith: "0{")
            socket.send("40")
            let identity = try await socket.text(startingWith: "42[\"identity\"")
            #expect(identity.text.contains("\"reason\":\"anonymous\""))
            let answer = try await stage.peers.http(stage.server, "GET", "/api/users/me?token=\(token)")
            #expect(answer.status == 401)
        }
    }
}
