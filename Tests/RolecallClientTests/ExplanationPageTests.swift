import RolecallProtocol
import Terminal
import Testing
import WireJSON

@testable import RolecallClient

@Suite("The page that says why")
struct ExplanationPageTests {
    private func opened(columns: Int = 80, rows: Int = 24, isUnicode: Bool = true) -> Stage {
        var stage = Stage(columns: columns, rows: rows, isUnicode: isUnicode)
        stage.connect(as: root)
        stage.tell(.event(event(4, .created, row: ["_id": 12, "name": "boiler 3"])))
        stage.press(.character("x"))
        return stage
    }

    private func explanation(rules: Int = 2) -> EventExplanation {
        let verdicts = (1...rules).map { number in
            EventExplanation.Verdict(
                number: number, asks: "role r\(number)", reasons: [.role(asked: "r\(number)", has: "user")])
        }
        let before = EventExplanation.Side(
            isVisible: true, obstacle: nil, rules: [.init(number: 1, asks: "open is true", reasons: [])],
            withheld: [.init(field: "cost", role: "admin")])
        let after = EventExplanation.Side(isVisible: false, obstacle: nil, rules: verdicts, withheld: [])
        return EventExplanation(
            position: position(4), model: "thing", change: "updated", key: 12, at: "2026-11-22T13:00:00.000Z",
            by: Author(id: 1, name: "Root\u{1b}[2J"), user: ann, role: "user", told: .hidden, changed: [],
            sentence: EventExplanation.sentence(
                user: ann, role: "user", model: "thing", told: .hidden, silence: nil, before: before, after: after),
            before: before, after: after)
    }

    private func request(_ stage: Stage, _ user: String) -> ExplanationRequest {
        ExplanationRequest(position: position(4), user: user, generation: stage.state.generation)
    }

    @Test("asks for whom, asks the server, and shows every rule with what stands against it")
    func shown() {
        var stage = opened()
        #expect(stage.effects.contains(.list(.sockets, generation: stage.state.generation)))
        #expect(stage.screen.contains("Why?  thing 12"))
        #expect(stage.row("For whom:").contains("For whom:"))
        #expect(stage.press(.enter) == [])
        #expect(stage.screen.contains("For whom? An e-mail address, an _id, or guest."))
        stage.type("qann@example.org?")
        stage.press(.backspace, .control("a"), .control("d"))
        #expect(stage.press(.enter) == [.explain(request(stage, "ann@example.org"))])
        #expect(stage.screen.contains("asking the server"))
        stage.act(.outcome(.explained(request(stage, "ann@example.org"), explanation())))
        for text in [
            "Why?  ann@example.org  thing 12", "gets thing:remove (hidden)", "thing 12 was updated by Root⟨1b⟩[2J (1)",
            "Before: in sight", "✓ rule 1: open is true", "kept back:", "cost is for admin.", "After: out of sight",
            "✗ rule 2: role r2", "It asks for the role r2, and this is user.",
        ] { #expect(stage.screen.contains(text), "\(text)") }
        #expect(stage.rows.contains { $0.hasPrefix("[WHY] j move  x explain  r reload  Esc back") })
        // Again for somebody else; the last name stands there.
        stage.press(.character("x"))
        #expect(stage.row("For whom:").contains("ann@example.org"))
        stage.press(.control("u"))
        stage.type(" guest ")
        #expect(stage.press(.enter) == [.explain(request(stage, "guest"))])
        stage.press(.escape)
        #expect(stage.state.page == nil)
        stage.press(.character("x"))
        #expect(stage.row("For whom:").contains("guest"))
    }

    @Test("an answer to another question is not shown, nor one for other eyes")
    func stale() {
        var stage = opened()
        stage.type("guest")
        stage.press(.enter)
        stage.act(.outcome(.explained(request(stage, "ann@example.org"), explanation())))
        #expect(stage.screen.contains("asking the server"))
        let asked = request(stage, "guest")
        stage.tell(.identity(identity(ann, epoch: 2, reason: .roleChanged), nil))
        #expect(stage.state.page == nil)
        #expect(stage.state.lastExplained == nil)
        stage.act(.outcome(.explained(asked, explanation())))
        #expect(stage.state.page == nil)
    }

    @Test("a refusal is shown in its place, and can be tried again")
    func refused() {
        var stage = opened()
        stage.type("ann@example.org")
        stage.press(.enter)
        stage.act(
            .outcome(.notExplained(request(stage, "ann@example.org"), reason: "The role user may not do this.")))
        #expect(stage.row("! The role").contains("! The role user may not do this."))
        #expect(stage.press(.character("r")) == [.explain(request(stage, "ann@example.org"))])
        #expect(stage.press(.character("r")) == [], "One question at a time.")
    }

    @Test("Tab completes whoever is known, by address or by name")
    func completing() {
        var stage = opened()
        stage.answer(sockets: [
            socket("a", root), socket("b", ann), socket("c", nil),
            socket("d", UserSummary(id: 9, email: "anton@example.org", name: "Zed", role: "user")),
        ])
        stage.type("AN")
        stage.press(.tab)
        #expect(stage.screen.contains("ann@example.org  anton@example.org"))
        stage.type("T")
        stage.press(.tab)
        #expect(stage.row("For whom:").contains("anton@example.org"))
        stage.press(.control("u"))
        stage.type("z")
        stage.press(.tab)
        #expect(stage.row("For whom:").contains("anton@example.org"))
        stage.press(.control("u"))
        stage.type("gu")
        stage.press(.tab)
        #expect(stage.row("For whom:").contains("guest"))
        stage.type("x")
        stage.press(.tab)
        #expect(stage.screen.contains("Nobody who is known here begins with guestx."))
        stage.press(.control("c"))
        #expect(!stage.row("For whom:").contains("guest"))
        stage.act(.paste(Paste("ann@\u{1b}example.org\n", isTruncated: false)))
        #expect(stage.row("For whom:").contains("ann@example.org"))
        #expect(stage.press(.enter) == [.explain(request(stage, "ann@example.org"))])
    }

    @Test("whom presence alone tells of is named by his id")
    func presences() {
        var stage = opened()
        stage.act(.outcome(.notListed(.sockets, reason: "No.", isDenied: true, generation: stage.state.generation)))
        stage.tell(presence: presence(ann))
        stage.type("Ann")
        stage.press(.tab)
        #expect(stage.press(.enter) == [.explain(request(stage, "\(ann.id)"))])
    }

    @Test("only a model's event is explained, and only to who is logged in")
    func nothingToExplain() {
        var stage = Stage()
        stage.connect(as: nil)
        stage.tell(.event(event(4, .created, row: ["_id": 12])))
        stage.press(.character("x"))
        #expect(stage.state.page == nil)
        #expect(stage.screen.contains("Only an admin is told why. F2 logs in."))
        stage = Stage()
        stage.connect(as: root)
        stage.press(.character("x"))
        #expect(stage.state.page == nil)
        #expect(stage.screen.contains("There is nothing to explain here"))
    }

    @Test("the detail pane asks about the version that it shows")
    func versions() {
        var stage = Stage(columns: 120)
        stage.connect(as: root)
        stage.tell(
            .event(event(1, .created, row: ["_id": 12, "name": "a"])),
            .event(event(2, row: ["_id": 12, "name": "b"], changed: ["name"])))
        stage.press(.enter, .function(6), .character("["), .character("x"))
        stage.type("guest")
        #expect(
            stage.press(.enter) == [
                .explain(
                    ExplanationRequest(position: position(1), user: "guest", generation: stage.state.generation))
            ])
    }

