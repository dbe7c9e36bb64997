import Foundation
import Testing

@Suite("People on the screen", .serialized, .timeLimit(.minutes(3)))
struct PeopleScreenTests {
    @Test("an admin sees every socket and kicks one; its user sees why, stays connected, and logs in again")
    func kicking() async throws {
        let server = try await Server()
        let admin = try await Desk(server, columns: 120, rows: 36)
        let user = try await Desk(server)
        try await admin.startAs("admin@example.com", "admin")
        try await user.startAs("test@example.com", "test")
        try await admin.press("M-4")
        try await admin.expect("2 people on")
        try await admin.expect("test@example.com")
        try await admin.expect("this socket")
        for (columns, rows) in [(80, 24), (60, 18), (30, 8), (120, 36)] {
            try await admin.resize(columns, rows)
            let isFitted = try await holds {
                let shown = try await admin.rows()
                return shown.count == rows && shown[rows - 2].hasPrefix("[PEOPLE]") && shown[0].contains("(admin)")
                    && shown.contains { $0.contains("2 people on") }
            }
            #expect(isFitted)
        }
        try await admin.press("End", "k")
        try await admin.expect("[y/n] Kick test@example.com (socket ")
        #expect(try await holds { try await user.rows()[0].contains("test@example.com (user)") })
        try await admin.press("y")
        try await admin.expect("Kicked 1 socket (test@example.com).")
        try await user.expect("unassociated: kicked by an admin")
        #expect(try await holds { try await user.rows()[0].contains("unassociated (kicked)") })
        #expect(try await holds { try await user.rows()[0].contains("online") })
        try await admin.expect("1 person on")
        try await server.add("after the kick", adminOnly: true)
        try await user.press("F2")
        try await user.expect("[LOGIN]")
        try await user.type("test")
        try await user.press("Enter")
        try await user.expect("you are test@example.com (user) by login")
        #expect(try await holds { try await !user.shows("after the kick") })
        try await admin.expect("2 people on")

        // The same from the prompt, and the connection too.
        try await admin.press("Escape", ":")
        try await admin.type("kick test@example.com")
        try await admin.press("Enter")
        try await admin.expect("[y/n] Kick test@example.com?")
        try await admin.press("y")
        try await admin.expect("Kicked 1 socket")
        let isTold = try await holds {
            try await user.rows().filter { $0.contains("kicked by an admin") }.count >= 2
        }
        #expect(isTold)
    }

    @Test("another user sees who is on, until they have been gone for a while; a guest sees nobody")
    func presence() async throws {
        let server = try await Server()
        let user = try await Desk(server)
        let admin = try await Desk(server)
        try await user.startAs("test@example.com", "test")
        try await user.press("F7")
        try await user.expect("1 person on")
        #expect(try await holds { try await user.row(">").contains("you") })
        try await admin.startAs("admin@example.com", "admin")
        try await user.expect("2 people on")
        #expect(try await holds { try await user.row("Admin").contains("1 socket") })
        try await user.press("k")
        try await user.expect("Only an admin kicks.")
        try await admin.press("F10")
        try await user.expect("1 person on")
        try await user.press("Escape", ":")
        try await user.type("logout")
        try await user.press("Enter")
        try await user.expect("unassociated: logged out here")
        try await user.press("M-4")
        try await user.expect("F2 logs in; others are not told who is on")
    }

    @Test("without a screen: who tells each role what it may know, and kick ends with 7 for those who may not")
    func verbs() async throws {
        let server = try await Server()
        let state = try Scratch()
        for (name, email) in [("admin", "admin@example.com"), ("test", "test@example.com")] {
            try await server.client(
                "login", "--email", email, "--password-stdin", "--profile", name, state: state.path("s"),
                input: "\(name)\n")
        }
        let desk = try await Desk(server)
        try await desk.startAs("test@example.com", "test")
        let sockets = try await server.client("who", "--profile", "admin", state: state.path("s"))
        #expect(sockets.contains(#""kind":"socket""#))
        #expect(sockets.contains("test@example.com"))
        let people = try await server.client("who", "--profile", "test", state: state.path("s"))
        #expect(people.contains(#""kind":"presence""#))
        #expect(!people.contains("@example.com"))
        let program = try Programs.client().path
        let ends = try await runShell(
            "bash",
            [
                "-c",
                "'\(program)' kick test@example.com --profile test; echo ends $?; '\(program)' who --profile none; echo ends $?",
            ],
            environment: ["ROLECALL_SERVER": server.url, "XDG_STATE_HOME": state.path("s")])
        #expect(ends.contains("ends 7"))
        #expect(ends.contains("ends 4"))
        let kicked = try await server.client("kick", "test@example.com", "--profile", "admin", state: state.path("s"))
        #expect(kicked.contains(#""kind":"kicked""#))
        try await desk.expect("unassociated: kicked by an admin")
    }
}
