import Foundation
import Testing
import WireJSON

extension EndToEnd {
    @Suite("What a log never holds", .stage("--demo", "--log-level", "trace"))
    struct SecretLogTests {
        @Test("not one token, password or key stands in a log of everything, whatever came in wherever")
        func nothingSecret() async throws {
            let stage = try Stage.current
            let (server, peers) = (stage.server, stage.peers)
            var secrets = ["wrong-pass-word", "new-pass-word", "pass-word-of-nobody"]
            func signIn(_ email: String, _ password: String) async throws -> HTTPAnswer {
                try await peers.http(
                    server, "POST", "/auth/local", json: ["email": .string(email), "password": .string(password)])
            }
            _ = try await signIn("admin@example.com", secrets[0])
            _ = try await signIn("nobody@example.com", secrets[2])
            let account = try await stage.account(role: "admin")
            secrets.append(account.password)
            let answer = try await signIn(account.email, account.password)
            let token = try #require(answer.json["token"]?.stringValue)
            let other = try await peers.signIn(server, .user)
            let foreign = try await peers.sign(
                ["_id": 1, "exp": 4_000_000_000], server: server, key: "a key of somebody else, long enough for HS256")
            let expired = try await peers.sign(["_id": 1, "exp": 1_000_000_000], server: server)
            secrets += [token, other, foreign, expired, "no-token-but-secret"]

            // Everywhere a token can stand, good and bad ones.
            for each in secrets.dropFirst(4) {
                let sockets = [
                    try await peers.connect(server, auth: ["token": .string(each)]),
                    try await peers.connect(server, cookie: each), try await peers.connect(server, bearer: each),
                ]
                for socket in sockets {
                    _ = try await socket.call("login", .string(each))
                    _ = try await socket.call("whoami")
                    _ = try await socket.call("logout")
                    _ = try await socket.call("login", ["token": .string(each)])
                    _ = try await socket.call("token", .string(each))
                }
                for (method, path) in [
                    ("GET", "/api/users/me"), ("POST", "/auth/refresh"), ("GET", "/api/things"),
                    ("POST", "/api/things"),
                    ("GET", "/api/users/me?token=\(each)"), ("GET", "/\(each)"), ("GET", "/metrics"),
                ] {
                    _ = try await peers.http(server, method, path, token: each)
                    _ = try await peers.http(server, method, path, cookie: each, origin: server.url)
                    _ = try await peers.http(server, method, path, cookie: each, origin: "http://evil.example")
                }
            }
            _ = try await peers.http(
                server, "PUT", "/api/users/me/password",
                json: ["oldPassword": .string(account.password), "newPassword": .string(secrets[1])], token: token)
            try await server.user("passwd", account.email, password: secrets[1])
            _ = try await peers.http(server, "POST", "/auth/logout", token: other)
            let row = stage.row("last")
            let last = try await stage.connect(.user)
            try await stage.write(row)
            try await last.thing(row)

            let log = server.log.joined(separator: "\n")
            #expect(log.contains(" debug "), "It is a log of everything.")
            #expect(log.contains("associated"))
            secrets.append(try String(contentsOf: server.key, encoding: .utf8).trimmingCharacters(in: .newlines))
            for secret in secrets {
                #expect(!log.contains(secret), "\(secret.prefix(12))… stands in the log.")
                // Nor what makes a token one: its signature.
                if let signature = secret.split(separator: ".").dropFirst(2).first { #expect(!log.contains(signature)) }
            }
        }
    }
}
