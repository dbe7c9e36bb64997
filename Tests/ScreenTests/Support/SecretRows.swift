import Foundation

/// Rows for admins only, written a few times a second by the database's own shell, until nobody holds this any more.
final class SecretRows {
    /// What all of their names begin with.
    static let stem = "quiet"

    private let server: Server
    private let flag: String
    private let child: Child

    init(in server: Server) throws {
        self.server = server
        flag = server.scratch.path("secret-rows")
        try Data().write(to: URL(fileURLWithPath: flag))
        let script = """
            while [ -e "$0" ]; do
                number=$((number + 1))
                echo "INSERT INTO thing (name, info, active, admin_only) VALUES ('$2 $number', 'x', 1, 1);"
                sleep 0.25
            done | sqlite3 -bail -cmd '.timeout 10000' "$1"
            """
        child = try Child(
            "bash", ["-c", script, flag, server.database, Self.stem], to: server.scratch.path("secret-rows-output"))
    }

    deinit { try? FileManager.default.removeItem(atPath: flag) }

    /// How many there are by now.
    func count() async throws -> Int {
        let text = try await server.sqlite("SELECT count(*) FROM thing WHERE name LIKE '\(Self.stem) %';")
        return Int(text.trimmingCharacters(in: .whitespacesAndNewlines)) ?? 0
    }

    /// Waits for one more.
    func another() async throws {
        let before = try await count()
        guard try await holds({ try await count() >= before + 1 }) else { throw Missing("No more rows are written.") }
    }

    /// Writes no more.
    ///
    /// - Throws: ``Missing`` where one could not be written.
    func stop() async throws {
        try? FileManager.default.removeItem(atPath: flag)
        guard try await holds({ child.status() != nil }), child.status() == 0 else {
            throw Missing("The rows were not all written: \(server.scratch.read("secret-rows-output") ?? "")")
        }
    }
}
