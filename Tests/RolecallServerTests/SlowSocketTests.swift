import ModelStore
import RolecallProtocol
import SocketIOClient
import SocketIOServer
import Testing
import WireJSON

@testable import RolecallCore
@testable import RolecallServer

/// A socket whose client does not read, and what it finds when it does.
@Suite("A slow socket on a live server", .serialized)
struct SlowSocketTests {
    /// More than the system's own buffers hold for a client that does not read, together with `fillCount`.
    private static let filling = String(repeating: "f", count: 150_000)
    private static let fillCount = 60

    /// A connection that is not read from until somebody makes a ``TestSocket`` of it.
    private func unread(_ server: LiveServer, as email: String) async throws -> SocketIOConnection {
        var configuration = try SocketIOClientConfiguration(url: server.url)
        configuration.auth = ["token": .string(try await server.token(for: email))]
        configuration.maximumUnreadElements = 1
        return try await SocketIOConnection.connect(configuration)
    }

    private static func keepsAll(_ configuration: inout Configuration, _ writesDirectly: Bool) {
        configuration.socketIO.writesDirectly = writesDirectly
        configuration.socketIO.queueHighWaterMark = 1 << 28
        configuration.socketIO.queueLimit = 1 << 28
    }

    private func position(of position: String?) throws -> Position {
        try #require(position.flatMap { Position($0) })
    }

    enum Loss: CaseIterable {
        case demotion
        case logout
    }

    @Test(
        "rights that are taken away are gone for what still waits, too, and a gap in front of the identity says so",
        arguments: Loss.allCases, [true, false])
    func rightsTakenAway(loss: Loss, writesDirectly: Bool) async throws {
        try await LiveServer.run(configure: { Self.keepsAll(&$0, writesDirectly) }) { server in
            let admin = try await server.user("admin@example.com")
            let slow = try await unread(server, as: "admin@example.com")
            let witness = try await server.connect(
                auth: ["token": .string(try await server.token(for: "admin@example.com"))])
            _ = try await witness.identity(.auth)

            var written: [Position] = []
            for number in 0..<Self.fillCount {
                written.append(try await server.addThing("\(number)\(Self.filling)", adminOnly: number % 4 != 1))
            }
            written.append(try await server.addThing("last", adminOnly: true))
            try await witness.thing("last")
            switch loss {
            case .demotion: try await server.store.transaction { try $0.setRole("user", ofUser: admin.id) }
            case .logout: slow.emit("logout")
            }
            let reader: TestSocket
            let reason: IdentityReason
            switch loss {
            case .demotion:
                _ = try await witness.identity(.roleChanged)
                try await server.addThing("secret after", adminOnly: true)
                try await server.addThing("open after")
                try await witness.thing("open after")
                reader = TestSocket(slow)
                reason = .roleChanged
                try await reader.thing("open after")
            case .logout:
                // Answered behind the logout.
                reason = .logout
                let whoami = Task { try await slow.emitWithAcknowledgement("whoami", timeout: .seconds(60)) }
                reader = TestSocket(slow)
                _ = try await reader.identity(.logout)
                try await server.addThing("secret after", adminOnly: true)
                try await server.addThing("open after")
                _ = try await whoami.value
                _ = try await reader.call("whoami")
            }

            let received = await reader.received
            let place = try #require(received.firstIndex { $0.identity?.reason == reason })
            let identity = try #require(received[place].identity)
            #expect(identity.epoch == 2)
            #expect(identity.user?.role == (loss == .demotion ? "user" : nil))
            guard case .event(Gap.eventName, let arguments) = received[place - 1] else {
                Issue.record("no gap stands in front of the identity")
                return
            }
            let gap = try #require(arguments.first.flatMap(Gap.init))
            #expect(gap.reason == .identity)
            #expect(received.count { if case .event(Gap.eventName, _) = $0 { true } else { false } } == 1)

            let told = received[..<place].compactMap(\.modelEvent).filter { $0.model == "thing" }.map(\.position)
            #expect(told == Array(written.prefix(told.count)))
            let takenBack = written.dropFirst(told.count)
            #expect(takenBack.count > 1)
            let after = try position(of: gap.after)
            #expect(told.allSatisfy { $0.sequence <= after.sequence })
            #expect(takenBack.allSatisfy { after.sequence < $0.sequence && $0.sequence <= gap.before.sequence })

            let later = received[place...].compactMap(\.modelEvent).filter { $0.model == "thing" }
            #expect(later.compactMap { $0.row["name"]?.stringValue } == (loss == .demotion ? ["open after"] : []))
        }
    }

