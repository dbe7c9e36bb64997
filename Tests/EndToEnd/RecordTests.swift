import Foundation
import Testing
import WireJSON

extension EndToEnd {
    @Suite("The association follows the record", .stage())
    struct RecordTests {
        let stage: Stage

        init() throws { stage = try Stage.current }

        @Test("a new role holds on every open socket of the user, up and down, and each is told by role_changed")
        func role() async throws {
            let account = try await stage.account(role: "user")
            let token = try await stage.peers.signIn(stage.server, account)
            let sockets = [
                try await stage.peers.connect(stage.server, auth: ["token": .string(token)]),
                try await stage.peers.connect(stage.server, cookie: token),
            ]
            let other = try await stage.connect(.user, "other")
            let asUser = stage.row("before")
            try await stage.write(asUser, adminOnly: true)

            let promotion = try await stage.server.user("set-role", account.email, "admin")
            for socket in sockets {
                let told = try await socket.identity("role_changed")
                report("A new role", told.at - promotion.ended)
                #expect(told.identity["user"]?["role"] == "admin")
                #expect(told.identity["user"]?["email"]?.stringValue == account.email)
                #expect(try await socket.call("whoami") == told.identity)
            }
            let asAdmin = stage.row("between")
            try await stage.write(asAdmin, adminOnly: true)
            for socket in sockets { try await socket.thing(asAdmin) }

            let counts = sockets.map(\.count)
            try await stage.server.user("set-role", account.email, "user")
            for (socket, count) in zip(sockets, counts) {
                let told = try await socket.identity("role_changed", from: count)
                #expect(told.identity["user"]?["role"] == "user")
            }
            let asUserAgain = stage.row("after")
            try await stage.write(asUserAgain, adminOnly: true)
            try await stage.barrier(sockets[0], sockets[1], other)
            for socket in sockets {
                #expect(socket.things().filter { [asUser, asAdmin, asUserAgain].contains($0) } == [asAdmin])
                #expect(try await socket.isConnected())
            }
            #expect(other.heard.filter { $0.identity != nil }.count == 1, "Another user is not concerned.")
            let answer = try await stage.peers.http(stage.server, "GET", "/api/users/me", token: token)
            #expect(answer.status == 200, "The token is as good as before.")
            #expect(answer.json["role"] == "user")
        }

        @Test("a role that any process writes into the database holds as well")
        func roleBySQL() async throws {
            let account = try await stage.account(role: "admin")
            let token = try await stage.peers.signIn(stage.server, account)
            let socket = try await stage.peers.connect(stage.server, auth: ["token": .string(token)])
            try await socket.identity()
            try await stage.server.sqlite("update rolecall_user set role = 'guest' where email = '\(account.email)';")
            let told = try await socket.identity("role_changed")
            #expect(told.identity["user"]?["role"] == "guest")
            let row = stage.row("row")
            try await stage.write(row)
            let end = try await stage.barrier(anonymous: socket)
            #expect(socket.heard[told.index..<end].allSatisfy { $0.savedThing == nil }, "Guests see no things.")
        }

        @Test("a new name reaches the user's sockets by user_changed")
        func name() async throws {
            let account = try await stage.account()
            let token = try await stage.peers.signIn(stage.server, account)
            let socket = try await stage.peers.connect(stage.server, auth: ["token": .string(token)])
            try await socket.identity()
            try await stage.server.sqlite(
                "update rolecall_user set name = 'Renamed' where email = '\(account.email)';")
            let told = try await socket.identity("user_changed")
            #expect(told.identity["user"]?["name"] == "Renamed")
            #expect(told.identity["user"]?["email"]?.stringValue == account.email)
        }

