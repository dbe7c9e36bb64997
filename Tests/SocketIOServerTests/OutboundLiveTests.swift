import NIOCore
import NIOPosix
import Testing
import WireJSON

@testable import SocketIOServer

/// Small buffers on both ends, so that nearly every write is taken in part.
@Suite("What a session sends to readers that stop and go, on real sockets", .serialized, .timeLimit(.minutes(1)))
struct OutboundLiveTests {
    private struct Stage {
        let live: LiveServer
        let traffic: [Traffic]
        let sockets: Shared<[Socket]>
        let journal: Journal

        func socket(of number: Int) -> Socket { sockets.value[number] }

        func account(of socket: Socket) -> Account { traffic[socket.hub.index].account(of: socket.id) }
    }

    private static func stage(
        writesDirectly: Bool, isSecured: Bool = false, seed: Int, sizes: [Int], sendBuffer: Int = 4_096,
        configure: (inout SocketIOServerConfiguration) -> Void = { _ in }, body: (Stage) async throws -> Void
    ) async throws {
        let traffic = (0..<2).map { Traffic(seed: UInt64(seed * 2 + $0), sizes: sizes) }
        let sockets = Shared<[Socket]>([])
        let journal = Journal()
        try await LiveServer.with(
            Traffic.application(traffic, sockets, journal),
            configure: {
                $0.writesDirectly = writesDirectly
                // Nothing but the connection itself wakes a session in a test's time.
                ($0.pingInterval, $0.stallTimeout) = (.seconds(1_000), .seconds(1_000))
                configure(&$0)
            },
            isSecured: isSecured,
            accepted: { channel in
                _ = channel.setOption(.socketOption(.so_sndbuf), value: SocketOptionValue(sendBuffer))
            }
        ) { live in
            try await body(Stage(live: live, traffic: traffic, sockets: sockets, journal: journal))
        }
    }

    /// How frames come to the socket.
    enum Way: CaseIterable {
        case direct
        case pipeline
        case secured
    }

