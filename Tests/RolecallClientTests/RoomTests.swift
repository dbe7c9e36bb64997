import NIOPosix
import RolecallProtocol
import Terminal
import Testing
import WireJSON

@testable import RolecallClient

private func said(_ id: Int64, _ body: String, in room: String) -> ModelEvent {
    event(
        id + 100, model: "message", .created, row: ["_id": .integer(id), "body": .string(body), "room": .string(room)],
        changed: [])
}

@Suite("Rooms and notifications")
struct RoomTests {
    private func answer(_ room: String, _ bodies: String...) -> Notice {
        let history = bodies.enumerated().map { place, body -> JSON in
            [
                "_id": .integer(Int64(place) + 50), "room": .string(room), "body": .string(body), "author": 7,
                "name": "Zoë", "at": "2026-11-22T12:00:00.000Z",
            ]
        }
        return .answer(
            command: RequestName.join,
            Acknowledgement.joined(room: room, history: history, position: position(9)).json)
    }

    private func command(_ stage: inout Stage, _ text: String) -> [Effect] {
        stage.press(.escape, .character("i"), .control("u"))
        stage.type(text)
        return stage.press(.enter)
    }

    @Test("joining shows a room's last messages, the prompt names it, and messages go there until it is left")
    func joining() {
        var stage = Stage.busy()
        #expect(command(&stage, "/join ops") == [.join("ops")])
        stage.tell(answer("ops", "all quiet", "is it\u{1B}[2J?"))
        #expect(stage.screen.contains("room ops: the last 2 messages"))
        #expect(stage.row("all quiet").contains("Zoë"))
        #expect(stage.screen.contains("⟨1b⟩[2J"))
        #expect(stage.screen.contains("from here on as it comes"))
        #expect(stage.rows[23] == "Ann [ops]>")
        #expect(command(&stage, "hello") == [.send("hello", room: "ops")])
        // What the opening has shown is not shown twice.
        let count = stage.state.timeline.count
        stage.tell(.event(said(51, "is it?", in: "ops")))
        #expect(stage.state.timeline.count == count)
        stage.tell(.event(said(52, "new", in: "ops")))
        #expect(stage.row("new").contains("[ops] new"))
        #expect(command(&stage, "/leave") == [.leave("ops")])
        stage.tell(.answer(command: RequestName.leave, Acknowledgement.left(room: "ops").json))
        #expect(stage.rows[23] == "Ann>")
        #expect(command(&stage, "hello") == [.send("hello")])
        // The next socket has to be told.
        let left = stage.effects.count
        stage.tell(.state(.offline(reason: "x", retryIn: .seconds(1), attempt: 1)), .state(.online(socketID: "S2")))
        #expect(stage.effects.dropFirst(left).contains(.leave("ops")))
        stage.tell(answer("lobby"))
        #expect(stage.screen.contains("room lobby: nothing was said yet"))
        #expect(stage.rows[23] == "Ann>")
    }

    @Test("what can't be done says so, and a refusal changes nothing")
    func refusals() {
        var stage = Stage.busy()
        #expect(command(&stage, "/join") == [])
        #expect(stage.screen.contains("/join which room?"))
        #expect(command(&stage, "/leave") == [])
        #expect(stage.screen.contains("This is the lobby."))
        let refused = Acknowledgement.refused(WireError(.forbidden, "Not you.")).json
        stage.tell(.answer(command: RequestName.join, refused), .answer(command: RequestName.join, 7))
        stage.act(.outcome(.failed(command: "/join ops", reason: "Not you.")))
        #expect(stage.screen.contains("/join ops: Not you."))
        #expect(stage.state.rooms.current == nil)
        stage.tell(.state(.offline(reason: "x", retryIn: .seconds(1), attempt: 1)))
        #expect(command(&stage, "/join ops") == [])
        #expect(stage.screen.contains("Not joined: there is no connection."))
        #expect(stage.screen.contains("/join ops"))
    }

    @Test("another user is in no room", arguments: [(120, 36), (80, 24), (60, 18), (30, 8)])
    func identities(_ size: (Int, Int)) {
        var stage = Stage.busy(columns: size.0, rows: size.1)
        stage.tell(answer("a-room-with-a-very-long-name", "x"))
        #expect(stage.rows.allSatisfy { DisplayWidth.of($0) <= size.0 })
        #expect(stage.rows[size.1 - 1].hasPrefix(size.0 < 60 ? "[a-" : "Ann [a-"))
        stage.tell(.identity(identity(root, epoch: 2, reason: .login), nil))
        #expect(stage.rows[size.1 - 1] == "Root>")
    }

