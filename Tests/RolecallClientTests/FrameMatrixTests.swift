import RolecallProtocol
import Terminal
import TestSupport
import Testing
import WireJSON

@testable import RolecallClient

/// Everything that can be opened, typed and told, one thing after the other, on one stage.
enum Tour {
    static let scenes: [(name: String, play: @Sendable (inout WatchedStage) -> Void)] = [
        ("before any connection", beginning), ("the login form", form), ("the list", list), ("the detail", detail),
        ("filters", filters), ("a search", search), ("help", help), ("the palette", palette), ("the account", account),
        ("people", people), ("rooms and the input", input), ("a held list", held), ("why", why), ("troubles", troubles),
    ]

    private static func connect(_ watched: inout WatchedStage, as user: UserSummary?) {
        watched.tell(
            .state(.connecting(attempt: 1)), .state(.online(socketID: "7fQ2kXb9")),
            .identity(identity(user, reason: user == nil ? .anonymous : .cookie), position(1)))
    }

    private static func beginning(_ watched: inout WatchedStage) {
        watched.look(after: "nothing")
        watched.press(.up, .down, .enter, .character("d"), .character("n"), .character("y"), .character("m"))
        watched.press(.escape, .function(6), .function(6), .function(4), .escape, .function(3), .escape)
        watched.tell(.state(.offline(reason: "Nobody listens there.", retryIn: .seconds(7), attempt: 3)))
        watched.pass(.seconds(2))
        watched.press(.function(7), .escape, .character("x"), .character("r"), .function(5))
        watched.tell(.state(.connecting(attempt: 3)))
    }

    private static func form(_ watched: inout WatchedStage) {
        connect(&watched, as: nil)
        watched.leave()
        watched.press(.function(2))
        for _ in 0..<6 { watched.press(.tab) }
        watched.press(.backTab, .backTab, .backTab, .backTab)
        watched.type("somebody.with.a.long.name@department.example.org")
        watched.press(.control("a"), .right, .control("e"), .enter)
        watched.press(.enter)
        watched.type("a password of more than fifty characters, which no field is wide enough for")
        watched.press(.enter)
        watched.act(.outcome(.loginFailed(.password, reason: "This e-mail and password do not match.")))
        watched.type("another")
        watched.press(.control("c"))
        watched.act(.outcome(.loginFailed(nil, reason: "The server does not answer, however long it is waited for.")))
        watched.leave()
    }

    private static func list(_ watched: inout WatchedStage) {
        connect(&watched, as: ann)
        watched.act(.outcome(.latency(.milliseconds(12))))
        for number in 0..<12 {
            watched.tell(
                .event(event(Int64(10 + number), .created, row: ["_id": .integer(Int64(number)), "name": "boiler"])),
                .event(chat(Int64(40 + number), "a message that goes on for as long as it takes to fill several lines"))
            )
        }
        watched.tell(
            .event(event(60, row: ["_id": 3, "name": "boiler", "info": "leak"], changed: ["info"], folded: 4)),
            .event(event(61, .removed, row: ["_id": 4])), .event(event(62, .hidden, row: ["_id": 5])),
            .other(name: "maintenance", arguments: ["tonight", 22]))
        watched.press(.character("k"), .character("k"), .character("j"), .pageUp, .pageDown, .character("g"))
        watched.press(.control("d"), .control("u"), .character("w"), .pageUp, .character("w"), .character("l"))
        watched.press(.character("h"), .character("t"), .character("t"), .character("t"), .character("t"))
        watched.press(.character("m"), .character("a"), .home, .character("'"), .character("a"))
        watched.press(.character("'"), .character("'"), .character("'"), .character("z"), .character("m"), .escape)
        for tab in "231" { watched.press(.character(tab), .up, .end, .alt(tab)) }
        watched.press(.character("%"), .control("c"), .down)
        watched.leave()
    }

    private static func detail(_ watched: inout WatchedStage) {
        let row: JSON = ["_id": 3, "name": "boiler", "info": "dry", "parts": [1, ["deep": ["er": true]], "a"]]
        watched.tell(.event(event(70, row: row, changed: ["info"])))
        watched.press(.end, .enter, .character("d"), .character("d"), .character("J"), .character("D"), .character("R"))
        watched.press(.character("["), .character("["), .character("]"), .character("J"))
        if watched.stage.state.focus != .detail { watched.press(.function(6)) }
        watched.press(.down, .down, .down, .enter, .enter, .character("-"), .character("+"), .end, .home, .pageDown)
        watched.press(.character("y"), .character("Y"), .tab, .tab, .function(6), .up, .up, .escape, .character("y"))
        watched.leave()
    }

