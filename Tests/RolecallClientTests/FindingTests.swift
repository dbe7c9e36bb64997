import RolecallProtocol
import Terminal
import Testing
import WireJSON

@testable import RolecallClient

@Suite("Finding and filtering what is seen")
struct FindingTests {
    /// Things by somebody, by nobody, a removal, a message.
    private func stage(columns: Int = 120, rows: Int = 36) -> Stage {
        var stage = Stage(columns: columns, rows: rows)
        stage.connect(as: ann)
        let author = Author(id: 9, name: "Test User")
        stage.tell(
            .event(event(2, row: ["_id": 1, "name": "pump", "level": 7], by: author, changed: ["level"])),
            .event(event(3, row: ["_id": 1, "name": "pump", "level": 123], by: nil, changed: ["level"])),
            .event(event(4, .removed, row: ["_id": 2], by: author)),
            .event(event(5, model: "invoice", .created, row: ["_id": 3, "total": 5], by: nil)),
            .event(chat(6, "a\u{1B}b")))
        return stage
    }

    @Test(
        "a plain word finds whatever a line shows",
        arguments: [
            ("Test", 2), ("test user", 0), ("\"test user\"", 2), ("123", 1), ("7→123", 1), ("invoice", 1),
            ("removed", 1), ("total", 1), ("safe", 1), ("pump", 2), ("+", 1), ("-who:none Test", 2), ("-Test", 3),
        ])
    func words(_ word: String, _ count: Int) {
        var stage = stage()
        stage.command("/only \(word)")
        #expect(stage.state.sieve.counts.matching == (word == "test user" ? 2 : count))
        guard !word.hasPrefix("-"), !word.contains("\""), word != "test user" else { return }
        stage.press(.character("F"), .character("C"), .escape)
        stage.command("/search \(word)")
        #expect(stage.state.search?.hits.count == count)
    }

    @Test("what is counted is events, in the tab line, under the list, on the page and while it is typed")
    func counts() {
        var stage = stage()
        #expect(stage.rows[1].contains("5 events"))
        stage.press(.character("f"))
        stage.type("model:nothing")
        #expect(stage.rows[35].contains("0 of 5 shown"))
        stage.press(.enter)
        #expect(stage.rows[1].contains("(0 of 5 shown)"))
        stage.press(.character("F"))
        #expect(stage.rows[2].contains("0 of 5 shown"))
        stage.press(.character("C"), .escape, .up)
        stage.tell(.other(name: "note", arguments: []), .event(event(9)))
        #expect(stage.row("PAUSED").contains("1 new below"))
    }

    @Test("a second filter is told to be added, with the first in sight; the same one again adds nothing")
    func adding() {
        var stage = stage(columns: 80, rows: 24)
        stage.press(.character("f"))
        #expect(stage.rows[22].hasPrefix("filter:"))
        stage.type("model:thing")
        stage.press(.enter)
        #expect(stage.screen.contains("The filter is set; /filter off takes it away"))
        stage.press(.character("f"))
        #expect(stage.rows[22].hasPrefix("and:"))
        #expect(stage.rows[23].contains("beside model:thing; /filter off takes all away"))
        stage.type("op:removed")
        #expect(stage.rows[23] == "1 of 5 shown · beside model:thing")
        stage.press(.enter)
        #expect(stage.screen.contains("all 2 must hold"))
        stage.press(.character("f"))
        stage.type("model:thing")
        stage.press(.enter)
        #expect(stage.screen.contains("2 filters as before"))
        #expect(stage.state.sieve.filters.count == 2)
        stage.press(.character("f"), .enter)
        #expect(stage.screen.contains("2 filters as before; /filter off takes all away"))
        stage.press(.character("F"), .space, .escape, .character("f"))
        stage.type("model:thing")
        stage.press(.enter)
        #expect(stage.screen.contains("switched off; it is on again"))
        #expect(stage.state.sieve.filters.map(\.isOn) == [true, true])
    }

