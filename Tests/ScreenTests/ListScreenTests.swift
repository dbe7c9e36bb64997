import Foundation
import Testing

@Suite("The list on the screen", .serialized, .timeLimit(.minutes(2)))
struct ListScreenTests {
    @Test("a held list does not move while rows come, and End follows them again")
    func pause() throws {
        let server = try Server()
        let desk = try Desk(server)
        try desk.startAs("admin@example.com", "admin")
        for number in 1...30 { try server.add("row \(number)") }
        try desk.expect("row 30")
        try desk.press("Up", "PageUp")
        try desk.expect("PAUSED")
        let held = Array(try desk.rows()[2..<21])
        for number in 31...40 { try server.add("row \(number)") }
        try desk.expect("PAUSED · 10 new below · End to follow")
        #expect(Array(try desk.rows()[2..<21]) == held)
        try desk.press("End")
        try desk.expect("row 40")
        #expect(try desk.shows("FOLLOW"))
        try desk.press("F8")
        try desk.expect("PAUSED")
    }

    @Test("an update tells old and new, and the detail pane shows the row and what changed at each size")
    func detail() throws {
        let server = try Server()
        let desk = try Desk(server)
        try desk.startAs("admin@example.com", "admin")
        try server.add("boiler 3", info: "ok")
        try desk.expect("+ thing    boiler 3")
        try server.sqlite("UPDATE thing SET info = 'leak' WHERE name = 'boiler 3';")
        try desk.expect(#"info "ok"→"leak""#)
        try desk.press("Enter")
        try desk.expect(#""info": "leak""#)
        try desk.press("d")
        try desk.expect(#"-"info": "ok""#)
        for (columns, rows) in [(120, 36), (60, 18), (30, 8), (80, 24)] {
            try desk.resize(columns, rows)
            try desk.expect("thing ")
            let isFitted = try holds { try desk.rows().count == rows && desk.rows()[rows - 2].hasPrefix("[") }
            #expect(isFitted, "\(desk.screen)")
            #expect(try desk.rows()[0].contains("(admin)"))
        }
        try desk.resize(20, 5)
        try desk.expect("30×8 is")
    }

    @Test("help is what the keys do, and goes away")
    func help() throws {
        let server = try Server()
        let desk = try Desk(server, columns: 60, rows: 18)
        try desk.start(expecting: "stay signed in")
        try desk.press("F1")
        try desk.expect("Anywhere")
        try desk.press("End")
        try desk.expect("/signout")
        try desk.press("Escape")
        try desk.expect("[LIST]")
    }

    @Test("hostile rows and messages act on nothing, and tear neither a row nor the border")
    func hostile() throws {
        let server = try Server()
        let desk = try Desk(server, columns: 100, rows: 30)
        try desk.startAs("admin@example.com", "admin")
        let hostile = [
            "\u{1B}[2J\u{1B}[1;1Hgone\u{1B}]0;owned\u{07}", "\u{9B}31mred\u{9D}0;x\u{9C}", "\u{202E}drow\u{2066}",
            String(repeating: "x", count: 10_000), "👩‍👩‍👧‍👦 了解です e\u{301}", "\u{1B}Pq\u{1B}\\\u{0E}\u{0F}",
        ]
        for (number, text) in hostile.enumerated() {
            try server.add("row \(number) \(text)", info: text)
            try server.client("login", "--email", "test@example.com", "--password-stdin", state: desk.scratch.path("s"), input: "test\n")
            try server.client("send", "-", state: desk.scratch.path("s"), input: "chat \(number) \(text)")
        }
        try desk.expect("chat 5")
        try server.add("the end")
        try desk.expect("the end")
        let title = try desk.tmux("display-message", "-p", "#{pane_title}")
        #expect(!title.contains("owned"))
        try desk.expect("⟨1b⟩")
        let rows = try desk.rows()
        #expect(rows.count == 30)
        #expect(rows[0].contains("admin@example.com (admin)"))
        #expect(rows[27] == "── FOLLOW " + String(repeating: "─", count: 90))
        for row in rows {
            #expect(row.unicodeScalars.allSatisfy { $0.value >= 0x20 && !(0x7F..<0xA0).contains($0.value) && $0 != "\u{202E}" })
        }
        // What is on the glass is what was meant to be: painting all of it anew changes nothing.
        try desk.press("C-l")
        try desk.press("F8")
        try desk.expect("PAUSED")
        try desk.press("F8")
        try desk.expect("FOLLOW")
        #expect(try desk.rows() == rows)
        #expect(try desk.flags().hasPrefix("1"))
    }
}
