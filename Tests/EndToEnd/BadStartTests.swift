import Foundation
import Testing
import WireJSON

extension EndToEnd {
    @Suite("Bad input at the start")
    struct BadStartTests {
        @Test("an occupied port is named in one sentence")
        func occupiedPort() async throws {
            try await withServer { running in
                try await withTemporaryDirectory { directory in
                    let run = try await start(["--data", directory.url.path, "--port", "\(running.port)"])
                    try expectRefusal(run, naming: "127.0.0.1:\(running.port)")
                }
                #expect(running.process.exit == nil)
            }
        }

        @Test("a data directory below a regular file is named in one sentence, and the file is as it was")
        func dataBelowFile() async throws {
            try await withTemporaryDirectory { directory in
                let file = directory.file("file")
                try "my text\n".write(to: file, atomically: true, encoding: .utf8)
                for data in [file, file.appendingPathComponent("data")] {
                    try expectRefusal(try await start(["--data", data.path, "--port", "0"]), naming: file.path)
                }
                #expect(try String(contentsOf: file, encoding: .utf8) == "my text\n")
            }
        }

        @Test("a store that is no database is named in one sentence, and not a byte of it changes")
        func storeIsText() async throws {
            try await withTemporaryDirectory { directory in
                let file = directory.file("notes.txt")
                let text = String(repeating: "These are notes, and no database.\n", count: 200)
                try text.write(to: file, atomically: true, encoding: .utf8)
                let run = try await start([
                    "--data", directory.file("data").path, "--store", "sqlite:\(file.path)", "--port", "0",
                ])
                try expectRefusal(run, naming: file.path)
                #expect(try String(contentsOf: file, encoding: .utf8) == text)
                #expect(try neighbours(of: file).filter { $0.hasPrefix("notes.txt") } == ["notes.txt"])
            }
        }

        @Test("a database of a newer version is refused in one sentence, and its rows are as they were")
        func newerDatabase() async throws {
            try await withTemporaryDirectory { directory in
                let data = directory.file("data")
                let server = try await ServerProcess(["--demo"], data: data)
                #expect(try await server.stop() == .status(0))
                try await server.sqlite(
                    "update rolecall_meta set value = value + 41 where key = 'schema_version';")
                let before = try await server.sqlite(".dump").output
                try expectRefusal(
                    try await start(["--demo", "--data", data.path, "--port", "0"]), naming: server.database.path)
                let list = try await Shell.run(Programs.server(), ["user", "list", "--data", data.path])
                try expectRefusal(list, naming: server.database.path)
                #expect(try await server.sqlite(".dump").output == before)
            }
        }

        @Test("a store of a kind that there is not is refused in one sentence")
        func unknownStore() async throws {
            try await withTemporaryDirectory { directory in
                let run = try await start(["--data", directory.url.path, "--store", "tape:reel", "--port", "0"])
                try expectRefusal(run, naming: "tape:reel")
            }
        }

        @Test("a key that is too short, missing or a directory is refused in one sentence that does not tell it")
        func badKey() async throws {
            try await withTemporaryDirectory { directory in
                let short = directory.file("short")
                try "s3cret-and-short\n".write(to: short, atomically: true, encoding: .utf8)
                try expectRefusal(try await start(directory, ["--key-file", short.path]), naming: short.path)
                let run = try await start(directory, ["--key-file", short.path])
                #expect(!run.errors.joined().contains("s3cret"))
                #expect(try String(contentsOf: short, encoding: .utf8) == "s3cret-and-short\n")
                let missing = directory.file("missing")
                try expectRefusal(try await start(directory, ["--key-file", missing.path]), naming: missing.path)
                #expect(!FileManager.default.fileExists(atPath: missing.path))
                try expectRefusal(
                    try await start(directory, ["--key-file", directory.url.path]), naming: directory.url.path)

                // The same file in the place where the server looks by itself is not replaced either.
                let data = directory.file("data")
                try FileManager.default.createDirectory(at: data, withIntermediateDirectories: true)
                let own = data.appendingPathComponent("key")
                try "s3cret-and-short\n".write(to: own, atomically: true, encoding: .utf8)
                try expectRefusal(try await start(["--data", data.path, "--port", "0"]), naming: own.path)
                #expect(try String(contentsOf: own, encoding: .utf8) == "s3cret-and-short\n")
            }
        }

