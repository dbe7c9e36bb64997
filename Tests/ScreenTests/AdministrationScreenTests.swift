import Foundation
import Testing

@Suite("An admin at work, on two screens", .serialized, .timeLimit(.minutes(5)))
struct AdministrationScreenTests {
    @Test(
        """
        a user's open screen tells at once what an admin does to it, on one connection, and never shows what is not its \
        user's; the admin's screen shows the same
        """)
    func story() async throws {
        let stage = try await AdministrationStage()
        let (admin, user, server) = (stage.admin, stage.user, stage.server)
        try await stage.rows("first", areSeen: .open)

        try await server.user("set-role", "test@example.com", "guest")
        try await stage.show(
            "test@example.com (guest)", told: "(guest): your role was changed from user", person: "guest")
        try await stage.rows("demoted", areSeen: .none)

        try await server.sqlite("UPDATE rolecall_user SET role = 'admin' WHERE email = 'test@example.com';")
        try await stage.show(
            "test@example.com (admin)", told: "(admin): your role was changed from guest", person: "admin")
        try await stage.rows("promoted", areSeen: .all)

        try await server.user("set-role", "test@example.com", "user")
        try await stage.show(
            "test@example.com (user)", told: "(user): your role was changed from admin", person: "user")
        try await stage.rows("user", areSeen: .open)

        try await stage.rename("Renamed")
        try await stage.show(
            "test@example.com (user)", told: "your name from Test User to Renamed", person: "Renamed")
        try await user.expect("Renamed>")
        try await stage.rows("renamed", areSeen: .open)

        // With the keys of the admin's screen.
        try await admin.press("End", "k")
        try await admin.expect("[y/n] Kick test@example.com (socket \(stage.socket))?")
        try await admin.press("y")
        try await admin.expect("Kicked 1 socket (test@example.com).")
        try await stage.show("unassociated (kicked)", told: "unassociated: kicked by an admin", person: nil)
        try await stage.rows("kicked", areSeen: .none)
        try await stage.logIn("test")
        try await stage.rows("back", areSeen: .open)

        try await server.user("passwd", "test@example.com", "--password-stdin", input: "battery staple\n")
        try await stage.show(
            "unassociated (password changed)", told: "unassociated: the password was changed", person: nil)
        try await stage.rows("reset", areSeen: .none)
        try await stage.logIn("battery staple", after: "test")
        try await stage.rows("new", areSeen: .open)

        try await server.user("remove", "test@example.com")
        try await stage.show("unassociated (removed)", told: "unassociated: the account was removed", person: nil)
        try await user.expect("F2 logs in with another account")
        try await stage.rows("removed", areSeen: .none)
        try await stage.logInIsRefused("battery staple")

        try await stage.end()
        let shown = try await user.everyLine()
        #expect(stage.leaks(in: shown) == [], "\(shown.joined(separator: "\n"))")
        for (name, isSeen) in stage.written {
            let count = shown.filter { $0.contains(" \(name) ") }.count
            #expect(count == (isSeen ? 1 : 0), "\(name):\n\(shown.joined(separator: "\n"))")
        }
        #expect(shown.contains { $0.contains(" \(SecretRows.stem) ") }, "As an admin it sees what is for admins.")
        for broken in ["connection lost", "reconnected", "missed"] {
            #expect(!shown.contains { $0.contains(broken) }, "\(shown.joined(separator: "\n"))")
        }
        let told = try await admin.everyLine().filter { $0.contains(" user     ") }
        let changes = [
            "role \"guest\"", "role \"guest\"→\"admin\"", "role \"admin\"→\"user\"", "\"Test User\"→\"Renamed\"",
            "removed",
        ]
        #expect(told.count == changes.count, "\(told)")
        for (line, change) in zip(told, changes) { #expect(line.contains(change)) }
    }
}

/// The two screens and those who write, and what has been written.
private final class AdministrationStage {
    enum Seen {
        case none, open, all
    }

    let server: Server
    let admin: Desk
    let user: Desk
    /// The user's, at the beginning.
    let socket: String
    /// Names of rows, and whether the user's screen has to show them.
    private(set) var written: [(name: String, isSeen: Bool)] = []
    private let secrets: SecretRows
    private let key: String

    init() async throws {
        server = try await Server()
        admin = try await Desk(server, columns: 140, rows: 36)
        // So high that nothing that a slow test waits for is pushed out of sight meanwhile.
        user = try await Desk(server, columns: 140, rows: 150)
        try await admin.startAs("admin@example.com", "admin")
        try await user.startAs("test@example.com", "test")
        try await admin.press("F7")
        try await admin.expect("2 people on")
        let first = try await user.row("socket ")
        let id = try #require(first.firstMatch(of: /socket (\S+)/)?.output.1)
        socket = String(id)
        key = try await server.sqlite("SELECT _id FROM rolecall_user WHERE email = 'test@example.com';")
            .trimmingCharacters(in: .whitespacesAndNewlines)
        try await server.client(
            "login", "--email", "admin@example.com", "--password-stdin", state: server.scratch.path("admin"),
            input: "admin\n")
        secrets = try SecretRows(in: server)
    }

