import Foundation
import Testing

@Suite("Writing on the screen", .serialized, .timeLimit(.minutes(2)))
struct InputScreenTests {
    @Test("a message comes to everybody under its author's name; readline's keys edit it, and Up brings it back")
    func chat() throws {
        let server = try Server()
        let ann = try Desk(server)
        let tom = try Desk(server)
        try ann.startAs("admin@example.com", "admin")
        try tom.startAs("test@example.com", "test")
        try ann.press("Tab")
        try ann.expect("[INPUT]")
        try ann.type("world helloo")
        try ann.press("BSpace", "C-w", "C-a")
        try ann.type("hello ")
        try ann.press("C-e", "C-u", "C-y")
        try ann.expect("> hello world")
        try ann.press("Enter")
        try tom.expect("# message  Admin")
        #expect(try tom.row("# message").contains("hello world"))
        try ann.expect("hello world")
        try ann.press("Up")
        try ann.expect("Admin> hello world")
        try ann.press("C-c")
        try ann.expect("Ctrl-C again leaves")
        #expect(try ann.rows()[23] == "Admin>")
        try ann.type("/lgoout")
        try ann.press("Enter")
        try ann.expect("Did you mean /logout?")
        #expect(try ann.rows()[23] == "Admin> /lgoout")
    }

    @Test("a paste of ten lines waits for Enter, and is sent as one message")
    func paste() throws {
        let server = try Server()
        let desk = try Desk(server, columns: 80, rows: 36)
        try desk.startAs("admin@example.com", "admin")
        try desk.press("Tab")
        try desk.expect("[INPUT]")
        try desk.paste((1...10).map { "pasted line \($0)" }.joined(separator: "\n"))
        try desk.expect("pasted line 10")
        #expect(try !desk.shows("# message"))
        try desk.press("Enter")
        try desk.expect("# message")
        #expect(try desk.row("# message").contains("pasted line 1"))
        #expect(try desk.rows()[35] == "Admin>")
        try server.add("after")
        try desk.expect("after")
        #expect(try desk.rows().filter { $0.contains("# message") }.count == 1)
    }
}
