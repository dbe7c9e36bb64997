import RolecallProtocol
import Terminal
import Testing
import WireJSON

@testable import RolecallClient

@Suite("Filters")
struct FilterTests {
    /// Forty updates of one thing after another, a removal and a chat line in every ten.
    private func stage(columns: Int = 80, rows: Int = 24) -> Stage {
        var stage = Stage(columns: columns, rows: rows)
        stage.connect(as: ann)
        for sequence in 2..<42 {
            let number = Int64(sequence)
            switch sequence % 10 {
            case 3: stage.tell(.event(event(number, .removed, row: ["_id": .integer(number)])))
            case 7: stage.tell(.event(chat(number, "word \(sequence)")))
            default: stage.tell(.event(event(number, row: ["_id": .integer(number), "name": "pump \(sequence)"])))
            }
        }
        return stage
    }

    @Test("a filter is shown as it is typed, with its count, and Enter keeps it")
    func typing() {
        var stage = stage()
        stage.press(.character("f"))
        #expect(stage.rows[22] == "filter:")
        #expect(stage.rows[21].hasPrefix("[FILTER] Enter ok  Esc back"), "\(stage.rows[21])")
        stage.type("-op:removed")
        #expect(stage.rows[22] == "filter: -op:removed")
        #expect(stage.rows[23] == "36 of 40 shown")
        #expect(!stage.screen.contains("removed  by Ann"))
        #expect(stage.state.sieve.filters.isEmpty)
        stage.press(.enter)
        #expect(stage.state.sieve.filters.map(\.text) == ["-op:removed"])
        #expect(stage.rows[1].contains("filter: -op:removed   (36 of 40 shown)"))
        #expect(!stage.screen.contains("removed  by Ann"))
        stage.tell(.event(event(90, .removed, row: ["_id": 90])), .event(event(91)))
        #expect(stage.rows[1].contains("(37 of 42 shown)"))
        #expect(stage.state.view.isFollowing)
    }

    @Test("Escape leaves the list, its place and its filters as they were")
    func leaving() {
        var stage = stage()
        stage.press(.up, .pageUp, .up)
        let before = stage.rows
        stage.press(.function(4))
        stage.type("op:removed")
        #expect(stage.rows != before)
        stage.press(.pageUp, .pageUp)
        stage.press(.escape)
        #expect(stage.rows == before)
        #expect(stage.state.context == .list)
    }

    @Test("notes and dividers stay, whatever is filtered")
    func notes() {
        var stage = stage()
        stage.press(.function(4))
        stage.type("model:nothing")
        stage.press(.enter)
        #expect(!stage.row("you are ann@example.org").isEmpty)
        stage.tell(.state(.offline(reason: "Gone.", retryIn: .seconds(1), attempt: 1)))
        #expect(!stage.row("connection lost: Gone.").isEmpty)
    }

    @Test("a mistake is told under its place, and what was shown stays until it is mended")
    func mistake() {
        var stage = stage()
        stage.press(.character("f"))
        stage.type("pump colour:red")
        #expect(stage.rows[23].hasPrefix("             ^ begins with no known word"), "\(stage.rows[23])")
        #expect(stage.rows[1].contains("filter: pump   (36 of 40 shown)") == false)
        stage.press(.enter)
        #expect(stage.state.context == .filter)
        stage.press(.control("u"))
        stage.type("since:5")
        stage.resize(160, 30)
        #expect(stage.rows[29].hasPrefix("        ^ is no span of time"), "\(stage.rows[29])")
        stage.type("m")
        #expect(stage.state.prompt?.fault == nil)
    }

    @Test("several filters must all hold; the page switches, flips, edits and deletes them")
    func page() {
        var stage = stage(columns: 120, rows: 36)
        for query in ["-op:removed", "model:thing"] {
            stage.press(.character("f"))
            stage.type(query)
            stage.press(.enter)
        }
        #expect(stage.rows[1].contains("filter: -op:removed, model:thing   (32 of 40 shown)"))
        stage.press(.character("F"))
        #expect(stage.rows[2] == " 2 filters · 32 of 40 shown")
        #expect(stage.rows[3] == ">[x] -op:removed")
        #expect(stage.rows[4] == " [x] model:thing")
        stage.press(.space)
        #expect(stage.rows[3] == ">[ ] -op:removed")
        #expect(stage.rows[2] == " 2 filters · 36 of 40 shown")
        stage.press(.down, .character("t"))
        #expect(stage.rows[4] == ">[x] not (model:thing)")
        #expect(stage.rows[2] == " 2 filters · 4 of 40 shown")
        stage.press(.enter)
        #expect(stage.rows[34] == "filter: model:thing")
        stage.press(.control("u"))
        stage.type("model:message")
        #expect(stage.rows[35] == "36 of 40 shown", "It is still flipped.")
        stage.press(.enter, .character("F"), .character("D"))
        #expect(stage.state.sieve.filters.map(\.text) == ["model:message"])
        stage.press(.character("D"))
        #expect(stage.rows[2] == " 0 filters  f writes one")
        stage.press(.escape)
        #expect(stage.state.context == .list)
        #expect(!stage.rows[1].contains("filter"))
    }

