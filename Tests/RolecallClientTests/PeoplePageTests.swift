import RolecallProtocol
import Terminal
import Testing
import WireJSON

@testable import RolecallClient

@Suite("The page of people")
struct PeoplePageTests {
    private static let sockets = [
        socket("7fQ2kXb9", root), socket("b-socket", ann, queued: 70), socket("c-socket", ann), socket("d-socket", nil),
    ]

    private func opened(columns: Int = 100, rows: Int = 30) -> Stage {
        var stage = Stage(columns: columns, rows: rows)
        stage.connect(as: root)
        stage.press(.alt("4"))
        stage.answer(sockets: Self.sockets)
        return stage
    }

    @Test("shows a user who is on, with what role and how many sockets, as presence tells it")
    func presences() {
        var stage = Stage(columns: 80)
        stage.connect(as: ann)
        stage.tell(presence: presence(root, sockets: 2), presence(ann))
        #expect(stage.press(.alt("4")) == [.list(.sockets, generation: stage.state.generation)])
        stage.act(.outcome(.notListed(.sockets, reason: "No.", isDenied: true, generation: stage.state.generation)))
        #expect(stage.row("people on").contains("2 people on · 3 sockets"))
        #expect(stage.row(" Root ").contains("admin     2 sockets"))
        #expect(stage.row(">Ann").contains("user"))
        #expect(stage.row(">Ann").contains("you"))
        #expect(!stage.screen.contains("No."), "That others see more is nothing to complain of.")
        stage.tell(presence: presence(root, state: "left"))
        #expect(stage.row("on · 1 socket").contains("1 person on"))
        #expect(stage.press(.character("k")) == [])
        #expect(stage.screen.contains("Only an admin kicks."))
        #expect(stage.press(.character("r")) == [], "What was denied is not asked for again.")
        #expect(stage.press(.alt("4")) == [])
        #expect(stage.state.page == nil)
    }

    @Test("a server that tells of ever more people does not fill the memory")
    func bounded() {
        var people = People()
        for id in 0..<Int64(People.limit + 10) {
            if let presence = Presence(json: ["user": ["_id": .integer(id)], "state": "joined"]) {
                people.received(presence, at: .zero)
            }
        }
        #expect(people.present.count == People.limit)
    }

    @Test("who may not know of roles is shown none, at every size")
    func unknownRoles() {
        for (columns, rows) in [(120, 36), (30, 8)] {
            var stage = Stage(columns: columns, rows: rows)
            stage.connect(as: ann)
            stage.press(.function(7))
            stage.tell(presence: ["user": ["_id": 2, "name": "Root"], "sockets": 1, "state": "joined"])
            #expect(!stage.row(">Root").isEmpty)
            #expect(!stage.row(">Root").contains("("))
        }
    }

    @Test("a new connection and another identity begin the list anew")
    func anew() {
        var stage = opened()
        stage.tell(presence: presence(ann))
        #expect(stage.screen.contains("b-socket"))
        stage.tell(.identity(identity(ann, epoch: 2, reason: .roleChanged), nil))
        #expect(!stage.screen.contains("b-socket"))
        #expect(stage.state.people.present.isEmpty)
        stage.tell(presence: presence(ann))
        stage.tell(.state(.offline(reason: "Gone.", retryIn: .seconds(1), attempt: 1)))
        stage.connect(as: ann)
        #expect(stage.state.people.present.isEmpty)
    }

    @Test("guests are told that they are not told")
    func guests() {
        var stage = Stage()
        stage.connect(as: nil, reason: .anonymous)
        #expect(stage.press(.alt("4")) == [])
        #expect(!stage.row("F2 logs in").isEmpty)
        #expect(stage.press(.character("k"), .down, .pageDown, .end) == [])
    }

