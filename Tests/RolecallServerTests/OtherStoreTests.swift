import MemoryStore
import ModelStore
import RolecallConfiguration
import RolecallProtocol
import TestSupport
import Testing
import WireJSON

@testable import RolecallCore
@testable import RolecallServer

/// The server on a store that does what SQLite never does: transactions at the same time, bodies that run twice, identity
/// cursors that except what still runs, positions that come later, a log that is set back.
@Suite("On a store that is not SQLite")
struct OtherStoreTests {
    private func memory() -> MemoryStore {
        func column(_ name: String, _ kind: Column.Kind, isRequired: Bool = false, isNullable: Bool = false) -> Column {
            Column(name: name, kind: kind, isRequired: isRequired, isNullable: isNullable)
        }
        let key = column("_id", .integer)
        return MemoryStore(
            [
                .init(
                    Model(
                        name: ModelName.user, path: "users", table: "rolecall_user", key: key,
                        columns: [
                            key, column("email", .text, isRequired: true), column("name", .text, isRequired: true),
                            column("role", .text, isRequired: true), column("generation", .integer),
                        ])),
                .init(
                    Model(
                        name: "thing", path: "things", table: "thing", key: key,
                        columns: [
                            key, column("name", .text, isRequired: true), column("info", .text, isNullable: true),
                            column("active", .boolean), column("admin_only", .boolean),
                        ]), defaults: ["active": .boolean(true), "admin_only": .boolean(false)]),
            ], seed: .random(in: 1...1_000_000), tripTime: .milliseconds(1))
    }

    private func token(_ email: String, _ server: LiveServer) async throws -> [(String, String)] {
        [("Authorization", "Bearer \(try await server.token(for: email))"), ("Content-Type", "application/json")]
    }