    private static func filters(_ watched: inout WatchedStage) {
        watched.press(.character("f"))
        watched.type("model:thing -op:removed bogus:x")
        watched.press(.enter, .control("w"), .tab, .control("a"), .control("e"), .enter, .character("f"))
        watched.type("wh")
        watched.press(.tab)
        watched.type("Ann")
        watched.press(.enter, .character("c"), .up, .character("c"), .character("F"), .down, .space, .space)
        watched.press(.character("t"), .enter, .enter, .character("F"), .character("f"), .up, .escape)
        watched.press(.character("F"), .character("D"), .character("D"), .character("D"), .escape)
        watched.leave()
    }

    private static func search(_ watched: inout WatchedStage) {
        watched.press(.character("/"))
        watched.type("boiler")
        watched.press(.enter, .character("n"), .character("n"), .character("N"), .enter, .character("n"), .escape)
        watched.press(.character("/"), .up, .control("u"))
        watched.type("nothing has this")
        watched.press(.enter, .character("n"), .character("/"), .control("u"))
        watched.type("op:updated")
        watched.press(.enter, .escape)
        watched.leave()
    }

    private static func help(_ watched: inout WatchedStage) {
        watched.press(.function(1), .pageDown, .down, .end, .home, .character("/"))
        watched.type("round trip")
        watched.press(.enter, .character("/"), .control("u"))
        watched.type("there is no such thing in the help")
        watched.press(.escape, .function(1))
        watched.leave()
    }

    private static func palette(_ watched: inout WatchedStage) {
        watched.press(.function(9), .down, .down, .up, .pageDown, .pageUp)
        watched.type("ping")
        watched.press(.control("c"))
        watched.type("zzzzzz")
        watched.press(.enter, .escape)
        watched.leave()
    }

    private static func account(_ watched: inout WatchedStage) {
        watched.press(.function(2))
        watched.stage.answer(sessions: [
            session("s1", current: true, sockets: ["7fQ2kXb9"]),
            session("s2", agent: "rolecall/0.1.0 (a machine with a name as long as names of machines are)"),
        ])
        watched.look(after: "sessions")
        for _ in 0..<8 { watched.press(.down) }
        watched.press(.enter, .character("q"), .character("n"), .character("r"))
        watched.act(
            .outcome(
                .notListed(
                    .sessions, reason: "The server is busy.", isDenied: false,
                    generation: watched.stage.state.generation)))
        watched.tell(.expiring(Timestamp(milliseconds: Stage.wall.milliseconds + 50_000)))
        watched.pass(.seconds(3))
        watched.leave()
    }

    private static func people(_ watched: inout WatchedStage) {
        watched.press(.function(7))
        watched.stage.tell(presence: presence(ann), presence(root, sockets: 2))
        watched.look(after: "presence")
        watched.press(.down, .character("k"), .escape)
        connect(&watched, as: root)
        watched.press(.alt("4"))
        watched.stage.tell(presence: presence(ann), presence(root, sockets: 2))
        watched.stage.answer(sockets: [
            socket("7fQ2kXb9", root), socket("b", root), socket("c", ann, queued: 1_000_000), socket("d", nil),
        ])
        watched.look(after: "sockets")
        for _ in 0..<8 { watched.press(.down) }
        watched.press(.character("k"), .character("q"), .character("n"), .home, .character("K"), .character("y"))
        watched.act(.outcome(.kicked(count: 2, name: "root@example.org")))
        connect(&watched, as: ann)
        watched.leave()
    }

    private static func input(_ watched: inout WatchedStage) {
        watched.press(.character("i"))
        watched.type("one line")
        watched.press(.alt(.enter))
        watched.type("and a second one, which is longer than many a screen is wide, and then some more")
        watched.press(.up, .control("a"), .down, .control("e"), .control("w"), .enter, .up, .control("u"))
        watched.act(.paste(Paste((1...20).map { "pasted line \($0)" }.joined(separator: "\n"))))
        watched.press(.pageUp, .pageDown, .enter, .control("u"))
        watched.press(.tab, .character("i"), .control("u"))
        watched.type("/nosuch thing")
        watched.press(.enter, .control("u"))
        watched.type("/jo")
        watched.press(.tab)
        watched.type("ops")
        watched.press(.enter)
        watched.tell(joinedOps)
        watched.type("//path and a message")
        watched.press(.control("c"), .escape)
        watched.leave()
    }

