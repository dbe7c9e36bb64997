import NIOCore
import Testing
import WireJSON

@testable import SocketIOServer

@Suite("On real sockets and two event loops", .serialized)
struct LiveTests {
    // MARK: Order

    @Test(
        """
        events are handled one at a time, in their order, however the handler suspends; each acknowledgement follows \
        what its handler emitted
        """
    )
    func order() async throws {
        let busy = Shared<[String: Int]>([:])
        let overlaps = Shared(0)
        let application = Application(onEvent: { event, socket in
            let number = event.arguments.first?.integerValue ?? -1
            if busy.change({ busy in
                busy[socket.id, default: 0] += 1
                return busy[socket.id] != 1
            }) {
                overlaps.change { $0 += 1 }
            }
            var random = Seeded(UInt64(bitPattern: number) &+ 77)
            for step in 0..<random.below(4) {
                switch random.below(4) {
                case 0: await Task.yield()
                case 1: try? await Task.sleep(for: .microseconds(random.below(300)))
                // Another executor: the handler has to come back to its loop by itself.
                case 2: await Elsewhere.shared.visit()
                default: await socket.onLoop { $0.emit("step", [.integer(number), .integer(Int64(step))]) }
                }
            }
            await socket.onLoop { $0.emit("last", [.integer(number)]) }
            busy.change { $0[socket.id, default: 0] -= 1 }
            return [.integer(number)]
        })
        try await LiveServer.with(application) { live in
            let clients = try await (0..<16).asyncMap { _ in try await LiveClient.enter(live.address) }
            for client in clients {
                client.send((0..<200).map { #"42\#($0)["event",\#($0)]"# })
            }
            for client in clients {
                var steps: [Int: Int] = [:]
                var heard: [String] = []
                var next = 0
                try await eventually(within: .seconds(20), "\(next)") {
                    heard += client.take()
                    next = heard.count { $0.hasPrefix("43") }
                    return next == 200
                }
                var current = 0
                var lastSeen = false
                for message in heard {
                    if message == #"42["last",\#(current)]"# {
                        #expect(!lastSeen)
                        lastSeen = true
                    } else if message == "43\(current)[\(current)]" {
                        #expect(lastSeen, "the acknowledgement of \(current) came before what was emitted")
                        lastSeen = false
                        current += 1
                    } else {
                        try #require(message.hasPrefix(#"42["step",\#(current),"#), "\(message) during \(current)")
                        steps[current, default: 0] += 1
                    }
                }
                #expect(current == 200)
                #expect(steps.count > 50)
            }
            #expect(overlaps.value == 0)
        }
    }

    // MARK: Rooms

    /// What happened on a loop, in the order in which it happened there.
    private enum Happening: Sendable {
        case joined(String, Int)
        case left(String, Int)
        case broadcast(Int, Int)
        case gone(String)
    }

    @Test(
        "through joins, leaves and losses under load, each socket gets what a model says, in its order",
        arguments: [11, 12] as [UInt64])
    func rooms(_ seed: UInt64) async throws {
        let journals = [Shared<[Happening]>([]), Shared<[Happening]>([])]
        let application = Application(
            onEvent: { event, socket in
                let number = Int(event.arguments.first?.integerValue ?? 0)
                let room = Room("room \(number)")
                await socket.onLoop { socket in
                    guard socket.isConnected else { return }
                    if event.name == "join" {
                        socket.join(room)
                        journals[socket.hub.index].change { $0.append(.joined(socket.id, number)) }
                    } else {
                        socket.leave(room)
                        journals[socket.hub.index].change { $0.append(.left(socket.id, number)) }
                    }
                    // Where in the stream of broadcasts it happened.
                    socket.emit(event.name, event.arguments)
                }
                return []
            },
            onDisconnect: { socket, _ in
                journals[socket.hub.index].change { $0.append(.gone(socket.id)) }
            })
        try await LiveServer.with(application) { live in
            var random = Seeded(seed)
            var clients: [(id: String, client: LiveClient)] = []
            for _ in 0..<40 {
                let client = try await LiveClient.connect(to: live.address)
                client.send("40")
                try await client.wait(for: 1)
                clients.append((try sid(in: client.takeFirst()), client))
            }
            let perLoop = try await live.server.hubs.asyncMap { hub in
                try await hub.eventLoop.submit { hub.connectionCount }.get()
            }
            #expect(perLoop == [20, 20])

            var heard = [[String]](repeating: [], count: clients.count)
            var questions = [Int](repeating: 0, count: clients.count)
            var lost: Set<Int> = []
            for number in 0..<400 {
                for _ in 0..<6 {
                    let index = random.below(clients.count)
                    let name = random.below(3) == 0 ? "leave" : "join"
                    clients[index].client.send(#"42["\#(name)",\#(random.below(5))]"#)
                }
                if number % 40 == 39 {
                    let index = random.below(clients.count)
                    if lost.insert(index).inserted {
                        random.below(2) == 0 ? clients[index].client.reset() : clients[index].client.close()
                    }
                }
                let room = random.below(5)
                let batch = OutboundBatch([
                    OutboundEvent("broadcast", [.integer(Int64(room)), .integer(Int64(number))])
                ])
                for hub in live.server.hubs {
                    hub.eventLoop.execute {
                        journals[hub.index].change { $0.append(.broadcast(room, number)) }
                        hub.send(batch, to: Room("room \(room)"))
                    }
                }
                // Now and then somebody's requests are waited for, so that broadcasts and requests stay interleaved.
                let index = random.below(clients.count)
                guard number % 8 == 0, !lost.contains(index) else { continue }
                clients[index].client.send(#"428888["leave",888]"#)
                questions[index] += 1
                try await eventually("client \(index)") {
                    heard[index] += clients[index].client.take()
                    return heard[index].count { $0 == "438888[]" } == questions[index]
                }
            }
            try await eventually("the lost ones are gone") {
                try await live.connectionCount() == clients.count - lost.count
            }
            // A last question to everybody: what comes before its answer is all there is.
            for (index, client) in clients.enumerated() where !lost.contains(index) {
                client.client.send(#"429999["leave",999]"#)
            }
            for (index, client) in clients.enumerated() {
                try await eventually("client \(index)") {
                    heard[index] += client.client.take()
                    return lost.contains(index) ? client.client.end != nil : heard[index].last == "439999[]"
                }
            }

            // The model: each loop's happenings, one after the other.
            var expected: [String: [String]] = [:]
            for journal in journals {
                var members: [Int: Set<String>] = [:]
                for happening in journal.value {
                    switch happening {
                    case .joined(let id, let room):
                        members[room, default: []].insert(id)
                        expected[id, default: []].append(#"42["join",\#(room)]"#)
                    case .left(let id, let room):
                        members[room]?.remove(id)
                        expected[id, default: []].append(#"42["leave",\#(room)]"#)
                    case .broadcast(let room, let number):
                        for id in members[room] ?? [] {
                            expected[id, default: []].append(#"42["broadcast",\#(room),\#(number)]"#)
                        }
                    case .gone(let id):
                        for room in members.keys { members[room]?.remove(id) }
                    }
                }
            }
            for (index, client) in clients.enumerated() {
                let model = expected[client.id] ?? []
                if lost.contains(index) {
                    #expect(
                        model.starts(with: heard[index].filter { $0 != "438888[]" }),
                        "seed \(seed), lost client \(index)")
                } else {
                    let answers = Set(["438888[]", "439999[]"])
                    #expect(heard[index].filter { !answers.contains($0) } == model, "seed \(seed), client \(index)")
                }
            }
            #expect(expected.values.joined().count { $0.hasPrefix(#"42["broadcast"#) } > 2_000)
            for hub in live.server.hubs {
                let left = try await hub.eventLoop.submit { (0..<5).map { hub.sockets(in: Room("room \($0)")).count } }
                    .get()
                let model = journals[hub.index].value.reduce(into: [Int: Set<String>]()) { members, happening in
                    switch happening {
                    case .joined(let id, let room): members[room, default: []].insert(id)
                    case .left(let id, let room): members[room]?.remove(id)
                    case .gone(let id): for room in members.keys { members[room]?.remove(id) }
                    case .broadcast: break
                    }
                }
                #expect(left == (0..<5).map { model[$0]?.count ?? 0 })
            }
        }
    }

    // MARK: Slow readers

    @Test("a client that stops reading costs the others nothing, and is told what it lost", arguments: [false, true])
    func slowReader(writesDirectly: Bool) async throws {
        let application = Application(
            onConnect: { socket, _ in
                await socket.onLoop { socket in
                    socket.accept()
                    socket.join(Room("all"))
                }
            },
            onLoss: { lost in ("lost", [.integer(lost.first), .integer(lost.last), .integer(Int64(lost.count))]) })
        let configure: (inout SocketIOServerConfiguration) -> Void = {
            ($0.queueHighWaterMark, $0.queueLimit, $0.writesDirectly) = (1 << 20, 1 << 20, writesDirectly)
        }
        try await LiveServer.with(application, configure: configure) { live in
            let clients = try await (0..<6).asyncMap { _ in try await LiveClient.enter(live.address) }
            try await clients[3].channel.setOption(.autoRead, value: false).get()
            let padding = JSON.string(String(repeating: "p", count: 32 << 10))
            // As much as the limit and what the system's own buffers may hold, several times over.
            let total: Int64 = 600
            for number in 1...total {
                let batch = OutboundBatch([OutboundEvent("e", [.integer(number), padding], number: number)])
                for hub in live.server.hubs {
                    try await hub.eventLoop.submit { hub.send(batch, to: Room("all")) }.get()
                }
                for (index, client) in clients.enumerated() where index != 3 {
                    try await client.wait(for: 1)
                    try #require(client.takeFirst().hasPrefix(#"42["e",\#(number),"#))
                }
            }
            #expect(try await live.connectionCount() == 6)
            try await clients[3].channel.setOption(.autoRead, value: true).get()
            clients[3].send(#"420["end"]"#)
            var heard: [String] = []
            try await eventually("everything came") {
                heard += clients[3].take()
                return heard.last?.hasPrefix("430") == true
            }
            var next: Int64 = 1
            var notices = 0
            for message in heard.dropLast() {
                let content = try JSON(parsing: Array(message.utf8.dropFirst(2))).arrayValue ?? []
                if content.first == "lost" {
                    notices += 1
                    #expect(content[1] == .integer(next))
                    next = (content[2].integerValue ?? 0) + 1
                    #expect(content[3] == .integer(next - (content[1].integerValue ?? 0)))
                } else {
                    try #require(content[1] == .integer(next))
                    next += 1
                }
            }
            #expect(next == total + 1)
            #expect(notices > 0)
        }
    }

    @Test("a client that takes nothing is closed after the time-out", arguments: [false, true])
    func stalledReader(writesDirectly: Bool) async throws {
        let journal = Journal()
        let sockets = Shared<[Socket]>([])
        let application = Application(
            onConnect: { socket, _ in sockets.change { $0.append(socket) } },
            onDisconnect: { _, reason in journal.note("\(reason)") })
        let configure: (inout SocketIOServerConfiguration) -> Void = {
            ($0.stallTimeout, $0.queueLimit, $0.writesDirectly) = (.milliseconds(300), 64 << 20, writesDirectly)
        }
        try await LiveServer.with(application, configure: configure) { live in
            let client = try await LiveClient.enter(live.address)
            try await client.channel.setOption(.autoRead, value: false).get()
            let padding = JSON.string(String(repeating: "p", count: 1 << 20))
            await sockets.value[0].onLoop { socket in
                for _ in 0..<32 { socket.emit("e", [padding]) }
            }
            try await eventually("it is closed") { journal.lines == ["slow consumer"] }
        }
    }

    @Test("caughtUp() lets a sender go at its reader's pace, and go on when the reader is gone")
    func caughtUp() async throws {
        let journal = Journal()
        let queued = Shared(0)
        let application = Application(onEvent: { event, socket in
            let padding = JSON.string(String(repeating: "p", count: 16 << 10))
            for number: Int64 in 0..<1_500 {
                await socket.caughtUp()
                await socket.onLoop { $0.emit("e", [.integer(number), padding]) }
                queued.value = Int(number)
            }
            journal.note("sent")
            return ["done"]
        })
        try await LiveServer.with(application) { live in
            let reader = try await LiveClient.enter(live.address)
            try await reader.channel.setOption(.autoRead, value: false).get()
            reader.send(#"420["go"]"#)
            // It stands still when the system's buffers are full, far from the end.
            var last = -1
            try await eventually("the sender waits") {
                defer { last = queued.value }
                try await Task.sleep(for: .milliseconds(50))
                return queued.value == last && last > 0
            }
            #expect(last < 1_400)
            try await reader.channel.setOption(.autoRead, value: true).get()
            var heard: [String] = []
            try await eventually("everything came") {
                heard += reader.take()
                return heard.last?.hasPrefix("430") == true
            }
            #expect(heard.count == 1_501)
            for (number, message) in heard.dropLast().enumerated() {
                try #require(message.hasPrefix(#"42["e",\#(number),"#))
            }
            #expect(journal.lines == ["sent"])

            let leaver = try await LiveClient.enter(live.address)
            try await leaver.channel.setOption(.autoRead, value: false).get()
            leaver.send(#"420["go"]"#)
            last = -1
            try await eventually("the sender waits") {
                defer { last = queued.value }
                try await Task.sleep(for: .milliseconds(50))
                return queued.value == last && last > 0 && last < 1_400
            }
            leaver.reset()
            try await eventually("the sender goes on") { journal.count == 2 }
        }
    }

    // MARK: The end of everything

    @Test("drained() returns when the last handler is through, and not before")
    func drained() async throws {
        let latch = Latch()
        let journal = Journal()
        let application = Application(onEvent: { _, _ in
            await latch.wait()
            // Two more turns after the last suspension.
            await Task.yield()
            await Task.yield()
            journal.note("handled")
            return []
        })
        try await LiveServer.with(application) { live in
            await live.server.drained()
            let clients = try await (0..<4).asyncMap { _ in try await LiveClient.enter(live.address) }
            for client in clients { client.send(#"42["a"]"#) }
            try await eventually { latch.waitingCount == 4 }
            for client in clients { client.drop() }
            try await live.waitUntilEmpty()
            async let end: Void = {
                await live.server.drained()
                journal.note("drained")
            }()
            // Both loops have been asked by now, and could have answered.
            for _ in 0..<10 {
                for hub in live.server.hubs { try await hub.eventLoop.submit {}.get() }
            }
            #expect(journal.lines.isEmpty)
            latch.open()
            await end
            #expect(journal.lines == ["handled", "handled", "handled", "handled", "drained"])
        }
    }
}

/// An executor that is no event loop's.
private actor Elsewhere {
    static let shared = Elsewhere()
    private var visits = 0

    func visit() {
        visits += 1
    }
}
