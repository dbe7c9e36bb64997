import Foundation
import ModelStore
import RolecallProtocol
import SocketIOClient
import TestSupport
import Testing
import WireJSON

@testable import RolecallCore
@testable import RolecallServer

@Suite("Identity ahead of the log")
struct RevocationTests {
    @Test(
        "a session that ends takes its sockets along, whoever ends it, and no other's",
        arguments: ["api", "shell", "gone"])
    func endedSession(how: String) async throws {
        try await LiveServer.run { server in
            let user = try await server.user("admin@example.com")
            let start = try await server.store.transaction { transaction in
                for id in ["mine", "other"] {
                    try transaction.insertSession(
                        SessionRecord(
                            id: id, user: user.id, createdAt: .now,
                            expiresAt: Timestamp(milliseconds: Timestamp.now.milliseconds + 3_600_000)))
                }
            }.place
            let mine = try await server.token(for: "admin@example.com", session: "mine")
            let other = try await server.token(for: "admin@example.com", session: "other")
            let ended = try await server.connect(auth: ["token": .string(mine)])
            let kept = try await server.connect(auth: ["token": .string(other)])
            _ = try await ended.identity(.auth)
            _ = try await kept.identity(.auth)

            switch how {
            case "api": try await server.store.transaction { _ = try $0.revokeSession(id: "mine", at: .now) }
            case "shell": try await server.shell("UPDATE rolecall_session SET revoked_at = 1 WHERE id = 'mine'")
            default: try await server.shell("DELETE FROM rolecall_session WHERE id = 'mine'")
            }
            #expect(try await ended.identity(.signedOut).user == nil)
            #expect(try await ended.call("login", [.string(mine)])["error"] == "token_revoked")
            try await server.addThing("secret", adminOnly: true)
            try await kept.thing("secret")
            #expect(try await ended.call("whoami")["user"] == .null)
            #expect(await ended.thingNames.isEmpty)
            #expect(try await kept.call("whoami")["reason"] == "auth")
            // The end itself is told to nobody, live or afterwards.
            let late = try await server.connect(auth: ["token": .string(other), "after": .string(start.description)])
            try await late.thing("secret")
            for socket in [kept, late] {
                #expect(await socket.received.compactMap(\.modelEvent).map(\.model) == ["thing"])
            }
        }
    }

    @Test("signing out everywhere voids tokens of no session, too, and their sockets follow")
    func everywhere() async throws {
        try await LiveServer.run { server in
            let token = try await server.token(for: "test@example.com")
            let socket = try await server.connect(auth: ["token": .string(token)])
            _ = try await socket.identity(.auth)
            let headers = [("Authorization", "Bearer \(token)")]
            #expect(try await server.request("DELETE", "/api/users/me/sessions", headers: headers).status == 200)
            _ = try await socket.first { item in item.identity.flatMap { $0.user == nil ? $0 : nil } }
            let refused = try await server.request("GET", "/api/users/me", headers: headers)
            #expect(refused.status == 401)
            #expect(refused.json["error"] == "token_revoked")
            let other = try await server.token(for: "admin@example.com")
            let kept = try await server.request("GET", "/api/users/me", headers: [("Authorization", "Bearer \(other)")])
            #expect(kept.status == 200)
        }
    }

    @Test("a session that was ended and is there again can be logged in with")
    func sessionAgain() async throws {
        try await LiveServer.run { server in
            let user = try await server.user("test@example.com")
            try await server.store.transaction { transaction in
                try transaction.insertSession(
                    SessionRecord(
                        id: "s", user: user.id, createdAt: .now,
                        expiresAt: Timestamp(milliseconds: Timestamp.now.milliseconds + 3_600_000)))
            }
            let token = try await server.token(for: "test@example.com", session: "s")
            let socket = try await server.connect(auth: ["token": .string(token)])
            _ = try await socket.identity(.auth)
            try await server.shell("UPDATE rolecall_session SET revoked_at = 1")
            _ = try await socket.identity(.signedOut)
            try await server.shell("UPDATE rolecall_session SET revoked_at = NULL")
            #expect(try await socket.call("login", [.string(token)]) == ["data": "registered"])
        }
    }

    @Test("a demotion behind thirty thousand events is there before they are told, and none of them is")
    func aheadOfAnImport() async throws {
        try await LiveServer.run { server in
            let admin = try await server.user("admin@example.com")
            let socket = try await server.connect(
                auth: ["token": .string(try await server.token(for: "admin@example.com"))])
            _ = try await socket.identity(.auth)
            let count = 30_000
            try await server.shell(
                """
                WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < \(count)) \
                INSERT INTO thing(name, admin_only) SELECT 'secret ' || i, 1 FROM n;
                UPDATE rolecall_user SET role = 'user' WHERE _id = \(admin.id);
                INSERT INTO thing(name) VALUES ('open');
                """)
            #expect(try await socket.identity(.roleChanged).user?.role == "user")
            try await socket.thing("open")
            let received = await socket.received
            let place = try #require(received.firstIndex { $0.identity?.reason == .roleChanged })
            #expect(received[..<place].compactMap(\.modelEvent).count < count)
            #expect(
                received[place...].compactMap(\.modelEvent).filter { $0.model == "thing" }.map { $0.row["name"] } == [
                    "open"
                ])
        }
    }

    @Test("who waits until a write holds on every socket finds it there")
    func settled() async throws {
        try await LiveServer.run { server in
            let user = try await server.user("test@example.com")
            let socket = try await server.connect(
                auth: ["token": .string(try await server.token(for: "test@example.com"))])
            _ = try await socket.identity(.auth)
            for number in 0..<20 {
                let role = number.isMultiple(of: 2) ? "admin" : "user"
                let written = try await server.store.transaction { try $0.setRole(role, ofUser: user.id) }
                await server.node.settled(through: written.identity)
                #expect(try await socket.call("whoami")["user"]?["role"]?.stringValue == role)
            }
        }
    }
}
