import ArgumentParser
import Logging
import RolecallProtocol
import Testing
import WireJSON

@testable import RolecallClient

@Suite("Invocation")
struct InvocationTests {
    private func configuration(
        _ arguments: [String], _ environment: [String: String] = [:], location: SourceLocation = #_sourceLocation
    ) throws -> Configuration {
        let invocation = Invocation(arguments: arguments, environment: environment)
        guard case .run(let configuration) = invocation else {
            throw NotRun(invocation: "\(invocation)")
        }
        return configuration
    }

    private struct NotRun: Error { let invocation: String }

    @Test(
        "options may stand in front of the verb, as in the README",
        arguments: [
            (["--profile", "admin", "whoami"], ["whoami", "--profile", "admin"]),
            (
                ["--insecure", "--server=http://a", "--profile", "x", "watch", "-op:removed"],
                ["watch", "--insecure", "--server=http://a", "--profile", "x", "-op:removed"]
            ),
            (["--profile", "watch"], ["--profile", "watch"]), (["--profile", "admin"], ["--profile", "admin"]),
            (["--buffer", "10"], ["--buffer", "10"]), (["watch", "--profile", "a"], ["watch", "--profile", "a"]),
            ([], []),
        ])
    func leadingOptions(given: [String], read: [String]) {
        #expect(LeadingOptions.behindVerb(given) == read)
    }

    @Test("a profile in front of the verb is that verb's")
    func leadingProfile() {
        guard case .run(let configuration) = Invocation(arguments: ["--profile", "admin", "whoami"], environment: [:])
        else {
            Issue.record("not understood")
            return
        }
        #expect(configuration.profile == Profile("admin"))
    }

