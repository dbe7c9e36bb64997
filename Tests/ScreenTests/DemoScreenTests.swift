import Foundation
import Testing

@Suite("Scripts/demo", .serialized, .timeLimit(.minutes(5)))
struct DemoScreenTests {
    /// What the two screens show, row by row.
    private func screens(_ desk: Desk) async throws -> (admin: [String], user: [String]) {
        let rows = try await desk.rows()
        let end = rows.firstIndex { $0.contains("WHAT HAPPENS NOW") } ?? rows.count
        let upper = rows[..<end]
        let middle = upper.first.map { Array($0).firstIndex(of: "┬") ?? 0 } ?? 0
        return (upper.map { String($0.prefix(middle)) }, upper.map { String($0.dropFirst(middle + 1)) })
    }

    private func start(_ desk: Desk, pace: Int) async throws {
        let bin = try Programs.client().deletingLastPathComponent().path
        let script = try Programs.root().appendingPathComponent("Scripts/demo").path
        let directory = desk.scratch.path("demo")
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        try await desk.type(
            "TMPDIR='\(directory)' LC_ALL=C.UTF-8 ROLECALL_BIN='\(bin)' ROLECALL_PORT=0 ROLECALL_DEMO_PACE=\(pace) "
                + "'\(script)' --side-by-side; echo \"ended $?\"\n")
    }

    @Test(
        """
        side by side, a story goes through what an admin does, and each step is seen on both screens; it ends without \
        leaving anything
        """)
    func story() async throws {
        let server = try await Server()
        let desk = try await Desk(server, columns: 120, rows: 36)
        try await start(desk, pace: 600)
        var told = 0
        /// Goes on, and waits for what is to be seen left and right; `!` before it is what is not to be seen.
        func step(_ title: String, admin: [String], user: [String]) async throws {
            told += 1
            if told > 1 { try await desk.press("Space") }
            try await desk.expect("\(told)/11  \(title)")
            var seen: (admin: [String], user: [String]) = ([], [])
            let isSeen = try await holds {
                seen = try await screens(desk)
                return [(seen.admin, admin), (seen.user, user)].allSatisfy { rows, texts in
                    texts.allSatisfy { text in
                        text.hasPrefix("!")
                            ? !rows.contains { $0.contains(text.dropFirst()) } : rows.contains { $0.contains(text) }
                    }
                }
            }
            let shown = try await desk.rows().joined(separator: "\n")
            #expect(isSeen, "\(title)\n\(shown)")
        }
        try await step("Two people at one server", admin: ["(admin)", "boiler 7"], user: ["(user)", "boiler 7"])
        #expect(try await holds { try await desk.rows()[0].contains("ADMIN  admin@example.com") })
        #expect(try await holds { try await desk.rows()[0].contains("USER  test@example.com") })
        try await step("A row for admins only", admin: ["1-2-3-4"], user: ["boiler 7", "!vault"])
        try await step(
            "The user is made an admin", admin: ["5-6-7-8"], user: ["(admin): your role", "5-6-7-8", "!1-2-3"])
        try await step("And a user again", admin: ["vault key"], user: ["(user): your role", "!vault key"])
        try await step(
            "A row that is taken out", admin: ["furnace  admin_only false→true"], user: ["furnace  no longer visible"])
        try await step("Who is on", admin: ["[PEOPLE]", "2 people on"], user: ["[LIST]"])
        try await step(
            "The admin kicks the user", admin: ["1 person on"], user: ["NOBODY", "unassociated: kicked by an admin"])
        try await step("The user logs in again", admin: ["[LIST]"], user: ["you are test@example.com (user) by login"])
        try await step("What both say", admin: ["somebody look", "on my way"], user: ["somebody look", "on my way"])
        try await step("The user logs out", admin: ["boiler 8"], user: ["unassociated: logged out here", "!boiler 8"])
        try await step("That was the story", admin: ["(admin)"], user: ["unassociated"])

        // A window of another size is divided evenly, and the story keeps its rows.
        try await desk.resize(150, 45)
        let isEven = try await holds {
            let (admin, user) = try await screens(desk)
            return abs((admin.first?.count ?? 0) - (user.first?.count ?? 99)) <= 1 && admin.count == 38
        }
        let shown = try await desk.rows().joined(separator: "\n")
        #expect(isEven, "\(shown)")
        try await desk.press("F11")
        try await desk.press("F12")
        try await desk.expect("ended 0")
        let left = try FileManager.default.contentsOfDirectory(atPath: desk.scratch.path("demo"))
        #expect(left.filter { $0.hasPrefix("tmp.") } == [])
        let isOver = try await holds {
            let found = try await runShell(
                "bash", ["-c", "pgrep -f \"$0\" || true", desk.scratch.path("demo") + "/tmp"])
            return found.split(separator: "\n").count <= 1
        }
        #expect(isOver)
    }

    @Test("a terminal that is too small is told how large it has to be")
    func small() async throws {
        let server = try await Server()
        let desk = try await Desk(server, columns: 119, rows: 36)
        try await start(desk, pace: 1)
        try await desk.expect("need 120x36; this terminal has 119x36")
        try await desk.expect("ended 1")
    }
}
