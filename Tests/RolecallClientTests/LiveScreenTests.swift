import NIOPosix
import RolecallProtocol
import Terminal
import Testing
import WireJSON

@testable import RolecallClient

@Suite("LiveScreen", .timeLimit(.minutes(1)))
@MainActor
struct LiveScreenTests {
    private func run(
        _ connector: ScriptedConnector, token: String? = "token.of.ann", size: Size = Size(columns: 80, rows: 24),
        _ body: (HeadlessScreen) async throws -> Void
    ) async throws -> ExitCode {
        let screen = HeadlessScreen(size)
        var configuration = Configuration(verb: .screen(ScreenRequest()))
        configuration.token = token.flatMap(Token.init)
        let pipe = try Pipe()
        let given = configuration
        let input = Input(descriptor: pipe.readEnd, terminalPath: "/dev/null", threads: .singleton)
        let output = Output(lines: RecordingSink(), messages: RecordingSink())
        let running = Task {
            await Application.run(
                given, ScreenRequest(), on: screen, output: output, input: input, connector: { _ in connector })
        }
        do {
            try await body(screen)
        } catch {
            screen.receive(.signal(.terminate))
            _ = await running.value
            throw error
        }
        return await running.value
    }

    private func shows(_ screen: HeadlessScreen, _ text: String) async throws {
        try await holds("\(text) is shown; this is:\n\(screen.shown.text)") { screen.shown.text.contains(text) }
    }

    private func holds(_ what: @autoclosure () -> Comment, _ condition: () -> Bool) async throws {
        let deadline = ContinuousClock.now + .seconds(60)
        while !condition() {
            guard ContinuousClock.now < deadline else {
                Issue.record(what())
                throw TookTooLong()
            }
            try await Task.sleep(for: .milliseconds(2))
        }
    }

    @Test("draws a first screen, connects, shows what comes, and leaves the terminal when told to")
    func life() async throws {
        let link = ScriptedLink("S1", .identity(identity(ann), at: 1))
        let code = try await run(ScriptedConnector(link)) { screen in
            try await shows(screen, "ann@example.org (user)")
            link.push(.model(chat(2, "hello there")))
            try await shows(screen, "hello there")
            screen.press(.character("q"))
        }
        #expect(code == .done)
        #expect(link.isClosed)
    }

    @Test("the first screen stands before any connection")
    func firstScreen() async throws {
        let code = try await run(ScriptedConnector([]), token: nil) { screen in
            #expect(screen.shown.text.isEmpty || !screen.shown.text.contains("online"))
            try await shows(screen, "Log in")
            #expect(!screen.isClosed)
            screen.receive(.signal(.interrupt))
        }
        #expect(code == .interrupted)
    }

    @Test("a typed message goes out with the answer awaited, in the order in which messages were typed")
    func sending() async throws {
        let link = ScriptedLink("S1", .identity(identity(ann), at: 1)) { event, arguments, link in
            link.push(.acknowledgement)
            guard event == ClientEvent.message else { return .null }
            if arguments.first?["body"] == "no" { return WireError(.forbidden, "Not you.").json }
            return ["data": "sent", "_id": 1, "position": .string(position(2).description)]
        }
        let code = try await run(ScriptedConnector(link)) { screen in
            try await shows(screen, "you are ann")
            screen.press(.tab)
            for text in ["one", "two", "three", "no"] {
                screen.type(text)
                screen.press(.enter)
            }
            try await shows(screen, "Not sent: Not you.")
            #expect(screen.shown.text.contains("Ann> no"))
            screen.press(.function(10))
        }
        #expect(code == .done)
        let bodies = link.requests.filter { $0.event == ClientEvent.message }.map {
            $0.arguments.first?["body"]?.stringValue
        }
        #expect(bodies == ["one", "two", "three", "no"])
    }

    @Test(
        "signals end it with the shell's codes",
        arguments: [
            (TerminalSignal.interrupt, ExitCode.interrupted), (.terminate, .terminated), (.hangUp, .hungUp),
            (.quit, .quit),
        ])
    func signals(signal: TerminalSignal, code: ExitCode) async throws {
        let ended = try await run(ScriptedConnector(ScriptedLink("S1", .identity(identity(ann), at: 1)))) { screen in
            try await shows(screen, "you are ann")
            screen.receive(.signal(signal))
            try await holds("The terminal is given back.") { screen.isClosed }
        }
        #expect(ended == code)
    }

    @Test("r connects at once, in place of waiting")
    func retry() async throws {
        let nobody = ConnectFailure(kind: .unreachable, description: "Nobody is there.")
        let connector = ScriptedConnector([
            .fail(nobody), .accept(ScriptedLink("S9", .identity(identity(ann), at: 1))),
        ])
        let code = try await run(connector) { screen in
            try await shows(screen, "retry 2 in")
            screen.press(.character("r"))
            try await shows(screen, "socket S9")
            screen.press(.control("l"), .control("z"))
            screen.press(.control("c"), .control("c"))
        }
        #expect(code == .done)
    }

    @Test("a flood is painted no more than thirty times a second, and ends in what came last")
    func flood() async throws {
        let link = ScriptedLink("S1", .identity(identity(ann), at: 1))
        let code = try await run(ScriptedConnector(link)) { screen in
            try await shows(screen, "you are ann")
            let start = ContinuousClock.now
            let before = screen.paintedFrames
            for sequence in 2..<5002 {
                link.push(.model(event(Int64(sequence), row: ["_id": 1, "name": "n\(sequence)"])))
            }
            try await shows(screen, "n5001")
            let seconds = (ContinuousClock.now - start).seconds
            #expect(Double(screen.paintedFrames - before) <= 30 * (seconds + 1))
            screen.press(.character("q"))
        }
        #expect(code == .done)
    }
}
