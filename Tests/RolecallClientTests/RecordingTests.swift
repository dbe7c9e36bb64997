import NIOPosix
import RolecallProtocol
import Synchronization
import Terminal
import Testing
import WireJSON

@testable import RolecallClient

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

@Suite("Recordings", .timeLimit(.minutes(1)))
struct RecordingTests {
    private static let notices: [Notice] = [
        .state(.connecting(attempt: 2)), .state(.online(socketID: "S1")),
        .state(.offline(reason: "Gone.", retryIn: .milliseconds(1500), attempt: 3)), .state(.closed(reason: "Over.")),
        .identity(identity(ann), position(1)), .identity(identity(nil, reason: .logout), nil),
        .event(event(2, .created, row: ["_id": 12, "name": "b\u{1B}[2J"])), .event(event(3, folded: 4)),
        .event(event(4, .removed, row: ["_id": 12], by: nil)), .event(chat(5, "hello")),
        .other(name: "shout", arguments: ["x", 1]),
        .gap(Gap(after: nil, before: position(9), reason: .overflow, models: ["thing"])),
        .expiring(Stage.wall),
    ]

    @Test("what is recorded is read back as what it was", arguments: notices)
    func roundTrip(notice: Notice) throws {
        let line = try #require(notice.recorded(at: .default))
        #expect(Notice(recorded: try JSON(parsing: line.jsonBytes)) == notice)
    }

    @Test(
        "what is no line of a recording is not taken for one",
        arguments: [
            "{}", "[]", "1", #"{"kind":"event"}"#, #"{"kind":"event","model":"thing","op":"updated"}"#,
            #"{"kind":"state","state":"x"}"#, #"{"kind":"gap"}"#, #"{"kind":"row"}"#, #"{"kind":"expiring"}"#,
            #"{"kind":"identity","user":null}"#, #"{"kind":"presence"}"#,
        ])
    func nonsense(text: String) throws {
        #expect(Notice(recorded: try JSON(parsing: text)) == nil)
    }

    @Test("a retry in a recording that is out of all bounds traps nothing")
    func wild() throws {
        let json = try JSON(parsing: #"{"kind":"state","state":"offline","retryIn":1e300,"attempt":9999999999999}"#)
        guard case .state(.offline(_, let wait, _))? = Notice(recorded: json) else {
            Issue.record("It is a state.")
            return
        }
        #expect(wait == .seconds(86_400))
    }

    // MARK: Replaying

    private func replay(
        _ text: String, pace: ReplayRequest.Pace
    ) async throws -> (items: [ReplayItem], waits: [Duration]) {
        try await withTemporaryDirectory { directory in
            let path = "\(directory)/rec"
            try write(text, to: path)
            let waits = Mutex<[Duration]>([])
            let replay = try Replay(ReplayRequest(path: path, pace: pace)) { duration in
                waits.withLock { $0.append(duration) }
            }
            var items: [ReplayItem] = []
            while let item = await replay.next() { items.append(item) }
            #expect(await replay.next() == nil)
            return (items, waits.withLock { $0 })
        }
    }

    private func line(_ event: ModelEvent) -> String {
        String(decoding: OutputLine.event(event).jsonBytes, as: UTF8.self)
    }

    @Test("events come as far apart as they did, faster if it is asked for, and never after more than ten seconds")
    func pace() async throws {
        let times = ["13:00:00.000Z", "13:00:01.500Z", "13:00:01.000Z", "23:00:00.000Z"]
        let text = times.enumerated().map { line(event(Int64($0.offset), at: "2026-11-22T\($0.element)")) }
        let text3 = text.joined(separator: "\n") + "\n"
        #expect(try await replay(text3, pace: .times(1)).waits == [.milliseconds(1500), .seconds(10)])
        #expect(try await replay(text3, pace: .times(3)).waits == [.milliseconds(500), .seconds(10)])
        #expect(try await replay(text3, pace: .instant).waits == [])
        #expect(try await replay(text3, pace: .times(1)).items.count == 5)
        let wild =
            line(event(1, at: "0001-01-01T00:00:00.000Z")) + "\n" + line(event(2, at: "9999-01-01T00:00:00.000Z"))
        #expect(try await replay(wild, pace: .times(0.01)).waits == [.seconds(10)])
    }

    @Test("lines that are none are told by their number, and the rest is shown; the last needs no line's end")
    func damaged() async throws {
        let good = line(event(1))
        let items = try await replay("\(good)\n\n{\"kind\":\nhello\n{\"kind\":\"row\"}\n\(good)", pace: .instant).items
        #expect(
            items == [
                .notice(.event(event(1)), at: Timestamp(event(1).at), server: nil),
                .damaged(line: 3, reason: "it is no JSON."), .damaged(line: 4, reason: "it is no JSON."),
                .damaged(line: 5, reason: "it is no line that watch or /record writes."),
                .notice(.event(event(1)), at: Timestamp(event(1).at), server: nil), .over(lines: 6, fault: nil),
            ])
        let long = try await replay(String(repeating: "x", count: 3 << 20), pace: .instant).items
        guard case .over(0, let fault?)? = long.last else {
            Issue.record("A line without an end is not read for ever.")
            return
        }
        #expect(!fault.isEmpty)
        #expect(try await replay("", pace: .instant).items == [.over(lines: 0, fault: nil)])
    }

