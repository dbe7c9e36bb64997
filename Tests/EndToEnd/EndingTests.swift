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
    }
}
