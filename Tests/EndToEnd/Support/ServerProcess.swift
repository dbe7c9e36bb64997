import Foundation
import Synchronization
import Testing
import WireJSON

/// `rolecall-server`, running on a data directory of its own.
final class ServerProcess: Sendable {
    let data: URL
    private let arguments: [String]
    private let environment: [String: String]
    private let readsLog: Bool
    private let state: Mutex<(child: ChildProcess, port: Int)>

    var port: Int { state.withLock { $0.port } }
    var process: ChildProcess { state.withLock { $0.child } }
    var url: String { "http://127.0.0.1:\(port)" }
    var database: URL { data.appendingPathComponent("rolecall.db") }
    var key: URL { data.appendingPathComponent("key") }
    /// What it has logged since its last start.
    var log: [String] { process.errors.elements }

    /// Starts one and waits until it listens.
    ///
    /// - Parameter readsLog: whether its standard error is read.
    init(
        _ arguments: [String], data: URL, environment: [String: String] = [:], readsLog: Bool = true
    ) async throws {
        self.data = data
        self.readsLog = readsLog
        self.arguments = arguments
        self.environment = environment
        state = Mutex(
            try await Self.start(arguments, data: data, port: 0, environment: environment, readsLog: readsLog))
    }

    /// Starts it again on the same port and data; it has to have ended.
    func restart() async throws {
        let next = try await Self.start(
            arguments, data: data, port: port, environment: environment, readsLog: readsLog)
        state.withLock { $0 = next }
    }

    /// Asks it to end as a service manager does.
    @discardableResult
    func stop() async throws -> Exit { try await process.end(SIGTERM) }

    /// `rolecall-server user ...` on the same data, while it runs.
    @discardableResult
    func user(_ arguments: String..., password: String? = nil) async throws -> Run {
        var arguments = ["user"] + arguments + ["--data", data.path]
        if password != nil { arguments.append("--password-stdin") }
        let run = try await Shell.run(Programs.server(), arguments, input: password.map { [$0] } ?? [])
        guard run.exit == .status(0) else {
            throw Shell.Failure(run: run, what: arguments.joined(separator: " "))
        }
        return run
    }

    @discardableResult
    func sqlite(_ statements: String) async throws -> Run { try await Shell.sqlite(database, statements) }

    private static func start(
        _ arguments: [String], data: URL, port: Int, environment: [String: String], readsLog: Bool
    ) async throws -> (ChildProcess, Int) {
        let child = try ChildProcess(
            Programs.server(), arguments + ["--data", data.path, "--port", "\(port)"], environment: environment,
            readsErrors: readsLog)
        do {
            let line = try await child.output.first(within: .seconds(30), "the address") { _ in true }
            guard let match = line.element.wholeMatch(of: /listening on http:\/\/127\.0\.0\.1:(\d+)/),
                let port = Int(match.1), line.index == 0
            else {
                throw Overdue(what: "the address", deadline: .zero, ended: false, heard: [line.element])
            }
            return (child, port)
        } catch {
            _ = try? await child.end()
            for line in child.errors.elements { print("rolecall-server: \(line)") }
            throw error
        }
    }
}

/// Runs `body` with a server of its own. It is ended afterwards, and has to end in good order if it still runs.
func withServer<Result>(
    _ arguments: [String] = ["--demo"], environment: [String: String] = [:],
    sourceLocation: SourceLocation = #_sourceLocation, _ body: (ServerProcess) async throws -> Result
) async throws -> Result {
    try await withTemporaryDirectory { directory in
        let server = try await ServerProcess(arguments, data: directory.file("data"), environment: environment)
        let result: Result
        do {
            result = try await body(server)
        } catch {
            for line in server.log.suffix(20) { print("rolecall-server: \(line)") }
            _ = try? await server.process.end()
            throw error
        }
        if server.process.exit == nil {
            let exit = try await server.stop()
            #expect(exit == .status(0), "The server was asked to end.", sourceLocation: sourceLocation)
        }
        return result
    }
}
