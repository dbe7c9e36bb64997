import Foundation
import Testing

/// The server of these tests, `ProtocolFixture`, as a process.
final class FixtureProcess {
    let process: Process
    /// Where its peers find it.
    var port: Int
    let path: String

    /// How many sessions and TCP connections the server has now, and how many of the latter it has had.
    struct Count: Equatable, CustomStringConvertible {
        var sessions: Int
        var connections: Int
        var accepted: Int

        var description: String { "\(sessions) sessions, \(connections) of \(accepted) connections" }
    }

    init(_ options: [String], path: String) throws {
        process = try Process([try Programs.fixture()] + options + ["--path", path])
        self.path = path
        let line = try process.line()
        guard let number = line.wholeMatch(of: /listening on 127\.0\.0\.1:(\d+)/).flatMap({ Int($0.output.1) }) else {
            throw WireFailure("the fixture does not listen: \(line)")
        }
        port = number
    }

    func count() throws -> Count {
        process.write(line: "count")
        let line = try process.line()
        let numbers = line.matches(of: /\d+/).compactMap { Int($0.output) }
        guard numbers.count == 3 else { throw WireFailure("the fixture can't count: \(line)") }
        return Count(sessions: numbers[0], connections: numbers[1], accepted: numbers[2])
    }

    /// Waits until it counts so.
    func waitForCount(
        within time: Duration = Wire.patience, _ what: String, sourceLocation: SourceLocation = #_sourceLocation,
        _ condition: (Count) -> Bool
    ) throws {
        let deadline = ContinuousClock.now + time
        while true {
            let count = try count()
            if condition(count) { return }
            guard ContinuousClock.now < deadline else {
                Issue.record("not \(what) within \(time): \(count)", sourceLocation: sourceLocation)
                return
            }
            usleep(5_000)
        }
    }

    // MARK: Peers

    func target(_ query: String) -> String { "\(path)?\(query)" }

    func http() throws -> HTTPPeer { try HTTPPeer(port: port) }

    /// A request on a connection of its own.
    func ask(
        _ method: String, _ query: String, headers: [(String, String)] = [], body: String? = nil
    ) throws -> HTTPPeer.Answer {
        let http = try http()
        defer { http.wire.close() }
        return try http.ask(method, target(query), headers: headers, body: body)
    }

    func ask(_ query: String, headers: [(String, String)] = []) throws -> HTTPPeer.Answer {
        try ask("GET", query, headers: headers)
    }

    /// A WebSocket on a connection of its own.
    func webSocket(
        _ query: String = "EIO=4&transport=websocket", headers: [(String, String)] = []
    ) throws -> WebSocketPeer {
        try WebSocketPeer(target(query), on: try http(), headers: headers)
    }
}

/// Runs a body with a server of its own, which has to survive it.
///
/// - Parameters:
///   - options: on its command line, before those that make it a quiet one: no heartbeat within the hour, and any
///     time for everything, so that nothing comes but what the body brings about.
///   - mayEnd: whether the body ends it itself.
func withFixture(
    _ options: String..., path: String = "/socket.io/", mayEnd: Bool = false,
    sourceLocation: SourceLocation = #_sourceLocation,
    _ body: (FixtureProcess) throws -> Void
) throws {
    let hour = "3600000"
    var all = options + ["--auth-delay", "0"]
    for quiet in ["--ping-interval", "--ping-timeout", "--connect-timeout"] where !options.contains(quiet) {
        all += [quiet, hour]
    }
    let fixture = try FixtureProcess(all, path: path)
    try body(fixture)
    let status = fixture.process.exitStatus()
    #expect(status == nil || mayEnd, "The server has ended.", sourceLocation: sourceLocation)
}

/// Waits for a condition, and says where it did not come about.
func eventually(
    within time: Duration = Wire.patience, _ what: String, sourceLocation: SourceLocation = #_sourceLocation,
    _ condition: () throws -> Bool
) throws {
    let deadline = ContinuousClock.now + time
    while try !condition() {
        guard ContinuousClock.now < deadline else {
            Issue.record("not within \(time): \(what)", sourceLocation: sourceLocation)
            return
        }
        usleep(5_000)
    }
}