    @Test(
        "fits every screen, wraps, scrolls to its end and back, with and without Unicode",
        arguments: [(120, 36), (80, 24), (60, 18), (30, 8)], [true, false])
    func sizes(_ size: (Int, Int), isUnicode: Bool) {
        var stage = opened(columns: size.0, rows: size.1, isUnicode: isUnicode)
        #expect(stage.screen.contains("Why?  thing 12"))
        #expect(stage.screen.contains("For"))
        #expect(stage.rows.contains { $0.hasPrefix("[WHOM]") })
        stage.type("ann@example.org")
        #expect(ScreenView.frame(stage.state).cursor != nil)
        #expect(stage.row("For").contains("ann@example.org"))
        stage.press(.enter)
        stage.act(.outcome(.explained(request(stage, "ann@example.org"), explanation(rules: 40))))
        #expect(stage.row(" below").contains(size.0 < 44 ? " ann@exam" : "Why?  ann@example.org  thing 12"))
        #expect(stage.screen.contains("ann@example.org (user) gets"))
        #expect(stage.screen.contains(" below"))
        var seen: Set<String> = []
        var wild: [String] = []
        var last = ""
        while stage.screen != last {
            last = stage.screen
            seen.formUnion(stage.rows.map { $0.drop { $0 == " " }.description })
            #expect(stage.rows.allSatisfy { DisplayWidth.of($0) <= size.0 })
            // What makes a text safe stands in it as it does everywhere.
            let own = stage.rows.dropFirst().filter { !$0.contains("⟨") }
            wild += isUnicode ? [] : own.filter { !$0.allSatisfy(\.isASCII) }
            stage.press(.down)
        }
        #expect(Set(wild) == [])
        for number in 1...40 {
            #expect(seen.contains { $0.hasPrefix("\(isUnicode ? "✗" : "no") rule \(number): role r\(number)") })
        }
        #expect(!stage.screen.contains(" below"))
        let end = stage.screen
        stage.press(.end)
        #expect(stage.screen == end)
        stage.press(.home)
        #expect(stage.screen.contains("ann@example.org (user) gets"))
        stage.press(.pageDown)
        stage.press(.pageUp)
        #expect(stage.screen.contains("ann@example.org (user) gets"))
        stage.act(.mouse(Mouse(.scrollDown, at: .init(row: 3, column: 3))))
        #expect(!stage.screen.contains("(user) gets thing"))
        stage.resize(100, 30)
        stage.press(.escape)
        #expect(stage.state.page == nil)
    }
}
