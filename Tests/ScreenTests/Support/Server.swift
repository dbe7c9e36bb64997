import Foundation

/// `rolecall-server`, on data of its own; killed when nobody holds it any more.
final class Server {
    let scratch: Scratch
    private(set) var port = 0
    private var process: Process?

    init(_ arguments: [String] = ["--demo"]) throws {
        scratch = try Scratch()
        try start(arguments)
    }

    deinit { kill() }

    var url: String { "http://127.0.0.1:\(port)" }

    /// Starts it, on the port that it had, if it had one.
    func start(_ arguments: [String] = ["--demo"]) throws {
        let process = Process()
        process.executableURL = try Programs.server()
        process.arguments = arguments + ["--data", scratch.path("data"), "--port", "\(port)"]
        process.environment = cleanEnvironment
        let log = scratch.path("output")
        try Data().write(to: URL(fileURLWithPath: log))
        process.standardOutput = FileHandle(forWritingAtPath: log)
        process.standardError = FileHandle.nullDevice
        try process.run()
        self.process = process
        var found: Int?
        let isListening = holds {
            found = scratch.read("output")?.firstMatch(of: /127\.0\.0\.1:(\d+)\n/).flatMap { Int($0.output.1) }
            return found != nil
        }
        guard isListening, let found else { throw Missing("The server does not listen.") }
        port = found
    }

    /// As a crash would.
    func kill() {
        guard let process else { return }
        if process.isRunning { Foundation.kill(process.processIdentifier, SIGKILL) }
        process.waitUntilExit()
        self.process = nil
    }

    /// Writes with the database's own shell, outside the server.
    func sqlite(_ statements: String) throws {
        try runShell("sqlite3", ["-cmd", ".timeout 10000", scratch.path("data/rolecall.db")], input: statements)
    }

    func add(_ name: String, info: String = "new", adminOnly: Bool = false) throws {
        func quoted(_ text: String) -> String { "'\(text.replacing("'", with: "''"))'" }
        try sqlite(
            "INSERT INTO thing (name, info, active, admin_only) VALUES "
                + "(\(quoted(name)), \(quoted(info)), 1, \(adminOnly ? 1 : 0));")
    }

    /// A verb without a screen.
    @discardableResult
    func client(_ arguments: String..., state: String, input: String? = nil) throws -> String {
        try runShell(
            Programs.client().path, arguments, environment: ["ROLECALL_SERVER": url, "XDG_STATE_HOME": state],
            input: input)
    }
}