        @Test(
            "an option's value that is none is refused in one sentence with the option's name",
            arguments: [
                ["--port", "x"], ["--port", "-1"], ["--port", "65536"], ["--host", "not an address"],
                ["--token-lifetime", "x"], ["--token-lifetime", "0"], ["--token-lifetime", "-5"],
                ["--token-lifetime", "99999999999999999999h"], ["--token-lifetime", "9223372036854775807d"],
                ["--ping-interval", "0"], ["--ping-interval", "-1"], ["--ping-interval", "x"],
                ["--ping-interval", "9223372036854775807"], ["--ping-timeout", "0"],
                ["--ping-timeout", "9223372036854775807"], ["--connect-timeout", "-1"],
                ["--connect-timeout", "9223372036854775807"], ["--max-payload", "0"], ["--max-payload", "-1"],
                ["--max-payload", "9223372036854775807"], ["--demo-activity", "-1"], ["--demo-activity", "nan"],
                ["--demo-activity", "inf"], ["--demo-activity", "1e300"], ["--log-level", "loud"],
                ["--log-format", "xml"], ["--allowed-origin", "not an origin"], ["--allowed-origin", "ftp://x"],
                ["--allowed-origin", "https://"],
            ])
        func badOption(_ option: [String]) async throws {
            try await withTemporaryDirectory { directory in
                var arguments = ["--data", directory.file("data").path] + option
                if option[0] != "--port" { arguments += ["--port", "0"] }
                try expectRefusal(try await start(arguments), naming: option[0])
            }
        }

        @Test("an option that there is not, and one without its value, are refused with how it is used")
        func unknownOption() async throws {
            for arguments in [["--colour", "red"], ["--port"], ["--data"], ["surplus"]] {
                let run = try await start(arguments)
                #expect(run.exit == .status(64) || run.exit == .status(2), "\(arguments): \(run)")
                #expect(run.errors.joined().contains(arguments[0]), "\(arguments): \(run)")
                #expect(run.output == [])
            }
        }

        @Test("an environment variable is an option of the same words, and an option wins over it")
        func environment() async throws {
            try await withTemporaryDirectory { directory in
                let refused = try await Shell.run(
                    Programs.server(), ["--data", directory.file("data").path],
                    environment: ["ROLECALL_PORT": "many"])
                try expectRefusal(refused, naming: "ROLECALL_PORT")
                let server = try await ServerProcess(
                    ["--demo"], data: directory.file("data"),
                    environment: [
                        "ROLECALL_PORT": "1", "ROLECALL_DATA": directory.file("elsewhere").path,
                        "ROLECALL_PING_INTERVAL": "1234",
                    ])
                let peers = try PeerHost()
                let socket = try await peers.webSocket(server)
                #expect(try await socket.text(startingWith: "0").text.contains("\"pingInterval\":1234"))
                try await peers.end()
                #expect(!FileManager.default.fileExists(atPath: directory.file("elsewhere").path))
                #expect(try await server.stop() == .status(0))
            }
        }

