import NIOCore
import NIOEmbedded
import Testing
import WebSocketLink
import WireJSON

@testable import SocketIOServer

@Suite("Broadcasts to rooms and namespaces", .serialized)
struct BroadcastTests {
    /// Sockets in the order in which they connected, and a namespace that gathers them.
    private struct Gathering {
        let all = Shared<[Socket]>([])

        var namespace: SocketNamespace {
            var namespace = SocketNamespace()
            namespace.onConnect { [all] socket in all.change { $0.append(socket) } }
            namespace.on("join") { event, socket in
                for room in event.arguments.compactMap(\.stringValue) { socket.join(Room(room)) }
                return ["joined"]
            }
            return namespace
        }

        subscript(index: Int) -> Socket { all.value[index] }
    }

    /// A desk with so many clients.
    private func desk(_ count: Int) throws -> (Desk, Gathering, [Line]) {
        let sockets = Gathering()
        let desk = Desk(sockets.namespace, others: ["/other": SocketNamespace()])
        return (desk, sockets, try (0..<count).map { _ in try desk.connectedLine() })
    }

    private func heard(_ lines: [Line]) throws -> [[String]] {
        try lines.map { try $0.heard() }
    }

    // MARK: Who is meant

    @Test("a broadcast is for the whole namespace, for some rooms, or, with an empty list of them, for nobody")
    func audiences() throws {
        let (desk, sockets, lines) = try desk(4)
        try lines[3].say("40/other,")
        _ = try lines[3].heard()
        sockets[0].join("a")
        sockets[1].join("a")
        sockets[1].join("b")
        desk.server.broadcast("all", [1])
        #expect(try heard(lines) == .init(repeating: [#"42["all",1]"#], count: 4))
        desk.server.broadcast("rooms", to: ["a", "b", "a", "nowhere"])
        #expect(try heard(lines) == [[#"42["rooms"]"#], [#"42["rooms"]"#], [], []])
        desk.server.broadcast("nobody", to: [])
        #expect(try heard(lines) == [[], [], [], []])
        desk.server.broadcast("other", namespace: "/other")
        #expect(try heard(lines) == [[], [], [], [#"42/other,["other"]"#]])
        desk.server.broadcast("other", to: ["a"], namespace: "/other")
        desk.server.broadcast("other", namespace: "/nowhere")
        #expect(try heard(lines) == [[], [], [], []])
    }

    @Test("whom it is not for is named by room or by id, and every socket is in the room of its own id")
    func exceptions() throws {
        let (desk, sockets, lines) = try desk(4)
        let own = (0..<4).map { Room(sockets[$0].id) }
        sockets[0].join("a")
        sockets[1].join("a")
        sockets[2].join("b")
        desk.server.broadcast("e", except: ["a", own[3], "nowhere"])
        #expect(try heard(lines) == [[], [], [#"42["e"]"#], []])
        desk.server.broadcast("e", to: ["a", "b"], except: [own[1]])
        #expect(try heard(lines) == [[#"42["e"]"#], [], [#"42["e"]"#], []])
        desk.server.broadcast("e", to: [own[3]])
        #expect(try heard(lines) == [[], [], [], [#"42["e"]"#]])
        sockets[3].join(own[3])
        sockets[3].leave(own[3])
        #expect(sockets[3].rooms.isEmpty)
        desk.server.broadcast("e", to: [own[3], own[0], "a"])
        #expect(try heard(lines) == [[#"42["e"]"#], [#"42["e"]"#], [], [#"42["e"]"#]])
        // Another socket's room can be joined as any other.
        sockets[2].join(own[3])
        desk.server.broadcast("e", to: [own[3]])
        desk.hub.send(OutboundBatch([OutboundEvent("h", [])]), to: own[3])
        #expect(try heard(lines) == [[], [], [#"42["e"]"#, #"42["h"]"#], [#"42["e"]"#, #"42["h"]"#]])
        #expect(Set(desk.hub.sockets(in: own[3]).map(\.id)) == [sockets[2].id, sockets[3].id])
        lines[3].drop()
        #expect(desk.hub.sockets(in: own[3]).map(\.id) == [sockets[2].id])
    }

    @Test("a socket's broadcast is for all others")
    func others() throws {
        let (_, sockets, lines) = try desk(3)
        for index in 0..<2 { sockets[index].join("a") }
        sockets[0].broadcast("e", [1])
        #expect(try heard(lines) == [[], [#"42["e",1]"#], [#"42["e",1]"#]])
        sockets[0].broadcast("e", to: ["a"])
        #expect(try heard(lines) == [[], [#"42["e"]"#], []])
        sockets[0].broadcast("e", to: ["a"], except: ["a"])
        #expect(try heard(lines) == [[], [], []])
    }

