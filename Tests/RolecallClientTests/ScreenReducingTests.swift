import RolecallProtocol
import Terminal
import Testing
import WireJSON

@testable import RolecallClient

@Suite("ScreenState")
struct ScreenReducingTests {
    // MARK: Connection and identity

    @Test("the connection's state counts down in sight, and asks for nothing more than the next second")
    func countdown() {
        var stage = Stage()
        stage.tell(.state(.offline(reason: "Nobody.", retryIn: .milliseconds(2500), attempt: 3)))
        #expect(stage.rows[0].contains("offline · retry 3 in 3 s (r now)"))
        #expect(stage.state.nextDeadline == .milliseconds(500))
        stage.pass(.milliseconds(500))
        #expect(stage.rows[0].contains("in 2 s"))
        #expect(stage.state.nextDeadline == .milliseconds(1500))
        stage.pass(.milliseconds(2000))
        #expect(stage.state.nextDeadline == nil)
    }

    @Test("r tries now while there is no connection, and F5 makes a new one any time")
    func retry() {
        var stage = Stage()
        stage.tell(.state(.offline(reason: "Nobody.", retryIn: .seconds(9), attempt: 2)))
        #expect(stage.press(.character("r")) == [.reconnect])
        stage.connect(as: ann)
        #expect(stage.press(.character("r")) == [])
        #expect(stage.press(.function(5)) == [.reconnect])
    }

    @Test("each change of identity is a line with its reason")
    func identities() {
        var stage = Stage(columns: 100)
        stage.connect(as: ann)
        #expect(stage.row("you are").contains("you are ann@example.org (user) by cookie"))
        stage.tell(.identity(identity(nil, epoch: 2, reason: .logout), position(2)))
        #expect(!stage.row("unassociated: logged out here").isEmpty)
        #expect(stage.rows[0].contains("unassociated"))
        stage.tell(.identity(identity(root, epoch: 3, reason: .login), position(3)))
        #expect(!stage.row("you are root@example.org (admin) by login").isEmpty)
        stage.tell(.identity(identity(root, epoch: 4, reason: .roleChanged), position(3)))
        #expect(!stage.row("your role was changed").isEmpty)
        stage.tell(.identity(identity(nil, epoch: 5, reason: .expired), position(3)))
        #expect(stage.row("unassociated: the login has expired").contains("!"))
        #expect(stage.rows[22].contains("F2 logs in"))
    }

    @Test("a reconnection says that nothing was missed only once the server has told everything without a gap")
    func reconnection() {
        var stage = Stage()
        stage.connect(as: ann)
        stage.tell(.state(.offline(reason: "It went away.", retryIn: .seconds(1), attempt: 1)))
        stage.pass(.seconds(6))
        #expect(!stage.row("connection lost: It went away.").isEmpty)
        stage.connect(as: ann)
        #expect(stage.row("reconnected after 6 s").contains("─ reconnected after 6 s ─"))
        #expect(stage.effects.last == .measureLatency)
        stage.tell(.event(event(7)), .answer(command: RequestName.latency, .null))
        #expect(!stage.row("reconnected after 6 s · nothing missed").isEmpty)
    }

    @Test("a reconnection with a gap, or as somebody else, claims nothing")
    func lossyReconnection() {
        var stage = Stage()
        stage.connect(as: ann)
        stage.tell(.state(.offline(reason: "Gone.", retryIn: .seconds(1), attempt: 1)))
        stage.connect(as: ann)
        stage.tell(
            .gap(Gap(after: nil, before: position(9), reason: .retention)), .answer(command: RequestName.latency, .null)
        )
        #expect(!stage.row("reconnected after 0 s · events may be missing").isEmpty)
        stage.tell(.state(.offline(reason: "Gone.", retryIn: .seconds(1), attempt: 1)))
        stage.connect(as: nil, reason: .tokenExpired)
        stage.tell(.answer(command: RequestName.latency, .null))
        #expect(!stage.screen.contains("nothing missed"))
        #expect(stage.row("unassociated: the login had expired").contains("!"))
    }

    @Test("versions told to one user are not compared with those told to another")
    func epochs() {
        var stage = Stage(columns: 100)
        stage.connect(as: root)
        stage.tell(.event(event(1, .created, row: ["_id": 1, "name": "safe", "info": "secret"])))
        stage.tell(.identity(identity(ann, epoch: 2, reason: .login), position(1)))
        stage.tell(.event(event(2, row: ["_id": 1, "name": "safe", "info": "open"], changed: ["info"])))
        #expect(stage.row("info \"open\"").contains("  info \"open\"  by Ann"))
    }

