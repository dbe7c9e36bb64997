import Foundation

/// Another process that writes rows, each in a transaction of its own.
///
/// Between two rows it counts for a millisecond or so: SQLite's lock is not fair, and a process that does nothing but
/// write can keep all others from it for seconds.
struct RowWriter: Sendable {
    private static let pause =
        "with recursive n(i) as (select 1 union all select i + 1 from n limit 10000) select max(i) from n;"

    private let child: ChildProcess
    private let directory: TemporaryDirectory

    var isWriting: Bool { child.exit == nil }

    private init(_ statements: some Sequence<String>, database: URL) throws {
        directory = try TemporaryDirectory()
        let script = directory.file("rows.sql")
        try ([".output /dev/null"] + statements.map { "\($0)\n\(Self.pause)" }).joined(separator: "\n").write(
            to: script, atomically: true, encoding: .utf8)
        child = try ChildProcess(
            URL(fileURLWithPath: "/usr/bin/env"),
            ["sqlite3", "-bail", "-cmd", ".timeout 20000", database.path, ".read '\(script.path)'"])
    }

    /// Waits until all is written.
    func finish() async throws {
        let exit = try await child.waitForExit(within: .seconds(60))
        guard exit == .status(0), child.errors.elements.isEmpty else {
            throw Shell.Failure(
                run: Run(exit: exit, output: child.output.elements, errors: child.errors.elements, ended: Shell.now),
                what: "writing rows")
        }
    }

    /// Runs `body` while `statements` are executed; what is not written when it ends never is.
    static func with<Result>(
        _ statements: some Sequence<String>, in server: ServerProcess, _ body: (RowWriter) async throws -> Result
    ) async throws -> Result {
        let writer = try RowWriter(statements, database: server.database)
        defer { writer.directory.remove() }
        let result: Swift.Result<Result, any Error>
        do {
            result = .success(try await body(writer))
        } catch {
            result = .failure(error)
        }
        try await writer.child.end()
        return try result.get()
    }
}