    @Test("the verb prints a recording as lines where there is no terminal, and names a file that is not there")
    func verb() async throws {
        try await withTemporaryDirectory { directory in
            let lines = Self.notices.compactMap { $0.recorded(at: .default) }
            let text = lines.map { String(decoding: $0.jsonBytes, as: UTF8.self) }.joined(separator: "\n")
            try write("\(text)\nnonsense\n", to: "\(directory)/rec")
            var run = try Run()
            #expect(try await run(["replay", "\(directory)/rec", "--instant"]) == .done)
            #expect(run.lines.lines.count == lines.count)
            #expect(run.lines.lines.contains { $0.contains("# Ann  hello") })
            #expect(run.messages.lines == ["rolecall: Line 14 of \(directory)/rec can't be shown: it is no JSON."])
            run = try Run()
            #expect(try await run(["replay", "\(directory)/none"]) == .usage)
            #expect(
                run.messages.lines == [
                    "rolecall: \(directory)/none can't be read: there is no such file or directory."
                ])
            run = try Run()
            #expect(try await run(["replay", directory]) == .usage)
            #expect(run.messages.lines == ["rolecall: \(directory) is a directory."])
            #expect(try await run(["replay", "x", "--speed", "0"]) == .usage)
        }
    }

    // MARK: The screen

    private func playing(columns: Int = 80, rows: Int = 24) -> Stage {
        var stage = Stage(columns: columns, rows: rows)
        stage.state.replay = ReplayStatus(path: "night.jsonl", pace: .times(4))
        for notice in [Self.notices[1], Self.notices[4], .event(event(2)), .event(chat(3, "hello"))] {
            stage.act(.replay(.notice(notice, at: Timestamp("2026-11-22T13:45:00.000Z"), server: nil)))
        }
        return stage
    }

    @Test(
        "a recording is shown as what it is, at every size, and its end stands in the list",
        arguments: [(120, 36), (80, 24), (60, 18), (30, 8)])
    func shown(_ size: (Int, Int)) {
        var stage = playing(columns: size.0, rows: size.1)
        #expect(stage.rows[0].hasPrefix(size.0 == 30 ? " ▶ replay" : " ▶ replay ×4"))
        #expect(stage.rows[0].contains("(user)"))
        #expect(stage.screen.contains("hello"))
        #expect(stage.rows.contains { $0.contains("recording night.jsonl") } == (size.0 >= 80))
        stage.act(.replay(.damaged(line: 7, reason: "it is no JSON.")))
        stage.act(.replay(.over(lines: 9, fault: nil)))
        #expect(stage.rows[0].hasPrefix(size.0 == 30 ? " ■ replay" : " ■ replay over"))
        #expect(stage.screen.contains("line 7 can't be shown") || size.0 == 30)
        #expect(stage.screen.contains("the recording ends here"))
        if size.0 > 60 { #expect(stage.screen.contains("ends here: 9 lines, 1 of them not shown")) }
        stage.act(.replay(.over(lines: 9, fault: "It is gone.")))
        #expect(stage.screen.contains("the recording can't be read") || size.0 == 30)
    }

    @Test("whatever is pressed, a recording asks no server for anything, and says so")
    func noServer() {
        var stage = playing()
        for key in [Key.function(2), .function(5), .character("x")] {
            stage.press(key)
            #expect(stage.state.page == nil)
            #expect(stage.screen.contains("This is a recording: there is no server to ask."))
        }
        for command in SlashCommand.allCases where command.needsServer {
            stage.press(.character(":"))
            stage.type("\(command.rawValue) x".replacing(command.parameter == .none ? " x" : "", with: ""))
            stage.press(.enter)
            #expect(stage.screen.contains("This is a recording"), "\(command)")
            stage.press(.control("u"), .escape)
        }
        stage.press(.character("i"))
        stage.type("hello")
        stage.press(.enter)
        #expect(stage.screen.contains("This is a recording"))
        stage.press(.escape, .function(7), .character("r"), .escape)
        #expect(stage.effects == [])
        stage.pass(.seconds(100))
        #expect(stage.effects == [])
        #expect(stage.press(.character("y")).count == 1)
        #expect(stage.press(.character("q")) == [.quit(.done)])
    }

    // MARK: Commands

    @Test("/export writes what the list holds, and what a query leaves of it")
    func export() {
        var stage = Stage.busy()
        stage.press(.character(":"))
        stage.type("export a.jsonl")
        let events = (1...4).compactMap { stage.state.timeline.line($0)?.event }
        #expect(events.count == 4)
        #expect(stage.press(.enter) == [.export("a.jsonl", events, replacing: false)])
        stage.type("/export! \"my things.jsonl\" model:thing -op:removed")
        #expect(stage.press(.enter) == [.export("my things.jsonl", Array(events.prefix(2)), replacing: true)])
        stage.act(.outcome(.exported(path: "a.jsonl", count: 4)))
        #expect(stage.screen.contains("Exported 4 events to a.jsonl."))
        for (wrong, sentence) in [
            ("/export", "/export FILE [QUERY] needs a file's name."), ("/export x nobody", "no event matches"),
            ("/export x op:boiled", "/export: "), ("/export \"x", "needs a file's name"),
            ("/copy! x", "There is no command /copy!"),
        ] {
            stage.press(.control("u"))
            stage.type(wrong)
            #expect(stage.press(.enter) == [])
            #expect(stage.screen.contains(sentence), "\(wrong)\n\(stage.screen)")
            #expect(stage.screen.contains("Ann> \(wrong)"), "It stays where it was written.")
        }
    }

    @Test("/record begins with where things are, marks the footer, and says at its end how much it was")
    func record() {
        var stage = Stage.busy(columns: 30, rows: 8)
        stage.press(.character(":"))
        stage.type("record r.jsonl")
        let opening: [OutputLine] = [
            .state(.online(socketID: "7fQ2kXb9"), server: .default), .identity(identity(ann), nil),
        ]
        #expect(stage.press(.enter) == [.record("r.jsonl", opening: opening, replacing: false)])
        #expect(!stage.screen.contains("REC"))
        stage.act(.outcome(.recording(path: "r.jsonl")))
        stage.press(.escape)
        #expect(stage.rows[6].hasPrefix("[LIST] REC "))
        stage.tell(.event(event(9)), .answer(command: "x", .null), .state(.connecting(attempt: 1)))
        stage.press(.character(":"))
        stage.type("record x")
        #expect(stage.press(.enter) == [])
        #expect(stage.screen.contains("r.jsonl is"))
        stage.press(.control("u"))
        stage.type("/record off")
        #expect(stage.press(.enter) == [.stopRecording])
        stage.resize(80, 24)
        stage.act(.outcome(.recordingEnded(reason: nil)))
        #expect(stage.screen.contains("Recorded 2 lines to r.jsonl."))
        #expect(!stage.screen.contains("REC"))
        stage.type("/record off")
        stage.press(.enter)
        #expect(stage.screen.contains("Nothing is being recorded."))
        stage.act(.outcome(.recording(path: "r.jsonl")))
        stage.act(.outcome(.recordingEnded(reason: "The disk is full.")))
        #expect(stage.screen.contains("! the recording ended: The disk is full."))
    }

    @Test("a file's name may have spaces in quotes")
    func names() {
        #expect(FileArgument(" a b c ")?.path == "a")
        #expect(FileArgument(" a b c ")?.rest == "b c ")
        #expect(FileArgument(#""a b" c"#)?.path == "a b")
        #expect(FileArgument(#""a b" c"#)?.rest == "c")
        for wrong in ["", "  ", "\"a", "\"\" x"] { #expect(FileArgument(wrong) == nil) }
        #expect(EventFile.expanded("~/x", home: "/home/ann") == "/home/ann/x")
        #expect(EventFile.expanded("~x", home: "/home/ann") == "~x")
        #expect(EventFile.expanded("~/x", home: nil) == "~/x")
    }

    // MARK: Files

    @Test("a file is its owner's, is never overwritten unasked, and no link is followed to another")
    func files() async throws {
        try await withTemporaryDirectory { directory in
            let path = "\(directory)/x"
            let file = try await EventFile.create(path, replacing: false)
            try await file.append(Array("abc".utf8))
            #expect(mode(of: path) == 0o600)
            await #expect(
                throws: FileFault("\(path) is there already; with ! after the command's name it is replaced.")
            ) {
                try await EventFile.create(path, replacing: false)
            }
            try write("abcdef", to: "\(directory)/y", mode: 0o644)
            let other = try await EventFile.create("\(directory)/y", replacing: true)
            try await other.append([0x41])
            #expect(mode(of: "\(directory)/y") == 0o600)
            #expect(try PrivateFile.contents(of: "\(directory)/y") == [0x41])
            symlink("x", "\(directory)/link")
            await #expect(throws: FileFault.self) { try await EventFile.create("\(directory)/link", replacing: true) }
            await #expect(throws: FileFault.self) { try await EventFile.create(directory, replacing: true) }
            await #expect(throws: FileFault.self) { try await EventFile.create("\(directory)/no/x", replacing: true) }
            await #expect(throws: FileFault.self) { try await EventFile.create("/dev/null", replacing: true) }
            #expect(try PrivateFile.contents(of: path) == Array("abc".utf8))
        }
    }
}

