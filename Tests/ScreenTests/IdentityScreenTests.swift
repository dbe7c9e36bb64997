import Foundation
import Testing

@Suite("Identity on the screen", .serialized, .timeLimit(.minutes(2)))
struct IdentityScreenTests {
    @Test("two users at two screens see what is theirs, and a socket that changes hands sees what its new user may")
    func twoUsers() async throws {
        let server = try await Server()
        let admin = try await Desk(server)
        let user = try await Desk(server)
        try await admin.startAs("admin@example.com", "admin")
        try await user.startAs("test@example.com", "test")
        try await server.add("public one")
        try await server.add("secret one", adminOnly: true)
        try await server.add("public two")
        try await admin.expect("public two")
        try await user.expect("public two")
        #expect(try await holds { try await admin.shows("secret one") })
        #expect(try await holds { try await !user.shows("secret one") })

        // The same socket, another user.
        let first = try await user.row("socket ")
        let socket = try #require(first.firstMatch(of: /socket (\S+)/)?.output.1)
        try await user.press("F2")
        try await user.expect("Log out here")
        try await user.press("Down", "Down", "Down", "Down", "Enter")
        try await user.expect("as another user, on the same socket")
        try await user.type("admin@example.com")
        try await user.press("Tab")
        try await user.type("admin")
        try await user.press("Enter")
        try await user.expect("you are admin@example.com (admin) by login")
        #expect(try await holds { try await user.rows()[0].contains("admin@example.com (admin)") })
        #expect(try await holds { try await user.rows()[0].contains("socket \(socket)") })
        try await server.add("secret two", adminOnly: true)
        try await user.expect("secret two")

        // Nobody, on the same socket: nothing of anybody's comes any more.
        try await user.press("Tab")
        try await user.type("/logout")
        try await user.press("Enter")
        try await user.expect("unassociated: logged out here")
        try await server.add("secret three", adminOnly: true)
        try await server.add("public three")
        try await admin.expect("public three")
        try await user.type("/whoami")
        try await user.press("Enter")
        try await user.expect("whoami: unassociated")
        #expect(try await holds { try await !user.shows("three") })
        #expect(try await holds { try await user.rows()[0].contains("unassociated") })
    }

    @Test("a wrong password is said in the form, and nothing is saved")
    func wrongPassword() async throws {
        let server = try await Server()
        let desk = try await Desk(server, columns: 60, rows: 18)
        try await desk.start(expecting: "stay signed in")
        try await desk.type("admin@example.com")
        try await desk.press("Tab")
        try await desk.type("wr0ng!")
        #expect(try await holds { try await !desk.shows("wr0ng!") })
        try await desk.press("Enter")
        try await desk.expect("! ")
        try await desk.expect("[LOGIN]")
        #expect(try await holds { try await desk.shows("******") })
        #expect(try await holds { try await desk.rows()[0].contains("unassociated") })
        #expect(!FileManager.default.fileExists(atPath: desk.scratch.path("state/rolecall/default.json")))
    }

    @Test("who stays signed in is associated by the next start's handshake, each profile by itself, until signing out")
    func profiles() async throws {
        let server = try await Server()
        let state = try Scratch()
        let desk = try await Desk(server, columns: 120, rows: 36, state: state.path("state"))
        try await desk.startAs("admin@example.com", "admin")
        try await desk.press("F10")
        #expect(try await desk.exitCode() == 0)
        try await desk.start(expecting: "you are admin@example.com (admin) by cookie")
        let other = try await Desk(server, columns: 120, rows: 36, state: state.path("state"))
        try await other.startAs("test@example.com", "test", "--profile second")
        #expect(try await holds { try await other.shows("profile second") })
        #expect(try await holds { try await desk.rows()[0].contains("admin@example.com (admin)") })

        try await desk.press("F2", "Down", "Enter", "y")
        try await desk.expect("unassociated: signed out here")
        try await desk.expect("Signed out")
        try await desk.press("q")
        try await desk.start(expecting: "stay signed in")
        try await desk.expect("online")
        #expect(try await holds { try await desk.rows()[0].contains("unassociated") })
        #expect(try await holds { try await other.rows()[0].contains("test@example.com (user)") })
    }
}
