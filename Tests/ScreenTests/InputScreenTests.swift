import Foundation
import Testing

@Suite("Writing on the screen", .serialized, .timeLimit(.minutes(2)))
struct InputScreenTests {
    @Test("a message comes to everybody under its author's name; readline's keys edit it, and Up brings it back")
    func chat() async throws {
        let server = try await Server()
        let ann = try await Desk(server)
        let tom = try await Desk(server)
        try await ann.startAs("admin@example.com", "admin")
        try await tom.startAs("test@example.com", "test")
        try await ann.press("Tab")
        try await ann.expect("[INPUT]")
        try await ann.type("world helloo")
        try await ann.press("BSpace", "C-w", "C-a")
        try await ann.type("hello ")
        try await ann.press("C-e", "C-u", "C-y")
        try await ann.expect("> hello world")
        try await ann.press("Enter")
        try await tom.expect("# message  Admin")
        #expect(try await holds { try await tom.row("# message").contains("hello world") })
        try await ann.expect("hello world")
        try await ann.press("Up")
        try await ann.expect("Admin> hello world")
        try await ann.press("C-c")
        try await ann.expect("Ctrl-C again leaves")
        #expect(try await holds { try await ann.rows()[23] == "Admin>" })
        try await ann.type("/lgoout")
        try await ann.press("Enter")
        try await ann.expect("Did you mean /logout?")
        #expect(try await holds { try await ann.rows()[23] == "Admin> /lgoout" })
    }

    @Test("a paste of ten lines waits for Enter, and is sent as one message")
    func paste() async throws {
        let server = try await Server()
        let desk = try await Desk(server, columns: 80, rows: 36)
        try await desk.startAs("admin@example.com", "admin")
        try await desk.press("Tab")
        try await desk.expect("[INPUT]")
        try await desk.paste((1...10).map { "pasted line \($0)" }.joined(separator: "\n"))
        try await desk.expect("pasted line 10")
        #expect(try await holds { try await !desk.shows("# message") })
        try await desk.press("Enter")
        try await desk.expect("# message")
        #expect(try await holds { try await desk.row("# message").contains("pasted line 1") })
        #expect(try await holds { try await desk.rows()[35] == "Admin>" })
        try await server.add("after")
        try await desk.expect("after")
        #expect(try await holds { try await desk.rows().filter { $0.contains("# message") }.count == 1 })
    }
}
