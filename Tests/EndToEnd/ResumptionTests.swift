import Foundation
import Testing
import WireJSON

extension EndToEnd {
    @Suite("List, then follow", .stage())
    struct ResumptionTests {
        let stage: Stage

        init() throws { stage = try Stage.current }

        @Test("while rows are written, a list and what follows its position have each row once, without a hole")
        func listThenFollow() async throws {
            let token = try await stage.token(.user)
            let stem = stage.row("stream")
            let rows = 600
            let statements = (1...rows).map { "insert into thing(name, info) values('\(stem)', '\($0)');" }
            try await RowWriter.with(statements, in: stage.server) { writer in
                var followers: [(listed: [String], position: String, socket: SocketPeer)] = []
                while writer.isWriting, followers.count < 30 {
                    let list = try await stage.peers.http(
                        stage.server, "GET", "/api/things?limit=1000&name=\(stem.replacing(" ", with: "%20"))",
                        token: token)
                    let position = try #require(list.position)
                    let socket = try await stage.peers.connect(
                        stage.server, auth: ["token": .string(token), "after": .string(position)])
                    followers.append(
                        (list.json.arrayValue?.compactMap { $0["info"]?.stringValue } ?? [], position, socket))
                }
                try await writer.finish()
                #expect(
                    followers.contains { !$0.listed.isEmpty && $0.listed.count < rows },
                    "Some list has to fall into the middle.")
                for follower in followers {
                    try await stage.barrier(follower.socket)
                    let told = follower.socket.heard.compactMap(\.savedThing)
                        .filter { $0["name"]?.stringValue == stem }.compactMap { $0["info"]?.stringValue }
                    #expect(follower.listed + told == (1...rows).map { "\($0)" })
                    let listed = try #require(LogPlace(follower.position))
                    #expect(follower.socket.places().allSatisfy { $0 > listed })
                    #expect(follower.socket.places() == follower.socket.places().sorted())
                    #expect(follower.socket.heard.allSatisfy { $0.event?.name != "gap" })
                }
            }
        }

        @Test("a position that the live stream has not reached yet is followed without a double")
        func aheadOfTheStream() async throws {
            let token = try await stage.token(.user)
            for _ in 1...10 {
                // Open beforehand, so that nothing but CONNECT lies between the list and the stream.
                let socket = try await stage.peers.webSocket(stage.server)
                try await socket.text(startingWith: "0{")
                let (row, next) = (stage.row("row"), stage.row("next"))
                try await stage.write(row)
                let list = try await stage.peers.http(
                    stage.server, "GET", "/api/things?name=\(row.replacing(" ", with: "%20"))", token: token)
                #expect(list.json.arrayValue?.count == 1)
                let auth: JSON = ["token": .string(token), "after": .string(try #require(list.position))]
                socket.send("40\(auth)")
                try await stage.write(next)
                _ = try await socket.transcript.first("the next row") { $0.text?.contains("\"\(next)\"") == true }
                #expect(!socket.heard.contains { $0.text?.contains("\"\(row)\"") == true }, "It was listed already.")
            }
        }

        @Test("who comes back with a position gets exactly what he missed, as he may see it now")
        func missed() async throws {
            let account = try await stage.account(role: "admin")
            let adminToken = try await stage.peers.signIn(stage.server, account)
            let userToken = try await stage.token(.user)
            let (shown, secret, turned) = (stage.row("shown"), stage.row("secret"), stage.row("turned"))
            try await stage.write(turned)
            let socket = try await stage.connect(.user)
            try await stage.barrier(socket)
            let last = try #require(socket.positions().last)
            try await socket.disconnect()

            try await stage.write(shown)
            try await stage.write(secret, adminOnly: true)
            try await stage.server.sqlite(
                """
                update thing set info = 'changed' where name in ('\(shown)', '\(secret)');
                update thing set admin_only = 1 where name = '\(turned)';
                delete from thing where name in ('\(shown)', '\(secret)');
                """)

            let asUser = try await stage.peers.connect(
                stage.server, auth: ["token": .string(userToken), "after": .string(last)])
            let asAdmin = try await stage.peers.connect(
                stage.server, auth: ["after": .string(last)], cookie: adminToken)
            let asNobody = try await stage.peers.connect(stage.server, auth: ["after": .string(last)])
            try await stage.barrier(asUser, asAdmin)
            #expect(
                summary(asUser) == [
                    "created \(shown)", "updated \(shown)", "hidden", "removed", "created barrier",
                ])
            #expect(
                summary(asAdmin) == [
                    "created \(shown)", "created \(secret)", "updated \(shown)", "updated \(secret)",
                    "updated \(turned)", "removed", "removed", "created barrier",
                ])
            #expect(asAdmin.places() == Array(Set(asAdmin.places())).sorted())
            let end = try await stage.barrier(anonymous: asNobody)
            #expect(asNobody.heard[..<end].compactMap(\.event).map(\.name) == ["identity"])

            // One who was an admin when he left gets what a user may see when he is a user as he comes back.
            try await stage.server.user("set-role", account.email, "user")
            let demoted = try await stage.peers.connect(
                stage.server, auth: ["token": .string(adminToken), "after": .string(last)])
            #expect(try await demoted.identity().identity["user"]?["role"] == "user")
            try await stage.barrier(demoted)
            #expect(demoted.heard.allSatisfy { !$0.description.contains(secret) })
            #expect(Array(summary(demoted).prefix(4)) == ["created \(shown)", "updated \(shown)", "hidden", "removed"])
        }

