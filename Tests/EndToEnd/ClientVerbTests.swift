import Foundation
import Testing
import WireJSON

extension EndToEnd {
    @Suite("rolecall, verb by verb", .stage())
    struct ClientVerbTests {
        let stage: Stage

        init() throws { stage = try Stage.current }

        @Test("a login saves the token for its owner only, and never shows it nor the password")
        func login() async throws {
            try await stage.withClient { client in
                let run = try await client.run(
                    "login", "--email", "test@example.com", "--password-stdin", input: ["test"])
                #expect(run.exit == .status(0), "\(run)")
                #expect(run.lines.count == 1)
                #expect(run.line("login")?["user"]?["email"] == "test@example.com")
                let files = saved(client)
                let token = try #require(savedToken(of: client))
                #expect(!"\(run)".contains(token))
                for file in files {
                    let attributes = try FileManager.default.attributesOfItem(atPath: file.path)
                    #expect((attributes[.posixPermissions] as? Int ?? 0o777) & 0o077 == 0, "\(file.path)")
                }
            }
        }

        @Test("a wrong password ends with 4 and saves nothing")
        func wrongPassword() async throws {
            try await stage.withClient { client in
                let run = try await client.run(
                    "login", "--email", "test@example.com", "--password-stdin", input: ["not this one"])
                #expect(run.exit == .status(4), "\(run)")
                #expect(run.line("error")?["error"] == "invalid_credentials")
                #expect(!"\(run)".contains("not this one"))
                #expect(saved(client).allSatisfy { !text(of: $0).contains("eyJ") })
                #expect(try await client.run("whoami").line("identity")?["user"] == .null)
            }
        }

        @Test("whoami is associated from its handshake by the saved token: reason cookie, and no login event")
        func whoami() async throws {
            try await stage.withClient { client in
                try await client.logIn(.user)
                let logged = stage.server.log.count
                let run = try await client.run("whoami")
                #expect(run.exit == .status(0), "\(run)")
                #expect(run.lines.count == 1)
                let identity = try #require(run.line("identity"))
                #expect(identity["reason"] == "cookie")
                #expect(identity["user"]?["email"] == "test@example.com")
                let socket = try #require(identity["socket"]?["id"]?.stringValue)
                let log = stage.server.log.dropFirst(logged).filter { $0.contains(socket) }
                #expect(log.contains { $0.contains("reason=cookie") }, "\(log)")
                #expect(!log.contains { $0.contains("reason=login") }, "\(log)")
            }
        }

        @Test("profiles keep logins apart, and the one that is not there is nobody")
        func profiles() async throws {
            try await stage.withClient { client in
                try await client.logIn(.user)
                try await client.logIn(.admin, profile: "boss")
                #expect(try await client.run("whoami").line("identity")?["user"]?["role"] == "user")
                #expect(
                    try await client.run("whoami", "--profile", "boss").line("identity")?["user"]?["role"] == "admin")
                let none = try await client.run("whoami", "--profile", "none")
                #expect(none.exit == .status(0))
                #expect(none.line("identity")?["reason"] == "anonymous")
            }
        }

