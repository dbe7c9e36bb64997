import ModelStore
import RolecallProtocol
import SocketIOClient
import SocketIOServer
import TestSupport
import Testing
import WireJSON

@testable import RolecallCore
@testable import RolecallServer

/// The fence, by brute force: sockets of every kind are logged in and out while roles, names, passwords, sessions and
/// whole users come and go under them, by the server and by the database's shell, and rows of different visibility are
/// written all the time. What each socket was sent is then held against the identities that it was told of, and against
/// the log itself.
@Suite("The fence on live sockets")
struct FenceTests {
    /// One who can be logged in as: a user of his own, with one session.
    struct Person: Sendable {
        var id: Int64
        var session: String
        var token: String
    }

    /// Numbers of the log at which something became true of a user.
    struct History: Sendable {
        /// Role changes, ascending.
        var roles: [(sequence: Int64, role: String)] = []
        /// His token is void from here on, for good.
        var end: Int64 = .max
    }

    @Test(
        "no socket is sent what only an earlier identity of it could see, whatever happens in between",
        arguments: [1, 2] as [UInt64])
    func interleavings(seed: UInt64) async throws {
        try await LiveServer.run(configure: { $0.socketIO.maximumEventsPerSecond = 0 }) { server in
            let people = try await makePeople(48, on: server)
            var sockets: [TestSocket] = []
            for number in 0..<12 {
                var configuration = try SocketIOClientConfiguration(url: server.url)
                configuration.transports = number % 3 == 1 ? [.polling] : [.websocket]
                configuration.maximumUnreadElements = number % 3 == 2 ? 1 : 1024
                sockets.append(
                    TestSocket(
                        try await SocketIOConnection.connect(configuration),
                        pace: number % 3 == 2 ? .milliseconds(2) : .zero))
            }
            try await disturb(server, sockets, people, seed: seed)
            // Answered behind all that was sent before.
            for socket in sockets { _ = try await socket.call("whoami") }
            let histories = try await histories(of: people, in: server.store)
            var told = (open: 0, secret: 0)
            for (number, socket) in sockets.enumerated() {
                let seen = check(await socket.received, histories, "socket \(number), seed \(seed)")
                told = (told.open + seen.open, told.secret + seen.secret)
            }
            // The test says nothing where nobody was told anything.
            #expect(told.open > 200)
            #expect(told.secret > 100)
        }
    }

    private func makePeople(_ count: Int, on server: LiveServer) async throws -> [Person] {
        let users = try await server.store.transaction { transaction in
            try (0..<count).map { number in
                let user = try transaction.insertUser(
                    email: "person\(number)@example.com", name: "Person \(number)",
                    role: number.isMultiple(of: 2) ? "admin" : "user", password: "$none")
                try transaction.insertSession(
                    SessionRecord(
                        id: "session\(number)", user: user.id, createdAt: .now,
                        expiresAt: Timestamp(milliseconds: Timestamp.now.milliseconds + 3_600_000)))
                return user
            }
        }.value
        var people: [Person] = []
        for (number, user) in users.enumerated() {
            let token = try await server.token(for: user.email, session: "session\(number)")
            people.append(Person(id: user.id, session: "session\(number)", token: token))
        }
        return people
    }

    // MARK: What happens

    private func disturb(
        _ server: LiveServer, _ sockets: [TestSocket], _ people: [Person], seed: UInt64
    ) async throws {
        let isOver = Flag()
        try await withThrowingTaskGroup(of: Void.self) { group in
            for (index, socket) in sockets.enumerated() {
                group.addTask {
                    var generator = Seeded(seed &* 1000 &+ UInt64(index))
                    repeat {
                        if generator.below(4) > 0 {
                            let person = people[generator.below(people.count)]
                            _ = try await socket.call("login", [.string(person.token)])
                        } else {
                            _ = try await socket.call("logout")
                        }
                        // Some stay as they are for a while, so that others change them.
                        for _ in 0..<generator.below(6) { _ = try await socket.call("whoami") }
                    } while !isOver.isSet
                }
            }
            group.addTask {
                var generator = Seeded(seed &* 77)
                for number in 0..<900 {
                    let isSecret = generator.below(2) == 0
                    let padding = generator.below(6) == 0 ? String(repeating: "p", count: 20_000) : ""
                    try await server.addThing(
                        "\(isSecret ? "secret" : "open") \(number)\(padding)", adminOnly: isSecret)
                    if generator.below(5) == 0 {
                        try await change(people[generator.below(people.count)], server, generator.below(100))
                    }
                    if generator.below(40) == 0 {
                        let victims = await server.server.sockets()
                        guard let victim = victims.isEmpty ? nil : victims[generator.below(victims.count)] else {
                            continue
                        }
                        await victim.onLoop {
                            server.association.disassociate($0, reason: IdentityReason(rawValue: "kicked"))
                        }
                    }
                }
                isOver.set()
            }
            try await group.waitForAll()
        }
    }

