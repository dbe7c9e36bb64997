import ModelStore
import RolecallProtocol
import Synchronization
import TestSupport
import Testing
import WireJSON

@testable import RolecallCore
@testable import RolecallServer

@Suite("Delivery from the log")
struct DeliveryTests {
    @Test("a row that only admins may see reaches the admin's socket and no other")
    func adminOnly() async throws {
        try await LiveServer.run { server in
            let admin = try await server.connect(
                auth: ["token": .string(try await server.token(for: "admin@example.com"))])
            let user = try await server.connect(
                auth: ["token": .string(try await server.token(for: "test@example.com"))])
            let guest = try await server.connect()
            _ = try await guest.identity(.anonymous)
            _ = try await user.identity(.auth)
            _ = try await admin.identity(.auth)

            try await server.addThing("secret", adminOnly: true)
            try await server.addThing("open")
            try await admin.thing("open")
            try await user.thing("open")
            _ = try await guest.call("whoami")
            #expect(await admin.thingNames == ["secret", "open"])
            #expect(await user.thingNames == ["open"])
            #expect(await guest.thingNames.isEmpty)
        }
    }

    @Test("hiding a row removes it for those who may not see it any more, by its key alone")
    func hiding() async throws {
        try await LiveServer.run { server in
            let user = try await server.connect(
                auth: ["token": .string(try await server.token(for: "test@example.com"))])
            _ = try await user.identity(.auth)
            let model = try server.model("thing")
            try await server.store.transaction {
                _ = try $0.update(model, key: .integer(1), set: [(column: "admin_only", value: .boolean(true))])
            }
            let event = try await user.first { $0.modelEvent }
            #expect(event.name == "thing:remove")
            #expect(event.operation == .hidden)
            #expect(event.row == ["_id": 1])
        }
    }

    /// The fence, by brute force: whatever comes in between, no socket is ever told of an admins' row while the last
    /// identity that it was told of is not an admin's, nor before it was told of one.
    @Test("no event of an old identity follows its end, under logins, logouts, demotions and writes at once")
    func fence() async throws {
        try await LiveServer.run { server in
            let admin = try await server.user("admin@example.com")
            let tokens = [
                try await server.token(for: "admin@example.com"), try await server.token(for: "test@example.com"),
            ]
            var sockets: [TestSocket] = []
            for _ in 0..<16 { sockets.append(try await server.connect()) }

            let isOver = Flag()
            try await withThrowingTaskGroup(of: Void.self) { group in
                for (index, socket) in sockets.enumerated() {
                    group.addTask {
                        var generator = Seeded(UInt64(index))
                        repeat {
                            if Bool.random(using: &generator) {
                                let token = tokens[Int.random(in: 0..<2, using: &generator)]
                                _ = try await socket.call("login", [.string(token)])
                            } else {
                                _ = try await socket.call("logout")
                            }
                        } while !isOver.isSet
                    }
                }
                group.addTask {
                    defer { isOver.set() }
                    var generator = Seeded(99)
                    for number in 0..<400 {
                        try await server.addThing("secret \(number)", adminOnly: true)
                        guard Int.random(in: 0..<8, using: &generator) == 0 else { continue }
                        let role = Bool.random(using: &generator) ? "user" : "admin"
                        try await server.store.transaction { try $0.setRole(role, ofUser: admin.id) }
                    }
                }
                try await group.waitForAll()
            }
            var told = 0
            for socket in sockets {
                var isAdmin = false
                var epoch: Int64 = 0
                var last: Position?
                for item in await socket.received {
                    if let identity = item.identity {
                        isAdmin = identity.user?.role == "admin"
                        #expect(identity.epoch == epoch + 1)
                        epoch = identity.epoch
                    } else if let event = item.modelEvent, event.model == "thing" {
                        told += 1
                        #expect(isAdmin, "told of \(event.row) as somebody else")
                        if let last { #expect(event.position.sequence > last.sequence) }
                        last = event.position
                    }
                }
            }
            // The test says nothing where nobody was told anything.
            #expect(told > 100)
        }
    }

    @Test("from a list's position a socket follows without hole or double, while rows are being written")
    func resume() async throws {
        try await LiveServer.run { server in
            let token = try await server.token(for: "test@example.com")
            let start = try await server.addThing("before")
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask {
                    for number in 0..<600 {
                        try await server.addThing("\(number)", adminOnly: number.isMultiple(of: 3))
                    }
                    try await server.addThing("last")
                }
                for _ in 0..<6 {
                    group.addTask {
                        let socket = try await server.connect(
                            auth: ["token": .string(token), "after": .string(start.description)])
                        try await socket.thing("last")
                        let expected = (0..<600).filter { !$0.isMultiple(of: 3) }.map(String.init) + ["last"]
                        #expect(await socket.thingNames == expected)
                        // A client that is lost in the middle of it resumes where it began.
                        guard case .event("identity", let arguments) = await socket.received.first else {
                            Issue.record("the first event is not identity")
                            return
                        }
                        #expect(arguments.last == .string(start.description))
                    }
                }
                try await group.waitForAll()
            }
        }
    }

    @Test("a position that is not this log's is answered with a gap, and the socket is live")
    func foreignPosition() async throws {
        try await LiveServer.run { server in
            let token = try await server.token(for: "test@example.com")
            let head = try await server.store.head()
            let foreign = Position(era: Era(rawValue: 1), sequence: 3)
            let future = Position(era: head.era, sequence: head.sequence + 1000)
            for text in ["nonsense", foreign.description, future.description] {
                let socket = try await server.connect(auth: ["token": .string(token), "after": .string(text)])
                let gap = try await socket.first { item -> Gap? in
                    guard case .event(Gap.eventName, let arguments) = item else { return nil }
                    return arguments.first.flatMap(Gap.init)
                }
                #expect(gap.reason == .unknown)
                #expect(gap.after == text)
                try await server.addThing("after \(text)")
                try await socket.thing("after \(text)")
            }
        }
    }

    @Test("a stretch of the log is cut where it grows too large for a turn")
    func stretches() {
        func event(_ sequence: Int64, size: Int) -> ChangeRecord {
            ChangeRecord(
                sequence: sequence, model: "thing", change: .created, key: .integer(1), before: nil,
                after: Row(columns: ["name"], values: [.text(String(repeating: "x", count: size))]), author: nil, at: ""
            )
        }
        let events = [event(1, size: 10), event(2, size: 2 << 20), event(3, size: 10), event(4, size: 10)]
        let cut = LogReader.stretches(of: events).map { $0.map(\.sequence) }
        #expect(cut == [[1], [2], [3, 4]])
        #expect(LogReader.stretches(of: []).isEmpty)
    }
}

/// Something that has happened, or not yet.
final class Flag: Sendable {
    private let value = Atomic(false)

    var isSet: Bool { value.load(ordering: .acquiring) }

    func set() {
        value.store(true, ordering: .releasing)
    }
}
