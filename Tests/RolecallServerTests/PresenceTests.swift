import ModelStore
import NIOCore
import RolecallProtocol
import SocketIOClient
import Testing
import WireJSON

@testable import RolecallCore
@testable import RolecallServer

@Suite("Presence on a live server")
struct PresenceTests {
    private func token(_ server: LiveServer, _ email: String) async throws -> JSON {
        ["token": .string(try await server.token(for: email))]
    }

    @Test(
        "a snapshot follows each change of identity, with what the receiver may see of users; guests are told nothing")
    func snapshot() async throws {
        try await LiveServer.run { server in
            let (adminID, userID) = (
                try await server.user("admin@example.com").id, try await server.user("test@example.com").id
            )
            let guest = try await server.connect()
            let admin = try await server.connect(auth: try await token(server, "admin@example.com"))
            try await admin.presence { !$0.isEmpty }
            let user = try await server.connect(auth: try await token(server, "test@example.com"))
            let seenByUser = try await user.presence { $0.count == 2 }
            #expect(
                seenByUser == [
                    ["user": ["_id": .integer(adminID), "name": "Admin"], "sockets": 1, "state": "joined"],
                    ["user": ["_id": .integer(userID), "name": "Test User"], "sockets": 1, "state": "joined"],
                ])
            let seenByAdmin = try await admin.presence { $0.count == 2 }
            #expect(
                seenByAdmin == [
                    [
                        "user": ["_id": .integer(adminID), "name": "Admin", "role": "admin"], "sockets": 1,
                        "state": "joined",
                    ],
                    [
                        "user": ["_id": .integer(userID), "name": "Test User", "role": "user"], "sockets": 1,
                        "state": "joined",
                    ],
                ])
            // The same socket as somebody else: everyone again, for its new eyes.
            _ = try await user.call("login", [.string(try await server.token(for: "admin@example.com"))])
            let again = try await user.presence { $0.count == 4 }
            #expect(again.suffix(2).allSatisfy { $0["user"]?["role"] != nil })
            #expect(await guest.presence == [])
        }
    }

    @Test("a second socket and its end say nothing; the last one's end is told when the time is up")
    func leaving() async throws {
        try await LiveServer.run(configure: { $0.presenceLinger = .milliseconds(50) }) { server in
            let watcher = try await server.connect(auth: try await token(server, "admin@example.com"))
            let auth = try await token(server, "test@example.com")
            let first = try await server.connect(auth: auth)
            try await watcher.presence { $0.count == 2 }
            let second = try await server.connect(auth: auth)
            _ = try await second.identity(.auth)
            await first.connection.disconnect()
            _ = try await second.call("logout")
            let heard = try await watcher.presence { $0.count == 3 }
            #expect(heard.map { $0["state"] } == ["joined", "joined", "left"])
            #expect(heard[2]["user"]?["name"] == "Test User")
            #expect(heard[2]["sockets"] == 0)
        }
    }

    @Test("who comes back in time was never gone")
    func comingBack() async throws {
        try await LiveServer.run(configure: { $0.presenceLinger = .hours(1) }) { server in
            let watcher = try await server.connect(auth: try await token(server, "admin@example.com"))
            let auth = try await token(server, "test@example.com")
            for _ in 0..<3 {
                let socket = try await server.connect(auth: auth)
                _ = try await socket.identity(.auth)
                try await watcher.presence { $0.count >= 2 }
                _ = try await socket.call("logout")
                await socket.connection.disconnect()
            }
            // Whatever was to be told before this is told before it.
            let user = try await server.user("test@example.com")
            let last = try await server.connect(auth: auth)
            _ = try await last.identity(.auth)
            try await server.store.transaction { _ = try $0.updateUser(id: user.id, name: "Last", email: nil) }
            let heard = try await watcher.presence { $0.contains { $0["user"]?["name"] == "Last" } }
            #expect(heard.map { $0["state"] } == ["joined", "joined", "joined"])
            #expect(heard.map { $0["user"]?["name"] } == ["Admin", "Test User", "Last"])
        }
    }

    @Test("another role of somebody who is on is told to those who may see roles, and ends or begins his own watching")
    func roles() async throws {
        try await LiveServer.run { server in
            let watcher = try await server.connect(auth: try await token(server, "admin@example.com"))
            let socket = try await server.connect(auth: try await token(server, "test@example.com"))
            let user = try await server.user("test@example.com")
            try await socket.presence { $0.count == 2 }

            try await server.store.transaction { try $0.setRole("guest", ofUser: user.id) }
            #expect(try await socket.identity(.roleChanged).user?.role == "guest")
            try await watcher.presence { $0.last?["user"]?["role"] == "guest" }
            let admin = try await server.user("admin@example.com")
            try await server.store.transaction { _ = try $0.updateUser(id: admin.id, name: "Boss", email: nil) }
            try await watcher.presence { $0.contains { $0["user"]?["name"] == "Boss" } }
            #expect(await socket.presence.count == 2, "Guests are told nothing.")

            try await server.store.transaction { try $0.setRole("admin", ofUser: user.id) }
            let heard = try await socket.presence { $0.count == 4 }
            #expect(heard.suffix(2).map { $0["user"]?["role"] } == ["admin", "admin"])
            #expect(heard[2]["user"]?["name"] == "Boss")
        }
    }
}
