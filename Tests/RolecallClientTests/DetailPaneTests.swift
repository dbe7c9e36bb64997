import RolecallProtocol
import Terminal
import Testing
import WireJSON

@testable import RolecallClient

@Suite("The detail pane")
struct DetailPaneTests {
    private static let row: JSON = [
        "_id": 12, "name": "boiler 3", "tags": ["hot", ["a", "b"], [:]], "place": ["hall": "west", "rack": 7],
    ]

    /// The pane is open, with the keys.
    private func opened(_ columns: Int = 120, _ rows: Int = 36, isUnicode: Bool = true) -> Stage {
        var stage = Stage(columns: columns, rows: rows, isUnicode: isUnicode)
        stage.connect(as: ann)
        stage.tell(.event(event(2, .created, row: Self.row)))
        stage.press(.enter)
        if stage.state.context != .detail { stage.press(.function(6)) }
        return stage
    }

    /// What the pane shows of the row, without its facts.
    private func json(_ stage: Stage) -> [String] {
        guard let pane = Layout(stage.state).detail else { return [] }
        let lines = DetailPage(stage.state, width: pane.columns).rows.map { $0.text.string }
        return Array(lines.prefix { !$0.isEmpty })
    }

    @Test("JSON stands a member a line, and its parts fold where they open, where they close and around a member")
    func folding() {
        var stage = opened()
        let whole = json(stage)
        #expect(whole.joined(separator: "\n") == Self.row.prettyPrinted())
        stage.press(.character("j"), .character("j"), .character("j"), .enter)
        #expect(json(stage)[3] == #"  "tags": [… 3 elements],"#)
        #expect(json(stage)[4] == #"  "place": {"#)
        #expect(stage.state.detail.cursor == 3)
        // On a member, what it stands in folds, and the cursor goes to where that opens.
        stage.press(.character("j"), .character("j"), .space)
        #expect(json(stage)[4] == #"  "place": {… 2 members}"#)
        #expect(stage.state.detail.cursor == 4)
        stage.press(.space)
        // On the bracket that closes.
        stage.press(.character("j"), .character("j"), .character("j"), .enter)
        #expect(json(stage)[4] == #"  "place": {… 2 members}"#)
        stage.press(.character("+"))
        #expect(json(stage) == whole)
        stage.press(.character("-"))
        #expect(json(stage).count == 6)
        stage.press(.character("g"), .enter)
        #expect(json(stage) == ["{… 4 members}"])
        stage.press(.enter)
        #expect(json(stage).count == 6)
        stage.press(.character("G"), .enter)
        #expect(stage.screen.contains("There is nothing to fold here."))
    }

    @Test("what is folded stays so in other versions of the row, and is shown anew once the pane was closed")
    func versions() {
        var stage = opened()
        stage.press(.character("j"), .character("j"), .character("j"), .enter)
        stage.press(.function(6), .function(6), .end)
        stage.tell(.event(event(3, row: Self.row, changed: ["tags"])))
        stage.press(.function(6))
        let folded = json(stage)
        #expect(folded.contains(#"  "tags": [… 3 elements],"#))
        stage.press(.character("["))
        #expect(stage.screen.contains("v1 of 2"))
        #expect(json(stage) == folded)
        #expect(stage.state.detail.cursor == 0)
        stage.press(.escape, .enter)
        #expect(json(stage).count > folded.count)
    }

    @Test("J, D and R choose the form, in the list too, and the title tells which one it is")
    func forms() throws {
        var stage = opened()
        let title = try #require(stage.rows.first { $0.contains("thing 12") && $0.contains("v1 of 1") })
        #expect(title.hasSuffix("[J]son [D]iff [R]aw"))
        stage.press(.character("R"))
        #expect(
            json(stage).joined()
                == "\(JSON.array([.string("thing:save")] + event(2, .created, row: Self.row).arguments))")
        stage.press(.enter)
        #expect(stage.screen.contains("Raw JSON does not fold."))
        stage.press(.function(6), .function(6))
        #expect(stage.state.context == .list)
        stage.press(.character("D"))
        #expect(stage.screen.contains("Created: all of it is new."))
        stage.press(.character("J"))
        #expect(json(stage).count > 10)
        stage.press(.character("d"), .character("d"))
        #expect(stage.state.detail.form == .json)
        var closed = Stage.busy(columns: 120, rows: 36)
        closed.press(.character("R"))
        #expect(closed.screen.contains(#"["thing:remove",{"_id":9}"#))
    }

    @Test(
        "holds at every size, with and without Unicode: the cursor is in sight, whatever it is on",
        arguments: [(120, 36), (80, 24), (60, 18), (30, 8)], [true, false])
    func sizes(_ size: (Int, Int), isUnicode: Bool) throws {
        var stage = opened(size.0, size.1, isUnicode: isUnicode)
        let pane = try #require(Layout(stage.state).detail)
        for _ in 0..<40 {
            let frame = ScreenView.frame(stage.state)
            let cursor = try #require(frame.cursor)
            #expect(cursor.row > pane.row && cursor.row < pane.rowRange.upperBound)
            #expect(stage.rows[cursor.row].dropFirst(pane.column).hasPrefix(">"))
            #expect(stage.rows.allSatisfy { DisplayWidth.of($0) <= size.0 })
            if !isUnicode {
                #expect(stage.rows.dropFirst(3).allSatisfy { $0.allSatisfy(\.isASCII) }, "\(stage.screen)")
            }
            stage.press(.character("j"))
        }
        let title = stage.rows[pane.row].dropFirst(pane.column)
        #expect(title.hasPrefix(" thing 12  v1 of 1"))
        #expect(title.hasSuffix(size.0 == 30 ? "J D R" : "[J]son [D]iff [R]aw"), "\(title)")
        stage.press(.home)
        #expect(stage.state.detail.top == 0)
        stage.act(.mouse(Mouse(.scrollDown, at: .init(row: pane.row + 1, column: pane.column + 2))))
        #expect(stage.state.detail.cursor >= stage.state.detail.top)
        stage.act(.mouse(Mouse(.press(.left), at: .init(row: pane.row + 2, column: pane.column + 2))))
        #expect(stage.state.detail.cursor == stage.state.detail.top + 1)
    }

    @Test("a hostile row is safe in each form, and a huge one is cut")
    func hostile() {
        for form in ["J", "D", "R"] as [Character] {
            var stage = Stage(columns: 80, rows: 24)
            stage.connect(as: ann)
            let evil: JSON = ["_id": 1, "a\u{1B}[2J\u{202E}": ["\u{9B}31m\u{7}": "\u{200B}x\u{2028}"]]
            stage.tell(.event(event(2, .created, row: evil)), .event(event(3, row: evil, changed: ["a"])))
            stage.press(.enter, .function(6), .character(form))
            #expect(stage.screen.contains("⟨9b⟩31m"), "\(form)\n\(stage.screen)")
            #expect(!stage.screen.unicodeScalars.contains { $0.isTerminalHazard && $0 != "\n" })
            stage.tell(
                .event(event(4, row: ["_id": 1, "a": .string(String(repeating: "x", count: 300_000))], changed: ["a"])))
            stage.press(.escape, .end, .enter, .function(6), .character(form), .end)
            guard let pane = Layout(stage.state).detail else { continue }
            #expect(DetailPage(stage.state, width: pane.columns).rows.count < 1500)
        }
        let many = JSON.object(JSONObject((0..<100_000).map { ("k\($0)", JSON.array([.integer(1)])) }))
        let lines = JSONLayout.lines(many, folded: [], limit: DetailView.limit, ellipsis: "…")
        #expect(lines.count < 30_000)
        #expect(lines.last?.text.string == "… cut here")
        #expect(JSONLayout.foldable(in: many).count <= 10_000)
    }
}

