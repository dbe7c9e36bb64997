import Foundation
import ModelStore
import RolecallProtocol
import Testing
import WireJSON

@testable import RolecallCore
@testable import RolecallServer

@Suite("Tables of one's own")
struct OwnTablesTests {
    private static let yaml = """
        models:
          note:
            table: notes
            read: everyone
            write: {role: user}
          tag:
            table: tags
            read: {role: user}
            write: {role: user}
        """
    private static let sql = """
        CREATE TABLE notes(id INTEGER PRIMARY KEY, text TEXT NOT NULL, size AS (length(text)));
        CREATE TABLE tags(name TEXT PRIMARY KEY NOT NULL, colour TEXT, rank REAL);
        """

    @Test("a key that the table does not give is brought by whoever creates, once, and stays")
    func naturalKey() async throws {
        try await withTables(Self.sql, Self.yaml) { server, token in
            let created = try await send(server, token, "POST", "/api/tags", ["_id": "a/b c", "rank": 0.1])
            #expect(created.status == 201)
            #expect(created.json["_id"] == "a/b c")
            #expect(try await send(server, token, "POST", "/api/tags", ["colour": "red"]).status == 422)
            #expect(try await send(server, token, "POST", "/api/tags", ["_id": "a/b c"]).status == 409)
            let path = "/api/tags/a%2Fb%20c"
            let replaced = try await send(server, token, "PUT", path, ["colour": "red"])
            #expect(replaced.json["rank"] == .null, "\(replaced)")
            #expect(try await send(server, token, "PATCH", path, ["_id": "x"]).status == 422)
            let models = try await send(server, token, "GET", "/api/models").json.arrayValue ?? []
            let tag = models.first { $0["name"] == "tag" }
            #expect(tag?["fields"]?.arrayValue?.first { $0["name"] == "_id" }?["required"] == true)
        }
    }

    @Test("a computed column is told, and not written, not even by replacing the row")
    func computed() async throws {
        try await withTables(Self.sql, Self.yaml) { server, token in
            let created = try await send(server, token, "POST", "/api/notes", ["text": "four"])
            #expect(created.json["size"] == 4)
            #expect(try await send(server, token, "PUT", "/api/notes/1", ["text": "five!"]).json["size"] == 5)
            let refused = try await send(server, token, "PATCH", "/api/notes/1", ["size": 7])
            #expect(refused.status == 422)
            #expect(refused.json["field"] == "size")
        }
    }

    @Test("a table that is rebuilt while the server runs is told again, with a gap to those who see it")
    func rebuilt() async throws {
        try await withTables(Self.sql, Self.yaml) { server, token in
            let user = try await server.connect(auth: ["token": .string(token)])
            _ = try await user.identity(.auth)
            let guest = try await server.connect()
            _ = try await guest.identity(.anonymous)
            try await server.shell(
                """
                BEGIN; CREATE TABLE new(name TEXT PRIMARY KEY NOT NULL, colour TEXT, rank REAL); DROP TABLE tags;
                ALTER TABLE new RENAME TO tags; COMMIT;
                """)
            let gap = try await user.first { item in
                if case .event(Gap.eventName, let arguments) = item { Gap(json: arguments[0]) } else { nil }
            }
            #expect(gap.reason == .missed)
            #expect(gap.models == ["tag"])
            try await server.shell("INSERT INTO tags VALUES ('a', 'red', 1); INSERT INTO notes(text) VALUES ('n')")
            let event = try await user.first { $0.modelEvent }
            #expect(event.row["colour"] == "red")
            _ = try await guest.first { $0.modelEvent }
            let heard = await guest.received.contains { item in
                if case .event(Gap.eventName, _) = item { true } else { false }
            }
            #expect(!heard, "A guest sees no tags, and hears of no gap among them.")
            let events = try await send(server, token, "GET", "/api/events?model=tag").json.arrayValue ?? []
            #expect(events.map { $0["event"] } == ["gap", "tag:save"])
        }
    }

    @Test("a table that is gone while the server runs is said to be so; the others go on, and it comes back")
    func vanished() async throws {
        try await withTables(Self.sql, Self.yaml) { server, token in
            let user = try await server.connect(auth: ["token": .string(token)])
            _ = try await user.identity(.auth)
            try await server.shell("ALTER TABLE tags RENAME TO elsewhere")
            let refused = try await send(server, token, "GET", "/api/tags")
            #expect(refused.status == 503)
            #expect(refused.json["message"]?.stringValue?.contains("tags") == true)
            #expect(try await send(server, token, "POST", "/api/tags", ["_id": "x"]).status == 503)
            #expect(try await send(server, token, "POST", "/api/notes", ["text": "n"]).status == 201)
            _ = try await user.first { $0.modelEvent }
            try await server.shell("ALTER TABLE elsewhere RENAME TO tags")
            #expect(try await send(server, token, "POST", "/api/tags", ["_id": "x"]).status == 201)
            _ = try await user.first { item in item.modelEvent.flatMap { $0.model == "tag" ? true : nil } }
        }
    }

    @Test("under --read-only nothing is changed, by whatever way, and everything is told")
    func readOnly() async throws {
        try await withTables(Self.sql, Self.yaml, configure: { $0.isReadOnly = true }) { server, token in
            let user = try await server.connect(auth: ["token": .string(token)])
            _ = try await user.identity(.auth)
            for (method, path) in [
                ("POST", "/api/notes"), ("PUT", "/api/notes/1"), ("PATCH", "/api/notes/1"), ("DELETE", "/api/notes/1"),
                ("POST", "/api/users"), ("PATCH", "/api/users/me"), ("PUT", "/api/users/me/password"),
            ] {
                let answer = try await send(server, token, method, path, ["text": "x"])
                #expect(answer.status == 403, "\(method) \(path)")
                #expect(answer.json["error"] == "read_only", "\(method) \(path)")
            }
            #expect(try await user.call("message", [["body": "hello"]])["error"] == "read_only")
            #expect(try await send(server, token, "GET", "/api/users/me/sessions").status == 200)
            try await server.shell("INSERT INTO notes(text) VALUES ('told')")
            #expect(try await user.first { $0.modelEvent }.row["text"] == "told")
        }
    }

    @Test("the log is kept as long as the configuration says, and who comes back from before is told of a gap")
    func retention() async throws {
        let yaml = Self.yaml + "\nretention: {events: 1000}\n"
        try await withTables(Self.sql, yaml, configure: { $0.pruningInterval = .milliseconds(50) }) { server, token in
            let user = try await server.connect(auth: ["token": .string(token)])
            _ = try await user.identity(.auth)
            let start = try await server.store.head().position
            try await server.shell(
                """
                WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 5000)
                INSERT INTO notes(text) SELECT i FROM n
                """)
            _ = try await user.first { $0.modelEvent?.row["text"] == "5000" ? true : nil }
            let told = await user.received.count { $0.modelEvent != nil }
            #expect(told == 5000, "What has not been told yet is not forgotten.")
            while true {
                let held = try await server.store.span()
                if held.end.sequence - held.start.sequence <= 1000 { break }
                try await Task.sleep(for: .milliseconds(10))
            }
            let late = try await server.connect(auth: ["token": .string(token), "after": .string(start.description)])
            let gap = try await late.first { item in
                if case .event(Gap.eventName, let arguments) = item { Gap(json: arguments[0]) } else { nil }
            }
            #expect(gap.reason == .retention)
        }
    }
}