    @Test("more rights take nothing back", arguments: [true, false])
    func promotion(writesDirectly: Bool) async throws {
        try await LiveServer.run(configure: { Self.keepsAll(&$0, writesDirectly) }) { server in
            let user = try await server.user("test@example.com")
            let slow = try await unread(server, as: "test@example.com")
            let witness = try await server.connect(
                auth: ["token": .string(try await server.token(for: "test@example.com"))])
            _ = try await witness.identity(.auth)
            var names: [String] = []
            var position = Position(era: server.era, sequence: 0)
            for number in 0..<Self.fillCount {
                position = try await server.addThing("\(number)\(Self.filling)", adminOnly: number % 4 == 1)
                if number % 4 != 1 { names.append("\(number)\(Self.filling)") }
            }
            // A promotion does not wait for what the log has yet to tell, which would be told to an admin.
            await server.told(position)
            try await server.store.transaction { try $0.setRole("admin", ofUser: user.id) }
            _ = try await witness.identity(.roleChanged)
            try await server.addThing("secret after", adminOnly: true)
            try await witness.thing("secret after")
            let reader = TestSocket(slow)
            try await reader.thing("secret after")
            let received = await reader.received
            let place = try #require(received.firstIndex { $0.identity?.reason == .roleChanged })
            #expect(!received.contains { if case .event(Gap.eventName, _) = $0 { true } else { false } })
            let before = received[..<place].compactMap(\.modelEvent).compactMap { $0.row["name"]?.stringValue }
            #expect(before == names)
            let later = received[place...].compactMap(\.modelEvent).filter { $0.model == "thing" }
            #expect(later.compactMap { $0.row["name"]?.stringValue } == ["secret after"])
        }
    }

    @Test("who lost events to his own slowness is told anew who is on")
    func presence() async throws {
        try await LiveServer.run { configuration in
            configuration.socketIO.writesDirectly = true
            configuration.socketIO.queueHighWaterMark = 4_096
            configuration.socketIO.queueLimit = 1 << 20
        } _: { server in
            let slow = try await unread(server, as: "admin@example.com")
            let witness = try await server.connect(
                auth: ["token": .string(try await server.token(for: "admin@example.com"))])
            // He is on already, by the slow socket.
            try await witness.presence { $0.count == 1 }
            for number in 0..<2 * Self.fillCount { try await server.addThing("\(number)\(Self.filling)") }
            try await server.addThing("last")
            try await witness.thing("last")

            let reader = TestSocket(slow)
            let gap: Gap = try await reader.first { item in
                guard case .event(Gap.eventName, let arguments) = item else { return nil }
                return arguments.first.flatMap(Gap.init)
            }
            #expect(gap.reason == .overflow)
            let heard = try await reader.presence { $0.count == 2 }
            #expect(heard.map { $0["user"]?["name"] } == ["Admin", "Admin"])
            #expect(await witness.presence.count == 1, "Whoever keeps up is told once.")
        }
    }

    @Test("folded events tell the newest row, all that changed on the way there, and for how many they stand")
    func folded() async throws {
        try await LiveServer.run { configuration in
            configuration.socketIO.writesDirectly = true
            configuration.socketIO.queueHighWaterMark = 4_096
        } _: { server in
            let model = try server.model("thing")
            let slow = try await unread(server, as: "test@example.com")
            let witness = try await server.connect(
                auth: ["token": .string(try await server.token(for: "test@example.com"))])
            _ = try await witness.identity(.auth)

            @Sendable func add(_ name: String) async throws -> Value {
                try await server.addThing(name)
                return .integer(try #require(try await witness.thing(name).row["_id"]?.integerValue))
            }
            @Sendable func change(_ key: Value, _ column: String, _ value: Value) async throws {
                try await server.store.transaction {
                    _ = try $0.update(model, key: key, set: [(column: column, value: value)])
                }
            }
            let filler = try await add("filler")
            let known = try await add("known")
            let gone = try await add("gone")
            func fill(_ count: Int) async throws {
                for number in 0..<count { try await change(filler, "info", .text("\(number)\(Self.filling)")) }
            }
            try await fill(Self.fillCount)
            try await change(known, "name", .text("known 1"))
            let made = try await add("made")
            try await change(made, "name", .text("made 1"))
            try await fill(2)
            try await change(gone, "name", .text("gone 1"))
            try await change(known, "info", .text("something"))
            try await change(made, "info", .text("else"))
            try await change(known, "name", .text("known 2"))
            try await server.store.transaction { _ = try $0.remove(model, key: gone) }
            // Whatever the bound has grown to, this is more.
            try await fill(6)
            try await change(filler, "name", .text("end"))
            try await witness.thing("end")

            let reader = TestSocket(slow)
            try await reader.thing("end")
            let events = await reader.received.compactMap(\.modelEvent)
            func last(_ key: Value) throws -> ModelEvent {
                try #require(events.last { $0.row["_id"] == key.json })
            }
            let ofKnown = try last(known)
            #expect(ofKnown.operation == .updated)
            #expect(ofKnown.changed == ["name", "info"])
            #expect(ofKnown.folded == 3)
            #expect(ofKnown.row["name"] == "known 2")
            #expect(ofKnown.row["info"] == "something")
            let ofMade = try last(made)
            #expect(ofMade.operation == .created)
            #expect(ofMade.changed == [])
            #expect(ofMade.folded == 3)
            #expect(ofMade.row["name"] == "made 1")
            #expect(ofMade.row["info"] == "else")
            let ofGone = try last(gone)
            #expect(ofGone.operation == .removed)
            #expect(ofGone.folded == 2)
            #expect(ofGone.row == ["_id": gone.json])

            // Nobody is left out: what was told and what it stands for is all that happened.
            let all = Self.fillCount + 2 + 6 + 1 + 3 + 3 + 3 + 2
            #expect(events.reduce(0) { $0 + ($1.folded ?? 1) } == all)
            #expect(zip(events, events.dropFirst()).allSatisfy { $0.position.sequence < $1.position.sequence })
            #expect(await witness.received.compactMap(\.modelEvent).allSatisfy { $0.folded == nil })
        }
    }
}