    @Test(
        "one order, every frame whole, nothing lost but what is announced, and everybody is woken",
        arguments: Way.allCases, 0..<2)
    func randomTraffic(way: Way, seed: Int) async throws {
        try await Self.stage(
            writesDirectly: way == .direct, isSecured: way == .secured, seed: seed,
            sizes: [0, 30, 1_000, 9_000, 80_000],
            configure: {
                ($0.queueHighWaterMark, $0.queueLimit) = (30_000, seed.isMultiple(of: 2) ? 200_000 : 64 << 20)
            }
        ) { stage in
            let clients = try await (0..<6).asyncMap { _ in
                try await LiveClient.enter(
                    stage.live.address, receiveBuffer: 4_096, isSecured: way == .secured)
            }
            let isOver = Shared(false)
            let returned = Shared(0)
            try await withThrowingTaskGroup(of: Void.self) { group in
                for (index, client) in clients.enumerated() {
                    // The reader.
                    group.addTask {
                        var random = Seeded(UInt64(seed * 100 + index))
                        var step = 0
                        while !isOver.value {
                            step += 1
                            client.reads(random.below(3) > 0)
                            switch random.below(6) {
                            case 0: client.send(#"42\#(step)["answer"]"#)
                            case 1: client.ping("\(step)")
                            default: break
                            }
                            try await Task.sleep(for: .microseconds(random.below(4_000)))
                        }
                        client.reads(true)
                    }
                    // Somebody who waits for it; nobody waits for him, so that one who is forgotten fails the test.
                    let socket = stage.socket(of: index)
                    Task {
                        while !isOver.value {
                            await socket.caughtUp()
                            try await Task.sleep(for: .milliseconds(1))
                        }
                        returned.change { $0 += 1 }
                    }
                }
                group.addTask {
                    defer { isOver.value = true }
                    var random = Seeded(UInt64(seed))
                    for _ in 0..<60 {
                        for hub in stage.live.server.hubs {
                            let count = random.below(6)
                            let traffic = stage.traffic[hub.index]
                            try await hub.eventLoop.submit { for _ in 0..<count { traffic.act(on: hub) } }.get()
                        }
                        if random.below(4) == 0 { try await Task.sleep(for: .microseconds(random.below(3_000))) }
                    }
                }
                try await group.waitForAll()
            }
            try await eventually("caughtUp() returns to everybody") { returned.value == clients.count }
            // Every third is closed by the server with all that waits; the others are told something last.
            for (index, client) in clients.enumerated() {
                let socket = stage.socket(of: index)
                client.send(#"42999999["last"]"#)
                await socket.onLoop { socket in
                    stage.traffic[socket.hub.index].emit(to: socket)
                    if index.isMultiple(of: 3) { socket.disconnect(close: true) }
                }
            }
            for (index, client) in clients.enumerated() {
                var heard: [String] = []
                try await eventually("seed \(seed), client \(index) hears the last") {
                    heard += client.take()
                    return client.end != nil || heard.contains { $0.hasPrefix("43999999[") }
                }
                heard += client.take()
                let socket = stage.socket(of: index)
                #expect((client.end != nil) == index.isMultiple(of: 3))
                let verdict = stage.account(of: socket).judge(heard, isComplete: true)
                #expect(verdict == nil, "seed \(seed), client \(index)")
                await socket.caughtUp()
            }
            #expect(stage.journal.lines == [String](repeating: "server namespace disconnect", count: 2))
            // Under TLS a server waits for its peer's farewell, and these would not notice its own.
            for client in clients { client.drop() }
        }
    }

    /// The server offers at full speed what the client reads at full speed: of thousands of writes nearly all are taken
    /// in part, and the socket has room again at any point between that and the wait for it.
    @Test("the wake-up after a partial write always comes", arguments: [true, false], [700, 5_000, 66_000])
    func wakeUp(writesDirectly: Bool, size: Int) async throws {
        try await Self.stage(writesDirectly: writesDirectly, seed: size, sizes: [0, size]) { stage in
            let clients = try await (0..<6).asyncMap { _ in
                try await LiveClient.enter(stage.live.address, receiveBuffer: 4_096)
            }
            let rounds = size > 10_000 ? 20 : 80
            let finished = Shared(0)
            for index in clients.indices {
                let socket = stage.socket(of: index)
                let traffic = stage.traffic[socket.hub.index]
                Task {
                    // The next burst begins when the queue has become empty: each has to bring about a wake-up.
                    for round in 0..<rounds {
                        await socket.onLoop { socket in for _ in 0...(round % 12) { traffic.emit(to: socket) } }
                        await socket.caughtUp()
                    }
                    finished.change { $0 += 1 }
                }
            }
            try await eventually(within: .seconds(20), "all are through") { finished.value == clients.count }
            for (index, client) in clients.enumerated() {
                let account = stage.account(of: stage.socket(of: index))
                try await client.wait(for: account.kept.count)
                #expect(account.judge(client.take(), isComplete: true) == nil)
            }
        }
    }

    @Test("pongs that come to stand behind the wait for room do not end it", arguments: [true, false])
    func pongsBehindTheWait(writesDirectly: Bool) async throws {
        try await Self.stage(writesDirectly: writesDirectly, seed: 3, sizes: [20_000, 20_000]) { stage in
            for round in 0..<4 {
                let client = try await LiveClient.enter(stage.live.address, receiveBuffer: 4_096)
                let socket = stage.socket(of: round)
                try await client.channel.setOption(.autoRead, value: false).get()
                await socket.onLoop { socket in
                    for _ in 0..<40 { stage.traffic[socket.hub.index].emit(to: socket) }
                }
                // More than one write takes, and nothing after that sends anything by itself.
                for _ in 0..<250 { client.ping(String(repeating: "x", count: 120)) }
                client.send(#"42["read by now"]"#)
                try await Task.sleep(for: .milliseconds(20))
                client.reads(true)
                try await client.wait(for: 40)
                #expect(stage.account(of: socket).judge(client.take(), isComplete: false) == nil)
                client.drop()
            }
        }
    }

    @Test(
        "what is sent in the turn that closes a session arrives whole, ahead of the Close", arguments: [true, false])
    func sentAndClosed(writesDirectly: Bool) async throws {
        try await Self.stage(writesDirectly: writesDirectly, seed: 4, sizes: [60_000, 60_000]) { stage in
            let client = try await LiveClient.enter(stage.live.address, receiveBuffer: 4_096)
            let socket = stage.socket(of: 0)
            await socket.onLoop { socket in
                stage.traffic[socket.hub.index].emit(to: socket)
                socket.disconnect(close: true)
            }
            try await client.waitForEnd()
            #expect(stage.account(of: socket).judge(client.take(), isComplete: true) == nil)
        }
    }

    enum End: CaseIterable {
        case reset
        case dropped
        case halfClosed
        case closedByServer
        case closedByServerWithoutReader
        case closedByClient
    }

    @Test(
        "a connection can end at any point of a partial write: what was heard is whole, and nobody waits for ever",
        arguments: [true, false], End.allCases)
    func ends(writesDirectly: Bool, end: End) async throws {
        try await Self.stage(writesDirectly: writesDirectly, seed: 5, sizes: [0, 1, 500, 3_000, 20_000]) { stage in
            let returned = Shared(0)
            let rounds = 12
            for round in 0..<rounds {
                let client = try await LiveClient.enter(stage.live.address, receiveBuffer: 4_096)
                let socket = stage.socket(of: round)
                let traffic = stage.traffic[socket.hub.index]
                try await client.channel.setOption(.autoRead, value: false).get()
                await socket.onLoop { socket in
                    traffic.broadcast(1 + round, on: socket.hub)
                    traffic.emit(to: socket)
                }
                // More than all buffers take, so that the end finds a frame in its middle.
                for _ in 0..<30 { await socket.onLoop { traffic.broadcast(3, on: $0.hub) } }
                Task {
                    await socket.caughtUp()
                    returned.change { $0 += 1 }
                }
                if round.isMultiple(of: 2) {
                    client.reads(true)
                    try await Task.sleep(for: .microseconds(100 * round))
                    client.reads(false)
                }
                switch end {
                case .reset: client.reset()
                case .dropped: client.drop()
                case .halfClosed: client.endOutput()
                case .closedByClient: client.close()
                case .closedByServer, .closedByServerWithoutReader:
                    await socket.onLoop { socket in
                        traffic.takeBack(from: socket)
                        socket.disconnect(close: true)
                        traffic.emit(to: socket)
                    }
                }
                switch end {
                case .reset, .dropped, .closedByServerWithoutReader: break
                case .halfClosed, .closedByServer, .closedByClient: client.reads(true)
                }
                try await eventually("the session ends") { try await stage.live.connectionCount() == 0 }
                try await eventually("caughtUp() returns") { returned.value == round + 1 }
                if end == .closedByServer { try await client.waitForEnd() }
                let isComplete = end == .closedByServer
                let verdict = stage.account(of: socket).judge(client.take(), isComplete: isComplete)
                #expect(verdict == nil, "round \(round)")
                client.drop()
            }
            try await stage.live.waitUntilEmpty()
            #expect(stage.journal.count == rounds)
        }
    }

    @Test("a client that reads a large event slowly takes something, and is not closed", arguments: [true, false])
    func slowButSteady(writesDirectly: Bool) async throws {
        try await Self.stage(
            writesDirectly: writesDirectly, seed: 9, sizes: [3 << 20, 3 << 20],
            configure: { $0.stallTimeout = .milliseconds(1_500) }
        ) { stage in
            let client = try await LiveClient.enter(stage.live.address, receiveBuffer: 64 << 10)
            let socket = stage.socket(of: 0)
            try await client.channel.setOption(.autoRead, value: false).get()
            await socket.onLoop { socket in
                for _ in 0..<2 { stage.traffic[socket.hub.index].emit(to: socket) }
            }
            let began = ContinuousClock.now
            // About six seconds for all of it, if it were not closed.
            while client.end == nil, ContinuousClock.now - began < .milliseconds(4_500) {
                client.channel.read()
                try await Task.sleep(for: .milliseconds(60))
            }
            #expect(client.end == nil)
            #expect(stage.journal.lines.isEmpty)
            try await client.channel.setOption(.autoRead, value: true).get()
            try await client.wait(for: 2)
            #expect(stage.account(of: socket).judge(client.take(), isComplete: true) == nil)
        }
    }
}
