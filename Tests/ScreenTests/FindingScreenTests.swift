import Foundation
import Testing

@Suite("Filter, search and tabs on the screen", .serialized, .timeLimit(.minutes(2)))
struct FindingScreenTests {
    @Test("a filter shows its effect while it is typed, holds for what comes, and is let go by Escape")
    func filter() async throws {
        let server = try await Server()
        let desk = try await Desk(server, columns: 120, rows: 36)
        try await desk.startAs("admin@example.com", "admin")
        for number in 1...6 { try await server.add(number % 2 == 0 ? "even \(number)" : "odd \(number)") }
        try await desk.expect("even 6")
        try await desk.press("f")
        try await desk.type("name~even")
        try await desk.expect("3 of 6 shown")
        #expect(try await holds { try await !desk.shows("odd 5") })
        try await desk.press("Escape")
        try await desk.expect("odd 5")
        try await desk.expect("[LIST]")
        try await desk.press("F4")
        try await desk.type("colour:red")
        try await desk.expect("^ begins with no known word")
        try await desk.press("C-u")
        try await desk.type("name~e")
        try await desk.press("Tab")
        try await desk.type("ven")
        try await desk.press("Enter")
        try await desk.expect("filter: name~even   (3 of 6 shown)")
        try await server.add("odd 7")
        try await server.add("even 8")
        try await desk.expect("even 8")
        try await desk.expect("(4 of 8 shown)")
        #expect(try await holds { try await !desk.shows("odd 7") })
        try await desk.press("c")
        try await desk.expect("odd 7")
        for (columns, rows) in [(80, 24), (60, 18), (30, 8)] {
            try await desk.resize(columns, rows)
            try await desk.expect(columns == 80 ? "(4 of 8 match)" : "FOLLOW · f name~even")
        }
        try await desk.press("F")
        try await desk.expect("[x] name~even")
        try await desk.press("D", "q")
        try await desk.expect("[LIST]")
        #expect(try await holds { try await !desk.shows("name~even") })
    }

    @Test("a search highlights, goes from hit to hit and holds the list while rows come")
    func search() async throws {
        let server = try await Server()
        let desk = try await Desk(server)
        try await desk.startAs("admin@example.com", "admin")
        for number in 1...40 { try await server.add(number % 10 == 0 ? "boiler \(number)" : "fan \(number)") }
        try await desk.expect("boiler 40")
        try await desk.press("/")
        try await desk.type("boiler")
        try await desk.expect("Hit 4 of 4")
        let escaped = try await desk.tmux("capture-pane", "-p", "-e")
        #expect(
            escaped.split(separator: "\n").contains {
                $0.contains("\u{1B}[") && $0.contains("7m") && $0.contains("boiler")
            })
        try await desk.press("Enter", "N", "N", "N")
        try await desk.expect("Hit 1 of 4")
        try await desk.expect(">")
        #expect(try await holds { try await desk.row(">").contains("boiler 10") })
        try await server.add("boiler 50")
        try await desk.expect("1 new below · Hit 1 of 5")
        try await desk.press("n")
        try await desk.expect("Hit 2 of 5")
        try await desk.press("Escape")
        #expect(try await holds { try await !desk.shows("Hit") })
    }

    @Test("tabs are opened by keys and by clicks; chat tells what came unread")
    func tabs() async throws {
        let server = try await Server()
        let desk = try await Desk(server)
        try await desk.startAs("admin@example.com", "admin")
        try await server.client(
            "login", "--email", "test@example.com", "--password-stdin", state: desk.scratch.path("s"), input: "test\n")
        try await server.client("send", "-", state: desk.scratch.path("s"), input: "good morning")
        try await server.add("boiler 1")
        try await desk.expect("boiler 1")
        try await desk.expect("3 Chat·1")
        try await desk.press("M-3")
        #expect(try await holds { try await !desk.shows("boiler 1") })
        try await desk.expect("good morning")
        #expect(try await holds { try await !desk.shows("Chat·") })
        // A click on the second tab, as a terminal tells it.
        try await desk.type("\u{1B}[<0;12;2M\u{1B}[<0;12;2m")
        try await desk.expect("boiler 1")
        #expect(try await holds { try await !desk.shows("good morning") })
        try await desk.press("M-1")
        try await desk.expect("good morning")
    }

    @Test("without Unicode and without colours all of it is still told")
    func plain() async throws {
        let server = try await Server()
        let desk = try await Desk(server)
        try await desk.start(environment: "LC_ALL=C NO_COLOR=1", expecting: "stay signed in")
        try await desk.expect("online")
        try await desk.type("admin@example.com\tadmin")
        try await desk.press("Enter")
        try await desk.expect("you are admin@example.com")
        try await server.add("boiler 1")
        try await server.add("fan 1")
        try await desk.expect("fan 1")
        try await desk.press("/")
        try await desk.type("boil")
        try await desk.press("Enter")
        try await desk.expect("PAUSED - Hit 1 of 1")
        try await desk.press("f")
        try await desk.type("boiler")
        try await desk.press("Enter")
        try await desk.expect("filter: boiler")
        try await desk.press("t", "t")
        try await desk.expect("how long after the line above")
        for row in try await desk.rows() { #expect(row.utf8.allSatisfy { $0 < 0x80 }, "\(row)") }
    }
}
