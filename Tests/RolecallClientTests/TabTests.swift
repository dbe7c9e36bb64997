import RolecallProtocol
import Terminal
import Testing
import WireJSON

@testable import RolecallClient

@Suite("Tabs")
struct TabTests {
    private let bob = Author(id: 7, name: "Bob")

    private func said(_ sequence: Int64, _ body: String, by: Author?) -> ModelEvent {
        event(
            sequence, model: "message", .created, row: ["_id": .integer(sequence), "body": .string(body)], by: by,
            changed: [])
    }

    private func stage(columns: Int = 120, rows: Int = 36) -> Stage {
        var stage = Stage(columns: columns, rows: rows)
        stage.connect(as: ann)
        for sequence in 2..<60 {
            stage.tell(
                .event(sequence % 2 == 0 ? said(Int64(sequence), "said \(sequence)", by: bob) : event(Int64(sequence))))
        }
        return stage
    }

    @Test("each shows its part of the list, with identity and connection in all of them")
    func parts() {
        var stage = stage()
        #expect(stage.rows[1].hasPrefix(" 1 All  2 Events  3 Chat·29  4 People "))
        stage.press(.alt("2"))
        #expect(!stage.screen.contains("said"))
        #expect(stage.state.sieve.counts.all == 29)
        stage.press(.alt("3"))
        #expect(!stage.screen.contains("boiler"))
        #expect(!stage.row("you are ann").isEmpty)
        stage.press(.alt("1"))
        #expect(stage.screen.contains("boiler") && stage.screen.contains("said"))
        stage.press(.alt("4"))
        #expect(stage.state.page == .people)
        stage.press(.alt("2"))
        #expect(stage.state.page == nil)
    }

    @Test("chat counts what others wrote since it was looked at")
    func unread() {
        var stage = stage()
        stage.press(.alt("3"))
        #expect(stage.rows[1].contains("3 Chat  "))
        stage.tell(.event(said(80, "x", by: bob)))
        #expect(stage.rows[1].contains("3 Chat  "))
        stage.press(.alt("2"))
        stage.tell(
            .event(said(81, "x", by: bob)), .event(said(82, "x", by: Author(id: ann.id, name: "Ann"))),
            .event(said(83, "x", by: nil)))
        #expect(stage.rows[1].contains("3 Chat·2  "))
        stage.press(.alt("1"))
        #expect(stage.rows[1].contains("3 Chat·2  "))
    }

    @Test("each keeps its own place, and filters hold in all")
    func places() {
        var stage = stage()
        stage.press(.alt("2"), .home, .down, .down)
        let selected = stage.state.selected
        stage.press(.alt("3"))
        #expect(stage.state.view.isFollowing)
        stage.press(.up)
        stage.press(.alt("2"))
        #expect(stage.state.selected == selected)
        #expect(!stage.state.view.isFollowing)
        stage.command("/filter model:message")
        #expect(stage.rows[1].contains("(0 of 29 shown)"))
        stage.press(.alt("3"))
        #expect(stage.rows[1].contains("(29 of 29 shown)"))
    }

    @Test("a click opens a tab")
    func clicks() {
        var stage = stage()
        func column(_ text: String) -> Int {
            stage.rows[1].firstRange(of: text).map {
                stage.rows[1].distance(from: stage.rows[1].startIndex, to: $0.lowerBound)
            } ?? 0
        }
        for (text, tab) in [("Events", Tab.events), ("Chat", .chat), ("1 All", .all)] {
            stage.act(.mouse(Mouse(.press(.left), at: Terminal.Position(row: 1, column: column(text)))))
            #expect(stage.state.sieve.tab == tab)
        }
        stage.act(.mouse(Mouse(.press(.left), at: Terminal.Position(row: 1, column: column("People")))))
        #expect(stage.state.page == .people)
        stage.act(.mouse(Mouse(.press(.left), at: Terminal.Position(row: 1, column: column("Events")))))
        #expect(stage.state.page == nil)
    }

    @Test("where there is no line of tabs, the border tells which one it is")
    func narrow() {
        for (columns, rows) in [(60, 15), (30, 8)] {
            var stage = stage(columns: columns, rows: rows)
            stage.press(.alt("3"))
            #expect(!stage.row("FOLLOW · Chat").isEmpty)
            stage.press(.alt("1"))
            #expect(stage.row("FOLLOW · Chat").isEmpty)
        }
        var stage = stage(columns: 80, rows: 24)
        #expect(stage.rows[1] == " 1 All  2 Events  3 Chat·29  4 People     58 events         F1 help  F2 account")
        stage.resize(120, 24)
        #expect(stage.rows[1].hasPrefix(" 1 All  2 Events  3 Chat·29  4 People     58 events  "))
        stage.resize(80, 24)
        stage.command("/filter model:thing active=true -who:somebody -op:removed")
        #expect(stage.rows[1] == " 1 All  2 Events  3 Chat·29  4 People   filter: model:thing …   (29 of 58 shown)")
    }
}
