import RolecallProtocol
import Testing
import WireJSON

@testable import RolecallClient

@Suite("Application", .timeLimit(.minutes(1)))
struct ApplicationTests {
    private static let token = ["ROLECALL_TOKEN": "token.of.ann"]
    private static let nobody = ScriptedConnector([])

    // MARK: whoami

    @Test("whoami shows whom the socket belongs to")
    func whoami() async throws {
        for (user, environment) in [(ann, Self.token), (nil, [:])] as [(UserSummary?, [String: String])] {
            let link = ScriptedLink("S1", .identity(identity(user), at: 3))
            let connector = ScriptedConnector(link)
            let run = try Run()
            #expect(try await run(["whoami"], environment: environment, connector: connector) == .done)
            #expect(run.lines.json == [OutputLine.identity(identity(user), position(3)).json])
            #expect(run.messages.lines == [])
            #expect(link.isClosed)
            #expect(connector.handshakes.map { $0.token?.secret } == [user == nil ? nil : "token.of.ann"])
        }
    }

    @Test(
        "a token that is refused is a failed login for the verbs that need one",
        arguments: [["whoami"], ["send", "x"], ["expect", "model:thing"]],
        [IdentityReason.tokenInvalid, .tokenExpired, .tokenRevoked, .userUnknown])
    func refusedToken(arguments: [String], reason: IdentityReason) async throws {
        let link = ScriptedLink("S1", .identity(identity(nil, reason: reason), at: 3))
        let run = try Run()
        #expect(
            try await run(arguments, environment: Self.token, connector: ScriptedConnector(link)) == .loginFailed)
        #expect(run.lines.summary.last == "error \(reason)")
        #expect(run.messages.lines.count == 1)
        #expect(link.requests.isEmpty)
        #expect(link.isClosed)
    }

    @Test(
        "a server that isn't there, and a connection that ends early, have their codes",
        arguments: [["whoami"], ["send", "x"], ["expect", "model:thing"], ["watch", "--no-reconnect"]])
    func noConnection(arguments: [String]) async throws {
        var run = try Run()
        #expect(try await run(arguments, connector: Self.nobody) == .cannotConnect)
        #expect(run.lines.summary.last == "error cannot_connect")
        #expect(run.messages.lines == ["rolecall: Nobody is there."])
        run = try Run()
        let link = ScriptedLink("S1", .lost(reason: "Gone."))
        #expect(try await run(arguments, connector: ScriptedConnector(link)) == .connectionLost)
        #expect(run.lines.summary.last == "error connection_lost")
    }

    // MARK: send

    @Test("send sends the text in its room and shows the answer")
    func send() async throws {
        let sent: JSON = ["data": "sent", "_id": 5, "position": .string(position(9).description)]
        let table: [([String], String?, JSON)] = [
            (["send", "hello"], nil, ["body": "hello"]),
            (["send", "-", "--room", "r"], "two\nlines\n", ["body": "two\nlines", "room": "r"]),
        ]
        for (arguments, input, payload) in table {
            let link = ScriptedLink("S1", .identity(identity(ann), at: 3)) { _, _, link in
                link.push(.model(event(4)), .acknowledgement)
                return sent
            }
            let run = try Run(input: input)
            #expect(try await run(arguments, connector: ScriptedConnector(link)) == .done)
            #expect(run.lines.json == [["kind": "acknowledgement", "command": "send", "answer": sent]])
            #expect(link.requests.map(\.event) == ["message"])
            #expect(link.requests.map(\.arguments) == [[payload]])
        }
    }

    @Test(
        "a message that is refused ends by its reason",
        arguments: [(ErrorCode.forbidden, ExitCode.denied), (.unauthenticated, .loginFailed), (.invalidField, .failed)])
    func refusedMessage(code: ErrorCode, exitCode: ExitCode) async throws {
        let link = ScriptedLink("S1", .identity(identity(nil, reason: .anonymous), at: 3)) { _, _, link in
            link.push(.acknowledgement)
            return WireError(code, "No\u{1b}.").json
        }
        let run = try Run()
        #expect(try await run(["send", "x"], connector: ScriptedConnector(link)) == exitCode)
        #expect(run.lines.json == [["kind": "error", "error": .string(code.rawValue), "message": "No\u{1b}."]])
        #expect(run.messages.lines == ["rolecall: No⟨1b⟩."])
    }

    @Test("a message whose answer is lost with the connection is not called sent")
    func lostAnswer() async throws {
        let link = ScriptedLink("S1", .identity(identity(ann), at: 3)) { _, _, link in
            link.push(.lost(reason: "Gone."))
            throw RequestFailure.connectionLost
        }
        let run = try Run()
        #expect(try await run(["send", "x"], connector: ScriptedConnector(link)) == .connectionLost)
    }

    // MARK: expect

    @Test("expect shows the first match and nothing else")
    func expect() async throws {
        let link = ScriptedLink(
            "S1", .identity(identity(ann), at: 3), .model(event(4, .created)), .model(event(5)), .model(event(6)))
        let run = try Run()
        let connector = ScriptedConnector(link)
        #expect(
            try await run(["expect", "op:updated", "--after", position(2).description], connector: connector) == .done)
        #expect(run.lines.json == [OutputLine.event(event(5)).json])
        #expect(connector.handshakes.map(\.after) == [position(2)])
        #expect(link.isClosed)
    }

    @Test("expect can wait for an identity's role, and gives up at its time-out")
    func expectRole() async throws {
        let link = ScriptedLink(
            "S1", .identity(identity(ann), at: 3), .identity(identity(root, epoch: 2, reason: .roleChanged), at: 4))
        var run = try Run()
        #expect(try await run(["expect", "role:admin"], connector: ScriptedConnector(link)) == .done)
        #expect(run.lines.summary == ["identity role_changed"])
        run = try Run()
        let silent = ScriptedLink("S1", .identity(identity(ann), at: 3))
        #expect(
            try await run(["expect", "role:admin", "--timeout", "0.05"], connector: ScriptedConnector(silent))
                == .timedOut)
        #expect(run.lines.summary == ["error timed_out"])
        #expect(silent.isClosed)
    }

    // MARK: watch

    @Test("a watch shows what its query holds for, and all that is no event, until it has its count")
    func watch() async throws {
        let link = ScriptedLink(
            "S1", .identity(identity(ann), at: 3), .model(event(4, .created)), .model(event(5)),
            .gap(Gap(after: nil, before: position(5), reason: .overflow)), .model(event(6, .removed)), .model(event(7)),
            .model(event(8)))
        let run = try Run()
        #expect(
            try await run(["watch", "op:save", "-op:created", "--count", "2"], connector: ScriptedConnector(link))
                == .done)
        #expect(
            run.lines.summary == [
                "state connecting", "state online", "identity cookie", "event thing:save", "gap overflow",
                "event thing:save",
            ])
        #expect(run.lines.json.last?["position"]?.stringValue == position(7).description)
        #expect(link.isClosed)
    }

    @Test("a watch ends with the event it waits for, shown or not")
    func until() async throws {
        let link = ScriptedLink("S1", .identity(identity(ann), at: 3), .model(event(4, .removed)), .model(event(5)))
        let run = try Run()
        let arguments = ["watch", "op:updated", "--until", "op:removed"]
        #expect(try await run(arguments, connector: ScriptedConnector(link)) == .done)
        #expect(run.lines.summary == ["state connecting", "state online", "identity cookie"])
    }

    @Test("a watch comes back after a loss, and tells nothing twice")
    func reconnects() async throws {
        let links = [
            ScriptedLink("S1", .identity(identity(ann), at: 3), .model(event(4)), .lost(reason: "Gone.")),
            ScriptedLink("S2", .identity(identity(ann), at: 4), .model(event(4)), .model(event(5))),
        ]
        let connector = ScriptedConnector(links[0], links[1])
        let run = try Run()
        #expect(try await run(["watch", "--count", "2"], environment: Self.token, connector: connector) == .done)
        #expect(
            run.lines.summary == [
                "state connecting", "state online", "identity cookie", "event thing:save", "state offline",
                "state connecting", "state online", "identity cookie", "event thing:save",
            ])
        #expect(connector.handshakes.map(\.after) == [nil, position(4)])
        #expect(connector.handshakes.map { $0.token?.secret } == ["token.of.ann", "token.of.ann"])
    }

    @Test("a watch without return ends with the loss, one with a time-out at that")
    func ends() async throws {
        var run = try Run()
        let lost = ScriptedLink("S1", .lost(reason: "Gone."))
        #expect(try await run(["watch", "--no-reconnect"], connector: ScriptedConnector(lost)) == .connectionLost)
        #expect(
            run.lines.summary == [
                "state connecting", "state online", "state closed", "error connection_lost",
            ])
        run = try Run()
        let silent = ScriptedLink("S1")
        #expect(
            try await run(["watch", "--timeout", "0.05"], connector: ScriptedConnector(silent)) == .timedOut)
        #expect(silent.isClosed)
    }

    @Test("a reader who goes ends a watch well, at the next line and also when nothing happens")
    func readerGone() async throws {
        let early = try Run()
        early.lines.leave()
        #expect(try await early(["watch"], connector: ScriptedConnector(ScriptedLink("S1"))) == .done)
        let run = try Run()
        let link = ScriptedLink("S1")
        async let code = run(["watch"], connector: ScriptedConnector(link))
        try await eventually("online") { run.lines.summary.last == "state online" }
        run.lines.leave()
        #expect(try await code == .done)
        #expect(link.isClosed)
    }

    @Test("a cancelled run says that it is closed, closes its connection, and ends")
    func cancelled() async throws {
        let run = try Run()
        let link = ScriptedLink("S1")
        let task = Task { try await run(["watch", "--control"], connector: ScriptedConnector(link)) }
        try await eventually("online") { run.lines.summary.last == "state online" }
        task.cancel()
        #expect(try await task.value == .interrupted)
        #expect(run.lines.summary.last == "state closed")
        #expect(link.isClosed)
    }

    @Test("people's lines are for people")
    func lineFormat() async throws {
        let link = ScriptedLink("S1", .identity(identity(ann), at: 3), .model(event(4)))
        let run = try Run()
        #expect(
            try await run(["watch", "--format", "line", "--count", "1"], connector: ScriptedConnector(link)) == .done)
        #expect(run.lines.lines.count == 4)
        #expect(run.lines.lines.last?.hasSuffix(" ~ thing 12 boiler 3  active=true  by Ann") == true)
    }

    // MARK: control

    @Test("commands are obeyed in turn on the very socket, and answered in place")
    func control() async throws {
        let link = ScriptedLink("S1", .identity(identity(ann), at: 3)) { event, _, link in
            switch event {
            case ClientEvent.logout:
                link.push(.identity(identity(nil, epoch: 2, reason: .logout), at: 3), .acknowledgement)
                return ["data": "un-registered"]
            case ClientEvent.login:
                link.push(.identity(identity(ann, epoch: 3, reason: .login), at: 3), .acknowledgement)
                return ["data": "registered"]
            case ClientEvent.whoami:
                link.push(.acknowledgement)
                return identity(ann, epoch: 3, reason: .login).json
            default:
                link.push(.acknowledgement)
                return ["error": "forbidden", "message": "No."]
            }
        }
        let run = try Run(input: "/logout\n/login\n\nhello\n//x\n/send  y\n/whoami\n/nonsense\n/quit\n")
        #expect(
            try await run(["watch", "--control"], environment: Self.token, connector: ScriptedConnector(link)) == .done)
        let shown = run.lines.summary
        // The unknown command is answered at once, not in the events' order.
        #expect(
            shown.filter { $0 != "error unknown_command" && $0 != "acknowledgement quit" && $0 != "state closed" } == [
                "state connecting", "state online", "identity cookie", "identity logout", "acknowledgement logout",
                "identity login", "acknowledgement login", "acknowledgement send", "acknowledgement send",
                "acknowledgement send", "acknowledgement whoami",
            ])
        #expect(shown.contains("error unknown_command"))
        #expect(shown.contains("acknowledgement quit"))
        #expect(link.requests.map(\.event) == ["logout", "login", "message", "message", "message", "whoami"])
        #expect(
            link.requests.map { $0.arguments.first } == [
                nil, "token.of.ann", ["body": "hello"], ["body": "/x"], ["body": "y"], nil,
            ])
        #expect(!run.lines.lines.joined().contains("token.of.ann"))
    }

    @Test("a connection that is let go comes back as whoever the socket was")
    func disconnect() async throws {
        let answer: ScriptedLink.Answer = { _, _, link in
            link.push(.acknowledgement)
            return ["data": "un-registered"]
        }
        let connector = ScriptedConnector(
            ScriptedLink("S1", .identity(identity(ann), at: 3), answer: answer),
            ScriptedLink("S2", .identity(identity(nil, reason: .anonymous), at: 3), answer: answer))
        let run = try Run(input: "/logout\n/disconnect\n/whoami\n/quit\n")
        #expect(try await run(["watch", "--control"], environment: Self.token, connector: connector) == .done)
        #expect(connector.handshakes.map { $0.token?.secret } == ["token.of.ann", nil])
        #expect(run.lines.summary.contains("acknowledgement disconnect"))
        #expect(run.lines.json.contains { $0["kind"] == "state" && $0["socket"] == "S2" })
    }

    @Test("a login without a saved token, and a wrong profile, are error lines, and the watch goes on")
    func controlErrors() async throws {
        try await withTemporaryDirectory { directory in
            let link = ScriptedLink("S1", .identity(identity(nil, reason: .anonymous), at: 3))
            let run = try Run(input: "/login\n/login work\n/login ../x\n/qiut\n")
            async let code = run(
                ["watch", "--control", "--count", "1"], environment: ["XDG_STATE_HOME": directory],
                connector: ScriptedConnector(link))
            try await eventually("four errors") { run.messages.lines.count == 4 }
            link.push(.model(event(4)))
            #expect(try await code == .done)
            #expect(
                run.lines.summary.filter { $0.hasPrefix("error") } == [
                    "error no_token", "error no_token", "error invalid_command", "error unknown_command",
                ])
            #expect(link.requests.isEmpty)
        }
    }

    // MARK: Without a connection

    @Test("a password goes to another machine by TLS only")
    func insecureLogin() async throws {
        let run = try Run(input: "secret\n")
        #expect(
            try await run(
                ["login", "--email", "a@b", "--password-stdin", "--server", "http://192.0.2.1:1"],
                environment: ["HOME": "/nonexistent"]) == .usage)
        #expect(run.lines.summary == ["error insecure"])
    }

    @Test("a login needs a password, and a place for its token")
    func loginNeeds() async throws {
        var run = try Run(input: "\n")
        let arguments = ["login", "--email", "a@b", "--password-stdin"]
        #expect(try await run(arguments, environment: ["HOME": "/nonexistent"]) == .usage)
        run = try Run(input: "x\n")
        #expect(try await run(arguments) == .failed)
        #expect(run.lines.summary == ["error token_store"])
    }

    @Test("a logout without a login is done, and says so")
    func logoutOfNobody() async throws {
        let run = try Run()
        #expect(try await run(["logout"], environment: ["HOME": "/nonexistent"]) == .done)
        #expect(run.lines.json.first?["hadToken"] == false)
        #expect(run.messages.lines.count == 1)
    }

    @Test("a file of certificates that isn't there is a mistake of the command line")
    func missingCertificates() async throws {
        let run = try Run()
        #expect(try await run(["whoami", "--cacert", "/nonexistent/ca.pem"], connector: Self.nobody) == .usage)
        #expect(run.lines.summary == ["error cacert"])
    }

    @Test("a failure ends by its code though nobody reads its line")
    func unreadFailure() async throws {
        let run = try Run()
        run.lines.leave()
        #expect(try await run(["whoami"], connector: Self.nobody) == .cannotConnect)
        #expect(run.messages.lines == ["rolecall: Nobody is there."])
    }

    @Test("a token store that is open to others stops what would use it")
    func exposedStore() async throws {
        try await withTemporaryDirectory { directory in
            let store = TokenStore(directory: "\(directory)/rolecall", profile: .default)
            try await store.save(#require(Token("a.b.c")), for: .default)
            try write("{}", to: "\(directory)/rolecall/work.json", mode: 0o644)
            let run = try Run()
            #expect(
                try await run(
                    ["whoami", "--profile", "work"], environment: ["XDG_STATE_HOME": directory],
                    connector: Self.nobody) == .failed)
            #expect(run.lines.summary == ["error token_store"])
        }
    }
}