    @Test("shows an admin every socket under its user, those of nobody last")
    func sockets() {
        let stage = opened()
        let rows = stage.rows.dropFirst(2)
        let order = [
            "2 people on · 4 sockets", "Ann ", "b-socket", "c-socket", "Root ", "7fQ2kXb9", "unassociated", "d-socket",
        ]
        for (row, text) in zip(rows, order) { #expect(row.contains(text), "\(stage.screen)") }
        #expect(stage.rows[7].contains("this socket"))
        #expect(stage.row("b-socket").contains("127.0.0.1:5000"))
        #expect(stage.row("b-socket").contains("5 min ago"))
        #expect(stage.row("b-socket").contains("70 B waiting"))
        #expect(stage.row("Ann ").contains("ann@example.org"))
    }

    @Test("asks anew soon after a user was changed or removed, once for many")
    func changedUsers() {
        var stage = opened()
        let asked = stage.effects.count
        stage.tell(.event(event(7)))
        stage.pass(.milliseconds(300))
        #expect(stage.effects.count == asked)
        stage.tell(
            .event(event(8, model: "user", row: ["_id": 1, "name": "Anna"])),
            .event(event(9, model: "user", .removed, row: ["_id": 1])))
        stage.pass(.milliseconds(300))
        #expect(stage.effects.dropFirst(asked) == [.list(.sockets, generation: stage.state.generation)])
    }

    @Test("kicks the selected socket, or all of a user, after a yes")
    func kicking() {
        var stage = opened()
        #expect(stage.press(.character("k")) == [])
        #expect(stage.row("[y/n]").contains("Kick ann@example.org (2 sockets)?"))
        #expect(
            stage.press(.character("y")) == [
                .kick(.sockets(["b-socket", "c-socket"], name: "ann@example.org"), closes: false)
            ])
        #expect(
            stage.act(.outcome(.kicked(count: 2, name: "ann@example.org"))) == [
                .list(.sockets, generation: stage.state.generation)
            ])
        #expect(stage.screen.contains("Kicked 2 sockets (ann@example.org)."))
        stage.press(.down, .down)
        #expect(stage.press(.character("K")) == [])
        #expect(stage.row("[y/n]").contains("Kick and disconnect ann@example.org (socket c-socket)?"))
        #expect(
            stage.press(.character("y")) == [.kick(.sockets(["c-socket"], name: "ann@example.org"), closes: true)])
    }

    @Test("what belongs to nobody can only be disconnected")
    func nobody() {
        var stage = opened()
        stage.press(.end)
        #expect(stage.press(.character("k")) == [])
        #expect(stage.screen.contains("That belongs to nobody already. K disconnects."))
        stage.press(.character("K"))
        #expect(stage.press(.character("y")) == [.kick(.sockets(["d-socket"], name: "nobody"), closes: true)])
    }

    @Test("a question is taken back by another key that does something, and by a change of identity")
    func unsaid() {
        var stage = opened()
        stage.press(.character("k"), .function(1))
        #expect(stage.state.confirmation == nil)
        #expect(stage.state.context == .help)
        stage.press(.alt("4"), .character("k"))
        #expect(stage.state.context == .confirmation)
        stage.tell(.identity(identity(ann, epoch: 2, reason: .roleChanged), nil))
        #expect(stage.state.confirmation == nil)
        #expect(stage.press(.character("y")) == [])
    }

    @Test("the selection stays with its row when others come and go")
    func selection() {
        var stage = opened()
        stage.press(.down, .down)
        #expect(stage.row(">").contains("c-socket"))
        stage.answer(sockets: Array(Self.sockets.dropFirst(2)) + [socket("a-socket", ann)])
        #expect(stage.row(">").contains("c-socket"))
        stage.answer(sockets: [Self.sockets[0]])
        #expect(stage.row(">").contains("Root"))
        stage.answer(sockets: [])
        #expect(stage.press(.down, .up, .character("k")) == [])
    }

    @Test("a click selects and the wheel moves, in a list that is scrolled too")
    func mouse() {
        var stage = opened(columns: 60, rows: 8)
        stage.act(.mouse(Mouse(.press(.left), at: Terminal.Position(row: 3, column: 9))))
        #expect(stage.rows[3].hasPrefix(">  b-socket"), "\(stage.screen)")
        stage.act(.mouse(Mouse(.scrollDown, at: Terminal.Position(row: 3, column: 9))))
        #expect(stage.row(">").contains("7fQ2kXb9"))
        stage.press(.character("k"))
        stage.act(.mouse(Mouse(.press(.left), at: Terminal.Position(row: 2, column: 1))))
        #expect(stage.state.confirmation == nil)
        #expect(stage.rows[2].hasPrefix(">"))
        stage.act(.mouse(Mouse(.scrollUp, at: Terminal.Position(row: 3, column: 9))))
        stage.act(.mouse(Mouse(.press(.left), at: Terminal.Position(row: 7, column: 1))))
        #expect(stage.row(">").contains("Ann"))
    }

    @Test("/who opens it, and /kick asks first")
    func commands() {
        var stage = Stage(columns: 100)
        stage.connect(as: root)
        stage.press(.character(":"))
        stage.type("who")
        #expect(stage.press(.enter).count == 1)
        #expect(stage.state.page == .people)
        stage.press(.escape, .character(":"))
        stage.press(.control("u"))
        stage.type("/kick")
        #expect(stage.press(.enter) == [])
        #expect(stage.screen.contains("/kick whom?"))
        stage.type(" ann@example.org")
        #expect(stage.press(.enter) == [])
        #expect(stage.row("[y/n]").contains("Kick ann@example.org?"))
        #expect(stage.press(.character("y")) == [.kick(.named("ann@example.org"), closes: false)])
        stage.act(.outcome(.kicked(count: 0, name: "ann@example.org")))
        #expect(stage.screen.contains("Nobody was kicked"))
    }

    @Test(
        "every row can be reached and is in sight, at every size and with hostile names",
        arguments: [(120, 36), (80, 24), (60, 18), (30, 8)])
    func sizes(columns: Int, rows: Int) {
        var stage = Stage(columns: columns, rows: rows)
        stage.connect(as: root)
        stage.press(.function(7))
        let users = (1...30).map { number in
            UserSummary(
                id: Int64(number), email: "\u{1B}[2J\(number)@x", name: "\u{202E}大山\(number)",
                role: String(repeating: "x", count: 500))
        }
        stage.answer(sockets: users.map { socket("s\u{9B}\($0.id)", $0, address: String(repeating: "9", count: 400)) })
        let count = stage.state.people.rows.count
        #expect(count == 60)
        for key: Key in Array(repeating: .down, count: 70) + [.home, .pageDown, .end, .pageUp, .up] {
            stage.press(key)
            let frame = ScreenView.frame(stage.state)
            let cursor = frame.cursor?.row ?? 0
            #expect(frame.cells.text(row: cursor).hasPrefix(">"), "\(stage.screen)")
            for row in 0..<rows {
                #expect(!frame.cells.text(row: row).unicodeScalars.contains { $0.isTerminalHazard })
                #expect(frame.cells.row(row).reduce(0) { $0 + Int($1.width) } == columns)
            }
        }
    }
}
