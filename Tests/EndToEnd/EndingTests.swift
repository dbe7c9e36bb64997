import Foundation
import Testing
import WireJSON

extension EndToEnd {
    @Suite("A server's end")
    struct EndingTests {
        @Test("the first signal lets what is under way end, the second does not wait; what was acknowledged is there")
        func secondSignal() async throws {
            try await Stage.with { stage in
                let name = stage.row("acknowledged")
                let answer = try await stage.peers.http(
                    stage.server, "POST", "/api/things", json: ["name": .string(name)],
                    token: try await stage.token(.admin))
                #expect(answer.status == 201)
                // Half a request: the server waits for its rest.
                let connection = try await stage.peers.tcp(stage.server)
                connection.sendBytes("POST /auth/local HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{")
                _ = try await stage.peers.http(stage.server, "GET", "/healthz")

                stage.server.process.send(signal: SIGTERM)
                _ = try await stage.server.process.errors.first(within: .seconds(20), "that it ends") {
                    $0.contains("letting sockets go")
                }
                #expect(stage.server.process.exit == nil)
                #expect(try await stage.server.process.end(SIGTERM) == .status(128 + SIGTERM))
                #expect(stage.server.log.contains { $0.contains("ending at once") })

                try await stage.server.restart()
                let rows = try await stage.server.sqlite("select count(*) from thing where name = '\(name)'")
                #expect(rows.output == ["1"])
            }
        }

        @Test("a log that nobody reads holds up neither requests nor sockets, nor the end", .timeLimit(.minutes(2)))
        func unreadLog() async throws {
            try await withTemporaryDirectory { directory in
                let server = try await ServerProcess(
                    ["--demo", "--log-level", "trace"], data: directory.file("data"), readsLog: false)
                let peers = try PeerHost()
                // Each leaves several lines: far more than the pipe takes.
                for _ in 0..<100 {
                    let socket = try await peers.connect(server)
                    try await socket.identity("anonymous")
                    try await socket.disconnect()
                }
                #expect(try await peers.http(server, "GET", "/readyz").status == 200)
                try await peers.end()
                #expect(try await server.process.end(SIGTERM) == .status(0))
            }
        }

        @Test("what was logged before a normal end is in the log, to the last line")
        func lastLines() async throws {
            try await withTemporaryDirectory { directory in
                let server = try await ServerProcess(
                    ["--demo", "--log-level", "debug"], data: directory.file("data"))
                #expect(try await server.stop() == .status(0))
                #expect(server.log.contains { $0.contains("letting sockets go") })
                // The last of all: what runs the services has ended.
                #expect(server.log.last?.hasSuffix("debug Service lifecycle ended") == true, "\(server.log)")
            }
        }

        @Test("what a start that fails has logged stands before its sentence, and the sentence last")
        func failedStart() async throws {
            try await withServer { running in
                try await withTemporaryDirectory { directory in
                    let run = try await Shell.run(
                        Programs.server(),
                        ["--demo", "--log-level", "trace", "--data", directory.url.path, "--port", "\(running.port)"])
                    #expect(run.exit == .status(1))
                    #expect(run.errors.count > 1)
                    #expect(run.errors.last?.hasPrefix("rolecall-server: Another program listens") == true)
                    #expect(run.errors.count { $0.hasPrefix("rolecall-server: ") } == 1)
                }
            }
        }
    }
}
