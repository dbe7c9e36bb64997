import Foundation
import WireJSON

/// Somebody at a terminal: `rolecall`, with saved logins of its own.
struct ClientUser: Sendable {
    let server: ServerProcess
    let directory: TemporaryDirectory
    /// Added to the environment of each run.
    var environment: [String: String] = [:]

    /// Where the logins are kept.
    var state: URL { directory.file("state") }

    /// Runs a verb to its end.
    func run(
        _ arguments: String..., input: [String] = [], within deadline: Duration = .seconds(30)
    ) async throws -> ClientRun {
        ClientRun(
            run: try await Shell.run(
                Programs.client(), arguments, environment: allVariables, input: input, within: deadline))
    }

    /// Logs in, and saves the token under that profile.
    func logIn(_ account: Account, profile: String = "default") async throws {
        let run = try await run(
            "login", "--profile", profile, "--email", account.email, "--password-stdin", input: [account.password])
        guard run.exit == .status(0) else { throw Shell.Failure(run: run.run, what: "login of \(account.email)") }
    }

    /// Starts a verb that goes on.
    func start(_ arguments: String...) throws -> ClientProcess {
        ClientProcess(child: try ChildProcess(Programs.client(), arguments, environment: allVariables))
    }

    private var allVariables: [String: String] {
        ["ROLECALL_SERVER": server.url, "XDG_STATE_HOME": state.path].merging(environment) { _, new in new }
    }
}

/// A verb that ended.
struct ClientRun: Sendable, CustomStringConvertible {
    var run: Run
    var exit: Exit { run.exit }
    /// Standard output, line by line; a line that is no JSON is nil.
    var lines: [JSON?] { run.output.map { try? JSON(parsing: $0) } }
    var description: String { "\(run)" }

    /// The first line of that kind.
    func line(_ kind: String) -> JSON? { lines.compactMap(\.self).first { $0["kind"]?.stringValue == kind } }
}

/// A verb that runs.
struct ClientProcess: Sendable {
    let child: ChildProcess
    var count: Int { child.output.count }
    /// Standard output, line by line.
    var lines: [JSON] { child.output.elements.map { (try? JSON(parsing: $0)) ?? .null } }

    func type(_ line: String) { child.write(line: line) }

    /// The first line at or after `start` of that kind that matches.
    @discardableResult
    func line(
        _ kind: String, from start: Int = 0, within deadline: Duration = .seconds(40),
        where matches: @escaping @Sendable (JSON) -> Bool = { _ in true }
    ) async throws -> (index: Int, json: JSON) {
        let found = try await child.output.first(from: start, within: deadline, "a line of kind \(kind)") { line in
            guard let json = try? JSON(parsing: line) else { return false }
            return json["kind"]?.stringValue == kind && matches(json)
        }
        return (found.index, try JSON(parsing: found.element))
    }

    /// The first `identity` at or after `start` with that reason.
    @discardableResult
    func identity(
        _ reason: String, from start: Int = 0, within deadline: Duration = .seconds(40)
    ) async throws
        -> (index: Int, json: JSON)
    {
        try await line("identity", from: start, within: deadline) { $0["reason"]?.stringValue == reason }
    }

    /// The saving of the row with that name.
    @discardableResult
    func thing(
        _ name: String, from start: Int = 0, within deadline: Duration = .seconds(40)
    ) async throws -> (index: Int, json: JSON) {
        try await line("event", from: start, within: deadline) { $0["row"]?["name"]?.stringValue == name }
    }

    /// The names of the rows it showed.
    func things() -> [String] {
        lines.compactMap { $0["kind"] == "event" ? $0["row"]?["name"]?.stringValue : nil }
    }
}

extension Stage {
    /// Runs `body` with somebody at a terminal, whose logins are gone afterwards.
    func withClient<Result>(_ body: (ClientUser) async throws -> Result) async throws -> Result {
        try await withTemporaryDirectory { directory in
            try await body(ClientUser(server: server, directory: directory))
        }
    }
}

/// Ends processes that go on, whatever happens in `body`.
func ending<Result>(_ processes: ClientProcess..., body: () async throws -> Result) async throws -> Result {
    let result: Swift.Result<Result, any Error>
    do {
        result = .success(try await body())
    } catch {
        for process in processes {
            for line in process.child.output.elements.suffix(20) { print("rolecall: \(line)") }
            for line in process.child.errors.elements.suffix(20) { print("rolecall: \(line)") }
        }
        result = .failure(error)
    }
    for process in processes { try await process.child.end() }
    return try result.get()
}
