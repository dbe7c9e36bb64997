import Foundation
import Testing

@Suite("Identity on the screen", .serialized, .timeLimit(.minutes(2)))
struct IdentityScreenTests {
    @Test("two users at two screens see what is theirs, and a socket that changes hands sees what its new user may")
    func twoUsers() throws {
        let server = try Server()
        let admin = try Desk(server)
        let user = try Desk(server)
        try admin.startAs("admin@example.com", "admin")
        try user.startAs("test@example.com", "test")
        try server.add("public one")
        try server.add("secret one", adminOnly: true)
        try server.add("public two")
        try admin.expect("public two")
        try user.expect("public two")
        #expect(try admin.shows("secret one"))
        #expect(try !user.shows("secret one"))

        // The same socket, another user.
        let socket = try #require(user.row("socket ").firstMatch(of: /socket (\S+)/)?.output.1)
        try user.press("F2")
        try user.expect("Log out here")
        try user.press("Down", "Down", "Enter")
        try user.expect("as another user, on the same socket")
        try user.type("admin@example.com")
        try user.press("Tab")
        try user.type("admin")
        try user.press("Enter")
        try user.expect("you are admin@example.com (admin) by login")
        #expect(try user.rows()[0].contains("admin@example.com (admin)"))
        #expect(try user.rows()[0].contains("socket \(socket)"))
        try server.add("secret two", adminOnly: true)
        try user.expect("secret two")

        // Nobody, on the same socket: nothing of anybody's comes any more.
        try user.press("Tab")
        try user.type("/logout")
        try user.press("Enter")
        try user.expect("unassociated (logout)")
        try server.add("secret three", adminOnly: true)
        try server.add("public three")
        try admin.expect("public three")
        try user.type("/whoami")
        try user.press("Enter")
        try user.expect("whoami: unassociated")
        #expect(try !user.shows("three"))
        #expect(try user.rows()[0].contains("unassociated"))
    }

    @Test("a wrong password is said in the form, and nothing is saved")
    func wrongPassword() throws {
        let server = try Server()
        let desk = try Desk(server, columns: 60, rows: 18)
        try desk.start(expecting: "stay signed in")
        try desk.type("admin@example.com")
        try desk.press("Tab")
        try desk.type("wr0ng!")
        #expect(try !desk.shows("wr0ng!"))
        try desk.press("Enter")
        try desk.expect("! ")
        try desk.expect("[LOGIN]")
        #expect(try desk.shows("******"))
        #expect(try desk.rows()[0].contains("unassociated"))
        #expect(!FileManager.default.fileExists(atPath: desk.scratch.path("state/rolecall/default.json")))
    }

    @Test("who stays signed in is associated by the next start's handshake, each profile by itself, until signing out")
    func profiles() throws {
        let server = try Server()
        let state = try Scratch()
        let desk = try Desk(server, columns: 120, rows: 36, state: state.path("state"))
        try desk.startAs("admin@example.com", "admin")
        try desk.press("F10")
        #expect(try desk.exitCode() == 0)
        try desk.start(expecting: "you are admin@example.com (admin) by cookie")
        let other = try Desk(server, columns: 120, rows: 36, state: state.path("state"))
        try other.startAs("test@example.com", "test", "--profile second")
        #expect(try other.shows("profile second"))
        #expect(try desk.rows()[0].contains("admin@example.com (admin)"))

        try desk.press("F2", "Down", "Enter")
        try desk.expect("unassociated (signed_out)")
        try desk.expect("Signed out")
        try desk.press("q")
        try desk.start(expecting: "stay signed in")
        try desk.expect("unassociated (anonymous)")
        #expect(try other.rows()[0].contains("test@example.com (user)"))
    }
}
