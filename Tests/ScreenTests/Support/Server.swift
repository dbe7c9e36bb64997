import Foundation

/// `rolecall-server`, on data of its own; killed when nobody holds it any more.
final class Server {
    let scratch: Scratch
    private(set) var port = 0
    private var child: Child?

    init(_ arguments: [String] = ["--demo"]) async throws {
        scratch = try Scratch()
        try await start(arguments)
    }

    var url: String { "http://127.0.0.1:\(port)" }

    /// Starts it, on the port that it had, if it had one.
    func start(_ arguments: [String] = ["--demo"]) async throws {
        let log = scratch.path("output")
        child = try Child(
            Programs.server().path, arguments + ["--data", scratch.path("data"), "--port", "\(port)"], to: log)
        var found: Int?
        let isListening = try await holds {
            found = scratch.read("output")?.firstMatch(of: /127\.0\.0\.1:(\d+)\n/).flatMap { Int($0.output.1) }
            return found != nil
        }
        guard isListening, let found else { throw Missing("The server does not listen.") }
        port = found
    }

    /// As a crash would.
    func kill() { child?.kill() }

    var database: String { scratch.path("data/rolecall.db") }

    /// Reads or writes with the database's own shell, outside the server.
    ///
    /// - Returns: what it printed.
    @discardableResult
    func sqlite(_ statements: String) async throws -> String {
        try await runShell("sqlite3", ["-cmd", ".timeout 10000", database], input: statements)
    }

    /// `rolecall-server user`, on the running server's data.
    func user(_ arguments: String..., input: String? = nil) async throws {
        try await runShell(
            Programs.server().path, ["user"] + arguments + ["--data", scratch.path("data")], input: input)
    }

    func add(_ name: String, info: String = "new", adminOnly: Bool = false) async throws {
        func quoted(_ text: String) -> String { "'\(text.replacing("'", with: "''"))'" }
        try await sqlite(
            "INSERT INTO thing (name, info, active, admin_only) VALUES "
                + "(\(quoted(name)), \(quoted(info)), 1, \(adminOnly ? 1 : 0));")
    }

    /// A verb without a screen.
    @discardableResult
    func client(_ arguments: String..., state: String, input: String? = nil) async throws -> String {
        try await runShell(
            Programs.client().path, arguments, environment: ["ROLECALL_SERVER": url, "XDG_STATE_HOME": state],
            input: input)
    }
}
