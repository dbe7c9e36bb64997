import RolecallProtocol
import TestSupport
import Testing
import WireJSON

@testable import RolecallCore
@testable import RolecallServer

@Suite("The log over REST", .blocks)
struct EventRoutesTests {
    private func events(_ answer: HTTPAnswer) throws -> [ModelEvent] {
        try #require(answer.status == 200, "\(answer.body)")
        return try (answer.json.arrayValue ?? []).map { entry in
            try #require(
                ModelEvent(
                    name: entry["event"]?.stringValue ?? "",
                    arguments: [entry["data"] ?? .null, entry["info"] ?? .null, entry["position"] ?? .null]))
        }
    }

    private func position(_ answer: HTTPAnswer) throws -> Position {
        try #require(answer.headers["x-rolecall-position"].flatMap(Position.init))
    }

    private func bearer(_ server: LiveServer, _ email: String) async throws -> [(String, String)] {
        [("Authorization", "Bearer \(try await server.token(for: email))")]
    }

    @Test("it tells each what a socket of his is told, page by page, and goes on without a hole")
    func sameAsSocket() async throws {
        try await LiveServer.run { server in
            try await server.addThing("seen")
            try await server.addThing("not seen", adminOnly: true)
            try await server.shell("UPDATE thing SET admin_only = 1 WHERE name = 'seen'")
            let last = try await server.addThing("last")
            let start = Position(era: last.era, sequence: 0)
            for email in ["test@example.com", "admin@example.com"] {
                let headers = try await bearer(server, email)
                let socket = try await server.connect(
                    auth: [
                        "token": .string(try await server.token(for: email)), "after": .string(start.description),
                    ])
                try await socket.thing("last")
                let told = await socket.received.compactMap(\.modelEvent)
                let whole = try await server.request("GET", "/api/events", headers: headers)
                #expect(try events(whole) == told)
                #expect(try position(whole) == last)
                #expect(whole.body.contains("not seen") == (email == "admin@example.com"))

                var pages: [ModelEvent] = []
                var after = start
                while true {
                    let page = try await server.request(
                        "GET", "/api/events?limit=2&after=\(after)", headers: headers)
                    let found = try events(page)
                    #expect(found.count <= 2)
                    pages += found
                    let next = try position(page)
                    if next == after { break }
                    after = next
                }
                #expect(pages == told)
                #expect(after == last)
            }
            let headers = try await bearer(server, "test@example.com")
            let next = try await server.addThing("next")
            let more = try await server.request("GET", "/api/events?after=\(last)", headers: headers)
            #expect(try events(more).map(\.row).compactMap { $0["name"]?.stringValue } == ["next"])
            #expect(try position(more) == next)
        }
    }

    @Test("it can be asked for models, each of which the caller has to see")
    func models() async throws {
        try await LiveServer.run { server in
            let headers = try await bearer(server, "test@example.com")
            let things = try await server.request("GET", "/api/events?model=thing", headers: headers)
            #expect(Set(try events(things).map(\.model)) == ["thing"])
            let both = try await server.request("GET", "/api/events?model=thing&model=user", headers: headers)
            #expect(Set(try events(both).map(\.model)) == ["thing", "user"])
            // An entry is what the socket's event has, by name.
            #expect(
                both.json[0]?.objectValue?.keys == ["event", "data", "info", "position"]
                    && both.json[0]?["event"] == "user:save")
            #expect(try await server.request("GET", "/api/events?model=nothing", headers: headers).status == 404)
            #expect(try await server.request("GET", "/api/events").status == 401)
            #expect(try await server.request("GET", "/api/events?model=thing").status == 401)
            for query in ["limit=0", "limit=1001", "limit=x", "after=x", "since=1"] {
                let answer = try await server.request("GET", "/api/events?\(query)", headers: headers)
                #expect(answer.status == 422, "\(query)")
                #expect(answer.json["field"]?.stringValue == query.split(separator: "=").first.map(String.init))
            }
        }
    }

    @Test("what is lost, or was never here, is told as a gap, with where to go on")
    func gaps() async throws {
        try await LiveServer.run { server in
            let headers = try await bearer(server, "admin@example.com")
            let head = try await server.addThing("last")
            let others = [
                Position(era: Era(rawValue: 1), sequence: 1), Position(era: head.era, sequence: head.sequence + 1),
                Position(era: head.era, sequence: .max),
            ]
            for other in others {
                let answer = try await server.request("GET", "/api/events?after=\(other)", headers: headers)
                #expect(answer.status == 410)
                #expect(answer.json["error"] == "gap")
                #expect(Gap(json: answer.json)?.reason == .unknown)
                #expect(Gap(json: answer.json)?.after == other.description)
            }
            let early = Position(era: head.era, sequence: 1)
            try await server.shell("DELETE FROM rolecall_events WHERE seq <= 3")
            let answer = try await server.request("GET", "/api/events?after=\(early)", headers: headers)
            #expect(answer.status == 410)
            let gap = try #require(Gap(json: answer.json))
            #expect(gap.reason == .retention)
            #expect(gap.before.sequence == 3)
            let rest = try await server.request("GET", "/api/events?after=\(gap.before)", headers: headers)
            #expect(try events(rest).first?.position.sequence == 4)
            // Whoever names no position has lost nothing.
            #expect(try await server.request("GET", "/api/events", headers: headers).body == rest.body)
            let explained = try await server.request(
                "GET", "/api/events/\(early)/explain?user=guest", headers: headers)
            #expect(explained.status == 410)
            try await server.shell("DELETE FROM rolecall_events")
            let empty = try await server.request("GET", "/api/events?after=\(head)", headers: headers)
            #expect(try events(empty).isEmpty)
            #expect(try position(empty) == head)
        }
    }

    @Test("who sees little of a long log gets on in it, a reading at a time")
    func long() async throws {
        try await LiveServer.run { server in
            let start = try await server.addThing("first")
            try await server.shell(
                """
                INSERT INTO thing(name, admin_only) WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n \
                WHERE i < 12000) SELECT 'secret', 1 FROM n
                """)
            let last = try await server.addThing("last")
            let headers = try await bearer(server, "test@example.com")
            let first = try await server.request("GET", "/api/events?after=\(start)", headers: headers)
            #expect(try events(first).isEmpty)
            let reached = try position(first)
            #expect(reached.sequence > start.sequence)
            #expect(reached.sequence < last.sequence)
            let second = try await server.request("GET", "/api/events?after=\(reached)", headers: headers)
            #expect(try events(second).map(\.position) == [last])
        }
    }
}