    @Test("round trips are measured again after half a minute")
    func latency() {
        var stage = Stage()
        stage.connect(as: ann)
        stage.act(.outcome(.latency(.milliseconds(12))))
        #expect(stage.rows[0].hasPrefix(" ● online 12 ms  ann@example.org (user)  socket 7fQ2kXb9  127.0.0.1:5000"))
        #expect(stage.state.nextDeadline == .seconds(30))
        stage.pass(.seconds(30))
        #expect(stage.effects.filter { $0 == .measureLatency }.count == 2)
        #expect(stage.state.nextDeadline == nil)
    }

    // MARK: The list

    @Test("whatever comes, a held view does not move, and counts what is new")
    func holding() {
        var stage = Stage.busy()
        for sequence in 10..<60 { stage.tell(.event(event(Int64(sequence)))) }
        stage.press(.up, .up)
        let held = Array(stage.rows[2...20])
        for sequence in 60..<500 { stage.tell(.event(event(Int64(sequence)))) }
        #expect(Array(stage.rows[2...20]) == held)
        #expect(stage.row("PAUSED").contains("PAUSED · 440 new below · End to follow"))
        stage.press(.end)
        #expect(stage.row("FOLLOW").isEmpty == false)
        #expect(stage.rows[20].hasPrefix(">"))
        #expect(stage.shownEntries.last == stage.state.timeline.lastID)
    }

    @Test("a held view stays by its entries when memory lets the oldest go, and moves on when its own go")
    func eviction() {
        var stage = Stage(buffer: 50)
        stage.connect(as: ann)
        for sequence in 2..<50 { stage.tell(.event(event(Int64(sequence)))) }
        stage.press(.character("p"))
        let held = stage.shownEntries
        stage.tell(.event(event(60)))
        #expect(stage.shownEntries == held)
        for sequence in 61..<200 { stage.tell(.event(event(Int64(sequence)))) }
        #expect(stage.shownEntries.first == stage.state.timeline.ids.lowerBound)
        #expect(stage.state.timeline.count == 50)
    }

    @Test(
        "every moving key keeps the selection in sight, at every size",
        arguments: [(120, 36), (80, 24), (60, 18), (30, 8)])
    func moving(columns: Int, rows: Int) {
        var stage = Stage(columns: columns, rows: rows)
        stage.connect(as: ann)
        for sequence in 2..<200 {
            let body = String(repeating: "word ", count: Int(sequence % 40))
            stage.tell(.event(sequence % 3 == 0 ? chat(Int64(sequence), body) : event(Int64(sequence))))
        }
        let keys: [Key] = [
            .up, .pageUp, .pageUp, .control("u"), .down, .control("d"), .home, .down, .down, .pageDown, .pageDown,
            .character("k"), .character("g"), .character("j"), .character("w"), .pageUp, .pageDown, .character("p"),
            .up, .pageUp, .pageDown, .pageDown, .pageDown, .character("G"),
        ]
        for key in keys {
            stage.press(key)
            #expect(stage.shownEntries.contains(stage.state.selected ?? -1), "\(key)")
            let list = Layout(stage.state).list
            #expect(ListWindow(stage.state, list).rows.count == list.rows, "\(key)")
        }
        stage.press(.home)
        #expect(stage.state.selected == 0)
        #expect(stage.shownEntries.first == 0)
    }

    @Test("the wheel moves the list and a click selects")
    func mouse() {
        var stage = Stage()
        stage.connect(as: ann)
        for sequence in 2..<100 { stage.tell(.event(event(Int64(sequence)))) }
        stage.act(.mouse(Mouse(.scrollUp, at: Terminal.Position(row: 5, column: 5))))
        #expect(!stage.row("PAUSED").isEmpty)
        let first = stage.shownEntries.first
        stage.act(.mouse(Mouse(.press(.left), at: Terminal.Position(row: 2, column: 9))))
        #expect(stage.state.selected == first)
        #expect(stage.rows[2].hasPrefix(">"))
    }

    // MARK: Detail

    @Test("the detail pane shows the row, what changed in it, and its other versions")
    func detail() {
        var stage = Stage.busy(columns: 120, rows: 36)
        stage.press(.up, .up, .enter)
        #expect(!stage.row("thing 12  v2 of 2").isEmpty)
        #expect(!stage.row("\"info\": \"leak\"").isEmpty)
        stage.press(.character("d"))
        #expect(!stage.row("-\"info\": \"ok\"").isEmpty)
        #expect(!stage.row("+\"info\": \"leak\"").isEmpty)
        stage.press(.character("["))
        #expect(!stage.row("thing 12  v1 of 2").isEmpty)
        stage.press(.character("["))
        #expect(stage.screen.contains("This is the first version"))
        stage.press(.character("]"))
        #expect(!stage.row("thing 12  v2 of 2").isEmpty)
        stage.press(.escape)
        #expect(!stage.state.detail.isOpen)
    }