        @Test("the key is made once, for its owner only, and tokens outlive a restart")
        func key() async throws {
            try await Stage.with { stage in
                let server = stage.server
                let attributes = try FileManager.default.attributesOfItem(atPath: server.key.path)
                #expect(attributes[.posixPermissions] as? Int == 0o600)
                let key = try Data(contentsOf: server.key)
                #expect(key.last == UInt8(ascii: "\n"))
                #expect(
                    String(decoding: key.dropLast(), as: UTF8.self).wholeMatch(of: /[A-Za-z0-9_-]{43}/) != nil,
                    "32 random bytes in base64url")
                let token = try await stage.peers.signIn(server, .user)
                let out = try await stage.peers.signIn(server, .user)
                #expect(try await stage.peers.http(server, "POST", "/auth/logout", token: out).status == 200)
                #expect(try await server.stop() == .status(0))
                try await server.restart()
                #expect(try Data(contentsOf: server.key) == key)
                let socket = try await stage.peers.connect(server, cookie: token)
                #expect(try await socket.identity().identity["reason"] == "cookie")
                let stale = try await stage.peers.connect(server, cookie: out)
                #expect(
                    try await stale.identity().identity["reason"] == "token_revoked", "So does a sign-out.")
                let users = try await server.sqlite("select count(*) from rolecall_user;").output
                #expect(users == ["2"], "The demo's accounts are brought once.")
            }
        }

        @Test("a server that is killed loses nothing that it had acknowledged")
        func killed() async throws {
            try await Stage.with { stage in
                let token = try await stage.token(.user)
                var ids: [JSON] = []
                for number in 1...5 {
                    let answer = try await stage.peers.http(
                        stage.server, "POST", "/api/things", json: ["name": "row \(number)"], token: token)
                    #expect(answer.status == 201)
                    ids.append(try #require(answer.json["_id"]))
                }
                #expect(try await stage.server.process.end(SIGKILL) == .signal(SIGKILL))
                try await stage.server.restart()
                for id in ids {
                    let answer = try await stage.peers.http(stage.server, "GET", "/api/things/\(id)", token: token)
                    #expect(answer.status == 200)
                }
            }
        }

        @Test("without --demo there is no account that everybody knows, and no thing")
        func noDemo() async throws {
            try await withServer([]) { server in
                let peers = try PeerHost()
                for account in [Account.admin, .user] {
                    let answer = try await peers.http(
                        server, "POST", "/auth/local",
                        json: ["email": .string(account.email), "password": .string(account.password)])
                    #expect(answer.status == 401)
                }
                let ann = Account(email: "ann@example.org", password: "correct horse")
                try await server.user("add", "--email", ann.email, "--role", "admin", password: ann.password)
                let token = try await peers.signIn(server, ann)
                #expect(try await peers.http(server, "GET", "/api/things", token: token).status == 404)
                #expect(try await peers.http(server, "GET", "/api/messages", token: token).json == [])
                try await peers.end()
            }
        }

        @Test("help and version go to standard output with status 0")
        func help() async throws {
            for (argument, expected) in [("--help", "USAGE: rolecall-server"), ("--version", ".")] {
                let run = try await start([argument])
                #expect(run.exit == .status(0))
                #expect(run.output.joined(separator: "\n").contains(expected), "\(run)")
                #expect(run.errors == [])
            }
        }

        @Test("a command that only looks, or changes what is there, makes no database where there is none")
        func noDatabase() async throws {
            try await withTemporaryDirectory { directory in
                let data = directory.file("data")
                for arguments in [
                    ["user", "list"], ["user", "set-role", "a@example.com", "admin"],
                    ["user", "remove", "a@example.com"], ["models"], ["events", "prune", "--keep", "1"],
                ] {
                    let run = try await Shell.run(Programs.server(), arguments + ["--data", data.path])
                    try expectRefusal(run, naming: data.path)
                }
                #expect(!FileManager.default.fileExists(atPath: data.path))
                let added = try await Shell.run(
                    Programs.server(),
                    ["user", "add", "--email", "a@example.com", "--password-stdin", "--data", data.path],
                    input: ["secret"])
                #expect(added.exit == .status(0), "\(added)")
                #expect(added.output.first?.contains(data.path) == true, "It says what it made: \(added)")
            }
        }

        @Test("beside a configuration file that is not named, a command asks which database is meant")
        func doubtfulDatabase() async throws {
            try await withTemporaryDirectory { directory in
                try "store: sqlite:app.db\n".write(
                    to: directory.file("rolecall.yml"), atomically: true, encoding: .utf8)
                let home = directory.file("home").path
                func run(_ arguments: String...) async throws -> Run {
                    try await Shell.run(
                        URL(fileURLWithPath: "/usr/bin/env"),
                        ["-C", directory.url.path, "XDG_DATA_HOME=\(home)", Programs.server().path] + arguments,
                        input: ["secret"])
                }
                let add = ["user", "add", "--email", "a@example.com", "--password-stdin"]
                let refused = try await run(add[0], add[1], add[2], add[3], add[4])
                try expectRefusal(refused, naming: "--config rolecall.yml")
                try expectRefusal(refused, naming: home)
                #expect(!FileManager.default.fileExists(atPath: home))
                let added = try await run(add[0], add[1], add[2], add[3], add[4], "--config", "rolecall.yml")
                #expect(added.exit == .status(0), "\(added)")
                #expect(FileManager.default.fileExists(atPath: directory.file("app.db").path))
            }
        }

        @Test("a file's mistakes are all told at once: those of the file alone, and those that a database shows")
        func allMistakes() async throws {
            try await withTemporaryDirectory { directory in
                let database = directory.file("app.db")
                _ = try await Shell.sqlite(database, "create table tickets(id integer primary key, team integer);")
                let file = directory.file("rolecall.yml")
                try """
                store: sqlite:\(database.path)
                rols: [a]
                models:
                  ticket: {table: tickets, read: [{role: admin, when: {tem: 1}}]}
                  other: {table: nowhere, read: [{rol: admin}]}
                """.write(to: file, atomically: true, encoding: .utf8)
                let run = try await Shell.run(Programs.server(), ["check", "--config", file.path])
                #expect(run.exit == .status(1))
                let places = run.errors.map { $0.replacingOccurrences(of: "rolecall-server: ", with: "") }
                    .map { $0.replacingOccurrences(of: file.path, with: "").prefix(6) }
                #expect(places == [":2:1: ", ":4:56:", ":5:18:", ":5:35:"], "\(run)")
            }
        }

        private func start(_ arguments: [String]) async throws -> Run {
            try await Shell.run(Programs.server(), arguments, within: .seconds(15))
        }

        private func start(_ directory: TemporaryDirectory, _ arguments: [String]) async throws -> Run {
            try await start(["--data", directory.file("some data").path, "--port", "0"] + arguments)
        }

        /// A refusal is a status that is not 0, nothing on standard output, and one sentence on standard error that
        /// names what is wrong; where an option is, usage may follow.
        private func expectRefusal(
            _ run: Run, naming name: String, sourceLocation: SourceLocation = #_sourceLocation
        ) throws {
            guard case .status(let status) = run.exit else {
                Issue.record("It crashed: \(run)", sourceLocation: sourceLocation)
                return
            }
            #expect(status != 0, "\(run)", sourceLocation: sourceLocation)
            #expect(run.output == [], "\(run)", sourceLocation: sourceLocation)
            let sentence = run.errors.filter { !$0.isEmpty && !$0.hasPrefix("Usage:") && !$0.contains("--help' for") }
            let informed = sentence.filter { !$0.contains(" info ") && !$0.hasPrefix("Help:") }
            #expect(informed.count == 1, "One sentence: \(run)", sourceLocation: sourceLocation)
            #expect(sentence.contains { $0.contains(name) }, "It names \(name): \(run)", sourceLocation: sourceLocation)
        }

        private func neighbours(of file: URL) throws -> [String] {
            try FileManager.default.contentsOfDirectory(atPath: file.deletingLastPathComponent().path).sorted()
        }
    }
}
