import Foundation
import Testing

@Suite("The list on the screen", .serialized, .timeLimit(.minutes(2)))
struct ListScreenTests {
    @Test("a held list does not move while rows come, and End follows them again")
    func pause() async throws {
        let server = try await Server()
        let desk = try await Desk(server)
        try await desk.startAs("admin@example.com", "admin")
        for number in 1...30 { try await server.add("row \(number)") }
        try await desk.expect("row 30")
        try await desk.press("Up", "PageUp")
        try await desk.expect("PAUSED")
        // The first key has paused it; the second has scrolled once the newest is out of sight.
        #expect(try await holds { try await !desk.shows("row 30") })
        let held = try await Array(desk.restingRows()[1..<20])
        for number in 31...40 { try await server.add("row \(number)") }
        try await desk.expect("PAUSED · 10 new below · End to follow")
        #expect(try await holds { try await Array(desk.rows()[2..<21]) == held })
        try await desk.press("End")
        try await desk.expect("row 40")
        #expect(try await holds { try await desk.shows("FOLLOW") })
        try await desk.press("F8")
        try await desk.expect("PAUSED")
    }

    @Test("an update tells old and new, and the detail pane shows the row and what changed at each size")
    func detail() async throws {
        let server = try await Server()
        let desk = try await Desk(server)
        try await desk.startAs("admin@example.com", "admin")
        try await server.add("boiler 3", info: "ok")
        try await desk.expect("+ thing    boiler 3")
        try await server.sqlite("UPDATE thing SET info = 'leak' WHERE name = 'boiler 3';")
        try await desk.expect(#"info "ok"→"leak""#)
        try await desk.press("Enter")
        try await desk.expect(#""info": "leak""#)
        try await desk.press("d")
        try await desk.expect(#"-"info": "ok""#)
        for (columns, rows) in [(120, 36), (60, 18), (30, 8), (80, 24)] {
            try await desk.resize(columns, rows)
            try await desk.expect("thing ")
            let isFitted = try await holds {
                let shown = try await desk.rows()
                return shown.count == rows && shown[rows - 2].hasPrefix("[")
            }
            #expect(isFitted)
            #expect(try await holds { try await desk.rows()[0].contains("(admin)") })
        }
        try await desk.resize(20, 5)
        try await desk.expect("30×8 is")
    }

    @Test("help is what the keys do, and goes away")
    func help() async throws {
        let server = try await Server()
        let desk = try await Desk(server, columns: 60, rows: 18)
        try await desk.start(expecting: "stay signed in")
        try await desk.press("F1")
        try await desk.expect("Anywhere")
        try await desk.press("End")
        try await desk.expect("identity and connection")
        try await desk.type("/quit")
        try await desk.expect("leaves the program")
        try await desk.press("Escape")
        try await desk.press("Escape")
        try await desk.expect("[LIST]")
    }

    @Test("hostile rows and messages act on nothing, and tear neither a row nor the border")
    func hostile() async throws {
        let server = try await Server()
        let desk = try await Desk(server, columns: 100, rows: 30)
        try await desk.startAs("admin@example.com", "admin")
        let hostile = [
            "\u{1B}[2J\u{1B}[1;1Hgone\u{1B}]0;owned\u{07}", "\u{9B}31mred\u{9D}0;x\u{9C}", "\u{202E}drow\u{2066}",
            String(repeating: "x", count: 10_000), "👩‍👩‍👧‍👦 了解です e\u{301}", "\u{1B}Pq\u{1B}\\\u{0E}\u{0F}",
        ]
        for (number, text) in hostile.enumerated() {
            try await server.add("row \(number) \(text)", info: text)
            try await server.client(
                "login", "--email", "test@example.com", "--password-stdin", state: desk.scratch.path("s"),
                input: "test\n")
            try await server.client("send", "-", state: desk.scratch.path("s"), input: "chat \(number) \(text)")
        }
        try await desk.expect("chat 5")
        try await server.add("the end")
        try await desk.expect("the end")
        let title = try await desk.tmux("display-message", "-p", "#{pane_title}")
        #expect(!title.contains("owned"))
        try await desk.expect("⟨1b⟩")
        _ = try await desk.restingRows()
        let rows = try await desk.rows()
        #expect(rows.count == 30)
        #expect(rows[0].contains("admin@example.com (admin)"))
        #expect(rows[27] == "── FOLLOW " + String(repeating: "─", count: 90))
        for row in rows {
            #expect(
                row.unicodeScalars.allSatisfy {
                    $0.value >= 0x20 && !(0x7F..<0xA0).contains($0.value) && $0 != "\u{202E}"
                })
        }
        // What is on the glass is what was meant to be: painting all of it anew changes nothing.
        try await desk.press("C-l")
        try await desk.press("F8")
        try await desk.expect("PAUSED")
        try await desk.press("F8")
        try await desk.expect("FOLLOW")
        // The clock and the rate go on.
        #expect(try await holds { try await desk.rows().dropFirst() == rows.dropFirst() })
        #expect(try await desk.flags().hasPrefix("1"))
    }
}