    @Test("all filters are taken away by /filter off, and by a key of the page that the help names")
    func clearing() {
        var stage = stage()
        for query in ["pump", "op:updated"] { stage.command("/filter \(query)") }
        stage.command("/filter off")
        #expect(stage.state.sieve.filters.isEmpty)
        #expect(stage.screen.contains("2 filters taken away"))
        stage.command("/only pump")
        stage.press(.character("F"), .character("C"))
        #expect(stage.state.sieve.filters.isEmpty)
        #expect(stage.screen.contains("1 filter taken away"))
        let help = HelpView.lines(stage.state, width: 120).map(\.string)
        #expect(help.contains { $0.contains("C ") && $0.contains("deletes all filters") })
    }

    @Test("who sends a message that is not shown is told so")
    func hiddenMessage() {
        var stage = stage()
        stage.command("/filter model:thing")
        stage.tell(.event(chat(10, "where am I?")))
        #expect(stage.screen.contains("Your message was sent; a filter hides it"))
        stage.command("/filter off")
        stage.press(.alt("2"))
        stage.tell(.event(chat(11, "and now?")))
        #expect(stage.screen.contains("it stands in the tab Chat"))
        stage.press(.alt("3"))
        stage.tell(.event(chat(12, "here")))
        #expect(!stage.screen.contains("Your message was sent"))
    }

    @Test("/export writes what is shown, says of how many, and all where that is asked for")
    func export() {
        var stage = stage()
        stage.command("/filter model:thing")
        stage.type("i/export a.jsonl")
        guard case .export(_, let events, _)? = stage.press(.enter).first else {
            Issue.record("Nothing is exported.")
            return
        }
        #expect(events.map(\.model) == ["thing", "thing", "thing"])
        stage.act(.outcome(.exported(path: "a.jsonl", count: 3)))
        #expect(stage.screen.contains("Exported 3 events (of 5; filtered) to a.jsonl."))
        stage.type("/export b.jsonl all")
        guard case .export(_, let all, _)? = stage.press(.enter).first else {
            Issue.record("Nothing is exported.")
            return
        }
        #expect(all.count == 5)
        stage.act(.outcome(.exported(path: "b.jsonl", count: 5)))
        #expect(stage.screen.contains("Exported 5 events to b.jsonl."))
        stage.press(.escape)
        stage.command("/only nothing")
        stage.type("i/export c.jsonl")
        #expect(stage.press(.enter).isEmpty)
        #expect(stage.screen.contains("/export FILE all looks past the tab and the filters"))
    }

    @Test("Tab completes a query wherever a command takes one", arguments: ["notify", "filter", "only", "search"])
    func completion(_ command: String) {
        var stage = stage()
        stage.press(.character("i"))
        stage.type("/\(command) -model:inv")
        stage.press(.tab)
        #expect(stage.state.input.text == "/\(command) -model:invoice ")
    }

    @Test("n and N go from hit to hit in the detail pane, highlighted there, and on to the next line")
    func hitsInDetail() {
        var stage = Stage(columns: 120, rows: 36)
        stage.connect(as: ann)
        stage.tell(
            .event(event(2, row: ["_id": 1, "a": "leak", "b": "dry", "c": "leak"])),
            .event(event(3, row: ["_id": 2, "a": "leak"])))
        stage.command("/search leak")
        stage.press(.character("N"), .enter, .function(6))
        #expect(stage.state.detail.cursor == 0)
        var cursors: [Int] = []
        for _ in 0..<3 {
            stage.press(.character("n"))
            cursors.append(stage.state.detail.cursor)
        }
        #expect(cursors == [2, 4, 2])
        #expect(stage.screen.contains("thing 2"))
        #expect(stage.state.focus == .detail)
        stage.press(.character("N"))
        #expect(stage.screen.contains("thing 1"))
        #expect(stage.state.detail.cursor == 4)
        let cells = ScreenView.frame(stage.state).cells
        let hits = (0..<36).reduce(0) { $0 + cells.row($1).dropFirst(66).filter { $0.style == Theme.hit }.count }
        #expect(hits == 8)
    }

