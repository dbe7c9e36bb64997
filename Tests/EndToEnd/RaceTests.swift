import Foundation
import Testing
import WireJSON

extension EndToEnd {
    @Suite("Races", .stage())
    struct RaceTests {
        let stage: Stage

        init() throws { stage = try Stage.current }

        @Test(
            "of many logins and logouts that nobody waited for, the last one stands, and the answers keep their order",
            arguments: [true, false])
        func manyPairs(endsWithLogin: Bool) async throws {
            let tokens = [try await stage.token(.user), try await stage.token(.admin)]
            let socket = try await stage.peers.connect(stage.server)
            try await socket.identity()
            let last = endsWithLogin ? 151 : 150
            for number in 1...last {
                if number % 2 == 1 {
                    socket.emit("login", .string(tokens[number / 2 % 2]), acknowledgement: number)
                } else {
                    socket.emit("logout", acknowledgement: number)
                }
            }
            _ = try await socket.acknowledgement(last, within: .seconds(30))

            var answered: [Int] = []
            var epochs: [Int64] = []
            var identity = JSON.null
            for heard in socket.heard {
                if let told = heard.identity {
                    identity = told
                    epochs.append(try #require(told["epoch"]?.integerValue))
                }
                guard case .acknowledgement(let number, let arguments) = heard.kind else { continue }
                answered.append(number)
                if number % 2 == 1 {
                    #expect(arguments == [["data": "registered"]])
                    let email: JSON = number / 2 % 2 == 0 ? "test@example.com" : "admin@example.com"
                    #expect(identity["user"]?["email"] == email, "The identity stands before its acknowledgement.")
                } else {
                    #expect(arguments == [["data": "un-registered"]])
                    #expect(identity["user"] == .null)
                }
            }
            #expect(answered == Array(1...last))
            #expect(zip(epochs, epochs.dropFirst()).allSatisfy { $0 < $1 }, "Each change has a new epoch: \(epochs)")
            #expect(try await socket.call("whoami")["user"]?["email"] == (endsWithLogin ? "admin@example.com" : nil))

            let row = stage.row("row")
            try await stage.write(row, adminOnly: true)
            if endsWithLogin {
                try await socket.thing(row)
            } else {
                try await stage.barrier(anonymous: socket)
                #expect(!socket.things().contains(row))
            }
        }

        @Test("two sockets that change hands at the same time do not mix")
        func twoSockets() async throws {
            let (admin, user) = (try await stage.token(.admin), try await stage.token(.user))
            let first = try await stage.peers.connect(stage.server, "first")
            let second = try await stage.peers.connect(stage.server, "second")
            for number in 0..<60 {
                let isEven = number % 2 == 0
                first.emit("login", .string(isEven ? admin : user), acknowledgement: 2 * number)
                second.emit("login", .string(isEven ? user : admin), acknowledgement: 2 * number)
                first.emit("whoami", acknowledgement: 2 * number + 1)
                second.emit("whoami", acknowledgement: 2 * number + 1)
            }
            for (socket, evenly) in [(first, "admin@example.com"), (second, "test@example.com")] {
                _ = try await socket.acknowledgement(119, within: .seconds(30))
                for number in 0..<60 {
                    let answer = try await socket.acknowledgement(2 * number + 1)
                    let isEvenly = answer.first?["user"]?["email"]?.stringValue == evenly
                    #expect(isEvenly == (number % 2 == 0), "\(socket.name), \(number)")
                }
            }
            let row = stage.row("row")
            try await stage.write(row, adminOnly: true)
            try await second.thing(row)
            try await stage.barrier(first)
            #expect(!first.things().contains(row))
        }

        @Test("while rows for admins are written, none follows the acknowledgement of a logout")
        func fence() async throws {
            let admin = try await stage.token(.admin)
            let sockets = [
                try await stage.peers.connect(stage.server), try await stage.peers.connect(stage.server),
            ]
            try await RowWriter.with(secrets(named: stage.row("secret")), in: stage.server) { writer in
                for round in 1...40 {
                    for socket in sockets { socket.emit("login", .string(admin), acknowledgement: 2 * round) }
                    for socket in sockets {
                        _ = try await socket.acknowledgement(2 * round)
                        if round % 3 == 0 { try await socket.event("thing:save", from: socket.count) }
                        socket.emit("logout", acknowledgement: 2 * round + 1)
                    }
                    for socket in sockets { _ = try await socket.acknowledgement(2 * round + 1) }
                }
                #expect(writer.isWriting, "The rows ended before the logouts did.")
            }
            for socket in sockets {
                try await stage.barrier(anonymous: socket)
                var maySee = false
                for heard in socket.heard {
                    if let identity = heard.identity {
                        maySee = identity["user"]?["role"] == "admin"
                    } else if heard.savedThing?["admin_only"] == true {
                        #expect(maySee, "\(heard) came to a socket that was nobody's.")
                    }
                }
                #expect(socket.things().count > 10, "Some rows have to be told while the socket was the admin's.")
                let places = socket.places()
                #expect(places == Array(Set(places)).sorted(), "Each once, and in the log's order.")
            }
        }

        @Test("while rows for admins are written, none follows the identity of one who is an admin no more")
        func demotionFence() async throws {
            let account = try await stage.account(role: "admin")
            let token = try await stage.peers.signIn(stage.server, account)
            let sockets = [
                try await stage.peers.connect(stage.server, auth: ["token": .string(token)]),
                try await stage.peers.connect(stage.server, cookie: token),
                try await stage.peers.connect(stage.server, bearer: token),
            ]
            let witness = try await stage.connect(.admin, "witness")
            for socket in sockets { try await socket.identity() }
            let stem = stage.row("secret")
            try await RowWriter.with(secrets(named: stem), in: stage.server) { _ in
                for socket in sockets { try await socket.thing("\(stem) 5") }
                try await stage.server.user("set-role", account.email, "user")
                for socket in sockets { try await socket.identity("role_changed") }
                for _ in 1...20 { try await witness.event("thing:save", from: witness.count) }
            }
            for socket in sockets {
                try await stage.barrier(socket)
                let demoted = try await socket.identity("role_changed").index
                #expect(socket.things(from: demoted).filter { $0.hasPrefix(stem) } == [])
            }
        }

        @Test("a socket that ends in the middle of its logins leaves the server well")
        func suddenEnd() async throws {
            let token = JSON.string(try await stage.token(.admin))
            for _ in 1...10 {
                let socket = try await stage.peers.connect(stage.server)
                for number in 1...20 {
                    socket.emit(number % 2 == 0 ? "logout" : "login", token, acknowledgement: number)
                }
                try await socket.disconnect()
            }
            let socket = try await stage.connect(.user)
            try await stage.barrier(socket)
            #expect(stage.server.process.exit == nil)
        }

        /// More rows for admins than are written in any of these tests.
        private func secrets(named stem: String) -> [String] {
            (1...20_000).map { "insert into thing(name, admin_only) values('\(stem) \($0)', 1);" }
        }
    }
}
