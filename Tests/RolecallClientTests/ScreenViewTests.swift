import RolecallProtocol
import Terminal
import TestSupport
import Testing
import WireJSON

@testable import RolecallClient

@Suite("Views")
struct ScreenViewTests {
    /// The screen with the clock's figures in place of the local time's.
    private func screen(_ stage: Stage) -> String {
        stage.screen.replacing(/\d\d(:45(:01(\.123)?)?)/) { "hh\($0.output.1)" }
            .replacing(/\d\d:00(:00(\.000)?)?/) { "hh:00\($0.output.1.map(String.init) ?? "")" }
    }

    @Test("120×36: the detail stands beside the list")
    func wide() {
        var stage = Stage.busy(columns: 120, rows: 36)
        stage.act(.outcome(.latency(.milliseconds(12))))
        stage.press(.up, .up, .enter, .character("d"))
        let rows = screen(stage).split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
        #expect(rows[0].hasPrefix(" ● online 12 ms  ann@example.org (user)  socket 7fQ2kXb9  127.0.0.1:5000  "))
        #expect(rows[0].hasSuffix("  ▁▁▁▁▁▁▁█ 0.2/s  hh:00"))
        #expect(rows[1].hasPrefix(" 1 All  2 Events  3 Chat  4 People  "))
        #expect(rows[1].hasSuffix("  F1 help  F2 account"))
        #expect(rows[2].hasPrefix(" hh:00:00.000 · you are ann@example.org (user) by cookie, until "))
        #expect(rows[4] == #" hh:45:01.123 + thing    boiler 3       info "ok", active true …│  "name": "boiler 3""#)
        #expect(rows[5] == #">hh:45:01.123 ~ thing    boiler 3       info "ok"→"leak"  by Ann│ -"info": "ok""#)
        #expect(rows[6] == #" hh:45:01.123 # message  Ann            hello from the control  │ +"info": "leak""#)
        #expect(rows[7] == #"                                        room, this line wraps   │  "active": true"#)
        #expect(rows[33].hasPrefix("── PAUSED · End to follow ──"))
        #expect(rows[33].contains("┴"))
        #expect(rows[34].hasPrefix("[LIST]"))
        #expect(rows[35] == "Ann>")
        #expect(stage.row("│ thing 12  v2 of 2").hasSuffix("   [J]son [D]iff [R]aw"))
    }

