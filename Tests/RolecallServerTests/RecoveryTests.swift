import ModelStore
import NIOCore
import RolecallProtocol
import SocketIOClient
import Testing
import WireJSON

@testable import RolecallCore
@testable import RolecallServer

@Suite("A client that comes back with Socket.IO's own recovery")
struct RecoveryTests {
    /// What a stock client keeps of a connection.
    private struct Memory {
        var pid: String
        var offset: String
    }

    private func memory(_ socket: TestSocket) async throws -> Memory {
        let pid = try #require(socket.connection.pid)
        let received = await socket.received
        let offset = received.reversed().lazy.compactMap { item -> String? in
            guard case .event(_, let arguments) = item else { return nil }
            return arguments.last?.stringValue
        }.first
        return Memory(pid: pid, offset: try #require(offset))
    }

    private func auth(_ memory: Memory? = nil, token: String? = nil) -> JSON {
        var auth: JSONObject = [:]
        if let memory {
            auth["pid"] = .string(memory.pid)
            auth["offset"] = .string(memory.offset)
        }
        if let token { auth["token"] = .string(token) }
        return .object(auth)
    }

    private func hasRecovered(_ socket: TestSocket, _ memory: Memory) -> Bool {
        socket.connection.pid == memory.pid
    }

    @Test("it is told exactly what it missed, and knows it by its own pid")
    func recovers() async throws {
        try await LiveServer.run { server in
            let token = try await server.token(for: "test@example.com")
            let first = try await server.connect(auth: auth(token: token))
            _ = try await first.identity(.auth)
            try await server.addThing("before")
            try await first.thing("before")
            let memory = try await memory(first)
            await first.connection.disconnect()
            try await server.addThing("hidden", adminOnly: true)
            try await server.addThing("missed 1")
            try await server.addThing("missed 2")

            let second = try await server.connect(auth: auth(memory, token: token))
            #expect(hasRecovered(second, memory))
            try await second.thing("missed 2")
            try await server.addThing("live")
            try await second.thing("live")
            #expect(await second.thingNames == ["missed 1", "missed 2", "live"])
        }
    }

    @Test("megabytes that were missed, in large rows, are told once and in order")
    func recoversMegabytes() async throws {
        try await LiveServer.run { server in
            let token = try await server.token(for: "test@example.com")
            let first = try await server.connect(auth: auth(token: token))
            _ = try await first.identity(.auth)
            let memory = try await memory(first)
            await first.connection.disconnect()
            // More than one stretch holds, in fewer events than are read at once.
            let names = (1...20).map { "missed \($0)" }
            try await server.shell(
                names.map { "insert into thing(name, info) values('\($0)', hex(zeroblob(100000)));" }.joined())

            let second = try await server.connect(auth: auth(memory, token: token))
            try await server.addThing("live")
            try await second.thing("live")
            #expect(await second.thingNames == names + ["live"])
        }
    }

    @Test("another user, another role and nobody begin anew, under another pid, and are told nothing of the past")
    func others() async throws {
        try await LiveServer.run { server in
            let token = try await server.token(for: "test@example.com")
            let first = try await server.connect(auth: auth(token: token))
            _ = try await first.identity(.auth)
            let memory = try await memory(first)
            await first.connection.disconnect()
            // Told on every loop: who comes anew after that is not told of it live.
            await server.told(try await server.addThing("missed"))

            for other in [nil, try await server.token(for: "admin@example.com")] {
                let socket = try await server.connect(auth: auth(memory, token: other))
                #expect(!hasRecovered(socket, memory))
                _ = try await socket.identity(other == nil ? .anonymous : .auth)
                _ = try await socket.call("whoami")
                #expect(await socket.thingNames.isEmpty)
            }
            try await server.shell("UPDATE rolecall_user SET role = 'admin' WHERE email = 'test@example.com'")
            let promoted = try await server.connect(auth: auth(memory, token: token))
            #expect(!hasRecovered(promoted, memory))
            _ = try await promoted.identity(.auth)
            _ = try await promoted.call("whoami")
            // The change of the role itself is news to an admin.
            let things = await promoted.received.compactMap(\.modelEvent).filter { $0.model == "thing" }
            #expect(things.isEmpty)
        }
    }

    @Test("a pid opens nothing: made up, broken, or given to another it is nobody's")
    func forged() async throws {
        try await LiveServer.run { server in
            let first = try await server.connect()
            _ = try await first.identity(.anonymous)
            let memory = try await memory(first)
            for pid in ["", "x", String(repeating: "A", count: 64), String(memory.pid.reversed())] {
                let socket = try await server.connect(auth: auth(Memory(pid: pid, offset: memory.offset)))
                #expect(socket.connection.pid?.utf8.count == 64)
                #expect(!hasRecovered(socket, Memory(pid: pid, offset: "")))
                let identity = try await socket.identity(.anonymous)
                #expect(identity.user == nil)
            }
        }
    }

    @Test("it goes on with the models and rooms that it wanted; under a new pid it is told of everything")
    func subscriptions() async throws {
        try await LiveServer.run { server in
            let token = try await server.token(for: "test@example.com")
            let first = try await server.connect(auth: auth(token: token))
            _ = try await first.identity(.auth)
            _ = try await first.call("unsubscribe", [["thing"]])
            let memory = try await memory(first)
            await first.connection.disconnect()
            try await server.addThing("missed")

            // Twice: what was taken up once is not used up.
            for _ in 1...2 {
                let second = try await server.connect(auth: auth(memory, token: token))
                #expect(hasRecovered(second, memory))
                await server.told(try await server.addThing("live"))
                #expect(try await second.call("subscribe", [["message"]])["models"] == ["message", "user"])
                #expect(await second.thingNames.isEmpty)
                await second.connection.disconnect()
            }
            let other = try await server.connect(auth: auth(token: token))
            _ = try await other.identity(.auth)
            try await server.addThing("seen")
            try await other.thing("seen")
        }
    }

    @Test("what is remembered for a ticket is its last socket's wish, for a while after that is gone, and so much")
    func remembered() {
        let interests = RememberedInterests(capacity: 1500, lifetime: .seconds(10))
        var some = Interest()
        some.unsubscribe(from: ["thing"])
        var less = some
        less.unsubscribe(from: ["message"])
        func at(_ second: Int64) -> NIODeadline { .uptimeNanoseconds(UInt64(second) * 1_000_000_000) }

        interests.note(some, of: "A", since: at(1))
        #expect(interests.resume("A", since: at(2)) == some)
        interests.note(less, of: "A", since: at(2))
        interests.left("A", since: at(1), at: at(3))
        interests.note(some, of: "A", since: at(1))
        #expect(interests.resume("A", since: at(30)) == less, "The first one has no say any more.")
        interests.left("A", since: at(30), at: at(40))
        #expect(interests.resume("A", since: at(49)) == less)
        interests.left("A", since: at(49), at: at(50))
        #expect(interests.resume("A", since: at(61)) == nil)

        // What is wanted anew, again and again, takes the place of one.
        for second in 0..<5000 { interests.note(some, of: "C", since: at(Int64(second))) }
        for name in ["D", "E", "F", "G"] { interests.note(some, of: name, since: at(6000)) }
        let known = ["C", "D", "E", "F", "G"].map { interests.resume($0, since: at(6001)) }
        #expect(known == [nil, some, some, some, some])
    }

    /// Within a stretch that was folded, the last event that was told does not say what is missing: `C` had been told,
    /// and of `A` and `B`, which came before and after it, nothing.
    @Test("who was cut off within a folded stretch is told what was left out, folded, and nothing twice")
    func folding() async throws {
        try await LiveServer.run { server in
            let token = try await server.token(for: "test@example.com")
            let witness = try await server.connect(auth: auth(token: token))
            _ = try await witness.identity(.auth)
            try await server.shell(
                """
                begin;
                insert into thing(name) values('A'); insert into thing(name) values('B');
                update thing set info = 'A2' where name = 'A'; insert into thing(name) values('C');
                update thing set info = 'B2' where name = 'B'; update thing set active = 0 where name = 'A';
                commit;
                """)
            try await server.addThing("after")
            try await witness.thing("after")
            let all = await witness.received.compactMap(\.modelEvent)
            try #require(all.count == 7)
            let stretch = all[0].position.sequence...all[5].position.sequence

            func asked(after place: Int) -> Position {
                var position = all[place].position
                position.folding = stretch
                return position
            }
            func told(after place: Int) async throws -> [ModelEvent] {
                let after: JSON = ["token": .string(token), "after": .string(asked(after: place).description)]
                let socket = try await server.connect(auth: after)
                try await socket.thing("after")
                return await socket.received.compactMap(\.modelEvent)
            }

            let afterC = try await told(after: 3)
            #expect(afterC.map { $0.row["name"] } == ["B", "A", "after"])
            #expect(afterC.map(\.folded) == [2, 3, nil])
            #expect(afterC.map(\.operation) == [.created, .created, .created])
            #expect(afterC.map(\.row) == [all[4].row, all[5].row, all[6].row])
            #expect(afterC.map(\.position) == [all[4].position, all[5].position, all[6].position])
            #expect(afterC.map(\.position.folding) == [stretch, nil, nil], "Cut off again it would know again.")

            let afterB = try await told(after: 4)
            #expect(afterB.map { $0.row["name"] } == ["A", "after"])
            #expect(afterB.map(\.folded) == [3, nil])
        }
    }

    @Test("an offset that the log does not know is a gap, and no recovery")
    func gap() async throws {
        try await LiveServer.run { server in
            let first = try await server.connect()
            _ = try await first.identity(.anonymous)
            var memory = try await memory(first)
            memory.offset = "000000000001-0000000000000001"
            let second = try await server.connect(auth: auth(memory))
            #expect(!hasRecovered(second, memory))
            let gap = try await second.first { item in
                if case .event(Gap.eventName, let arguments) = item { Gap(json: arguments[0]) } else { nil }
            }
            #expect(gap.reason == .unknown)
        }
    }

    @Test("tickets are of one key and one log, and tell users and roles apart")
    func tickets() {
        let user = UserSummary(id: 1, email: "a@example.com", name: "A", role: "user")
        let store = StoreID.random()
        let tickets = RecoveryTicket(key: Array(repeating: 7, count: 32), store: store)
        let ticket = tickets.issue(to: user)
        #expect(tickets.isGood(ticket, for: user))
        #expect(RecoveryTicket(key: Array(repeating: 7, count: 32), store: store).isGood(ticket, for: user))
        #expect(!RecoveryTicket(key: Array(repeating: 8, count: 32), store: store).isGood(ticket, for: user))
        #expect(!RecoveryTicket(key: Array(repeating: 7, count: 32), store: .random()).isGood(ticket, for: user))
        #expect(!tickets.isGood(ticket, for: nil))
        for change in [\UserSummary.role, \.email] as [WritableKeyPath<UserSummary, String>] {
            var other = user
            other[keyPath: change] = "other"
            #expect(!tickets.isGood(ticket, for: other))
        }
        var renamed = user
        renamed.name = "B"
        #expect(tickets.isGood(ticket, for: renamed), "A name decides about nothing.")
        #expect(tickets.issue(to: user) != ticket)
    }
}
