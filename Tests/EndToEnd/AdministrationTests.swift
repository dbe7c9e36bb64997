import Foundation
import Testing
import WireJSON

extension EndToEnd {
    @Suite("An admin at work while a user's sockets are open", .stage())
    struct AdministrationTests {
        let stage: Stage

        init() throws { stage = try Stage.current }

        /// A user with an open WebSocket and an open polling connection.
        private struct Target {
            var account: Account
            var id: Int64
            var sockets: [SocketPeer]
        }

        private func target() async throws -> Target {
            let account = try await stage.account()
            let token = try await stage.peers.signIn(stage.server, account)
            var sockets: [SocketPeer] = []
            for polls in [false, true] {
                let socket = try await stage.peers.connect(
                    stage.server, polls ? "polling" : "websocket", auth: ["token": .string(token)], polls: polls)
                try await socket.identity("auth")
                sockets.append(socket)
            }
            let me = try await stage.peers.http(stage.server, "GET", "/api/users/me", token: token)
            return Target(account: account, id: try #require(me.json["_id"]?.integerValue), sockets: sockets)
        }

        @Test(
            "each act takes effect on every socket within a moment, the connections stay, and no row leaks in between")
        func story() async throws {
            let target = try await target()
            let (sockets, admin) = (target.sockets, try await stage.token(.admin))
            let ids = try await socketIDs(sockets)
            let path = "/api/users/\(target.id)"
            var expected: [String] = []
            var written: Set<String> = []

            /// Acts, and waits until every socket is told of it.
            func act(_ method: String, _ path: String, _ json: JSON? = nil, tells reason: String) async throws -> [JSON]
            {
                let counts = sockets.map(\.count)
                let answer = try await stage.peers.http(stage.server, method, path, json: json, token: admin)
                let answered = Shell.now
                #expect(answer.status == 200, "\(method) \(path): \(answer)")
                var told: [JSON] = []
                for (socket, count) in zip(sockets, counts) {
                    let identity = try await socket.identity(reason, from: count)
                    print("\(socket.name) heard \(reason) \(Int((identity.at - answered) * 1000)) ms after the answer.")
                    told.append(identity.identity)
                }
                return told
            }

            /// One row for everyone who sees things, and one for admins, by the shell; those that are seen are waited for.
            func rows(_ stem: String, seenAs role: String?) async throws {
                let (open, secret) = (stage.row("\(stem) open"), stage.row("\(stem) secret"))
                written.formUnion([open, secret])
                try await stage.write(secret, adminOnly: true)
                try await stage.write(open)
                if role == "admin" { expected.append(secret) }
                if role == "admin" || role == "user" {
                    expected.append(open)
                    for socket in sockets { try await socket.thing(open) }
                }
            }

            func logIn(_ token: String) async throws {
                for socket in sockets {
                    #expect(try await socket.call("login", .string(token)) == ["data": "registered"])
                }
            }

            // Another process never stops writing.
            let noise = (1...20_000).map {
                "insert into thing(name, admin_only) values('noise \($0)', \($0 % 2));"
            }
            try await RowWriter.with(noise, in: stage.server) { writer in
                try await rows("as user", seenAs: "user")
                let demoted = try await act("PUT", path + "/role", ["role": "guest"], tells: "role_changed")
                #expect(demoted.allSatisfy { $0["user"]?["role"] == "guest" && $0["models"] == [] })
                try await rows("demoted", seenAs: nil)
                let promoted = try await act("PUT", path + "/role", ["role": "admin"], tells: "role_changed")
                #expect(promoted.allSatisfy { $0["user"]?["role"] == "admin" })
                try await rows("promoted", seenAs: "admin")
                _ = try await act("PUT", path + "/role", ["role": "user"], tells: "role_changed")
                try await rows("user again", seenAs: "user")

                let renamed = try await act("PATCH", path, ["name": "Renamed"], tells: "user_changed")
                #expect(renamed.allSatisfy { $0["user"]?["name"] == "Renamed" })
                try await rows("renamed", seenAs: "user")

                let counts = sockets.map(\.count)
                for (socket, id) in zip(sockets, ids) {
                    let kicked = try await stage.peers.http(
                        stage.server, "DELETE", "/api/sockets/\(id)", token: admin)
                    #expect(kicked.status == 200, "\(kicked)")
                    #expect(kicked.json["user"]?["_id"] == .integer(target.id))
                    _ = socket
                }
                for (socket, count) in zip(sockets, counts) {
                    #expect(try await socket.identity("kicked", from: count).identity["user"] == .null)
                }
                try await rows("kicked", seenAs: nil)
                try await logIn(try await stage.peers.signIn(stage.server, target.account))
                try await rows("back", seenAs: "user")

                let old = try await stage.peers.signIn(stage.server, target.account)
                let next = Account(email: target.account.email, password: "battery staple")
                let reset = try await act(
                    "PUT", path + "/password", ["newPassword": .string(next.password)], tells: "password_changed")
                #expect(reset.allSatisfy { $0["user"] == .null })
                try await rows("reset", seenAs: nil)
                for socket in sockets {
                    #expect(try await socket.call("login", .string(old))["error"] == "token_revoked")
                }
                let token = try await stage.peers.signIn(stage.server, next)
                try await logIn(token)
                try await rows("new password", seenAs: "user")

                _ = try await act("DELETE", path, tells: "user_removed")
                try await rows("removed", seenAs: nil)
                for socket in sockets {
                    #expect(try await socket.call("login", .string(token))["error"] == "user_unknown")
                }
                #expect(writer.isWriting, "It has to be in the way all the time.")
            }

            for socket in sockets {
                try await stage.barrier(anonymous: socket)
                // An identity holds ahead of the log: what was written while the user might not see it can come once he may.
                let seen = socket.things().filter(written.contains)
                #expect(seen.filter(expected.contains) == expected, "\(socket.name): \(seen)")
                #expect(Set(seen).count == seen.count, "\(socket.name): \(seen)")
                #expect(try await socket.isConnected())
                let leaks = leaks(in: socket)
                #expect(leaks.isEmpty, "\(socket.name): \(leaks.prefix(3))")
            }
            #expect(try await socketIDs(sockets) == ids, "They are the connections of the beginning.")
        }

        private func socketIDs(_ sockets: [SocketPeer]) async throws -> [String] {
            var ids: [String] = []
            for socket in sockets { ids.append(try #require(try await socket.id())) }
            return ids
        }

        /// What a socket was told that it might not see as whom it was at that moment, by its own `identity` events.
        private func leaks(in socket: SocketPeer) -> [String] {
            var role: String?
            var leaks: [String] = []
            for heard in socket.heard {
                if let identity = heard.identity { role = identity["user"]?["role"]?.stringValue }
                if let thing = heard.savedThing {
                    let isSecret = thing["admin_only"]?.boolValue != false
                    if role != "admin", role != "user" || isSecret { leaks.append("\(role ?? "nobody"): \(thing)") }
                }
                if let event = heard.event, event.name == "presence" {
                    let user = event.arguments.first?["user"]
                    if role != "admin", role != "user" || user?["role"] != nil {
                        leaks.append("\(role ?? "nobody"): \(event.arguments)")
                    }
                }
            }
            return leaks
        }
    }
}
