import Foundation
import Testing
import WireJSON

extension EndToEnd {
    @Suite("rolecall watch", .stage())
    struct ClientWatchTests {
        let stage: Stage

        init() throws { stage = try Stage.current }

        @Test("the README's demonstration: two watches that change hands, beside python-socketio")
        func demonstration() async throws {
            try await stage.withClient { client in
                try await client.logIn(.admin, profile: "admin")
                try await client.logIn(.user)
                let admin = try client.start("watch", "--profile", "admin", "--control")
                let user = try client.start("watch", "--control")
                try await ending(admin, user) {
                    let adminIdentity = try await admin.identity("cookie")
                    #expect(adminIdentity.json["user"]?["email"] == "admin@example.com")
                    let userIdentity = try await user.identity("cookie")
                    #expect(userIdentity.json["user"]?["email"] == "test@example.com")
                    let python = try await stage.peers.connect(
                        stage.server, "python", cookie: try await stage.token(.admin))
                    try await python.identity("cookie")

                    let (all, first) = (stage.row("for everyone"), stage.row("for admins"))
                    let shell = try await plain("insert into thing(name) values('\(all)')")
                    let admins = try await plain("insert into thing(name, admin_only) values('\(first)', 1)")
                    #expect(shell.exit == .status(0) && admins.exit == .status(0))
                    try await admin.thing(all)
                    try await admin.thing(first)
                    try await python.thing(first)
                    try await user.thing(all)
                    try await barrier(user)
                    #expect(!user.things().contains(first))

                    admin.type("/logout")
                    let left = try await admin.identity("logout")
                    #expect(left.json["user"] == .null)
                    let leaving = try await admin.line("acknowledgement", from: left.index)
                    #expect(leaving.json["answer"] == ["data": "un-registered"])
                    let second = stage.row("for admins")
                    try await stage.write(second, adminOnly: true)
                    try await python.thing(second)
                    try await barrier(user)
                    #expect(!user.things().contains(second))
                    admin.type("/whoami")
                    let who = try await admin.line("acknowledgement", from: leaving.index + 1)
                    #expect(who.json["answer"]?["user"] == .null, "It is still connected, and nobody.")
                    #expect(who.json["answer"]?["socket"]?["id"] == adminIdentity.json["socket"]?["id"])

                    user.type("/login admin")
                    let become = try await user.identity("login")
                    #expect(become.json["user"]?["role"] == "admin")
                    #expect(become.json["socket"] == userIdentity.json["socket"])
                    let registered = try await user.line("acknowledgement", from: become.index)
                    #expect(registered.json["answer"] == ["data": "registered"])
                    let third = stage.row("for admins")
                    try await stage.write(third, adminOnly: true)
                    try await user.thing(third)

                    user.type("/login default")
                    let again = try await user.identity("login", from: registered.index)
                    #expect(again.json["user"]?["role"] == "user")
                    _ = try await user.line("acknowledgement", from: again.index)
                    let fourth = stage.row("for admins")
                    try await stage.write(fourth, adminOnly: true)
                    try await python.thing(fourth)
                    try await barrier(user)
                    #expect(user.things().filter { [first, second, fourth].contains($0) } == [])

                    // What was to come to the admin's watch would have come before this row.
                    admin.type("/login default")
                    let end = try await admin.identity("login").index
                    try await barrier(admin)
                    let shown = admin.lines[left.index..<end].filter { $0["kind"] == "event" }
                    #expect(shown.isEmpty, "\(shown)")
                    #expect(admin.things().filter { [second, third, fourth].contains($0) } == [])

                    let said = stage.row("said by")
                    user.type(said)
                    let message = try await admin.line("event") { $0["row"]?["body"]?.stringValue == said }
                    #expect(message.json["row"]?["name"] == "Test User")
                    for watch in [admin, user] {
                        watch.type("/quit")
                        #expect(try await watch.child.waitForExit() == .status(0))
                    }
                }
            }
        }

        @Test("a query shows what matches and nothing else; --count and --until end it with 0")
        func query() async throws {
            try await stage.withClient { client in
                try await client.logIn(.user)
                let stem = stage.row("pump")
                let matching = try client.start(
                    "watch", "model:thing", "op:updated", "info~°C", "\"\(stem)\"", "--count", "2")
                let until = try client.start("watch", "--until", "name=\"\(stem) last\"")
                try await ending(matching, until) {
                    try await matching.identity("cookie")
                    try await until.identity("cookie")
                    try await stage.server.sqlite(
                        """
                        insert into thing(name, info) values('\(stem)', '0 °C');
                        update thing set info = '1 °C' where name = '\(stem)';
                        update thing set info = 'cold' where name = '\(stem)';
                        update thing set info = '2 °C' where name = '\(stem)';
                        insert into thing(name) values('\(stem) last');
                        insert into thing(name) values('\(stem) too late');
                        """)
                    #expect(try await matching.child.waitForExit() == .status(0))
                    #expect(try await until.child.waitForExit() == .status(0))
                    let events = matching.lines.filter { $0["kind"] == "event" }
                    #expect(events.compactMap { $0["row"]?["info"]?.stringValue } == ["1 °C", "2 °C"])
                    #expect(until.things().last == "\(stem) last")
                    #expect(until.things().count == 5)
                }
            }
        }