        @Test("logout ends the session on the server and forgets the token; ROLECALL_TOKEN wins over a saved one")
        func logout() async throws {
            try await stage.withClient { client in
                try await client.logIn(.user)
                let token = try #require(savedToken(of: client))
                var other = client
                other.environment["ROLECALL_TOKEN"] = try await stage.token(.admin)
                #expect(try await other.run("whoami").line("identity")?["user"]?["role"] == "admin")
                let socket = try await stage.peers.connect(stage.server, cookie: token)
                #expect(try await socket.identity().identity["reason"] == "cookie")

                #expect(try await client.run("logout").exit == .status(0))
                try await socket.identity("signed_out")
                #expect(saved(client).allSatisfy { !text(of: $0).contains(token) })
                #expect(try await client.run("whoami").line("identity")?["reason"] == "anonymous")
                #expect(
                    try await stage.peers.http(stage.server, "GET", "/api/users/me", token: token).error
                        == "token_revoked")
                #expect(try await client.run("logout").exit == .status(0), "There is nothing left to end.")
            }
        }

        @Test("rows are made, shown, changed, listed and removed, with 7 for what the role may not")
        func rows() async throws {
            try await stage.withClient { client in
                try await client.logIn(.user)
                try await client.logIn(.admin, profile: "admin")
                let name = stage.row("row")
                let made = try await client.run("create", "thing", "name=\(name)", "active=false", "info=\"5\"")
                #expect(made.exit == .status(0), "\(made)")
                let row = try #require(made.line("row")?["row"])
                let key = try #require(row["_id"]).description
                #expect(row["name"]?.stringValue == name)
                #expect(row["active"] == false)
                #expect(row["info"] == "5")
                #expect(try await client.run("get", "thing", key).line("row")?["row"] == row)
                let changed = try await client.run("update", "thing", key, "info=leak", "active=true")
                #expect(changed.exit == .status(0))
                #expect(changed.line("row")?["row"]?["info"] == "leak")
                let list = try await client.run("list", "thing", "name=\(name)")
                #expect(list.exit == .status(0))
                #expect(list.lines.count == 1)
                #expect(list.line("row")?["row"] == changed.line("row")?["row"])
                #expect(list.line("row")?["position"]?.stringValue != nil)

                let denied = try await client.run("remove", "thing", key)
                #expect(denied.exit == .status(7), "\(denied)")
                #expect(denied.line("error")?["error"] == "forbidden")
                #expect(try await client.run("create", "thing", "name=x", "admin_only=true").exit == .status(7))
                #expect(try await client.run("update", "thing", key, "admin_only=true").exit == .status(7))
                #expect(try await client.run("remove", "thing", key, "--profile", "admin").exit == .status(0))
                for run in [
                    try await client.run("get", "thing", key), try await client.run("update", "thing", key, "info=x"),
                    try await client.run("remove", "thing", key, "--profile", "admin"),
                    try await client.run("list", "nothing"), try await client.run("create", "thing"),
                ] {
                    #expect(run.exit == .status(1), "\(run)")
                    #expect(run.line("error")?["error"]?.stringValue != nil, "\(run)")
                    #expect(run.run.errors.count == 1, "One sentence: \(run)")
                }
            }
        }

        @Test("a field's value is what its column takes, and a model that is not there is named beside those that are")
        func models() async throws {
            try await stage.withClient { client in
                try await client.logIn(.user)
                let made = try await client.run("create", "thing", "name=12", "info=true", "active=0")
                #expect(made.exit == .status(0), "\(made)")
                let row = try #require(made.line("row")?["row"])
                #expect(row["name"] == "12")
                #expect(row["info"] == "true")
                #expect(row["active"] == false)
                let list = try await client.run("list", "thing", "name=12", "active=false")
                let rows = list.lines.map { $0?["row"] ?? .null }
                #expect(rows.contains(row), "\(list)")
                let unknown = try await client.run("list", "thnig")
                #expect(unknown.exit == .status(1))
                #expect(unknown.line("error")?["error"] == "unknown_model")
                #expect(unknown.line("error")?["message"]?.stringValue?.contains("Is thing meant?") == true)
                #expect(try await client.run("list", "message", "--limit", "1").exit == .status(0))
                #expect(try await client.run("list", "user").line("row")?["row"]?["email"] == nil)
            }
        }

        @Test("explain tells an admin why each gets an event, or does not, and ends with 7 for anybody else")
        func explain() async throws {
            try await stage.withClient { client in
                try await client.logIn(.user)
                try await client.logIn(.admin, profile: "admin")
                let name = stage.row("vault")
                let made = try await client.run(
                    "create", "thing", "name=\(name)", "admin_only=true", "--profile", "admin")
                let position = try #require(made.line("row")?["position"]?.stringValue, "\(made)")
                let hidden = try await client.run(
                    "explain", position, "--user", "test@example.com", "--profile", "admin")
                #expect(hidden.exit == .status(0), "\(hidden)")
                let explanation = try #require(hidden.line("explanation"))
                #expect(explanation["outcome"] == "nothing")
                #expect(explanation["by"]?["name"] == "Admin")
                #expect(explanation["after"]?["rules"]?[1]?["granted"] == false)
                #expect(explanation["after"]?["rules"]?[1]?["reasons"]?[0]?["column"] == "admin_only")
                let own = try await client.run(
                    "explain", position, "--user", "admin@example.com", "--profile", "admin", "--format", "line")
                #expect(own.exit == .status(0))
                #expect(own.run.output.first?.contains("read rule 1 (role admin) grants it") == true, "\(own)")
                let guest = try await client.run("explain", position, "--user", "guest", "--profile", "admin")
                #expect(guest.line("explanation")?["user"] == .null)
                #expect(guest.line("explanation")?["role"] == "guest")

                let denied = try await client.run("explain", position, "--user", "test@example.com")
                #expect(denied.exit == .status(7), "\(denied)")
                #expect(!"\(denied)".contains(name))
                let unknown = try await client.run("explain", position, "--user", "x@y", "--profile", "admin")
                #expect(unknown.exit == .status(1))
                #expect(unknown.line("error")?["field"] == "user")
                #expect(
                    try await client.run("explain", position, "--user", "guest", "--profile", "none").exit == .status(4)
                )
                #expect(try await client.run("explain", "here", "--user", "guest").exit == .status(2))
            }
        }

        @Test("what needs a login ends with 4 without one, and with one that has ended")
        func withoutLogin() async throws {
            try await stage.withClient { client in
                for run in [
                    try await client.run("list", "thing"), try await client.run("get", "thing", "1"),
                    try await client.run("create", "thing", "name=x"),
                    try await client.run("remove", "thing", "1"),
                ] {
                    #expect(run.exit == .status(4), "\(run)")
                }
                let said = try await client.run("send", "hello")
                #expect(said.exit == .status(4) || said.exit == .status(7), "\(said)")

                let account = try await stage.account()
                try await client.logIn(account)
                try await stage.server.user("passwd", account.email, password: "a new one")
                let run = try await client.run("list", "thing")
                #expect(run.exit == .status(4), "\(run)")
                #expect(run.line("error")?["error"] == "token_revoked")
            }
        }

        @Test("a message that is sent is the user's, and standard input can be one")
        func send() async throws {
            try await stage.withClient { client in
                try await client.logIn(.user)
                let witness = try await stage.connect(.admin)
                let text = stage.row("hello, 大山 👍")
                let run = try await client.run("send", text)
                #expect(run.exit == .status(0), "\(run)")
                let told = try await witness.event("message:save") { $0.first?["body"]?.stringValue == text }
                #expect(told.arguments[0]["name"] == "Test User")
                let piped = stage.row("from a pipe")
                #expect(try await client.run("send", "-", input: [piped]).exit == .status(0))
                try await witness.event("message:save") {
                    $0.first?["body"]?.stringValue?.trimmingCharacters(in: .newlines) == piped
                }
            }
        }

        @Test("expect ends with 0 as soon as an event matches, and with 5 when none does in time")
        func expect() async throws {
            try await stage.withClient { client in
                try await client.logIn(.user)
                let name = stage.row("boiler")
                let logged = stage.server.log.count
                let waiting = try client.start("expect", "name=\"\(name)\"", "op:created", "--timeout", "20")
                try await ending(waiting) {
                    // It tells nothing before its event: the server's log says when it listens.
                    _ = try await stage.server.process.errors.first(from: logged, "the association of expect") {
                        $0.contains("associated") && $0.contains("test@example.com")
                    }
                    try await stage.write(stage.row("other"))
                    try await stage.write(name)
                    let start = Shell.now
                    #expect(try await waiting.child.waitForExit() == .status(0), "\(waiting.lines)")
                    #expect(Shell.now - start < 15, "It has waited out its time.")
                    let events = waiting.lines.filter { $0["kind"] == "event" }
                    #expect(events.map { $0["row"]?["name"]?.stringValue } == [name])
                }
                let start = Shell.now
                let late = try await client.run("expect", "name=\"never\"", "--timeout", "0.5")
                #expect(late.exit == .status(5), "\(late)")
                #expect(Shell.now - start >= 0.5)

                // What an admin alone may see does not happen for a user.
                let secret = stage.row("secret")
                try await stage.write(secret, adminOnly: true)
                let position = try #require(
                    try await client.run("list", "thing", "--limit", "1").line("row")?["position"]?.stringValue)
                try await stage.write(secret, adminOnly: true)
                let blind = try await client.run(
                    "expect", "name=\"\(secret)\"", "--after", position, "--timeout", "0.5")
                #expect(blind.exit == .status(5), "\(blind)")
            }
        }

        @Test("a command line that is wrong ends with 2 and says so on standard error only")
        func usage() async throws {
            try await stage.withClient { client in
                for run in [
                    try await client.run("frobnicate"), try await client.run("watch", "--colour"),
                    try await client.run("watch", "model:"), try await client.run("watch", "op:exploded"),
                    try await client.run("watch", "since:soon"), try await client.run("watch", "\"open"),
                    try await client.run("watch", "--timeout", "x"), try await client.run("watch", "--timeout", "-1"),
                    try await client.run("watch", "--timeout", "1e300"), try await client.run("watch", "--count", "0"),
                    try await client.run("watch", "--format", "xml"), try await client.run("expect"),
                    try await client.run("get", "thing"), try await client.run("update", "thing", "1"),
                    try await client.run("create", "thing", "name"), try await client.run("login"),
                    try await client.run("whoami", "--server", "gopher://x"),
                    try await client.run("whoami", "--server", "not a url"),
                    try await client.run("whoami", "--server", ""),
                    try await client.run("whoami", "--profile", "../../etc/passwd"),
                ] {
                    #expect(run.exit == .status(2), "\(run)")
                    #expect(run.run.output.allSatisfy { $0.hasPrefix("{") }, "\(run)")
                    #expect(!run.run.errors.isEmpty)
                }
            }
        }

        @Test("a server that is not there ends with 3, a password for another machine over plain HTTP with 2")
        func cannotConnect() async throws {
            try await stage.withClient { client in
                for run in [
                    try await client.run("whoami", "--server", "http://127.0.0.1:1"),
                    try await client.run("watch", "--no-reconnect", "--server", "http://127.0.0.1:1"),
                    try await client.run("list", "thing", "--server", "http://127.0.0.1:1"),
                    try await client.run(
                        "login", "--email", "x@example.com", "--password-stdin", "--server", "http://127.0.0.1:1",
                        input: ["x"]),
                ] {
                    #expect(run.exit == .status(3), "\(run)")
                    #expect(run.run.errors.count == 1, "One sentence: \(run)")
                    #expect(!"\(run)".contains("SingleConnectionFailure"), "It is for people: \(run)")
                }
                // An address that is kept for documentation (RFC 5737): nothing may be sent to it.
                let unsafe = try await client.run(
                    "login", "--email", "x@example.com", "--password-stdin", "--server", "http://192.0.2.1",
                    input: ["x"], within: .seconds(5))
                #expect(unsafe.exit == .status(2), "\(unsafe)")
            }
        }

        @Test("a token goes to the server that gave it, and to no other")
        func otherServer() async throws {
            try await stage.withClient { client in
                try await client.logIn(.user)
                try await withServer { other in
                    let run = try await client.run("whoami", "--server", other.url)
                    #expect(run.exit == .status(0), "\(run)")
                    #expect(run.line("identity")?["reason"] == "anonymous", "No token came, not even a foreign one.")
                }
            }
        }

        @Test("help goes to standard output with 0")
        func help() async throws {
            try await stage.withClient { client in
                let run = try await client.run("--help")
                #expect(run.exit == .status(0))
                for verb in [
                    "login", "logout", "whoami", "watch", "expect", "send", "create", "update", "remove", "list", "get",
                ] {
                    #expect(run.run.output.contains { $0.contains("  \(verb) ") }, "\(verb)")
                }
                #expect(try await client.run("--version").exit == .status(0))
            }
        }

        /// The token that is saved, where one is.
        private func savedToken(of client: ClientUser) -> String? {
            saved(client).lazy.compactMap { text(of: $0).firstMatch(of: /eyJ[\w.-]+/).map { String($0.output) } }.first
        }

        private func saved(_ client: ClientUser) -> [URL] {
            let files = FileManager.default.enumerator(
                at: client.state, includingPropertiesForKeys: [.isRegularFileKey])
            return (files?.allObjects as? [URL] ?? []).filter { !$0.hasDirectoryPath }
        }

        private func text(of file: URL) -> String { (try? String(contentsOf: file, encoding: .utf8)) ?? "" }
    }
}
