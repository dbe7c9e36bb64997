import Foundation
import Testing

@Suite("Explanations on the screen", .serialized, .timeLimit(.minutes(3)))
struct ExplanationScreenTests {
    @Test("an admin asks why somebody does not get an event, at every size; another user is refused")
    func explaining() async throws {
        let server = try await Server()
        let admin = try await Desk(server, columns: 120, rows: 36)
        try await admin.startAs("admin@example.com", "admin")
        try await server.add("vault", adminOnly: true)
        try await admin.expect("vault")
        try await admin.press("Escape", "x")
        try await admin.expect("For whom:")
        try await admin.type("test@example.com")
        try await admin.press("Enter")
        try await admin.expect("test@example.com (user) gets nothing: no read rule grants it.")
        try await admin.expect("✗ rule 2: role user, admin_only is false")
        try await admin.expect("admin_only is true, and the rule asks for false.")
        for (columns, rows) in [(80, 24), (60, 18), (30, 8), (120, 36)] {
            try await admin.resize(columns, rows)
            let isFitted = try await holds {
                let shown = try await admin.rows()
                return shown.count == rows && shown[rows - 2].hasPrefix("[WHY]") && shown[0].contains("(admin)")
                    && shown.contains { $0.contains("(user) gets") }
            }
            #expect(isFitted)
        }
        // Whoever is known is completed; the last one stands there.
        try await admin.press("x")
        try await admin.expect("[WHOM]")
        #expect(try await holds { try await admin.row("For whom:").contains("test@example.com") })
        try await admin.press("C-u")
        try await admin.type("adm")
        try await admin.press("Tab", "Enter")
        try await admin.expect("gets thing:save (created): read rule 1 (role admin) grants it.")
        try await admin.press("Escape")
        try await admin.expect("[LIST]")

        let user = try await Desk(server)
        try await user.startAs("test@example.com", "test")
        try await server.add("open to all")
        try await user.expect("open to all")
        try await user.press("Escape", "x")
        try await user.type("guest")
        try await user.press("Enter")
        try await user.expect("! The role user may not do this.")
    }
}