    @Test("a filter that is emptied is no more")
    func emptied() {
        var stage = stage()
        stage.press(.character("f"))
        stage.type("pump")
        stage.press(.enter, .character("F"), .enter, .control("u"), .enter)
        #expect(stage.state.sieve.filters.isEmpty)
    }

    @Test("c dims what does not match in place of hiding it")
    func dimming() {
        var stage = stage()
        stage.press(.character("f"))
        stage.type("-op:removed")
        stage.press(.enter, .character("c"))
        #expect(stage.rows[1].contains("dimmed but: -op:removed   (36 of 40 match)"))
        let frame = ScreenView.frame(stage.state).cells
        for row in 2..<20 where frame.text(row: row).contains("removed  by Ann") {
            #expect(frame.row(row).dropFirst(18).first?.style == Theme.faint)
        }
        #expect(!stage.row("removed  by Ann").isEmpty)
        stage.press(.character("c"))
        #expect(stage.row("removed  by Ann").isEmpty)
    }

    @Test("a held list counts what is new and what of it matches, and pages by what is shown")
    func holding() {
        var stage = stage()
        stage.press(.character("f"))
        stage.type("model:thing -op:removed")
        stage.press(.enter, .up)
        let selected = stage.state.selected
        let held = Array(stage.rows[2...20])
        for sequence in 100..<110 {
            stage.tell(.event(sequence % 5 == 0 ? event(Int64(sequence)) : chat(Int64(sequence), "x")))
        }
        #expect(Array(stage.rows[2...20]) == held)
        #expect(stage.row("PAUSED").contains("PAUSED · 10 new below (2 match) · End to follow"))
        #expect(stage.state.selected == selected)
        for _ in 0..<8 { stage.press(.pageUp) }
        #expect(stage.state.selected == stage.state.firstShown)
        for _ in 0..<8 { stage.press(.pageDown) }
        #expect(stage.state.selected == stage.state.lastShown)
        var seen: [Int] = []
        stage.press(.home)
        for _ in 0..<60 {
            if let selected = stage.state.selected, seen.last != selected { seen.append(selected) }
            stage.press(.down)
        }
        #expect(seen.count == 35, "32 of the things, two new ones and the identity's line")
        #expect(seen.allSatisfy(stage.state.isShown))
    }

    @Test("what a filter hides does not lose its place: without the filter it is selected again")
    func place() {
        var stage = stage()
        stage.press(.up, .up)
        let selected = stage.state.selected
        stage.press(.character("f"))
        stage.type("op:removed")
        stage.press(.enter)
        #expect(stage.state.selected != selected)
        stage.press(.character("F"), .character("D"), .escape)
        #expect(stage.state.selected == selected)
    }

    @Test("/filter, /only and /mute set filters; what can't be one stays to be mended")
    func commands() {
        var stage = stage(columns: 120)
        func texts(_ stage: Stage) -> [String] { stage.state.sieve.filters.map(\.text) }
        stage.command("/filter pump")
        stage.command("/mute message")
        #expect(texts(stage) == ["pump", "-model:message"])
        stage.command("/mute ann")
        #expect(texts(stage) == ["pump", "-model:message", "-who:ann"])
        stage.command("/only op:removed")
        #expect(texts(stage) == ["op:removed"])
        stage.command("/mute Bob")
        #expect(texts(stage) == ["op:removed"])
        #expect(stage.screen.contains("called Bob"))
        #expect(stage.state.input.text == "/mute Bob")
        stage.press(.control("u"))
        stage.type("/only op:sideways")
        stage.press(.enter)
        #expect(stage.state.input.text == "/only op:sideways")
        #expect(stage.screen.contains("names no operation"))
        stage.press(.control("u"))
        stage.command("/filter")
        #expect(stage.state.context == .filter)
    }