@Suite("Recordings, driven", .timeLimit(.minutes(1)))
@MainActor
struct LiveRecordingTests {
    private func run(
        _ configuration: Configuration, _ replay: Replay? = nil, _ link: ScriptedLink?,
        _ body: (HeadlessScreen) async throws -> Void
    ) async throws {
        let screen = HeadlessScreen(Size(columns: 120, rows: 36))
        let pipe = try Pipe()
        let input = Input(descriptor: pipe.readEnd, terminalPath: "/dev/null", threads: .singleton)
        let output = Output(lines: RecordingSink(), messages: RecordingSink())
        let connector = link.map { ScriptedConnector($0) } ?? ScriptedConnector([])
        let running = Task {
            await Application.run(
                configuration, ScreenRequest(), on: screen, output: output, input: input, replay: replay,
                connector: { _ in connector })
        }
        do {
            try await body(screen)
            screen.press(.function(10))
        } catch {
            screen.receive(.signal(.terminate))
            _ = await running.value
            throw error
        }
        #expect(await running.value == .done)
        if link == nil { #expect(connector.handshakes.isEmpty, "Nobody was asked for a connection.") }
    }

    private func shows(_ screen: HeadlessScreen, _ text: String) async throws {
        try await eventually("\(text) is shown; this is:\n\(screen.shown.text)") { screen.shown.text.contains(text) }
    }

    @Test("what was recorded on one screen is shown on the next, without a connection, and exported from there")
    func wholeWay() async throws {
        try await withTemporaryDirectory { directory in
            var configuration = Configuration(verb: .screen(ScreenRequest()))
            configuration.token = Token("token.of.ann")
            configuration.home = directory
            let link = ScriptedLink("S1", .identity(identity(ann), at: 1))
            try await run(configuration, nil, link) { screen in
                try await shows(screen, "you are ann")
                screen.press(.character(":"))
                screen.type("record ~/night.jsonl")
                screen.press(.enter)
                try await shows(screen, "Recording to ~/night.jsonl")
                link.push(.model(chat(2, "hello there")), .model(event(3, .created)))
                try await shows(screen, "boiler 3")
                screen.type("/record off")
                screen.press(.enter)
                try await shows(screen, "Recorded 2 lines")
                link.push(.model(chat(4, "too late")))
                try await shows(screen, "too late")
                screen.type("/copy")
                screen.press(.enter)
                try await shows(screen, "copied 1 event")
                #expect(screen.messages.count == 1)
            }
            #expect(mode(of: "\(directory)/night.jsonl") == 0o600)
            let request = ReplayRequest(path: "\(directory)/night.jsonl", pace: .instant)
            configuration.verb = .replay(request)
            try await run(configuration, try Replay(request), nil) { screen in
                try await shows(screen, "the recording ends here: 4 lines")
                #expect(screen.shown.text.contains("hello there"))
                #expect(screen.shown.text.contains("ann@example.org (user)"))
                #expect(!screen.shown.text.contains("too late"))
                for (command, said) in [
                    ("export ~/out.jsonl op:created", "Exported 2 events"),
                    ("export ~/out.jsonl", "/export: \(directory)/out.jsonl is there already"),
                    ("export! ~/out.jsonl model:thing", "Exported 1 event to"),
                ] {
                    screen.press(.character(":"))
                    screen.type(command)
                    screen.press(.enter)
                    try await shows(screen, said)
                    screen.press(.control("u"), .escape)
                }
            }
            #expect(names(in: directory) == ["night.jsonl", "out.jsonl"], "Nothing else is left behind.")
            #expect(mode(of: "\(directory)/out.jsonl") == 0o600)
            let exported = try #require(try PrivateFile.contents(of: "\(directory)/out.jsonl"))
            #expect(exported == OutputLine.event(event(3, .created)).jsonBytes + [0x0A])
        }
    }
}