    @Test("Tab completes commands, rooms and names; with nothing to complete it stays, and leaves only an empty line")
    func completing() {
        var stage = Stage.busy()
        stage.tell(.event(said(1, "x", in: "boilers")), .event(said(2, "x", in: "boats")), presenceOfZoe)
        stage.press(.character("i"))
        stage.type("/jo")
        stage.press(.tab)
        #expect(stage.state.input.text == "/join")
        stage.type(" b")
        stage.press(.tab)
        #expect(stage.state.input.text == "/join bo")
        stage.press(.tab)
        #expect(stage.screen.contains("boats  boilers"))
        stage.type("i")
        stage.press(.tab)
        #expect(stage.state.input.text == "/join boilers")
        stage.press(.control("u"))
        stage.type("zo")
        stage.press(.tab)
        #expect(stage.state.input.text == "Zoë: ")
        stage.type("ask AN")
        stage.press(.tab)
        #expect(stage.state.input.text == "Zoë: ask Ann ")
        stage.press(.tab)
        #expect(stage.state.context == .input)
        #expect(stage.screen.contains("There is nothing to complete here; Esc goes to the list."))
        stage.type("nobody")
        stage.press(.tab)
        #expect(stage.state.context == .input)
        stage.press(.control("a"), .control("k"), .tab)
        #expect(stage.state.context == .list)
        stage.press(.character("i"))
        stage.type("/join xyz")
        stage.press(.tab)
        #expect(stage.screen.contains("Nothing that is known begins with xyz."))
    }

    private var presenceOfZoe: Notice {
        let zoe = UserSummary(id: 7, email: "z@example.org", name: "Zoë", role: "user")
        return Presence(json: presence(zoe)).map(Notice.presence) ?? .state(.closed(reason: ""))
    }

    @Test("what is heard of is bounded")
    func bounds() {
        var rooms = Rooms()
        for number in 0..<1000 { rooms.heard(of: said(Int64(number), "x", in: "room \(number)")) }
        rooms.heard(of: String(repeating: "x", count: 1000))
        #expect(rooms.known.count == 100)
        #expect(rooms.known.last == "room 999")
    }

    // MARK: Notifying

    private let zoe = Author(id: 7, name: "Zoë")

    @Test("an event of a query rings once in two seconds, and tells how much more there was")
    func ringing() {
        var stage = Stage.busy()
        _ = command(&stage, "/notify model:thing info=leak")
        #expect(stage.screen.contains("It rings for model:thing info=leak."))
        func leak(_ sequence: Int64, by: Author?) -> Notice {
            .event(event(sequence, row: ["_id": 12, "name": "boiler 3", "info": "leak"], by: by, changed: ["info"]))
        }
        let before = stage.effects.count
        stage.tell(leak(10, by: zoe), leak(11, by: zoe), leak(12, by: nil), .event(event(13, by: zoe)))
        stage.tell(leak(14, by: Author(id: 1, name: "Ann")))
        var rang = Array(stage.effects.dropFirst(before))
        #expect(rang.count == 2)
        #expect(rang.first == .bell)
        guard case .notify("Rolecall", let body)? = rang.last else {
            Issue.record("It notifies.")
            return
        }
        #expect(body.hasPrefix("thing boiler 3 info"))
        stage.pass(.seconds(3))
        let after = stage.effects.count
        stage.tell(leak(15, by: zoe))
        rang = Array(stage.effects.dropFirst(after))
        guard case .notify(_, let more)? = rang.last else {
            Issue.record("It notifies again.")
            return
        }
        #expect(more.hasSuffix(" (and 2 more)"))
    }

    @Test("queries are listed, ended one by one or all, and bounded")
    func listing() {
        var stage = Stage.busy(columns: 120, rows: 36)
        _ = command(&stage, "/notify")
        #expect(stage.screen.contains("Nothing rings."))
        _ = command(&stage, "/notify who:zoe")
        _ = command(&stage, "/notify leak")
        _ = command(&stage, "/notify leak")
        #expect(stage.screen.contains("It rings for that already."))
        _ = command(&stage, "/notify op:boiled")
        #expect(stage.screen.contains("/notify: "))
        _ = command(&stage, "/notify")
        #expect(stage.screen.contains("notify 2: leak"))
        _ = command(&stage, "/notify off 3")
        #expect(stage.screen.contains("from 1 to 2"))
        _ = command(&stage, "/notify off 1")
        #expect(stage.screen.contains("It no longer rings for who:zoe."))
        #expect(stage.state.watches.all.map(\.text) == ["leak"])
        for number in 0..<40 { _ = command(&stage, "/notify word\(number)") }
        #expect(stage.state.watches.all.count == 20)
        _ = command(&stage, "/notify off")
        #expect(stage.state.watches.all.isEmpty)
        let before = stage.effects.count
        stage.tell(.event(event(20, row: ["_id": 1, "name": "leak"], by: zoe)))
        #expect(stage.effects.count == before)
    }
}