    @Test("Tab completes fields, models, operations and people that are known")
    func completion() {
        var stage = stage(columns: 120)
        stage.tell(.event(event(95, model: "invoice", row: ["_id": 1, "total": 3], by: Author(id: 4, name: "Zoë B"))))
        for (typed, completed) in [
            ("mod", "model:"), ("model:inv", "model:invoice "), ("-op:cre", "-op:created "),
            ("who:zo", "who:\"Zoë B\" "),
            ("who:\"zo", "who:\"Zoë B\" "), ("tot", "total="), ("pump op:u", "pump op:updated "),
            ("op:remov", "op:remove"),
        ] {
            stage.press(.character("f"))
            stage.type(typed)
            stage.press(.tab)
            #expect(stage.state.queryLines.filter.text == completed)
            stage.press(.escape)
        }
        stage.press(.character("f"))
        stage.type("op:remove")
        stage.press(.tab)
        #expect(stage.rows[21].contains("op:remove  op:removed"))
        stage.press(.control("u"))
        stage.type("op:x")
        stage.press(.tab)
        #expect(stage.rows[21].contains("Nothing that is known begins so."))
    }

    @Test("Up brings back the queries that were typed before")
    func history() {
        var stage = stage()
        for query in ["pump", "op:removed"] {
            stage.press(.character("f"))
            stage.type(query)
            stage.press(.enter)
        }
        stage.press(.character("f"), .up, .up)
        #expect(stage.state.queryLines.filter.text == "pump")
        #expect(stage.rows[23].contains(" of 40 shown"))
        stage.press(.down)
        #expect(stage.state.queryLines.filter.text == "op:removed")
        stage.press(.control("c"))
        #expect(stage.state.queryLines.filter.isEmpty)
    }

    @Test(
        "at every size the filter can be typed and is told, and the mode stays",
        arguments: [(120, 36), (80, 24), (60, 18), (30, 8)])
    func sizes(columns: Int, rows: Int) {
        var stage = stage(columns: columns, rows: rows)
        stage.press(.character("f"))
        stage.type("-op:removed")
        #expect(stage.rows[rows - 2].hasSuffix("-op:removed"))
        #expect(stage.rows[rows - 1].contains("36 of 40 shown"))
        #expect(stage.rows[rows - 3].hasPrefix("[FILTER]"))
        #expect(stage.rows[0].contains("online"))
        stage.type(" since:")
        #expect(stage.rows[rows - 1].contains(columns == 30 ? "is no span of" : "is no span of time"))
        stage.press(.control("w"), .enter)
        if columns >= 80 {
            #expect(stage.rows[1].contains("(36 of 40 shown)"))
        } else {
            #expect(stage.row("FOLLOW").contains("FOLLOW · f -op:removed\(columns == 30 ? "" : " (36 of 40 shown)")"))
        }
        stage.press(.character("F"))
        #expect(!stage.row(">[x] -op:removed").isEmpty)
    }

    @Test("where the locale has no more than ASCII, nothing else is drawn", arguments: [(120, 36), (60, 18)])
    func ascii(columns: Int, rows: Int) {
        var stage = Stage(columns: columns, rows: rows, isUnicode: false)
        stage.connect(as: ann)
        stage.tell(.event(chat(2, "hello")), .event(event(3)))
        func foreign(_ stage: Stage) -> [String] { stage.rows.filter { !$0.utf8.allSatisfy { $0 < 0x80 } } }
        stage.press(.character("f"))
        stage.type(String(repeating: "name~boiler ", count: 20))
        #expect(foreign(stage).isEmpty)
        stage.press(.enter, .character("/"))
        stage.type("boiler")
        #expect(foreign(stage).isEmpty)
        stage.press(.enter, .character("l"), .character("F"))
        #expect(foreign(stage).isEmpty)
        stage.press(.escape, .up)
        #expect(foreign(stage).isEmpty)
    }

    @Test("hostile and endless queries are drawn safely, and a query of the list's own texts finds them")
    func hostile() {
        var stage = stage(columns: 30, rows: 8)
        stage.press(.character("f"))
        stage.act(.paste(Paste("a\u{1B}[2J\u{200B}\n\u{202E}" + String(repeating: "大 ", count: 400))))
        for row in stage.rows { #expect(!row.unicodeScalars.contains { $0.isTerminalHazard }) }
        stage.press(.enter)
        for row in stage.rows { #expect(!row.unicodeScalars.contains { $0.isTerminalHazard || $0 == "\u{200B}" }) }
    }
}

extension Stage {
    /// Writes a command and gives it.
    mutating func command(_ text: String) {
        if state.context != .input { press(.character("i")) }
        type(text)
        press(.enter)
        // Escape would take away what it says.
        if state.context == .input, state.input.isEmpty { state.focus = .list }
    }
}