    @Test(
        "the help and the palette find things by other words for them",
        arguments: [
            ("history", "[ "), ("versions", "] "), ("previous", "[ "), ("sign out", "/signout"), ("bell", "/notify"),
        ])
    func synonyms(_ word: String, _ name: String) {
        var stage = stage()
        stage.press(.function(1), .character("/"))
        stage.type(word)
        #expect(!stage.row(name).isEmpty)
        stage.press(.escape, .escape, .function(9))
        stage.type(word)
        #expect(!stage.row(name).isEmpty)
    }

    @Test("the help wraps what there is no room for; nothing of it is cut", arguments: [30, 60, 80, 120])
    func wrapping(columns: Int) {
        let stage = Stage(columns: columns, rows: 36)
        let lines = HelpView.lines(stage.state, width: columns)
        #expect(lines.allSatisfy { $0.width <= columns })
        let words = lines.map(\.string).joined(separator: " ").split(separator: " ").joined(separator: " ")
        for command in SlashCommand.allCases where columns > 30 { #expect(words.contains(command.explanation)) }
    }

    @Test("with the detail open the list's hint names the versions, and always that Tab goes to the input")
    func hints() {
        var stage = stage(columns: 80, rows: 24)
        #expect(stage.row("[LIST]").contains("i/Tab type"))
        stage.press(.enter)
        #expect(stage.row("[LIST]").contains("[ ] versions"))
        #expect(stage.row("[LIST]").contains("Enter close"))
    }

    @Test("where there is room for one hint, it is the way out; a divider that is cut says so")
    func narrowHints() {
        var stage = Stage(columns: 30, rows: 8)
        stage.connect(as: ann)
        stage.press(.character("i"))
        #expect(stage.row("[INPUT]").contains("Esc back"))
        stage.press(.escape, .character("F"))
        #expect(stage.row("[FILTERS]").contains("Esc back"))
        stage.press(.escape)
        stage.state.timeline.append(
            Entry(time: Stage.wall, mark: .notice, content: .divider("room control-room: nothing was said yet")))
        stage.act(.tick)
        #expect(stage.row("room control-room").contains("…"))
    }

    @Test(
        "a sentence that is longer than the screen is wide takes another row", arguments: [(80, 24), (60, 18), (30, 8)])
    func sentences(_ columns: Int, _ rows: Int) {
        var stage = stage(columns: columns, rows: rows)
        stage.press(.character("i"))
        stage.type("/notify op:boiled")
        stage.press(.enter)
        if columns > 30 { #expect(stage.screen.contains("remove.")) }
        #expect(stage.rows.count == rows)
        #expect(stage.row("> /notify op:boiled") == stage.rows[rows - 1])
        #expect(stage.row("FOLLOW") != "")
    }
}

@Suite("Being told who comes on")
struct ArrivalTests {
    private let bob = UserSummary(id: 7, email: "bob@example.org", name: "Bob", role: "user")

    private func stage(_ watch: String) -> Stage {
        var stage = Stage(columns: 120, rows: 36)
        stage.connect(as: ann)
        stage.command("/notify \(watch)")
        return stage
    }

    @Test("the next admin who comes on rings and is a line; who was on before does not")
    func admin() {
        var stage = stage("role:admin")
        #expect(stage.screen.contains("when such a person comes on"))
        stage.tell(presence: presence(ann), presence(root))
        #expect(stage.effects.allSatisfy { $0 != .bell })
        stage.pass(.seconds(3))
        stage.tell(presence: presence(bob))
        #expect(stage.effects.allSatisfy { $0 != .bell })
        stage.tell(presence: presence(root, state: "left"), presence(root))
        #expect(stage.effects.contains(.bell))
        #expect(stage.row("Root (admin) came on").contains("·"))
    }

    @Test("who came on while there was no connection rings when it is back")
    func whileAway() {
        var stage = stage("role:admin")
        stage.tell(presence: presence(ann))
        stage.pass(.seconds(3))
        stage.tell(.state(.offline(reason: "Gone.", retryIn: .seconds(1), attempt: 1)))
        stage.connect(as: ann)
        stage.tell(presence: presence(ann), presence(root))
        #expect(stage.effects.contains(.bell))
    }

    @Test("a user whose role becomes the one that is waited for rings; who: rings by name, and one's own coming never")
    func others() {
        var stage = stage("role:admin")
        stage.tell(presence: presence(bob))
        stage.tell(presence: presence(UserSummary(id: 7, email: "", name: "Bob", role: "admin")))
        #expect(!stage.row("Bob (admin) came on").isEmpty)
        stage = self.stage("who:bob")
        stage.pass(.seconds(3))
        stage.tell(presence: presence(ann))
        stage.pass(.seconds(3))
        stage.tell(presence: presence(bob))
        #expect(!stage.row("Bob (user) came on").isEmpty)
        stage = self.stage("who:ann")
        stage.tell(presence: presence(bob))
        stage.pass(.seconds(3))
        stage.tell(presence: presence(ann))
        #expect(stage.effects.allSatisfy { $0 != .bell })
    }

    @Test(
        "what can never ring is refused, with the reason",
        arguments: [
            ("role:admin model:thing", "of the model user, not of thing"), ("model:thing -model:thing", "excludes"),
            ("op:created op:removed", "one operation"), ("model:a model:b", "one model"),
            ("who:none who:ann", "by nobody"),
        ])
    func never(_ query: String, _ reason: String) {
        let stage = stage(query)
        #expect(stage.state.watches.all.isEmpty)
        #expect(stage.screen.contains("That can never ring"))
        #expect(stage.screen.contains(reason))
        #expect(stage.state.input.text == "/notify \(query)")
    }

    @Test("what rings only as somebody else is said")
    func notTold() {
        #expect(stage("model:invoice").screen.contains("you are told nothing of invoice, only of thing"))
        var stage = Stage(columns: 120, rows: 36)
        stage.connect(as: nil, reason: .anonymous)
        stage.command("/notify role:admin")
        #expect(stage.screen.contains("Who comes on is told after F2, log in"))
    }
}

@Suite("Whose the lines are")
struct WhoseTests {
    @Test("where the identity changes, a line says to whom the events above were told")
    func changes() {
        var stage = Stage(columns: 120, rows: 36)
        stage.connect(as: root)
        stage.tell(.event(event(1)), .identity(identity(nil, epoch: 2, reason: .logout), position(1)))
        #expect(!stage.row("the events above were told to root@example.org (admin)").isEmpty)
        #expect(!stage.row("boiler 3").isEmpty)
        stage.tell(.identity(identity(ann, epoch: 3, reason: .login), position(1)))
        #expect(stage.rows.filter { $0.contains("the events above") }.count == 1)
    }

    @Test("signing out asks first, by its key and as a command")
    func signingOut() {
        var stage = Stage(columns: 120, rows: 36)
        stage.connect(as: ann)
        stage.press(.function(2), .down)
        #expect(stage.press(.enter).isEmpty)
        #expect(stage.screen.contains("Sign out? The session ends"))
        #expect(stage.press(.character("n")).isEmpty)
        stage.press(.escape, .escape, .character("i"))
        stage.type("/signout")
        #expect(stage.press(.enter).isEmpty)
        #expect(stage.press(.character("y")) == [.signOut])
    }

    @Test("on a narrow screen the room is told in a prompt that leaves room to write", arguments: [30, 60, 80])
    func prompt(_ columns: Int) {
        var stage = Stage(columns: columns, rows: 8)
        stage.connect(as: UserSummary(id: 1, email: "a@example.org", name: "Annabella Maria", role: "user"))
        stage.state.rooms.current = "control-room-of-the-works"
        #expect(DisplayWidth.of(InputView.prompt(stage.state, width: columns)) <= columns / 2)
        #expect(stage.rows[7].contains("contr"))
    }

    @Test("60 by 18 keeps the tabs and the keys of help and account; the filter stands under the list")
    func tabs() {
        var stage = Stage.busy(columns: 60, rows: 18)
        #expect(stage.rows[1].contains("1 All  2 Events  3 Chat"))
        #expect(stage.rows[1].contains("F1 help  F2 account"))
        stage.command("/filter -op:removed")
        #expect(stage.row("FOLLOW").contains("f -op:removed (3 of 4 shown)"))
        #expect(!stage.rows[1].contains("filter"))
    }
}