    @Test("each verb means what it says")
    func verbs() throws {
        let table: [([String], Verb)] = [
            (["login", "--email", "a@b"], .login(email: "a@b", passwordFromInput: false)),
            (["login", "--password-stdin", "--email=a@b"], .login(email: "a@b", passwordFromInput: true)),
            (["logout"], .logout), (["whoami"], .whoami),
            ([], .screen(ScreenRequest())), (["--buffer", "50"], .screen(ScreenRequest(buffer: 50))),
            (["screen", "--profile", "b"], .screen(ScreenRequest())),
            (["watch"], .watch(WatchRequest())),
            (["send", "hello"], .send(text: "hello", room: nil)),
            (["send", "-", "--room", "r"], .send(text: nil, room: "r")),
            (["send", "--", "-x"], .send(text: "-x", room: nil)),
            (["get", "thing", "12"], .get(model: "thing", key: "12")),
            (["get", "thing", "--", "-5"], .get(model: "thing", key: "-5")),
            (["remove", "thing", "12"], .remove(model: "thing", key: "12")),
            (["who"], .who), (["kick", "S1"], .kick(name: "S1", closes: false)),
            (["kick", "ann@example.org", "--close"], .kick(name: "ann@example.org", closes: true)),
            (
                ["explain", "000000000abc-000000000000001f", "--user", "guest"],
                .explain(Position(era: Era(rawValue: 0xABC), sequence: 0x1F), user: "guest", format: .json)
            ),
            (["kick", "--", "-_S"], .kick(name: "-_S", closes: false)),
            (["kick", "-_S", "--profile", "x", "--close"], .kick(name: "-_S", closes: true)),
        ]
        for (arguments, verb) in table { #expect(try configuration(arguments).verb == verb, "\(arguments)") }
    }

    @Test("fields are kept as they are typed")
    func fields() throws {
        guard
            case .create("thing", let fields) = try configuration(["create", "thing", "name=x y", "active=true"]).verb
        else { throw NotRun(invocation: "create") }
        #expect(fields.map(\.field) == ["name", "active"])
        #expect(fields.map(\.spelled) == ["x y", "true"])
        guard
            case .list("thing", 5, "7", let filters) = try configuration(
                ["list", "thing", "--limit", "5", "--after", "7", "a=1"]
            ).verb
        else { throw NotRun(invocation: "list") }
        #expect(filters == [FieldAssignment("a=1")])
        guard case .update("thing", "3", let changes) = try configuration(["update", "thing", "3", "a="]).verb else {
            throw NotRun(invocation: "update")
        }
        #expect(changes == [FieldAssignment("a=")])
    }

    @Test("a watch takes its query in any order, negated terms too")
    func watch() throws {
        let query = try Query(parsing: "model:thing name=\"a b\" -op:removed -hello")
        for arguments in [
            ["watch", "model:thing name=\"a b\"", "-op:removed", "-hello"],
            ["watch", "model:thing", "name=\"a b\"", "--", "-op:removed", "-hello"],
        ] {
            guard case .watch(let request) = try configuration(arguments).verb else { throw NotRun(invocation: "") }
            #expect(request.query == query)
        }
        guard
            case .watch(let request) = try configuration([
                "watch", "-op:removed", "--after", position(5).description, "--count", "3", "--until", "-role:admin",
                "--timeout", "2.5", "--no-reconnect", "--format", "line", "--control", "--server", "http://x",
                "model:thing",
            ]).verb
        else { throw NotRun(invocation: "") }
        #expect(Set(request.query.terms) == Set(try Query(parsing: "model:thing -op:removed").terms))
        #expect(request.after == position(5))
        #expect(request.count == 3)
        #expect(try request.until == Query(parsing: "-role:admin"))
        #expect(request.timeout == .milliseconds(2500))
        #expect(!request.reconnects)
        #expect(request.format == .line)
        #expect(request.isControlled)
    }

    @Test("every option of watch and expect that takes a value is known to the shield of negated terms")
    func shield() {
        for (verb, type) in [("watch", WatchCommand.self), ("expect", ExpectCommand.self)]
            as [(String, any VerbCommand.Type)]
        {
            let help = type.helpMessage(columns: 200)
            let documented = help.matches(of: /\n\s+(--[a-z-]+) </).map { String($0.output.1) }
            #expect(documented.count >= 6, "\(help)")
            for option in documented { #expect(QueryArguments.valueOptions.contains(option), "\(verb) \(option)") }
        }
    }

    @Test("an option wins over the environment, the environment over the default")
    func precedence() throws {
        let environment = [
            "ROLECALL_SERVER": "http://env:1", "ROLECALL_PROFILE": "env", "ROLECALL_TOKEN": "t", "HOME": "/home/ann",
            "XDG_STATE_HOME": "/state",
        ]
        let plain = try configuration(["whoami"])
        #expect(plain.server == .default)
        #expect(plain.profile == .default)
        #expect(plain.token == nil)
        #expect(plain.tokenDirectory == nil)
        let fromEnvironment = try configuration(["whoami"], environment)
        #expect(fromEnvironment.server.description == "http://env:1")
        #expect(fromEnvironment.profile == Profile("env"))
        #expect(fromEnvironment.token == Token("t"))
        #expect(fromEnvironment.tokenDirectory == "/state/rolecall")
        let options = try configuration(
            [
                "whoami", "--server", "https://opt", "--profile", "opt", "--insecure", "--log-level", "DEBUG",
                "--cacert", "c",
            ],
            environment)
        #expect(options.server.description == "https://opt:443")
        #expect(options.profile == Profile("opt"))
        #expect(options.isInsecure)
        #expect(options.logLevel == .debug)
        #expect(options.certificateFile == "c")
        #expect(
            try configuration(["whoami"], ["HOME": "/h", "XDG_STATE_HOME": "relative"]).tokenDirectory
                == "/h/.local/state/rolecall")
    }

    @Test(
        "a wrong command line is a misuse that names what is wrong",
        arguments: [
            (["bogus"], "bogus"), (["login"], "--email"), (["login", "--email", ""], "--email"),
            (["login", "--email", "a", "--password", "p"], "--password"), (["watch", "op:x"], "op:x"),
            (["watch", "-op:x"], "-op:x"), (["watch", "--count", "0"], "--count"),
            (["watch", "--timeout", "0"], "--timeout"),
            (["watch", "--timeout", "nan"], "--timeout"), (["watch", "--after", "x"], "--after"),
            (["watch", "--format", "xml"], "xml"), (["watch", "--until", ""], "--until"), (["expect"], "query"),
            (["explain", "x", "--user", "a@b"], "position"), (["explain"], "position"),
            (["explain", "000000000abc-000000000000001f"], "--user"),
            (["expect", " "], "empty"), (["send"], "text"), (["create"], "model"),
            (["create", "thing", "x"], "field=value"),
            (["create", ""], "model"), (["update", "thing", "1"], "field=value"),
            (["list", "thing", "--limit", "0"], "--limit"),
            (["get", "thing"], "key"), (["get", "thing", ""], "_id"), (["whoami", "--server", "x"], "scheme"),
            (["whoami", "--profile", "../x"], "profile"), (["whoami", "--log-level", "loud"], "log-level"),
            (["whoami", "extra"], "extra"), (["--nonsense"], "nonsense"),
        ])
    func misuse(arguments: [String], hint: String) throws {
        guard case .misuse(let text) = Invocation(arguments: arguments, environment: [:]) else {
            Issue.record("accepted \(arguments)")
            return
        }
        #expect(text.lowercased().contains(hint.lowercased()), "\(text)")
    }

    @Test("a wrong environment is a misuse, and a token is not repeated")
    func wrongEnvironment() {
        for environment in [
            ["ROLECALL_SERVER": "x"], ["ROLECALL_PROFILE": "/"], ["ROLECALL_TOKEN": "hunter2 hunter2"],
        ] {
            guard case .misuse(let text) = Invocation(arguments: ["whoami"], environment: environment) else {
                Issue.record("accepted \(environment)")
                continue
            }
            #expect(!text.contains("hunter2"))
        }
    }

    @Test(
        "help and version are what was asked for",
        arguments: [
            ["--help"], ["-h"], ["help"], ["help", "watch"], ["watch", "--help"], ["watch", "-h"], ["--version"],
        ])
    func help(arguments: [String]) {
        guard case .print(let text) = Invocation(arguments: arguments, environment: [:]) else {
            Issue.record("not printed: \(arguments)")
            return
        }
        #expect(!text.isEmpty)
    }
}