    @Test("what is open stays while rows come, and a large row can be scrolled to its end")
    func scrolling() {
        var stage = Stage(columns: 60, rows: 18)
        stage.connect(as: ann)
        let fields = (0..<200).map { ("field\($0)", JSON.integer(Int64($0))) }
        stage.tell(.event(event(2, .created, row: .object(JSONObject([("_id", 1)] + fields)))))
        stage.press(.enter)
        #expect(stage.state.context == .detail)
        stage.tell(.event(event(3)))
        #expect(!stage.row("\"field0\": 0").isEmpty)
        stage.press(.end)
        #expect(!stage.screen.contains("\"field0\": 0"))
        #expect(!stage.row("\(position(2))").isEmpty)
        stage.press(.home)
        #expect(!stage.row("\"field0\": 0").isEmpty)
    }

    // MARK: Keys

    @Test("the keys that work anywhere work in every place")
    func anywhere() {
        for prepare: [Key] in [[], [.character("i")], [.function(1)], [.function(2)], [.enter]] {
            var stage = Stage.busy()
            stage.press(contentsOf: prepare)
            #expect(stage.press(.control("l")) == [.repaint])
            #expect(stage.press(.control("z")) == [.suspend])
            #expect(stage.press(.function(5)) == [.reconnect])
            #expect(stage.press(.function(10)) == [.quit(.done)])
            stage.press(.function(8))
            stage.press(.escape, .escape)
            #expect(stage.state.context == .list)
        }
    }

    // MARK: Account

    @Test("the form asks for what is missing, masks the password, and shows what went wrong where it belongs")
    func form() {
        var stage = Stage(columns: 60, rows: 18)
        stage.connect(as: nil, reason: .anonymous)
        stage.press(.function(2), .enter)
        #expect(stage.press(.enter) == [])
        #expect(!stage.row("! Type your e-mail address.").isEmpty)
        stage.type("ann@example.org")
        stage.press(.tab)
        stage.type("sécret q?")
        #expect(!stage.screen.contains("sécret"))
        #expect(!stage.row("*********").isEmpty)
        stage.press(.tab, .space)
        #expect(!stage.row("[ ] stay signed in").isEmpty)
        stage.press(.tab)
        let effects = stage.press(.enter)
        #expect(
            effects == [
                .logIn(
                    LoginRequest(
                        server: .default, email: "ann@example.org", password: Secret("sécret q?"), staysSignedIn: false)
                )
            ])
        #expect(!"\(effects)".contains("sécret"))
        #expect(stage.press(.enter) == [], "One login is on its way.")
        stage.act(.outcome(.loginFailed(.password, reason: "Wrong \u{1B}[2Jpassword.")))
        #expect(!stage.row("! Wrong ⟨1b⟩[2Jpassword.").isEmpty)
        #expect(stage.press(.enter).count == 1)
        stage.act(.outcome(.loginFailed(.password, reason: "Wrong password.")))
        stage.press(.tab, .backTab)
        stage.type("another one")
        let again = stage.press(.enter)
        guard case .logIn(let request) = again.first else {
            Issue.record("\(again)")
            return
        }
        #expect(request.password == Secret("another one"), "What is typed stands in the refused one's place.")
        stage.act(.outcome(.loggedIn(.default, staysSignedIn: false, remark: nil)))
        #expect(stage.state.page == nil)
    }

    @Test("a password goes to another machine only over TLS, unless that was asked for")
    func insecure() {
        for (server, isSent) in [
            ("http://example.org:9000", false), ("https://example.org", true), ("nonsense", false),
        ] {
            var form = LoginForm(server: server, email: "a@b")
            form.password.set("x")
            #expect((form.submit(isInsecureAllowed: false) != nil) == isSent, "\(server)")
            #expect((form.fault?.field == .server) != isSent)
        }
        var form = LoginForm(server: "http://example.org:9000", email: "a@b")
        form.password.set("x")
        #expect(form.submit(isInsecureAllowed: true) != nil)
    }

    @Test("help scrolls to its end and goes away")
    func help() {
        var stage = Stage()
        stage.press(.character("?"))
        #expect(stage.rows[2].contains("Anywhere"))
        for _ in 0..<30 { stage.press(.pageDown) }
        #expect(stage.rows[20].contains("identity and connection"))
        stage.press(.character("q"))
        #expect(stage.state.page == nil)
    }
}

extension Stage {
    fileprivate mutating func press(contentsOf keys: [Key]) {
        for key in keys { press(key) }
    }
}