        @Test("every line of standard output is a JSON object with its kind")
        func lines() async throws {
            try await stage.withClient { client in
                try await client.logIn(.user)
                let watch = try client.start("watch", "--control")
                try await ending(watch) {
                    try await watch.identity("cookie")
                    for line in ["/nope", "/logout", "/login", "/login nobody", "a message", "/whoami", "/quit"] {
                        watch.type(line)
                    }
                    #expect(try await watch.child.waitForExit() == .status(0))
                    #expect(watch.lines.allSatisfy { $0["kind"]?.stringValue?.isEmpty == false }, "\(watch.lines)")
                    #expect(watch.lines.contains { $0["error"] == "unknown_command" })
                }
            }
        }

        @Test("--after tells what came since a position, and a gap for one that is not of this log")
        func after() async throws {
            try await stage.withClient { client in
                try await client.logIn(.user)
                let position = try #require(
                    try await client.run("list", "thing", "--limit", "1").line("row")?["position"]?.stringValue)
                let (row, secret) = (stage.row("row"), stage.row("secret"))
                try await stage.write(secret, adminOnly: true)
                try await stage.write(row)
                let run = try await client.run("watch", "--after", position, "--count", "1")
                #expect(run.exit == .status(0), "\(run)")
                #expect(run.line("event")?["row"]?["name"]?.stringValue == row)
                #expect(!"\(run)".contains(secret))

                let foreign = try client.start("watch", "--after", "0123456789ab-0000000000000001")
                try await ending(foreign) {
                    let gap = try await foreign.line("gap")
                    #expect(gap.json["reason"] == "unknown")
                    try await barrier(foreign)
                }
            }
        }

        @Test("a server that is killed and comes back is joined again: nothing missed, nothing doubled")
        func reconnect() async throws {
            try await Stage.with { stage in
                try await stage.withClient { client in
                    try await client.logIn(.admin, profile: "admin")
                    try await client.logIn(.user)
                    let admin = try client.start("watch", "--profile", "admin")
                    let user = try client.start("watch")
                    try await ending(admin, user) {
                        for watch in [admin, user] {
                            try await watch.identity("cookie")
                        }
                        var written: [(name: String, isSecret: Bool)] = []
                        func write(_ rows: Int) async throws {
                            var statements = ""
                            for _ in 1...rows {
                                let row = (name: "row \(written.count)", isSecret: written.count % 3 == 0)
                                written.append(row)
                                statements +=
                                    "insert into thing(name, admin_only) values('\(row.name)', \(row.isSecret ? 1 : 0));\n"
                            }
                            try await stage.server.sqlite(statements)
                        }
                        for round in 1...2 {
                            let counts = [admin.count, user.count]
                            try await write(5)
                            if round == 1 { try await user.thing("row 4") }
                            #expect(try await stage.server.process.end(SIGKILL) == .signal(SIGKILL))
                            try await write(20)
                            try await stage.server.restart()
                            for (watch, count) in zip([admin, user], counts) {
                                _ = try await watch.line("state", from: count, within: .seconds(40)) {
                                    $0["state"] == "online"
                                }
                                try await watch.identity("cookie", from: count)
                            }
                            try await write(5)
                        }
                        try await stage.server.sqlite("insert into thing(name) values('the last');")
                        for watch in [admin, user] { try await watch.thing("the last") }
                        #expect(admin.things() == written.map(\.name) + ["the last"])
                        #expect(user.things() == written.filter { !$0.isSecret }.map(\.name) + ["the last"])
                        for watch in [admin, user] {
                            #expect(!watch.lines.contains { $0["kind"] == "gap" })
                            let places = watch.lines.filter { $0["kind"] == "event" }
                                .compactMap { $0["position"]?.stringValue.flatMap(LogPlace.init) }
                            #expect(places == places.sorted())
                        }
                    }
                }
            }
        }

        @Test("a connection that is lost ends --no-reconnect with 6")
        func connectionLost() async throws {
            try await Stage.with { stage in
                try await stage.withClient { client in
                    let watch = try client.start("watch", "--no-reconnect")
                    try await ending(watch) {
                        try await watch.identity("anonymous")
                        #expect(try await stage.server.process.end(SIGKILL) == .signal(SIGKILL))
                        #expect(try await watch.child.waitForExit() == .status(6), "\(watch.lines)")
                    }
                }
            }
        }

