import ModelStore
import RolecallProtocol
import SocketIOServer
import Testing
import WireJSON

@testable import RolecallCore
@testable import RolecallServer

@Suite("What a socket wants to be told of all that it may see")
struct SubscriptionTests {
    private func user(_ server: LiveServer) async throws -> TestSocket {
        let socket = try await server.connect(
            auth: ["token": .string(try await server.token(for: "test@example.com"))])
        _ = try await socket.identity(.auth)
        return socket
    }

    /// Says something, and waits until every loop has told it.
    private func say(_ text: String, in room: String, _ socket: TestSocket, _ server: LiveServer) async throws {
        let answer = try await socket.call("message", [["room": .string(room), "body": .string(text)]])
        #expect(answer["data"] == "sent")
        await server.told(try #require(answer["position"]?.stringValue.flatMap(Position.init)))
    }

    /// The bodies of all messages that the socket was told of.
    private func messages(_ socket: TestSocket) async -> [String] {
        await socket.received.compactMap { $0.modelEvent?.row["body"]?.stringValue }
    }

    @Test("a model that was unsubscribed from is told no more, until it is subscribed to again")
    func models() async throws {
        try await LiveServer.run { server in
            let (some, all) = (try await user(server), try await user(server))
            let answer = try await some.call("unsubscribe", [["thing"]])
            #expect(answer["data"] == "subscribed")
            #expect(answer["models"] == ["message", "user"])
            #expect(answer["position"]?.stringValue.flatMap(Position.init) != nil)
            await server.told(try await server.addThing("unseen"))
            try await all.thing("unseen")
            #expect(try await some.call("subscribe", ["thing"])["models"] == ["message", "thing", "user"])
            try await server.addThing("seen")
            try await some.thing("seen")
            #expect(await some.thingNames == ["seen"])
        }
    }

    @Test("nothing at all can be wanted, and then some, and then everything")
    func none() async throws {
        try await LiveServer.run { server in
            let socket = try await user(server)
            #expect(try await socket.call("unsubscribe")["models"] == [])
            #expect(try await socket.call("subscribe", [["message"]])["models"] == ["message"])
            await server.told(try await server.addThing("unseen"))
            try await say("hello", in: "lobby", socket, server)
            #expect(try await socket.call("subscribe")["models"] == ["message", "thing", "user"])
            try await server.addThing("seen")
            try await socket.thing("seen")
            #expect(await !socket.thingNames.contains("unseen"))
            #expect(await messages(socket) == ["hello"])
        }
    }

    @Test(
        "what a socket wants outlives its identity, and a name that it may not see is refused like one that is not there"
    )
    func identities() async throws {
        try await LiveServer.run { server in
            let socket = try await user(server)
            _ = try await socket.call("unsubscribe", [["thing"]])
            _ = try await socket.call("logout")
            let (hidden, unknown) = (
                try await socket.call("subscribe", [["thing"]]), try await socket.call("subscribe", [["nothing"]])
            )
            #expect(hidden["error"] == "not_found")
            #expect(unknown["error"] == "not_found")
            let token = try await server.token(for: "test@example.com")
            _ = try await socket.call("login", [.string(token)])
            await server.told(try await server.addThing("unseen"))
            _ = try await socket.call("subscribe", [["thing"]])
            try await server.addThing("seen")
            try await socket.thing("seen")
            #expect(await socket.thingNames == ["seen"])
        }
    }

    @Test(
        "whatever else is sent is refused with a sentence",
        arguments: [
            ("subscribe", [7]), ("unsubscribe", [[1, 2]]), ("subscribe", [["a": "b"]]), ("join", []), ("leave", [[]]),
        ] as [(String, [JSON])])
    func malformed(event: String, arguments: [JSON]) async throws {
        try await LiveServer.run { server in
            let socket = try await user(server)
            #expect(try await socket.call(event, arguments)["error"] == "invalid_payload")
            try await server.addThing("seen")
            try await socket.thing("seen")
        }
    }

    @Test("joining a room brings its last messages; a room that was left is silent until then")
    func rooms() async throws {
        try await LiveServer.run { server in
            let (socket, other) = (try await user(server), try await user(server))
            try await say("before", in: "ops", other, server)
            #expect(try await socket.call("leave", ["ops"]) == ["data": "left", "room": "ops"])
            try await say("between", in: "ops", other, server)
            try await say("elsewhere", in: "lobby", other, server)
            let joined = try await socket.call("join", ["ops"])
            #expect(joined["data"] == "joined")
            #expect(joined["room"] == "ops")
            #expect(joined["history"]?.arrayValue?.compactMap { $0["body"]?.stringValue } == ["before", "between"])
            try await say("after", in: "ops", other, server)
            _ = try await socket.first { $0.modelEvent?.row["body"] == "after" ? true : nil }
            #expect(await messages(socket) == ["before", "elsewhere", "after"])
        }
    }

    @Test("a history holds the last fifty messages, oldest first")
    func history() async throws {
        try await LiveServer.run { server in
            let socket = try await user(server)
            try await server.shell(
                """
                WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 120) \
                INSERT INTO rolecall_message(room, body) SELECT CASE i % 2 WHEN 0 THEN 'even' ELSE 'odd' END, i FROM n
                """)
            let bodies = try await socket.call("join", ["even"])["history"]?.arrayValue?.map { $0["body"]?.stringValue }
            #expect(bodies == (11...60).map { String($0 * 2) })
        }
    }

    @Test("nobody joins a room that he may not see")
    func closed() async throws {
        try await LiveServer.run { server in
            let guest = try await server.connect()
            _ = try await guest.identity(.anonymous)
            #expect(try await guest.call("join", ["lobby"])["error"] == "forbidden")
        }
    }

    @Test("so many rooms can be left, and no more")
    func bound() {
        var interest = Interest()
        let left = (0..<Interest.maximumRooms).map { interest.leave("room \($0)") }
        #expect(!left.contains(false))
        let oneMore = interest.leave("one more")
        let oneAgain = interest.leave("room 0")
        interest.join("room 0")
        let another = interest.leave("one more")
        #expect((oneMore, oneAgain, another) == (false, true, true))
    }

    @Test("each interest has a name of its own")
    func names() {
        var interests = [Interest.everything]
        for models in [["a"], ["a", "b"], ["a,b"]] as [Set<String>] {
            var without = Interest()
            without.unsubscribe(from: models)
            var only = Interest()
            only.unsubscribeFromAll()
            only.subscribe(to: models)
            var rooms = Interest()
            for room in models { _ = rooms.leave(room) }
            interests += [without, only, rooms]
        }
        #expect(Set(interests.map(\.name)).count == interests.count)
    }
}
