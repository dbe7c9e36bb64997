import RolecallProtocol
import Terminal
import Testing
import WireJSON

@testable import RolecallClient

@Suite("Search")
struct SearchTests {
    /// Lines 1 to 40, of which every fifth has a leak.
    private func stage(columns: Int = 80, rows: Int = 24) -> Stage {
        var stage = Stage(columns: columns, rows: rows)
        stage.connect(as: ann)
        for sequence in 1...40 {
            let info: JSON = sequence % 5 == 0 ? "Leak" : "fine"
            stage.tell(
                .event(
                    event(
                        Int64(sequence + 1),
                        row: ["_id": .integer(Int64(sequence)), "name": .string("pump \(sequence)"), "info": info],
                        changed: ["info"])))
        }
        return stage
    }

    /// The texts that are highlighted, from the top.
    private func highlights(_ stage: Stage) -> [String] {
        let cells = ScreenView.frame(stage.state).cells
        return Layout(stage.state).list.rowRange.flatMap { row -> [String] in
            var texts: [String] = []
            var isInside = false
            for cell in cells.row(row) {
                let isHit = cell.style.foreground == Theme.hit.foreground && cell.style.attributes.contains(.reverse)
                if isHit { if isInside { texts[texts.count - 1] += cell.text } else { texts.append(cell.text) } }
                isInside = isHit
            }
            return texts
        }
    }

    @Test("hits are highlighted while the text is typed, and the nearest above is gone to")
    func typing() {
        var stage = stage()
        stage.press(.character("/"))
        stage.type("lea")
        #expect(stage.rows[22] == "/lea")
        #expect(stage.rows[23] == "Hit 8 of 8")
        #expect(Set(highlights(stage)) == ["Lea"])
        stage.type("k")
        #expect(Set(highlights(stage)) == ["Leak"])
        #expect(stage.row(">").contains("pump 40"))
        stage.type("s")
        #expect(stage.rows[23] == "no hit")
        stage.press(.backspace, .enter)
        #expect(stage.state.context == .list)
        #expect(stage.row("PAUSED").contains("PAUSED · Hit 8 of 8 · End to follow"))
    }

    @Test("n and N go from hit to hit, and past the last one begin anew")
    func next() {
        var stage = stage()
        stage.command("/search leak")
        #expect(stage.row(">").contains("pump 40"))
        stage.press(.character("N"), .character("N"))
        #expect(stage.row(">").contains("pump 30"))
        #expect(stage.row("PAUSED").contains("Hit 6 of 8"))
        stage.press(.character("n"))
        #expect(stage.row(">").contains("pump 35"))
        stage.press(.up)
        #expect(stage.row("PAUSED").contains("8 hits"))
        stage.press(.character("n"), .character("n"), .character("n"))
        #expect(stage.row(">").contains("pump 5 "))
        #expect(stage.rows[22].contains("from the oldest again"))
        stage.press(.character("N"))
        #expect(stage.row(">").contains("pump 40"))
    }

    @Test("Escape leaves the line with all as it was, and in the list it ends the search")
    func leaving() {
        var stage = stage()
        let before = stage.rows
        stage.press(.function(3))
        stage.type("pump 7")
        stage.press(.escape)
        #expect(stage.rows == before)
        stage.press(.character("/"))
        stage.type("pump 7")
        stage.press(.enter)
        #expect(!highlights(stage).isEmpty)
        stage.press(.character("/"))
        stage.type("other")
        stage.press(.escape)
        #expect(highlights(stage) == ["pump 7"], "The search before is there again.")
        stage.press(.escape)
        #expect(highlights(stage).isEmpty)
        stage.press(.character("n"))
        #expect(stage.rows[22].contains("/ does"))
    }

    @Test("a capital makes it a search for that very text")
    func capitals() {
        for (text, count) in [("leak", 8), ("Leak", 8), ("LEAK", 0), ("PUMP", 0), ("pump", 40)] {
            var stage = stage()
            stage.command("/search \(text)")
            #expect(stage.state.search?.hits.count == count, "\(text)")
            #expect(stage.rows[22].contains("No line has") == (count == 0))
        }
        #expect(Needle("é大").ranges(in: "É大 é大") == [0..<5, 6..<11])
        #expect(Needle("É").ranges(in: "éÉ") == [2..<4])
        #expect(Needle("aa").ranges(in: "aaaAa") == [0..<2, 2..<4])
        #expect(Needle("x").ranges(in: "").isEmpty)
    }

    @Test("a query can be searched for, and goes to hits among what the filters show")
    func queries() {
        var stage = stage()
        stage.command("/search info=Leak")
        #expect(stage.state.search?.hits.count == 8)
        #expect(highlights(stage).contains("Leak"))
        stage.command("/filter -key:40")
        #expect(stage.state.search?.hits.count == 7)
        stage.press(.character("N"))
        #expect(stage.state.isShown(stage.state.selected ?? -1))
        stage.command("/search who:none")
        #expect(stage.screen.contains("No line has 'who:none'."))
        stage.command("/search reconn:x")
        #expect(stage.screen.contains("No line has 'reconn:x'."), "What is no query is a text.")
    }

    @Test("new lines are hits as they come, once, and a text that the line has no room for is told by its sign")
    func news() {
        var stage = stage()
        stage.command("/search leak")
        stage.tell(
            .event(event(90, row: ["_id": 1, "info": "a LEAK"], changed: ["info"])),
            .event(event(91, row: ["_id": 1, "name": "x", "more": ["deep": "leak"]], changed: [])))
        stage.press(.end)
        #expect(stage.row("FOLLOW").contains("FOLLOW · Hit 10 of 10"))
        #expect(highlights(stage).last == "~")
        stage.tell(.state(.offline(reason: "A leak.", retryIn: .seconds(1), attempt: 1)))
        #expect(stage.state.search?.hits.count == 11, "Notes are searched too.")
    }

    @Test(
        "at every size a search can be typed, and its count and place are told",
        arguments: [(120, 36), (80, 24), (60, 18), (30, 8)])
    func sizes(columns: Int, rows: Int) {
        var stage = stage(columns: columns, rows: rows)
        stage.press(.character("/"))
        stage.type("pump")
        #expect(stage.rows[rows - 2] == "/pump")
        #expect(stage.rows[rows - 1] == "Hit 40 of 40")
        stage.press(.enter, .character("N"))
        #expect(stage.row("PAUSED").contains("Hit 39 of 40"))
        #expect(stage.shownEntries.contains(stage.state.selected ?? -1))
    }
}