        @Test("identity comes first, then what was missed, then what happens")
        func order() async throws {
            let token = try await stage.token(.user)
            let list = try await stage.peers.http(stage.server, "GET", "/api/things?limit=1", token: token)
            let position = try #require(list.position)
            let row = stage.row("row")
            try await stage.write(row)
            let socket = try await stage.peers.connect(
                stage.server, auth: ["token": .string(token), "after": .string(position)])
            try await stage.barrier(socket)
            let events = socket.heard.compactMap(\.event).filter { $0.name != "presence" }
            #expect(events.first?.name == "identity")
            #expect(events.map(\.name) == ["identity", "thing:save", "thing:save"])
            #expect(events.dropFirst().first?.arguments.first?["name"]?.stringValue == row)
        }

        @Test("the newest position misses nothing: no event comes, and no gap")
        func newest() async throws {
            let token = try await stage.token(.user)
            let list = try await stage.peers.http(stage.server, "GET", "/api/things", token: token)
            let socket = try await stage.peers.connect(
                stage.server, auth: ["token": .string(token), "after": .string(try #require(list.position))])
            try await stage.barrier(socket)
            #expect(
                socket.heard.compactMap(\.event).map(\.name).filter { $0 != "presence" } == ["identity", "thing:save"])
        }

        @Test("a position of another log, past this one's head, or of no log at all is answered with gap unknown")
        func unknown() async throws {
            let token = try await stage.token(.user)
            let list = try await stage.peers.http(stage.server, "GET", "/api/things", token: token)
            let log = try #require(list.position?.prefix(12))
            for position in [
                "0123456789ab-0000000000000001", "\(log)-00000000ffffffff", "\(log)-7fffffffffffffff",
                "\(log)-ffffffffffffffff", "nonsense", "", "\(log)-1",
            ] {
                let socket = try await stage.peers.connect(
                    stage.server, auth: ["token": .string(token), "after": .string(position)])
                let gap = try await socket.event("gap")
                #expect(gap.arguments.first?["reason"] == "unknown", "\(position)")
                #expect(gap.arguments.first?["after"]?.stringValue == position)
                #expect(gap.arguments.first?["before"]?.stringValue?.hasPrefix(log) == true, "\(position): \(gap)")
                #expect(try await socket.identity().identity["reason"] == "auth")
                try await stage.barrier(socket)
                #expect(socket.positions().count == 1, "Events are told from here on.")
            }
        }

        @Test("a position outlives the server: what was written while it was down is told")
        func acrossRestart() async throws {
            try await Stage.with { stage in
                let token = try await stage.token(.user)
                let socket = try await stage.connect(.user)
                try await stage.barrier(socket)
                let last = try #require(socket.positions().last)
                #expect(try await stage.server.stop() == .status(0))
                _ = try await socket.transcript.first("the end of the connection") {
                    if case .disconnected = $0.kind { true } else { false }
                }
                try await stage.write("while it was down")
                try await stage.write("secretly", adminOnly: true)
                try await stage.server.restart()
                let again = try await stage.peers.connect(
                    stage.server, auth: ["token": .string(token), "after": .string(last)])
                try await stage.barrier(again)
                #expect(summary(again) == ["created while it was down", "created barrier"])
            }
        }

        /// The model events that a socket got: operations and names.
        private func summary(_ socket: SocketPeer) -> [String] {
            socket.heard.compactMap { heard in
                guard let event = heard.event, event.name.hasPrefix("thing:") else { return nil }
                let operation = event.arguments[1]["op"]?.stringValue ?? "?"
                guard let name = event.arguments[0]["name"]?.stringValue else { return operation }
                return "\(operation) \(name.hasPrefix("barrier") ? "barrier" : name)"
            }
        }
    }
}