    private static func held(_ watched: inout WatchedStage) {
        watched.press(.character("f"))
        watched.type("model:thing")
        watched.press(.enter, .character("p"))
        for number in 0..<3 {
            watched.tell(.event(event(Int64(200 + number))), .event(chat(Int64(210 + number), "below")))
        }
        watched.press(.up, .function(1), .function(1), .function(8), .function(8), .end, .character("F"))
        watched.press(.character("D"), .escape)
        watched.leave()
    }

    private static func why(_ watched: inout WatchedStage) {
        watched.tell(.event(event(300, .created, row: ["_id": 12, "name": "boiler 3"])))
        watched.press(.character("x"))
        watched.type("ann@example.org")
        watched.press(.control("a"), .tab, .enter)
        let request = ExplanationRequest(
            position: position(300), user: "ann@example.org", generation: watched.stage.state.generation)
        watched.act(.outcome(.notExplained(request, reason: "Only an admin is told why.")))
        watched.press(.character("r"))
        watched.act(.outcome(.explained(request, explanation(of: "boiler 3"))))
        watched.press(.down, .pageDown, .end, .home, .character("x"), .escape)
        watched.leave()
    }

    private static func troubles(_ watched: inout WatchedStage) {
        watched.tell(
            .gap(Gap(after: nil, before: position(400), reason: .retention)),
            .state(.offline(reason: "The connection was lost.", retryIn: .seconds(2), attempt: 1)))
        watched.press(.character("i"))
        watched.type("to nobody")
        watched.press(.enter, .control("u"), .escape)
        watched.pass(.seconds(1))
        watched.tell(
            .state(.connecting(attempt: 2)), .state(.online(socketID: "S2")),
            .identity(identity(ann, epoch: 2), position(401)))
        watched.act(.outcome(.notSent(text: "hello", reason: "The room is closed to this role.")))
        watched.act(.outcome(.failed(command: "/whoami", reason: "The server did not answer within ten seconds.")))
        for reason: IdentityReason in [.roleChanged, .kicked, .logout] {
            watched.tell(.identity(identity(reason == .roleChanged ? root : nil, epoch: 3, reason: reason), nil))
        }
        watched.press(.function(2), .escape)
        watched.tell(.state(.closed(reason: "The server wants no more of this client.")))
        watched.leave()
    }

    /// What an admin is told of an event.
    static func explanation(of text: String) -> EventExplanation {
        let user = UserSummary(id: 1, email: "ann@example.org", name: text, role: "user")
        let verdicts = (1...6).map { number in
            EventExplanation.Verdict(
                number: number, asks: "\(text) \(number)", reasons: [.role(asked: text, has: "user")])
        }
        let before = EventExplanation.Side(
            isVisible: true, obstacle: nil, rules: [.init(number: 1, asks: "open is true", reasons: [])],
            withheld: [.init(field: text, role: "admin")])
        let after = EventExplanation.Side(isVisible: false, obstacle: nil, rules: verdicts, withheld: [])
        return EventExplanation(
            position: position(300), model: text, change: "updated", key: .string(text), at: text,
            by: Author(id: 1, name: text), user: user, role: "user", told: .hidden, changed: [text],
            sentence: EventExplanation.sentence(
                user: user, role: "user", model: text, told: .hidden, silence: nil, before: before, after: after),
            before: before, after: after)
    }
}

@Suite("Every frame", .computes)
struct FrameMatrixTests {
    @Test(
        """
        is whole, tells state, identity and mode, has its cursor where keys go, and says the same without colours: every \
        page, prompt and message, with Unicode and without
        """, arguments: Size.promised, [true, false])
    func whole(size: Size, isUnicode: Bool) {
        var watched = WatchedStage(size, isUnicode: isUnicode)
        for scene in Tour.scenes {
            watched.scene = scene.name
            scene.play(&watched)
        }
        #expect(watched.frames > 400)
    }
}