    @Test("80×24: the detail opens below the list")
    func medium() {
        var stage = Stage.busy(columns: 80, rows: 24)
        stage.press(.up, .up, .enter)
        let layout = Layout(stage.state)
        #expect(layout.placement == .below)
        #expect(stage.rows[2 + layout.list.rows] == String(repeating: "─", count: 80))
        #expect(stage.rows[3 + layout.list.rows].hasPrefix(" thing 12  v2 of 2   "))
        #expect(
            screen(stage).hasPrefix(" ● online  ann@example.org (user)  socket 7fQ2kXb9  127.0.0.1:5000        hh:00\n")
        )
    }

    @Test("60×18: chat wraps under its own text, and the detail takes the list's place")
    func narrow() {
        var stage = Stage.busy(columns: 60, rows: 18)
        #expect(
            screen(stage).split(separator: "\n").map(String.init).prefix(10).elementsEqual([
                " ● online  ann@example.org (user)  socket 7fQ2kXb9    hh:00",
                " 1 All  2 Events  3 Chat  4 People      F1 help  F2 account",
                " hh:00:00 · you are ann@example.org (user) by cookie, until",
                "            \(Words.clock(Timestamp("2026-11-22T18:00:00.000Z") ?? Stage.wall).replacing(/^\d\d/, with: "hh"))",
                #" hh:45:01 + thing boiler 3  info "ok", active true  by Ann"#,
                #" hh:45:01 ~ thing boiler 3  info "ok"→"leak"  by Ann"#,
                " hh:45:01 # Ann  hello from the control room, this line",
                "                 wraps under its own text",
                ">hh:45:01 - thing 9  removed  by Ann",
                "── FOLLOW ──────────────────────────────────────────────────",
            ]), "\(stage.screen)")
        stage.press(.up, .up, .enter)
        #expect(stage.rows[2].hasPrefix(" thing 12  v2 of 2   "))
        #expect(stage.rows[2].hasSuffix(" [J]son [D]iff [R]aw"))
        #expect(stage.rows[16].hasPrefix("[DETAIL]"))
    }

    @Test("30×8: state, identity and mode stay, and the list still has its width")
    func tiny() {
        var stage = Stage.busy(columns: 30, rows: 8)
        #expect(stage.rows[0] == " ● online ann@example.… (user)")
        #expect(stage.rows[3].count <= 30)
        #expect(stage.rows[4].hasPrefix(">"))
        #expect(stage.rows[5].hasPrefix("── FOLLOW ─"))
        #expect(stage.rows[6].hasPrefix("[LIST] "))
        #expect(stage.rows[7] == "Ann>")
        stage.tell(.state(.offline(reason: "Gone.", retryIn: .seconds(7), attempt: 3)))
        #expect(stage.rows[0] == " ◌ offline 7 s ann@exa… (user)")
        var nobody = Stage(columns: 30, rows: 8)
        nobody.tell(.state(.offline(reason: "Gone.", retryIn: .seconds(7), attempt: 3)))
        #expect(nobody.rows[0] == " ◌ offline 7 s unassociated")
        nobody.resize(29, 7)
        #expect(nobody.rows[0] == "29×7: 30×8 is the least")
    }

    @Test("at every size, the line of identity drops the address, then the socket, and never state, user or mode")
    func dropping() {
        var stage = Stage.busy(columns: 120, rows: 36)
        stage.act(.outcome(.latency(.milliseconds(12))))
        var seen: [String] = []
        for columns in (30...120).reversed() {
            stage.resize(columns, 12)
            let line = stage.rows[0]
            #expect(line.contains("online"), "\(columns)")
            #expect(line.contains("(user)"), "\(columns)")
            #expect(stage.rows[10].hasPrefix("[LIST]"), "\(columns)")
            let parts = ["127.0.0.1", "socket"].filter(line.contains).joined()
            if seen.last != parts { seen.append(parts) }
        }
        #expect(seen == ["127.0.0.1socket", "socket", ""])
    }

    @Test("the form can be filled in at the smallest size, with its fault in sight")
    func smallForm() {
        var stage = Stage(columns: 30, rows: 8)
        stage.connect(as: nil, reason: .anonymous)
        stage.press(.function(2))
        for field in ["E-mail", "Password", "stay signed in", "Log in", "Server"] {
            #expect(!stage.row(field).isEmpty, "\(field)\n\(stage.screen)")
            let active = stage.rows[ScreenView.frame(stage.state).cursor?.row ?? 0]
            #expect(active.contains(field))
            stage.press(.tab)
        }
        stage.press(.tab)
        stage.press(.enter)
        #expect(!stage.row("! Type your").isEmpty)
        var account = Stage.busy(columns: 30, rows: 8)
        account.press(.function(2))
        for choice in AccountChoice.allCases {
            #expect(!account.row(choice.title.prefix(20).description).isEmpty)
            account.press(.down)
        }
    }

    @Test(
        "hostile texts are drawn as marks, in their columns, at every size",
        arguments: [(120, 36), (80, 24), (60, 18), (30, 8)])
    func hostile(columns: Int, rows: Int) {
        var stage = Stage(columns: columns, rows: rows)
        let texts = [
            "\u{1B}[2J\u{1B}]0;owned\u{07}", "\u{9B}31m\u{90}x\u{9C}", "\u{202E}evil\u{2066}", "a\u{200B}b\u{FEFF}",
            String(repeating: "x", count: 10_000), String(repeating: "大", count: 5000),
            "e" + String(repeating: "\u{301}", count: 300),
            "👩‍👩‍👧‍👦🏳️‍🌈🇩🇪", "\r\n\r\n\t\u{0B}",
        ]
        var user = ann
        user.name = texts[0]
        user.email = texts[1]
        user.role = texts[2]
        stage.connect(as: user)
        for (number, text) in texts.enumerated() {
            let sequence = Int64(number * 2 + 2)
            stage.tell(
                .event(chat(sequence, text)),
                .event(
                    event(
                        sequence + 1, model: text,
                        row: ["_id": .string(text), "name": .string(text), text: .string(text)],
                        by: Author(id: 1, name: text), at: text, changed: [text])),
                .other(name: text, arguments: [.string(text)]))
        }
        for key: Key in [
            .home, .enter, .character("d"), .escape, .end, .up, .enter, .escape, .function(2), .escape, .function(1),
        ] {
            stage.press(key)
            let frame = ScreenView.frame(stage.state).cells
            for row in 0..<rows {
                #expect(!frame.text(row: row).unicodeScalars.contains { $0.isTerminalHazard })
                #expect(frame.row(row).reduce(0) { $0 + Int($1.width) } == columns)
            }
            // The border under the list reaches its whole width.
            #expect(frame.text(row: rows - 3).last == "─" || columns < 60, "\(frame.text(row: rows - 3))")
        }
    }

    @Test("where the locale has no more than ASCII, nothing else is drawn")
    func ascii() {
        var stage = Stage(columns: 120, rows: 36, isUnicode: false)
        stage.connect(as: ann)
        stage.tell(
            .event(event(2, .created, row: ["_id": 1, "info": "a"])),
            .event(event(3, row: ["_id": 1, "info": "b"], changed: ["info"])))
        stage.press(.up, .enter)
        stage.tell(.state(.offline(reason: "Gone.", retryIn: .seconds(7), attempt: 3)))
        for row in stage.rows { #expect(row.utf8.allSatisfy { $0 < 0x80 }, "\(row)") }
        #expect(!stage.row(#"info "a"->"b""#).isEmpty)
    }

    @Test("any sequence of keys at any size ends in a frame of that size", .computes)
    func monkey() {
        var generator = SplitMix(state: 42)
        let sizes = [(120, 36), (80, 24), (60, 18), (30, 8), (10, 3), (1, 1), (200, 9)]
        let keys = KeyMap.standard.bindings.flatMap(\.keys) + "abc /:大👍".map { Key.character($0) }
        var stage = Stage.busy()
        for step in 0..<3000 {
            switch Int.random(in: 0..<20, using: &generator) {
            case 0:
                let (columns, rows) = sizes.randomElement(using: &generator) ?? (80, 24)
                stage.resize(columns, rows)
            case 1: stage.tell(.event(event(Int64(100 + step))))
            case 2: stage.tell(.event(chat(Int64(100 + step), String(repeating: "word ", count: step % 90))))
            case 3: stage.act(.paste(Paste("a\nb\u{1B}c\n大")))
            default: if let key = keys.randomElement(using: &generator) { stage.press(key) }
            }
            let frame = ScreenView.frame(stage.state)
            #expect(frame.cells.size == stage.state.size)
        }
    }
}

private struct SplitMix: RandomNumberGenerator {
    var state: UInt64
    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = (state ^ (state >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}