@Suite("Rooms, servers and bells, driven", .timeLimit(.minutes(1)))
@MainActor
struct LiveRoomTests {
    private func run(
        _ connectors: [String: ScriptedConnector], directory: String, _ body: (HeadlessScreen) async throws -> Void
    ) async throws {
        let capabilities = Capabilities(notifications: .osc777)
        let screen = HeadlessScreen(Size(columns: 120, rows: 36), capabilities)
        var configuration = Configuration(verb: .screen(ScreenRequest()))
        configuration.token = Token("token.of.ann")
        configuration.tokenDirectory = directory
        configuration.file = ConfigurationFile(parsing: "notify who:zoe\nbind anywhere F12 quit")
        let given = configuration
        let pipe = try Pipe()
        let input = Input(descriptor: pipe.readEnd, terminalPath: "/dev/null", threads: .singleton)
        let output = Output(lines: RecordingSink(), messages: RecordingSink())
        let running = Task {
            await Application.run(
                given, ScreenRequest(), on: screen, output: output, input: input,
                connector: { connectors["\($0)"] ?? ScriptedConnector([]) })
        }
        do {
            try await body(screen)
            screen.press(.function(12))
        } catch {
            screen.receive(.signal(.terminate))
            _ = await running.value
            throw error
        }
        #expect(await running.value == .done)
    }

    private func shows(_ screen: HeadlessScreen, _ text: String) async throws {
        try await eventually("\(text) is shown; this is:\n\(screen.shown.text)") { screen.shown.text.contains(text) }
    }

    @Test("a room is joined, written to and left; what comes there rings")
    func rooms() async throws {
        let link = ScriptedLink("S1", .identity(identity(ann), at: 1)) { event, arguments, link in
            link.push(.acknowledgement)
            switch event {
            case ClientEvent.join where arguments == ["ops"]:
                let row: JSON = ["_id": 3, "body": "all quiet", "author": 7, "name": "Zoë", "room": "ops"]
                return Acknowledgement.joined(room: "ops", history: [row], position: position(2)).json
            case ClientEvent.join: return WireError(.forbidden, "Not there.").json
            case ClientEvent.leave: return Acknowledgement.left(room: "ops").json
            case ClientEvent.message: return ["data": "sent", "_id": 9, "position": .string("\(position(4))")]
            default: return .null
            }
        }
        try await withTemporaryDirectory { directory in
            try await run(["\(ServerOrigin.default)": ScriptedConnector(link)], directory: directory) { screen in
                try await shows(screen, "you are ann")
                screen.press(.character(":"))
                screen.type("join ops")
                screen.press(.enter)
                try await shows(screen, "all quiet")
                try await shows(screen, "Ann [ops]>")
                screen.type("hello there")
                screen.press(.enter)
                screen.type("/join secrets")
                screen.press(.enter)
                try await shows(screen, "/join secrets: Not there.")
                let zoe = Author(id: 7, name: "Zoe")
                link.push(.model(event(20, model: "message", .created, row: ["_id": 40, "body": "psst"], by: zoe)))
                try await shows(screen, "psst")
                #expect(screen.bells == 1)
                #expect(screen.messages == [.notification(title: "Rolecall", body: "Zoe: psst")])
                screen.press(.control("u"))
                screen.type("/leave")
                screen.press(.enter)
                try await shows(screen, "left ops: its messages are no longer told")
            }
        }
        let sent = link.requests.first { $0.event == ClientEvent.message }
        #expect(sent?.arguments == [["body": "hello there", "room": "ops"]])
    }

    @Test("/connect leaves for another server with the login that is saved there, and with no other")
    func connecting() async throws {
        let here = ScriptedConnector(ScriptedLink("S1", .identity(identity(ann), at: 1)))
        let there = ScriptedConnector(ScriptedLink("S2", .identity(identity(root), at: 1)))
        let stranger = ScriptedConnector(ScriptedLink("S3", .identity(identity(nil, reason: .anonymous), at: 1)))
        try await withTemporaryDirectory { directory in
            let store = TokenStore(directory: "\(directory)/logins", profile: .default)
            let origin = try ServerOrigin(parsing: "http://there:1")
            try await store.save(#require(Token("token.of.root")), for: origin, email: "root@example.org")
            let all = ["\(ServerOrigin.default)": here, "http://there:1": there, "http://stranger:1": stranger]
            try await run(all, directory: "\(directory)/logins") { screen in
                try await shows(screen, "you are ann")
                let servers = [("there", "S2", "root@example.org (admin)"), ("stranger", "S3", "stay signed in")]
                for (server, socket, said) in servers {
                    screen.press(.escape, .character(":"))
                    screen.type("connect http://\(server):1")
                    screen.press(.enter)
                    try await shows(screen, said)
                    try await shows(screen, "socket \(socket)")
                }
                // The form, then the input.
                screen.press(.escape, .escape, .character(":"))
                screen.type("connect http://stranger:1")
                screen.press(.enter)
                try await shows(screen, "This is http://stranger:1 already")
                screen.press(.control("u"))
                screen.type("/connect ftp://x")
                screen.press(.enter)
                try await shows(screen, "/connect: ")
            }
        }
        #expect(here.handshakes.map { $0.token?.secret } == ["token.of.ann"])
        #expect(there.handshakes.map { $0.token?.secret } == ["token.of.root"])
        #expect(stranger.handshakes.map { $0.token?.secret } == [nil])
    }
}