    @Test("attachments are broadcast with their event, whole")
    func attachments() throws {
        let (desk, _, lines) = try desk(2)
        desk.server.broadcast(
            "file", [["name": "f"], .attachment(1), .attachment(0)],
            attachments: [ByteBuffer(bytes: [1]), ByteBuffer(bytes: [2, 3])])
        desk.server.broadcast("next")
        let expected = [
            #"452-["file",{"name":"f"},{"_placeholder":true,"num":1},{"_placeholder":true,"num":0}]"#,
            "<binary [1]>", "<binary [2, 3]>", #"42["next"]"#,
        ]
        #expect(try heard(lines) == [expected, expected])
    }

    @Test("each socket gets what a model says, once, through any sequence", arguments: [1, 2, 3] as [UInt64])
    func model(_ seed: UInt64) throws {
        var random = Seeded(seed)
        let (desk, sockets, lines) = try desk(12)
        let names = (0..<5).map { "room \($0)" } + (0..<12).map { sockets[$0].id }
        var members: [String: Set<Int>] = [:]
        for index in 0..<12 { members[sockets[index].id] = [index] }
        for step in 0..<1_500 {
            let socket = random.below(12)
            let name = names[random.below(names.count)]
            switch random.below(4) {
            case 0:
                sockets[socket].join(Room(name))
                members[name, default: []].insert(socket)
            case 1:
                sockets[socket].leave(Room(name))
                if name != sockets[socket].id { members[name]?.remove(socket) }
            default:
                func some() -> [String] { (0..<random.below(4)).map { _ in names[random.below(names.count)] } }
                let (rooms, except) = (random.below(4) == 0 ? nil : some(), some())
                var expected = rooms.map { $0.reduce(into: Set()) { $0.formUnion(members[$1] ?? []) } } ?? Set(0..<12)
                for name in except { expected.subtract(members[name] ?? []) }
                let from: Int? = random.below(3) == 0 ? socket : nil
                let (to, but) = (rooms?.map { Room($0) }, except.map { Room($0) })
                if let from {
                    sockets[from].broadcast("e", to: to, except: but)
                    expected.remove(from)
                } else {
                    desk.server.broadcast("e", to: to, except: but)
                }
                for (index, line) in lines.enumerated() {
                    try #require(
                        try line.heard() == (expected.contains(index) ? [#"42["e"]"#] : []),
                        "seed \(seed), step \(step): to \(rooms ?? ["all"]) except \(except)")
                }
            }
        }
    }

    // MARK: Over the loops

    @Test("on all loops each socket gets each broadcast once, and what one task sends it in the order of sending")
    func loops() async throws {
        let sockets = Gathering()
        try await LiveServer.with(sockets.namespace) { live in
            let clients = try await (0..<12).asyncMap { _ in try await LiveClient.enter(live.address) }
            for (index, client) in clients.enumerated() {
                client.send(index % 3 == 0 ? #"420["join","a","b"]"# : #"420["join","b"]"#)
            }
            for client in clients {
                try await client.wait(for: 1)
                #expect(client.takeFirst() == #"430["joined"]"#)
            }
            #expect(Set(sockets.all.value.map(\.hub.index)) == [0, 1])
            let all = sockets.all.value
            for number: Int64 in 0..<300 {
                live.server.broadcast("e", [.integer(number)], to: number % 2 == 0 ? ["a", "b"] : nil)
                if number % 10 == 0 { for socket in all { socket.emit("own", [.integer(number)]) } }
            }
            let expected = (0..<300).flatMap { number in
                [#"42["e",\#(number)]"#] + (number % 10 == 0 ? [#"42["own",\#(number)]"#] : [])
            }
            for client in clients {
                try await client.wait(for: expected.count)
                #expect(client.take() == expected)
            }
        }
    }

    @Test("sockets are found, counted and ended by room, namespace and exception, on all loops")
    func finding() async throws {
        let sockets = Gathering()
        try await LiveServer.with(sockets.namespace) { live in
            let clients = try await (0..<6).asyncMap { _ in try await LiveClient.enter(live.address) }
            let all = sockets.all.value
            for socket in all[..<4] { socket.join("a") }
            #expect(await live.server.socketCount() == 6)
            #expect(await live.server.socketCount(in: ["a", Room(all[5].id)]) == 5)
            #expect(await live.server.socketCount(in: []) == 0)
            #expect(await live.server.socketCount(namespace: "/nowhere") == 0)
            let found = await live.server.sockets(in: ["a"], except: [Room(all[0].id)])
            #expect(Set(found.map(\.id)) == Set(all[1..<4].map(\.id)))

            live.server.broadcast("last", to: ["a"])
            live.server.disconnectSockets(in: ["a"], except: [Room(all[0].id)])
            live.server.disconnectSockets(in: [Room(all[5].id)], close: true)
            try await eventually { await live.server.socketCount() == 2 }
            #expect(Set(await live.server.sockets().map(\.id)) == [all[0].id, all[4].id])
            for index in 1...3 {
                try await clients[index].wait(for: 2)
                #expect(clients[index].take() == [#"42["last"]"#, "41"])
            }
            try await clients[5].waitForEnd()
            #expect(clients[5].end == .remote(code: .normalClosure, reason: "server namespace disconnect"))
            try await clients[0].wait(for: 1)
            #expect(clients[0].take() == [#"42["last"]"#])
            clients[4].send(#"420["join"]"#)
            try await clients[4].wait(for: 1)
            #expect(clients[4].take() == [#"430["joined"]"#])
        }
    }

    @Test("whoever is told of an end in the middle of many may broadcast, and those who are left hear of each end once")
    func broadcastsWhileEnding() throws {
        var namespace = SocketNamespace()
        let sockets = Shared<[Socket]>([])
        namespace.onConnect { socket in
            socket.join("all")
            sockets.change { $0.append(socket) }
        }
        namespace.onDisconnect { socket, _ in socket.broadcast("left", [.string(socket.id)], to: ["all", "x"]) }
        let desk = Desk(namespace)
        let lines = try (0..<6).map { _ in try desk.connectedLine() }
        let staying = [1, 4]
        desk.server.disconnectSockets(in: ["all", "x"], except: staying.map { Room(sockets.value[$0].id) })
        let gone = Set([0, 2, 3, 5].map { #"42["left","\#(sockets.value[$0].id)"]"# })
        for index in staying {
            let heard = try lines[index].heard()
            #expect(Set(heard) == gone && heard.count == 4)
        }
    }

    // MARK: Volatile

    @Test("what is volatile is dropped while something waits for the client, and goes out with the rest otherwise")
    func volatile() throws {
        let (desk, sockets, lines) = try desk(2)
        sockets[0].emit("a")
        sockets[0].emit("b", volatile: true)
        desk.server.broadcast("c", volatile: true)
        #expect(try heard(lines) == [[#"42["a"]"#, #"42["b"]"#, #"42["c"]"#], [#"42["c"]"#]])

        lines[0].channel.isWritable = false
        sockets[0].emit("d", volatile: true)
        sockets[0].emit("e")
        desk.loop.run()
        sockets[0].emit("f", volatile: true)
        desk.server.broadcast("g", volatile: true)
        desk.server.broadcast("h")
        sockets[1].broadcast("i", volatile: true)
        desk.loop.run()
        #expect(try lines[1].heard() == [#"42["g"]"#, #"42["h"]"#])
        lines[0].channel.isWritable = true
        lines[0].channel.pipeline.fireChannelWritabilityChanged()
        sockets[0].emit("j", volatile: true)
        desk.loop.run()
        sockets[0].emit("k", volatile: true)
        #expect(try lines[0].heard() == [#"42["e"]"#, #"42["h"]"#, #"42["k"]"#])
    }

    @Test("a client that stops reading misses what is volatile and nothing else", arguments: [false, true])
    func volatileLive(writesDirectly: Bool) async throws {
        let sockets = Gathering()
        try await LiveServer.with(sockets.namespace, configure: { $0.writesDirectly = writesDirectly }) { live in
            let client = try await LiveClient.enter(live.address, receiveBuffer: 4_096)
            let socket = sockets[0]
            client.reads(false)
            let padding = JSON.string(String(repeating: "p", count: 32 << 10))
            var sent = 0
            while await socket.onLoop({ $0.session?.takesAtOnce == true }), sent < 10_000 {
                socket.emit("kept", [.integer(Int64(sent)), padding])
                sent += 1
            }
            try #require(sent < 10_000, "the client's end takes everything")
            for _ in 0..<50 { socket.emit("dropped", volatile: true) }
            live.server.broadcast("dropped", volatile: true)
            socket.emit("kept", [.integer(Int64(sent)), padding])
            client.reads(true)
            await socket.caughtUp()
            try await client.wait(for: sent + 1)
            try await eventually { await socket.onLoop { $0.session?.takesAtOnce == true } }
            socket.emit("volatile", volatile: true)
            try await client.wait(for: sent + 2)
            let heard = client.take()
            #expect(heard.count == sent + 2)
            #expect(heard.last == #"42["volatile"]"#)
            for (number, message) in heard.dropLast().enumerated() {
                try #require(message.hasPrefix(#"42["kept",\#(number),"#), "\(message.prefix(40))")
            }
        }
    }
}
