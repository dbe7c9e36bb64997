import Foundation
import Testing

@Suite("A login's end on the screen", .serialized, .timeLimit(.minutes(3)))
struct ExpiryScreenTests {
    @Test("who stays signed in is renewed ahead of it; who does not is nobody, and is asked for the password only")
    func expiry() async throws {
        let server = try await Server(["--demo", "--token-lifetime", "12"])
        let staying = try await Desk(server, columns: 120, rows: 36)
        let leaving = try await Desk(server, columns: 120, rows: 36)
        try await staying.startAs("admin@example.com", "admin")
        try await leaving.start(expecting: "stay signed in")
        try await leaving.expect("online")
        try await leaving.type("test@example.com")
        try await leaving.press("Enter")
        try await leaving.type("test")
        try await leaving.press("Tab", "Space", "Tab", "Enter")
        try await leaving.expect("you are test@example.com (user) by login")

        try await leaving.expect("the login expires in")
        try await leaving.expect("unassociated: the login has expired")
        #expect(try await holds { try await leaving.rows()[0].contains("unassociated (expired)") })
        #expect(try await holds { try await leaving.rows()[0].contains("online") })
        try await leaving.press("F2")
        try await leaving.expect("[LOGIN]")
        #expect(try await holds { try await leaving.row("E-mail").contains("test@example.com") })
        try await leaving.type("test")
        try await leaving.press("Enter")
        try await leaving.expect("[LIST]")
        #expect(try await holds { try await leaving.rows()[0].contains("test@example.com (user)") })

        try await staying.expect("the login was renewed, until")
        #expect(try await holds { try await !staying.shows("has expired") })
        #expect(try await holds { try await staying.rows()[0].contains("admin@example.com (admin)") })
        // What was saved is the new one.
        try await server.add("secret", adminOnly: true)
        try await staying.expect("secret")
        try await staying.press("F10")
        #expect(try await staying.exitCode() == 0)
        try await staying.start(expecting: "you are admin@example.com (admin) by cookie")
    }

    @Test("a saved login that has ended is presented once: the screen opens as nobody's, and stays online")
    func ended() async throws {
        let server = try await Server(["--demo", "--token-lifetime", "6"])
        let desk = try await Desk(server, columns: 80, rows: 24)
        try await desk.startAs("admin@example.com", "admin")
        try await desk.press("F10")
        #expect(try await desk.exitCode() == 0)
        let due = ContinuousClock.now + .seconds(7)
        _ = try await holds { ContinuousClock.now > due }
        try await desk.start(expecting: "unassociated: the login had expired")
        #expect(try await holds { try await desk.rows()[0].contains("unassociated (login expired)") })
        try await desk.press("F5")
        try await desk.expect("reconnected after")
        try await desk.expect("online")
        #expect(try await holds { try await desk.rows().filter { $0.contains("connection lost") }.count == 1 })
        try await desk.press("F2")
        try await desk.expect("[LOGIN]")
        #expect(try await holds { try await desk.row("E-mail").contains("admin@example.com") })
    }
}