@Suite("Copying")
struct CopyingTests {
    @Test("y copies the event as watch prints it, Y the row, and the footer says so")
    func events() throws {
        var stage = Stage.busy()
        stage.press(.up, .up)
        let saved = event(2, row: ["_id": 12, "name": "boiler 3", "info": "leak", "active": true], changed: ["info"])
        let effects = stage.press(.character("y"))
        #expect(effects == [.copy(String(decoding: OutputLine.event(saved).jsonBytes, as: UTF8.self))])
        #expect(stage.rows[22].hasPrefix("[LIST] ✓ copied 1 event"))
        #expect(stage.press(.character("Y")) == [.copy(saved.row.prettyPrinted())])
        #expect(stage.rows[22].hasPrefix("[LIST] ✓ copied 1 row"))
        stage.press(.character(":"))
        stage.type("copy")
        #expect(stage.press(.enter) == effects)
        // The entry that tells who one is.
        stage.press(.escape, .home)
        guard case .copy(let note)? = stage.press(.character("y")).first else {
            Issue.record("A note can be copied.")
            return
        }
        #expect(note.hasPrefix("you are ann@example.org"))
        var empty = Stage()
        #expect(empty.press(.character("y")) == [])
        #expect(empty.screen.contains("There is nothing to copy here."))
    }

    @Test("in the detail pane Y copies the value under the cursor, and y the version that is shown")
    func values() {
        var stage = Stage(columns: 120, rows: 36)
        stage.connect(as: ann)
        stage.tell(
            .event(event(1, .created, row: ["_id": 1, "place": ["hall": "west"], "note": "a\u{1B}\n\u{202E}b"])))
        stage.tell(.event(event(2, row: ["_id": 1, "place": "none"], changed: ["place"])))
        stage.press(.enter, .function(6), .character("["))
        #expect(stage.press(.character("Y")).count == 1)
        #expect(stage.screen.contains("copied 1 row"))
        stage.press(.character("j"), .character("j"))
        #expect(stage.press(.character("Y")) == [.copy("{\n  \"hall\": \"west\"\n}")])
        #expect(stage.screen.contains("copied 1 value"))
        stage.press(.character("j"), .character("j"), .character("j"))
        #expect(stage.press(.character("Y")) == [.copy(#""a\u001b\n\u202eb""#)], "It acts on no terminal.")
        guard case .copy(let line)? = stage.press(.character("y")).first else {
            Issue.record("The event was not copied.")
            return
        }
        #expect(line.contains(#""position":"\#(position(1))""#))
        stage.press(.character("R"))
        guard case .copy(let packet)? = stage.press(.character("Y")).first else {
            Issue.record("The packet was not copied.")
            return
        }
        #expect(packet.hasPrefix(#"["thing:save",{"_id":1"#))
    }

    @Test("what a terminal would not take is not sent, and the footer says how much it is")
    func tooLong() {
        var stage = Stage(columns: 120, rows: 36, isUnicode: false)
        stage.connect(as: ann)
        stage.tell(.event(event(1, .created, row: ["_id": 1, "note": .string(String(repeating: "x", count: 80_000))])))
        #expect(stage.press(.character("y")) == [])
        #expect(stage.screen.contains("Too long for a terminal's clipboard: 78 KB of 1 event, and 73 KB are the most."))
        stage.tell(.event(event(2, .created, row: ["_id": 2])))
        #expect(stage.press(.end, .character("y")).count == 1)
        #expect(stage.screen.contains("[LIST] copied 1 event"))
    }
}