    @Test("rows, roles and sockets work as they do on SQLite")
    func wholeLine() async throws {
        try await LiveServer.run(on: memory()) { server in
            let user = try await server.connect(
                auth: ["token": .string(try await server.token(for: "test@example.com"))])
            #expect(try await user.identity(.auth).user?.role == "user")
            let made = try await server.request(
                "POST", "/api/things", headers: try await token("admin@example.com", server),
                body: #"{"name": "secret", "admin_only": true}"#)
            #expect(made.status == 201 && made.headers["x-rolecall-position"] != nil)
            try await server.addThing("open")
            try await user.thing("open")
            #expect(await user.thingNames == ["open"])

            let id = try await server.user("test@example.com").id
            let promoted = try await server.request(
                "PUT", "/api/users/\(id)/role", headers: try await token("admin@example.com", server),
                body: #"{"role": "admin"}"#)
            #expect(promoted.status == 200)
            // It is answered when it holds.
            #expect(try await user.call("whoami")["user"]?["role"] == "admin")
            try await server.addThing("for admins", adminOnly: true)
            try await user.thing("for admins")
            #expect(try await user.call("logout") == ["data": "un-registered"])
        }
    }

    @Test("two administrators that step down at the same time leave one")
    func demotions() async throws {
        try await LiveServer.run(on: memory()) { server in
            let emails = ["admin@example.com", "test@example.com"]
            for round in 0..<20 {
                try await server.store.transaction { transaction in
                    for email in emails {
                        guard let user = try transaction.user(email: email) else { continue }
                        try transaction.setRole("admin", ofUser: user.id)
                    }
                }
                async let first = server.request(
                    "PUT", "/api/users/me/role", headers: try await token(emails[0], server), body: #"{"role": "user"}"#
                )
                async let second = server.request(
                    "PUT", "/api/users/me/role", headers: try await token(emails[1], server), body: #"{"role": "user"}"#
                )
                #expect(try await [first.status, second.status].sorted() == [200, 409], "round \(round)")
                #expect(try await server.store.inspect { try $0.userCount(role: "admin") }.value == 1)
            }
        }
    }

    @Test("of two changes that rely on the same state one is refused")
    func preconditions() async throws {
        try await LiveServer.run(on: memory()) { server in
            let admin = try await token("admin@example.com", server)
            let made = try await server.request("POST", "/api/things", headers: admin, body: #"{"name": "pump"}"#)
            let id = try #require(made.json["_id"]?.integerValue)
            var tag = try #require(made.headers["etag"])
            for _ in 0..<20 {
                let headers = admin + [("If-Match", tag)]
                async let first = server.request(
                    "PATCH", "/api/things/\(id)", headers: headers, body: #"{"info": "1"}"#)
                async let second = server.request(
                    "PATCH", "/api/things/\(id)", headers: headers, body: #"{"info": "2"}"#)
                let answers = try await [first, second]
                #expect(answers.map(\.status).sorted() == [200, 412])
                tag = try #require(answers.first { $0.status == 200 }?.headers["etag"])
            }
        }
    }

    @Test("a position that comes later is waited for, and an answer without one says that it is done")
    func pending() async throws {
        let memory = memory()
        try await LiveServer.run(on: memory) { server in
            let admin = try await token("admin@example.com", server)
            let socket = try await server.connect(
                auth: ["token": .string(try await server.token(for: "admin@example.com"))])
            _ = try await socket.identity(.auth)
            memory.holdPositions()
            async let answer = server.request("POST", "/api/things", headers: admin, body: #"{"name": "later"}"#)
            _ = try await eventually {
                try await memory.page(PageQuery(of: try server.model("thing"))).rows.contains {
                    $0["name"] == .text("later")
                } ? true : nil
            }
            #expect(await socket.thingNames.isEmpty)
            memory.releasePositions()
            #expect(try await answer.status == 201)
            let position = try await answer.headers["x-rolecall-position"]
            #expect(try await socket.thing("later").position.description == position)
        }
    }

    @Test("a log that is set back is told to each live socket, which goes on in the new era; what was is unknown")
    func setBack() async throws {
        let memory = memory()
        try await LiveServer.run(on: memory) { server in
            let token = try await server.token(for: "test@example.com")
            let socket = try await server.connect(auth: ["token": .string(token)])
            _ = try await socket.identity(.auth)
            let kept = try await server.addThing("kept")
            try await socket.thing("kept")
            let lost = try await server.addThing("lost")
            try await socket.thing("lost")

            memory.setBack(to: kept.sequence)
            let gap = try await socket.first { item -> Gap? in
                guard case .event(Gap.eventName, let arguments) = item else { return nil }
                return arguments.first.flatMap(Gap.init)
            }
            #expect(gap.reason == .unknown && gap.after == lost.description)
            #expect(gap.before.era != kept.era && gap.before.sequence == kept.sequence)

            let next = try await server.addThing("next")
            #expect(next.sequence == lost.sequence && next.era != lost.era)
            #expect(try await socket.thing("next").position == next)

            // Where both agree a client goes on; what was told of the lost stretch is known for no place.
            let resumed = try await server.connect(
                auth: ["token": .string(token), "after": .string(kept.description)])
            try await resumed.thing("next")
            #expect(await resumed.thingNames == ["next"])
            let stray = try await server.connect(auth: ["token": .string(token), "after": .string(lost.description)])
            let reason = try await stray.first { item -> Gap.Reason? in
                guard case .event(Gap.eventName, let arguments) = item else { return nil }
                return arguments.first.flatMap(Gap.init)?.reason
            }
            #expect(reason == .unknown)
            // Identities are followed in the new era, too.
            let id = try await server.user("test@example.com").id
            try await server.store.transaction { try $0.setRole("admin", ofUser: id) }
            #expect(try await socket.identity(.roleChanged).user?.role == "admin")
        }
    }

    @Test("a demotion that the log's end took with it is given back on open sockets")
    func setBackIdentity() async throws {
        let memory = memory()
        try await LiveServer.run(on: memory) { server in
            let user = try await server.user("test@example.com")
            let socket = try await server.connect(
                auth: ["token": .string(try await server.token(for: "test@example.com"))])
            _ = try await socket.identity(.auth)
            let before = try await memory.head().sequence
            try await server.store.transaction { try $0.setRole("admin", ofUser: user.id) }
            #expect(try await socket.identity(.roleChanged).user?.role == "admin")
            memory.setBack(to: before)
            let roles = try await eventually {
                let roles = await socket.received.compactMap { $0.identity?.user?.role }
                return roles.count == 3 ? roles : nil
            }
            #expect(roles == ["user", "admin", "user"])
        }
    }
}
