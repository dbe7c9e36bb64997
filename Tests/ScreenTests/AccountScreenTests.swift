import Foundation
import Testing

@Suite("The account on the screen", .serialized, .timeLimit(.minutes(3)))
struct AccountScreenTests {
    @Test("a user sees the sessions of two machines, ends the other one, and signs out everywhere")
    func sessions() async throws {
        let server = try await Server()
        let here = try await Desk(server, columns: 120, rows: 36)
        let there = try await Desk(server)
        try await here.startAs("test@example.com", "test")
        try await there.startAs("test@example.com", "test")
        try await here.press("F2")
        try await here.expect("Sessions  2")
        try await here.expect("(this one)")
        #expect(try await holds { try await here.row("this one").contains("rolecall/") })
        #expect(
            try await holds {
                try await here.rows().filter { $0.contains("socket ") && $0.contains("websocket") }.count == 2
            })

        // The selection goes up from the first choice to the last session; this one's is the older.
        try await here.press("Up", "Up", "Enter")
        try await here.expect("[y/n] End the session from 127.0.0.1")
        #expect(try await holds { try await there.rows()[0].contains("test@example.com (user)") })
        try await here.press("y")
        try await there.expect("unassociated: the session was ended")
        #expect(try await holds { try await there.rows()[0].contains("unassociated (signed out)") })
        #expect(try await holds { try await there.rows()[0].contains("online") })
        try await here.expect("Sessions  1")
        #expect(try await holds { try await here.rows()[0].contains("test@example.com (user)") })

        try await there.press("F2")
        try await there.expect("test@example.com")
        try await there.type("test")
        try await there.press("Enter")
        try await there.expect("you are test@example.com (user) by login")
        for (columns, rows) in [(80, 24), (60, 18), (30, 8), (120, 36)] {
            try await here.resize(columns, rows)
            let isFitted = try await holds {
                let shown = try await here.rows()
                return shown.count == rows && shown.suffix(4).contains { $0.hasPrefix("[ACCOUNT]") }
                    && shown[0].contains("(user)")
            }
            #expect(isFitted)
        }
        try await here.press("Home", "r")
        try await here.expect("Sessions  2")
        try await here.press("F2", "F2", "Down", "Down", "Enter")
        try await here.expect("[y/n] Sign out everywhere")
        try await here.press("y")
        try await here.expect("Signed out everywhere: 2 sessions ended.")
        try await there.expect("unassociated (signed out)")
        #expect(try await holds { try await here.row("unassociated: signed out here").contains("·") })
        #expect(try await holds { try await here.rows()[0].contains("online") })
        try await here.press("q")
        try await here.start(expecting: "stay signed in")
    }

    @Test("a role, a name and an account that change are told in words on the screen that is open")
    func changes() async throws {
        let server = try await Server()
        let desk = try await Desk(server, columns: 120, rows: 36)
        try await desk.startAs("test@example.com", "test")
        try await server.sqlite("UPDATE rolecall_user SET role = 'admin' WHERE email = 'test@example.com';")
        try await desk.expect("you are test@example.com (admin): your role was changed from user")
        try await server.add("for admins", adminOnly: true)
        try await desk.expect("for admins")
        try await server.sqlite("UPDATE rolecall_user SET name = 'Tess' WHERE email = 'test@example.com';")
        try await desk.expect("to Tess")
        try await server.sqlite("UPDATE rolecall_user SET role = 'user' WHERE email = 'test@example.com';")
        try await desk.expect("your role was changed from admin")
        try await server.add("again for admins", adminOnly: true)
        try await server.add("for everybody")
        try await desk.expect("for everybody")
        #expect(try await holds { try await !desk.shows("again for admins") })
        try await runShell(
            Programs.server().path,
            ["user", "passwd", "test@example.com", "--password-stdin", "--data", server.scratch.path("data")],
            input: "another-password\n")
        try await desk.expect("unassociated: the password was changed")
        #expect(try await holds { try await desk.rows()[0].contains("unassociated (password changed)") })
        try await desk.press("F2")
        try await desk.expect("[LOGIN]")
        try await desk.type("another-password")
        try await desk.press("Enter")
        try await desk.expect("you are test@example.com (user) by login")
        try await server.sqlite("DELETE FROM rolecall_user WHERE email = 'test@example.com';")
        try await desk.expect("unassociated: the account was removed")
        #expect(try await holds { try await desk.rows()[0].contains("unassociated (removed)") })
        #expect(try await holds { try await desk.rows()[0].contains("online") })
    }
}