        @Test("an interrupt ends it with 130, a termination with 143, a time-out with 5")
        func signals() async throws {
            try await stage.withClient { client in
                for (signal, status) in [(SIGINT, 130), (SIGTERM, 143)] as [(Int32, Int32)] {
                    let watch = try client.start("watch")
                    try await ending(watch) {
                        try await watch.identity("anonymous")
                        #expect(try await watch.child.end(signal) == .status(status))
                    }
                }
                #expect(try await client.run("watch", "--timeout", "0.3").exit == .status(5))
            }
        }

        @Test("a reader that goes away ends it with 0")
        func brokenPipe() async throws {
            try await stage.withClient { client in
                try await client.logIn(.user)
                let program = try Programs.client().path
                let status = client.directory.file("status")
                let pipeline = try ChildProcess(
                    URL(fileURLWithPath: "/bin/sh"),
                    [
                        "-c",
                        "{ '\(program)' watch; echo $? > '\(status.path)'; } | { head -n 3; exec 0<&-; echo closed; }",
                    ],
                    environment: ["ROLECALL_SERVER": stage.server.url, "XDG_STATE_HOME": client.state.path])
                do {
                    _ = try await pipeline.output.first("the end of head") { $0 == "closed" }
                    try await stage.write(stage.row("row"))
                    try await stage.write(stage.row("row"))
                    #expect(try await pipeline.waitForExit() == .status(0))
                    #expect(pipeline.errors.elements == [])
                    let text = try String(contentsOf: status, encoding: .utf8)
                    #expect(text == "0\n")
                } catch {
                    try await pipeline.end()
                    throw error
                }
            }
        }

        @Test("nothing that others write reaches a terminal as a control")
        func hostileText() async throws {
            try await stage.withClient { client in
                try await client.logIn(.user)
                let name = stage.row("boiler")
                let watch = try client.start("watch", "--format", "line")
                try await ending(watch) {
                    _ = try await watch.child.output.first("the user") { $0.contains("test@example.com") }
                    let hostile = "\u{1B}]0;title\u{07}\u{1B}[2J\u{9B}31m\u{202E}\u{2066}\u{200B}\u{7F}\r\n\t\u{2028}"
                    let answer = try await stage.peers.http(
                        stage.server, "POST", "/api/things",
                        json: ["name": .string(name), "info": .string(hostile + "end of it")],
                        token: try await stage.token(.user))
                    #expect(answer.status == 201)
                    try await stage.write(name + " after")
                    _ = try await watch.child.output.first("the row after") { $0.contains(name + " after") }
                    let text = watch.child.output.elements.joined(separator: "\n")
                    #expect(text.contains(name))
                    #expect(text.contains("end of it"), "The text itself is shown, on the line of its row.")
                    let controls = text.unicodeScalars.filter {
                        $0 != "\n"
                            && ($0.properties.generalCategory == .control || $0.properties.generalCategory == .format
                                || $0.properties.generalCategory == .lineSeparator)
                    }
                    #expect(controls.isEmpty, "\(controls.map { String($0.value, radix: 16) })")
                    let line = watch.child.output.elements.filter { $0.contains(name) && !$0.contains("after") }
                    #expect(line.count == 1, "One event, one line: \(line)")
                }
            }
        }

        @Test("the JSON lines too hold no control, whatever the row does")
        func hostileTextInJSON() async throws {
            try await stage.withClient { client in
                try await client.logIn(.user)
                let name = stage.row("boiler")
                let hostile = "\u{1B}[2J\u{9B}31m\u{7F}\n\u{85}"
                let answer = try await stage.peers.http(
                    stage.server, "POST", "/api/things", json: ["name": .string(name), "info": .string(hostile)],
                    token: try await stage.token(.user))
                let key = try #require(answer.json["_id"]).description
                let run = try await client.run("get", "thing", key)
                #expect(run.exit == .status(0))
                #expect(run.line("row")?["row"]?["info"]?.stringValue == hostile, "A program gets what is there.")
                let controls = run.run.output.joined().unicodeScalars.filter {
                    $0.properties.generalCategory == .control
                }
                #expect(controls.isEmpty, "\(controls.map { String($0.value, radix: 16) })")
            }
        }

        /// Writes as the README does: without a word about waiting for others.
        private func plain(_ statement: String) async throws -> Run {
            try await Shell.run(
                URL(fileURLWithPath: "/usr/bin/env"), ["sqlite3", stage.server.database.path, statement])
        }

        private func barrier(_ watch: ClientProcess) async throws {
            let row = stage.row("barrier")
            try await stage.write(row)
            try await watch.thing(row)
        }
    }
}
