import HTTPTypes
import Logging
import ModelStore
import RolecallProtocol
import Synchronization
import Testing
import WireJSON

@testable import RolecallCore
@testable import RolecallServer

/// Lines that were logged, with what stood beside them.
private final class LoggedLines: Sendable {
    struct Line: Sendable {
        var level: Logger.Level
        var message: String
        var metadata: [String: String]
    }

    private let lines = Mutex<[Line]>([])

    var all: [Line] { lines.withLock(\.self) }
    var logger: Logger { Logger(label: "test") { _ in Handler(lines: self) } }

    private struct Handler: LogHandler {
        let lines: LoggedLines
        var metadata: Logger.Metadata = [:]
        var metadataProvider: Logger.MetadataProvider?
        var logLevel = Logger.Level.info

        subscript(metadataKey key: String) -> Logger.Metadata.Value? {
            get { metadata[key] }
            set { metadata[key] = newValue }
        }

        func log(event: LogEvent) {
            let all = metadata.merging(event.metadata ?? [:]) { $1 }.mapValues { "\($0)" }
            let line = Line(level: event.level, message: "\(event.message)", metadata: all)
            lines.lines.withLock { $0.append(line) }
        }
    }
}

@Suite("What fails is seen in the log, and not by clients")
struct FailureTests {
    @Test("a 500 has one line with its cause and the request's id, and a sentence that tells nothing of the database")
    func http() async throws {
        let lines = LoggedLines()
        try await LiveServer.run(logger: lines.logger) { server in
            try await server.shell("ALTER TABLE rolecall_user RENAME TO elsewhere")
            let answer = try await server.signIn("test@example.com", "test")
            #expect(answer.status == 500)
            #expect(answer.json == ["error": "internal", "message": "The server failed; its log says more."])
            let failures = lines.all.filter { $0.message == "a request failed" }
            #expect(failures.count == 1)
            let line = try #require(failures.first)
            #expect(line.level == .error)
            #expect(line.metadata["cause"]?.contains("SQLite") == true)
            #expect(line.metadata["path"] == "/auth/local")
            #expect(line.metadata["hb.request.id"]?.isEmpty == false)
        }
    }

    @Test(
        "where a user's record can't be read, HTTP and sockets answer alike, and the cause is in the log once for each")
    func records() async throws {
        let lines = LoggedLines()
        try await LiveServer.run(logger: lines.logger) { server in
            let token = try await server.token(for: "test@example.com")
            let socket = try await server.connect()
            _ = try await socket.identity(.anonymous)
            try await server.shell("ALTER TABLE rolecall_user RENAME TO elsewhere")

            let answer = try await server.request(
                "GET", "/api/users/me", headers: [("Authorization", "Bearer \(token)")])
            #expect(answer.status == 503 && answer.headers["retry-after"] == "1")
            #expect(answer.json["error"] == "unavailable")
            let acknowledgement = try await socket.call("login", [.string(token)])
            #expect(acknowledgement["error"] == "unavailable")
            #expect(acknowledgement["message"] == answer.json["message"])

            let causes = lines.all.filter { $0.metadata["cause"]?.contains("SQLite") == true }
            #expect(causes.map(\.message) == ["a request failed", "an event failed"])
            #expect(causes.last?.metadata["event"] == "login")
            #expect(causes.last?.metadata["socket"]?.isEmpty == false)
        }
    }

    @Test("a refusal that is the caller's own matter leaves no line")
    func refusals() async throws {
        let lines = LoggedLines()
        try await LiveServer.run(logger: lines.logger) { server in
            let token = try await server.token(for: "test@example.com")
            for (method, path) in [("GET", "/api/nothing"), ("GET", "/api/sockets"), ("DELETE", "/api/things/1")] {
                let answer = try await server.request(
                    method, path, headers: [("Authorization", "Bearer \(token)")])
                #expect((400..<500).contains(answer.status), "\(method) \(path): \(answer.status)")
            }
            #expect(!lines.all.contains { $0.metadata["cause"] != nil || $0.level >= .warning })
        }
    }

    @Test("whatever a store throws has one status, and a cancelled request is 503 everywhere")
    func statuses() {
        func status(_ error: any Error) -> Int { RequestFailure(DomainError(error)).status.code }
        #expect(status(CancellationError()) == 503)
        #expect(RequestFailure(DomainError(CancellationError())).headers[.retryAfter] == "1")
        #expect(status(StoreError.unavailable("x")) == 503)
        #expect(status(StoreError.unusable("secret")) == 500)
        #expect(status(StoreError.conflict("x", column: nil)) == 409)
        #expect(status(StoreError.invalid("x", column: nil)) == 422)
        #expect(DomainError(StoreError.unusable("secret")).wireError.message.contains("secret") == false)
        #expect(DomainError(StoreError.unusable("secret")).cause == "secret")
    }
}