        @Test("a new password unties the user's sockets by password_changed, and voids every token made before")
        func password() async throws {
            let account = try await stage.account(role: "admin")
            let tokens = [
                try await stage.peers.signIn(stage.server, account),
                try await stage.peers.signIn(stage.server, account),
            ]
            let sockets = [
                try await stage.peers.connect(stage.server, cookie: tokens[0]),
                try await stage.peers.connect(stage.server, auth: ["token": .string(tokens[1])]),
            ]
            for socket in sockets { try await socket.identity() }
            let change = try await stage.server.user("passwd", account.email, password: "a new one")
            for socket in sockets {
                let told = try await socket.identity("password_changed")
                report("A new password", told.at - change.ended)
                #expect(told.identity["user"] == .null)
            }
            let row = stage.row("row")
            try await stage.write(row, adminOnly: true)
            for token in tokens {
                #expect(try await sockets[0].call("login", .string(token))["error"] == "token_revoked")
                let answer = try await stage.peers.http(stage.server, "GET", "/api/users/me", token: token)
                #expect(answer.status == 401)
                #expect(answer.error == "token_revoked")
            }
            let next = try await stage.peers.signIn(
                stage.server, Account(email: account.email, password: "a new one"))
            for socket in sockets {
                #expect(try await socket.isConnected())
                #expect(try await socket.call("login", .string(next)) == ["data": "registered"])
            }
            try await stage.barrier(sockets[0], sockets[1])
            for socket in sockets { #expect(!socket.things().contains(row)) }
            let old = try await stage.peers.http(
                stage.server, "POST", "/auth/local",
                json: ["email": .string(account.email), "password": .string(account.password)])
            #expect(old.status == 401)
        }

        @Test("a user who is removed leaves his sockets connected and nobody's, by user_removed")
        func removal() async throws {
            let account = try await stage.account(role: "admin")
            let token = try await stage.peers.signIn(stage.server, account)
            let socket = try await stage.peers.connect(stage.server, cookie: token)
            try await socket.identity("cookie")
            let removal = try await stage.server.user("remove", account.email)
            let told = try await socket.identity("user_removed")
            report("A removal", told.at - removal.ended)
            #expect(told.identity["user"] == .null)
            let row = stage.row("row")
            try await stage.write(row, adminOnly: true)
            #expect(try await socket.isConnected())
            #expect(try await socket.call("login", .string(token))["error"] == "user_unknown")
            #expect(try await socket.call("login")["error"] == "user_unknown")
            let answer = try await stage.peers.http(stage.server, "GET", "/api/users/me", token: token)
            #expect(answer.status == 401)
            #expect(answer.error == "user_unknown")
            try await stage.barrier(anonymous: socket)
            #expect(!socket.things().contains(row))
        }

        @Test("an account made anew under the address of one removed is another user: old tokens stay void")
        func namesake() async throws {
            let account = try await stage.account()
            let token = try await stage.peers.signIn(stage.server, account)
            try await stage.server.user("remove", account.email)
            try await stage.server.user(
                "add", "--email", account.email, "--role", "admin", password: account.password)
            let socket = try await stage.peers.connect(stage.server, cookie: token)
            let identity = try await socket.identity().identity
            #expect(identity["user"] == .null)
            #expect(identity["reason"] == "user_unknown")
        }

        @Test("accounts are listed without anything secret")
        func list() async throws {
            let account = try await stage.account(role: "admin")
            let run = try await Shell.run(
                Programs.server(), ["user", "list", "--data", stage.server.data.path])
            #expect(run.exit == .status(0))
            let line = try #require(run.output.first { $0.contains(account.email) })
            #expect(line.contains("admin"))
            #expect(!run.output.joined().contains("scrypt"))
        }

        @Test(
            "a change for an account that is not there fails with one sentence",
            arguments: ["set-role", "passwd", "remove"])
        func stranger(_ verb: String) async throws {
            var arguments = ["user", verb, "nobody@example.org"]
            if verb == "set-role" { arguments.append("admin") }
            if verb == "passwd" { arguments.append("--password-stdin") }
            let run = try await Shell.run(
                Programs.server(), arguments + ["--data", stage.server.data.path], input: ["some password"])
            #expect(run.exit != .status(0))
            if case .signal = run.exit { Issue.record("It crashed: \(run)") }
            #expect(run.errors.joined().contains("nobody@example.org"), "\(run)")
        }

        @Test("a role that is none is refused, and the account keeps its own")
        func noRole() async throws {
            let account = try await stage.account()
            let run = try await Shell.run(
                Programs.server(), ["user", "set-role", account.email, "emperor", "--data", stage.server.data.path])
            #expect(run.exit != .status(0))
            #expect(run.errors.joined().contains("emperor"), "\(run)")
            let list = try await Shell.run(Programs.server(), ["user", "list", "--data", stage.server.data.path])
            #expect(list.output.contains { $0.contains(account.email) && $0.contains("user") })
        }

        private func report(_ what: String, _ seconds: Double) {
            print(
                "\(what) was told \(Int((seconds * 1000).rounded())) ms after the command ended; 250 ms are promised.")
        }
    }

