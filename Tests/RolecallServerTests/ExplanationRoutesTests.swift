import ModelStore
import RolecallProtocol
import TestSupport
import Testing
import WireJSON

@testable import RolecallCore
@testable import RolecallServer

@Suite("Explanations and descriptions over REST", .blocks)
struct ExplanationRoutesTests {
    private func bearer(_ server: LiveServer, _ email: String) async throws -> [(String, String)] {
        [("Authorization", "Bearer \(try await server.token(for: email))")]
    }

    private func explanation(
        _ server: LiveServer, _ position: Position, _ user: String
    ) async throws -> EventExplanation {
        let answer = try await server.request(
            "GET", "/api/events/\(position)/explain?user=\(user)",
            headers: try await bearer(server, "admin@example.com"))
        try #require(answer.status == 200, "\(answer.body)")
        return try #require(EventExplanation(json: answer.json))
    }

    @Test("an admin is told which rule grants an event, or what stands against each")
    func explained() async throws {
        try await LiveServer.run { server in
            let position = try await server.addThing("vault", adminOnly: true)
            let user = try await explanation(server, position, "TEST@example.com")
            #expect(user.told == nil)
            #expect(user.user?.email == "test@example.com")
            #expect(user.before == nil)
            #expect(user.sentence == "test@example.com (user) gets nothing: no read rule grants it.")
            #expect(
                user.after?.rules.map { $0.reasons.map(\.sentence) } == [
                    ["It asks for the role admin, and this is user."],
                    ["admin_only is true, and the rule asks for false."],
                ])
            let admin = try await explanation(server, position, "\(try await server.user("admin@example.com").id)")
            #expect(admin.told == .created)
            #expect(admin.sentence.hasSuffix("gets thing:save (created): read rule 1 (role admin) grants it."))
            #expect(admin.change == "created")
            #expect(admin.key?.integerValue != nil)
            let guest = try await explanation(server, position, "guest")
            #expect(guest.user == nil)
            #expect(guest.after?.rules.allSatisfy { !$0.isGranted } == true)

            try await server.shell("UPDATE thing SET admin_only = 0 WHERE name = 'vault'")
            let shown = Position(era: position.era, sequence: position.sequence + 1)
            #expect(try await explanation(server, shown, "test@example.com").told == .created)
            #expect(try await explanation(server, shown, "admin@example.com").changed == ["admin_only"])
            try await server.shell("UPDATE thing SET admin_only = 1 WHERE name = 'vault'")
            let hidden = Position(era: position.era, sequence: position.sequence + 2)
            #expect(try await explanation(server, hidden, "test@example.com").told == .hidden)
        }
    }

    @Test(
        "fields that are kept back are named, with the role that sees them, and no value of what the admin may not see")
    func withheld() async throws {
        try await LiveServer.run { server in
            let answer = try await server.request(
                "GET", "/api/events?model=user&limit=1", headers: try await bearer(server, "admin@example.com"))
            let position = try #require(answer.headers["x-rolecall-position"].flatMap(Position.init))
            let user = try await explanation(server, position, "test@example.com")
            #expect(user.after?.withheld.map(\.field).sorted() == ["email", "generation", "role"])
            #expect(user.after?.withheld.first { $0.field == "email" }?.role == "admin")
            #expect(user.after?.withheld.first { $0.field == "generation" }?.role == nil)
            let admin = try await explanation(server, position, "admin@example.com")
            #expect(admin.after?.withheld.map(\.field) == ["generation"])
        }
    }

    @Test("it is for admins, and says what is wrong with a question")
    func refused() async throws {
        try await LiveServer.run { server in
            let position = try await server.addThing("x")
            let path = "/api/events/\(position)/explain"
            let admin = try await bearer(server, "admin@example.com")
            let user = try await bearer(server, "test@example.com")
            #expect(try await server.request("GET", "\(path)?user=guest").status == 401)
            #expect(try await server.request("GET", "\(path)?user=guest", headers: user).status == 403)
            // Whoever may not ask is told that alone.
            #expect(try await server.request("GET", "/api/events/x/explain", headers: user).status == 403)
            let next = Position(era: position.era, sequence: position.sequence + 1)
            let foreign = Position(era: Era(rawValue: 1), sequence: 1)
            let start = Position(era: position.era, sequence: 0)
            for (path, status) in [
                ("/api/events/x/explain?user=guest", 404), ("/api/events/\(next)/explain?user=guest", 404),
                ("/api/events/\(foreign)/explain?user=guest", 404), ("/api/events/\(start)/explain?user=guest", 404),
                ("\(path)?user=nobody%40example.com", 404), ("\(path)?user=99999", 404), (path, 422),
                ("\(path)?user=ann", 422),
            ] {
                let answer = try await server.request("GET", path, headers: admin)
                #expect(answer.status == status, "\(path)")
                #expect(answer.json["message"]?.stringValue?.hasSuffix(".") == true)
            }
        }
    }

    @Test("everybody is told of the models and fields that he may see, and of what he may write")
    func described() async throws {
        try await LiveServer.run { server in
            #expect(try await server.request("GET", "/api/models").body == "[]")
            let user = try await server.request(
                "GET", "/api/models", headers: try await bearer(server, "test@example.com"))
            let models = (user.json.arrayValue ?? []).compactMap(ModelDescription.init)
            #expect(models.map(\.name) == ["user", "message", "thing"])
            #expect(models.map(\.path) == ["users", "messages", "things"])
            #expect(models[0].fields.map(\.name) == ["_id", "name"])
            #expect(models[0].mayCreate == false)
            #expect(
                user.json[2]?.description
                    == #"{"name":"thing","path":"things","key":{"columns":["_id"]},"fields":["#
                    + #"{"name":"_id","kind":"integer","required":false,"nullable":false,"writable":false},"#
                    + #"{"name":"name","kind":"text","required":true,"nullable":false,"writable":true},"#
                    + #"{"name":"info","kind":"text","required":false,"nullable":true,"writable":true},"#
                    + #"{"name":"active","kind":"boolean","required":false,"nullable":false,"writable":true},"#
                    + #"{"name":"admin_only","kind":"boolean","required":false,"nullable":false,"writable":true}],"#
                    + #""create":true,"update":true,"remove":false}"#)
            let message = models[1]
            #expect(message.mayCreate && !message.mayUpdate && message.mayRemove)
            // What the server fills in nobody has to bring, or may.
            #expect(message.field("author")?.isRequired == false)
            #expect(message.field("author")?.isWritable == false)
            #expect(message.field("body")?.isRequired == true)
            let admin = try await server.request(
                "GET", "/api/models", headers: try await bearer(server, "admin@example.com"))
            let accounts = try #require((admin.json.arrayValue ?? []).compactMap(ModelDescription.init).first)
            #expect(accounts.fields.map(\.name) == ["_id", "email", "name", "role"])
            #expect(accounts.mayCreate && accounts.mayUpdate && accounts.mayRemove)
        }
    }
}
