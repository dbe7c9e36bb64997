import Foundation
import Testing
import WireJSON

extension EndToEnd {
    @Suite("The demonstration", .stage())
    struct DemonstrationTests {
        let stage: Stage

        init() throws { stage = try Stage.current }

        @Test("who sees a row for admins follows who each socket is, while every socket stays connected")
        func whoSeesWhat() async throws {
            let (server, peers) = (stage.server, stage.peers)
            let adminToken = try await stage.token(.admin)
            let userToken = try await stage.token(.user)
            let admin = try await peers.connect(server, "admin", cookie: adminToken)
            let user = try await peers.connect(server, "user", auth: ["token": .string(userToken)])
            let nobody = try await peers.connect(server, "nobody")

            let adminIdentity = try await admin.identity().identity
            #expect(adminIdentity["reason"] == "cookie")
            #expect(adminIdentity["user"]?["email"] == "admin@example.com")
            #expect(adminIdentity["user"]?["role"] == "admin")
            let userIdentity = try await user.identity().identity
            #expect(userIdentity["reason"] == "auth")
            #expect(userIdentity["user"]?["email"] == "test@example.com")
            let nobodysIdentity = try await nobody.identity().identity
            #expect(nobodysIdentity["reason"] == "anonymous")
            #expect(nobodysIdentity["user"] == .null)

            // A row for admins, written by a shell that knows nothing of the server.
            let first = stage.row("first")
            let shell = try await Shell.run(
                URL(fileURLWithPath: "/usr/bin/env"),
                [
                    "sqlite3", server.database.path, "insert into thing(name, admin_only) values('\(first)', 1)",
                ])
            #expect(shell.exit == .status(0), "\(shell)")
            let arrival = try await admin.thing(first)
            let delay = Int(((arrival.at - shell.ended) * 1000).rounded())
            print("A row was with the admin \(delay) ms after the shell had returned; 250 ms are promised.")
            #expect(arrival.arguments.count == 3)
            #expect(arrival.arguments[0]["admin_only"] == true)
            #expect(arrival.arguments[1]["op"] == "created")
            #expect(arrival.arguments[1]["by"] == .null)
            try await stage.barrier(admin, user)
            #expect(!user.things().contains(first))

            // The admin logs out, and is nobody on the same connection.
            let before = admin.count
            #expect(try await admin.call("logout") == ["data": "un-registered"])
            let left = try await admin.identity("logout", from: before)
            #expect(left.identity["user"] == .null)
            let second = stage.row("second")
            try await stage.write(second, adminOnly: true)
            try await stage.barrier(user)
            #expect(!user.things().contains(second))
            #expect(try await admin.call("whoami")["user"] == .null)
            #expect(try await admin.isConnected())

            // The admin logs in on the user's socket.
            #expect(try await user.call("login", .string(adminToken)) == ["data": "registered"])
            let third = stage.row("third")
            try await stage.write(third, adminOnly: true)
            try await user.thing(third)

            // And the user again.
            #expect(try await user.call("login", .string(userToken)) == ["data": "registered"])
            let fourth = stage.row("fourth")
            try await stage.write(fourth, adminOnly: true)
            try await stage.barrier(user)
            #expect(!user.things().contains(fourth))
            #expect(!user.things().contains(second), "Nothing of an earlier identity is told later.")

            // What was to come to the two who are nobody has come before they are given to somebody.
            let adminsEnd = try await stage.barrier(anonymous: admin)
            let nobodysEnd = try await stage.barrier(anonymous: nobody)
            #expect(admin.heard[left.index..<adminsEnd].compactMap(\.event).map(\.name) == ["identity"])
            #expect(nobody.heard[..<nobodysEnd].compactMap(\.event).map(\.name) == ["identity"])
            for socket in [admin, nobody] {
                #expect(socket.things().filter { [second, third, fourth].contains($0) } == [])
            }
        }
    }
}