    @Suite("Tokens that live five seconds", .stage("--demo", "--token-lifetime", "5"))
    struct ExpiryTests {
        @Test("when its token expires, an open socket is nobody's, by expired, and stays connected")
        func expiry() async throws {
            let stage = try Stage.current
            let token = try await stage.peers.signIn(stage.server, .admin)
            let sockets = [
                try await stage.peers.connect(stage.server, auth: ["token": .string(token)]),
                try await stage.peers.connect(stage.server, cookie: token),
                try await stage.peers.connect(stage.server),
            ]
            #expect(try await sockets[2].call("login", .string(token)) == ["data": "registered"])
            for socket in sockets {
                let told = try await socket.identity("expired")
                #expect(told.identity["user"] == .null)
                #expect(told.identity["expiresAt"] == .null)
            }
            let row = stage.row("row")
            try await stage.write(row, adminOnly: true)
            for socket in sockets {
                #expect(try await socket.isConnected())
                #expect(try await socket.call("whoami")["reason"] == "expired")
                #expect(try await socket.call("login", .string(token))["error"] == "token_expired")
                let next = try await stage.peers.signIn(stage.server, .user)
                #expect(try await socket.call("login", .string(next)) == ["data": "registered"])
                try await stage.barrier(socket)
                #expect(!socket.things().contains(row))
            }
            let answer = try await stage.peers.http(stage.server, "GET", "/api/users/me", token: token)
            #expect(answer.status == 401)
            #expect(answer.error == "token_expired")
        }

        @Test("a login with a later token keeps the socket tied past the first token's expiry")
        func renewal() async throws {
            let stage = try Stage.current
            let first = try await stage.peers.signIn(stage.server, .user)
            let socket = try await stage.peers.connect(stage.server, auth: ["token": .string(first)])
            let firstExpiry = try #require(try await socket.identity().identity["expiresAt"]?.stringValue)
            var second = try await stage.peers.signIn(stage.server, .user)
            var answer = try await socket.call("login", .string(second))
            while answer == ["data": "registered"],
                try await socket.call("whoami")["expiresAt"]?.stringValue == firstExpiry
            {
                // Expiry counts whole seconds: try again in the next.
                second = try await stage.peers.signIn(stage.server, .user)
                answer = try await socket.call("login", .string(second))
            }
            #expect(answer == ["data": "registered"])
            let secondExpiry = try #require(try await socket.call("whoami")["expiresAt"]?.stringValue)
            #expect(firstExpiry < secondExpiry)
            let expired = try await socket.identity("expired")
            let due = try Date(
                secondExpiry, strategy: .iso8601.year().month().day().time(includingFractionalSeconds: true))
            #expect(Date() >= due, "It expired before its token did.")
            #expect(socket.heard.filter { $0.identity?["reason"] == "expired" }.count == 1)
            #expect(expired.identity["user"] == .null)
        }
    }
}