    /// One change of somebody, by the server or by the shell; rarely one for good.
    private func change(_ person: Person, _ server: LiveServer, _ what: Int) async throws {
        switch what {
        case 0..<35:
            try await server.store.transaction {
                try $0.setRole(what % 2 == 0 ? "admin" : "user", ofUser: person.id)
            }
        case 35..<55:
            try await server.shell(
                "UPDATE rolecall_user SET role = '\(what % 2 == 0 ? "admin" : "user")' WHERE _id = \(person.id)")
        case 55..<80:
            try await server.store.transaction {
                _ = try $0.updateUser(id: person.id, name: "Name \(what)", email: nil)
            }
        case 80..<86:
            try await server.store.transaction { _ = try $0.revokeSession(id: person.session, at: .now) }
        case 86..<92:
            try await server.shell("DELETE FROM rolecall_session WHERE id = '\(person.session)'")
        case 92..<96:
            try await server.store.transaction { try $0.setPassword("$other", ofUser: person.id) }
        default:
            try await server.shell("DELETE FROM rolecall_user WHERE _id = \(person.id)")
        }
    }

    // MARK: What must hold

    private func histories(of people: [Person], in store: any Store) async throws -> [Int64: History] {
        let owners = Dictionary(uniqueKeysWithValues: people.map { ($0.session, $0.id) })
        var histories: [Int64: History] = [:]
        for entry in try await identityEntries(in: store) {
            switch entry.subject {
            case .sessionEnded(let id):
                guard let owner = owners[id] else { continue }
                var history = histories[owner] ?? History()
                history.end = min(history.end, entry.mark.number)
                histories[owner] = history
            case .user(let id, let record):
                var history = histories[id] ?? History()
                if let record, record.generation == 0 {
                    history.roles.append((sequence: entry.mark.number, role: record.summary.role))
                } else {
                    history.end = min(history.end, entry.mark.number)
                }
                histories[id] = history
            case .memberships: break
            }
        }
        return histories
    }

    /// All that the feed has ever shown; in a SQLite store a mark is the entry's number in the log.
    private func identityEntries(in store: any Store) async throws -> [IdentityFeedEntry] {
        let (readings, shown) = AsyncStream.makeStream(of: IdentityReading.self)
        let subscription = store.followIdentities(
            from: IdentityCursor(era: try await store.head().era, upTo: 0)
        ) { reading, turn in
            shown.yield(reading)
            turn.end()
        }
        defer { subscription.end() }
        for await reading in readings { return reading.entries }
        return []
    }

    private func check(
        _ received: [TestSocket.Received], _ histories: [Int64: History], _ name: String
    ) -> (open: Int, secret: Int) {
        var user: UserSummary?
        var epoch: Int64 = 0
        var last: Position?
        var told = (open: 0, secret: 0)
        for item in received {
            if let identity = item.identity {
                #expect(identity.epoch == epoch + 1, "\(name)")
                epoch = identity.epoch
                user = identity.user
            }
            guard let event = item.modelEvent, event.model == "thing" else { continue }
            if let last { #expect(event.position.sequence > last.sequence, "\(name): out of order or twice") }
            last = event.position
            let isSecret = event.row["name"]?.stringValue?.hasPrefix("secret") ?? true
            guard let user else {
                Issue.record("\(name) was told of \(event.position) as nobody")
                continue
            }
            if isSecret { told.secret += 1 } else { told.open += 1 }
            #expect(!isSecret || user.role == "admin", "\(name) was told of \(event.position) as \(user.role)")

            // By the log, too: nothing that was written after the end of an identity is told to it.
            guard let history = histories[user.id] else { continue }
            let sequence = event.position.sequence
            #expect(sequence < history.end, "\(name): \(event.position) came after the end of \(user.id)")
            let isAdmin = history.roles.last { $0.sequence < sequence }?.role == "admin"
            let becomesAdmin = history.roles.contains { $0.sequence > sequence && $0.role == "admin" }
            #expect(
                !isSecret || isAdmin || becomesAdmin, "\(name): \(event.position) came after the demotion of \(user.id)"
            )
        }
        return told
    }
}