    /// By the client's verb, and so over HTTP.
    func rename(_ name: String) async throws {
        try await server.client("update", "user", key, "name=\(name)", state: server.scratch.path("admin"))
    }

    /// Waits until the user's screen shows who it is and has been told why, and the admin's shows the same user.
    ///
    /// - Parameters:
    ///   - line: in the first row, with the socket of the beginning.
    ///   - person: in the admin's row of that user; nil where the user is no longer on.
    func show(
        _ line: String, told: String, person: String?, location: SourceLocation = #_sourceLocation
    ) async throws {
        let acted = ContinuousClock.now
        try await wait("\(line), \(told)", user, location) { rows in
            isConnected(rows) && rows[0].contains(line) && rows.contains { $0.contains(told) }
        }
        print(
            "The user's screen shows \(line) \((ContinuousClock.now - acted).formatted(.units(allowed: [.milliseconds])))."
        )
        try await wait("\(person ?? "nobody") among the people", admin, location) { rows in
            let row = rows.first { $0.contains(" test@example.com ") }
            return person.map { row?.contains($0) == true }
                ?? (row == nil && rows.contains { $0.contains("unassociated") })
        }
    }

    /// Writes a row for admins and one for everyone, among those that are written all the time, and waits for what the
    /// user has to see of them.
    func rows(_ stem: String, areSeen seen: Seen, location: SourceLocation = #_sourceLocation) async throws {
        try await secrets.another()
        try await server.add("\(stem) hush", adminOnly: true)
        try await server.add("\(stem) open")
        written += [("\(stem) hush", seen == .all), ("\(stem) open", seen != .none)]
        if seen != .none { try await user.expect("\(stem) open", location: location) }
        if seen == .all { try await user.expect("\(stem) hush", location: location) }
        try await wait("still online, by the same socket", user, location) { isConnected($0) }
    }

    /// Logs in again by F2, where no more than the password is asked for.
    ///
    /// - Parameter wrong: is typed first, and refused.
    func logIn(_ password: String, after wrong: String? = nil) async throws {
        try await user.press("F2")
        try await user.expect("[LOGIN]")
        #expect(try await holds { try await user.row("E-mail").contains("test@example.com") })
        if let wrong {
            try await user.type(wrong)
            try await user.press("Enter")
            try await user.expect("! This e-mail and password do not match.")
        }
        try await user.type(password)
        try await user.press("Enter")
        try await show("test@example.com (user)", told: "you are test@example.com (user) by login", person: "user")
    }

    func logInIsRefused(_ password: String) async throws {
        try await user.press("F2")
        try await user.expect("[LOGIN]")
        #expect(try await holds { try await !user.row("E-mail").contains("test@example.com") })
        try await user.type("test@example.com")
        try await user.press("Enter")
        try await user.type(password)
        try await user.press("Enter")
        try await user.expect("! This e-mail and password do not match.")
        try await user.press("Escape")
    }

    /// Stops those who write, and waits until both screens have had all that is theirs.
    func end() async throws {
        try await secrets.stop()
        try await admin.press("Escape")
        try await server.add("the last one", adminOnly: true)
        try await admin.expect("the last one")
        written.append(("the last one", false))
        // What the server had sent the user by then stands before its answer.
        try await user.press("Tab")
        try await user.type("/whoami")
        try await user.press("Enter")
        try await user.expect("whoami: unassociated")
    }

    /// Lines of rows that the user might not see as whom the line before told that it was.
    func leaks(in lines: [String]) -> [String] {
        var role: Substring?
        return lines.filter { line in
            if line.contains("unassociated:") { role = nil }
            if let new = line.firstMatch(of: /you are \S+ \((\w+)\)/)?.output.1 { role = new }
            // Names of users are for every user, the rest is for admins.
            let isSecret = line.contains("admin_only true") || (line.contains(" user     ") && line.contains("role "))
            return (isSecret && role != "admin")
                || (line.contains("admin_only false") && role != "admin" && role != "user")
        }
    }

    /// The connection of the beginning.
    private func isConnected(_ rows: [String]) -> Bool {
        rows[0].contains("● online") && rows[0].contains("socket \(socket) ")
    }

    private func wait(
        _ what: String, _ desk: Desk, _ location: SourceLocation, until isShown: ([String]) -> Bool
    ) async throws {
        guard try await !holds({ isShown(try await desk.rows()) }) else { return }
        let screen = try await desk.rows().joined(separator: "\n")
        Issue.record("\(what): this is not on the screen:\n\(screen)", sourceLocation: location)
        throw Missing(what)
    }
}

extension Desk {
    /// Every line that the list holds, in a terminal that is high enough for all of them.
    fileprivate func everyLine() async throws -> [String] {
        try await resize(140, 1000)
        var lines: [String] = []
        let isWhole = try await holds {
            let rows = try await rows()
            lines = rows.dropFirst(2).dropLast(3).filter { !$0.isEmpty }
            // Notes are not counted.
            let events = lines.filter { line in
                [" + ", " ~ ", " - ", " # "].contains { line.dropFirst(13).hasPrefix($0) }
            }
            return rows.count == 1000 && rows[997].contains("FOLLOW") && rows[1].contains(" \(events.count) event")
        }
        #expect(isWhole, "\(lines)")
        return lines
    }
}
