import NIOCore
import NIOEmbedded
import Testing
import WireJSON

@testable import SocketIOServer

@Suite("Rooms and broadcasts of one loop")
struct HubTests {
    /// An application whose sockets can be taken hold of, in the order in which they connected.
    private struct Sockets {
        let all = Shared<[Socket]>([])
        let journal = Journal()

        var application: Application {
            let (all, journal) = (all, journal)
            return Application(
                onConnect: { socket, _ in all.change { $0.append(socket) } },
                onDisconnect: { socket, reason in journal.note("\(socket.id) \(reason)") },
                onLoss: { lost in ("lost", [.integer(lost.first), .integer(lost.last), .integer(Int64(lost.count))]) })
        }

        subscript(index: Int) -> Socket { all.value[index] }
    }

    private func batch(_ name: String) -> OutboundBatch {
        OutboundBatch([OutboundEvent(name, [])])
    }

    @Test(
        "rooms hold who joined and did not leave, as a model does, through any sequence",
        arguments: [1, 2, 3] as [UInt64])
    func model(_ seed: UInt64) throws {
        var random = Seeded(seed)
        let sockets = Sockets()
        let desk = Desk(sockets.application)
        var lines: [Line?] = []
        for _ in 0..<24 { lines.append(try desk.connectedLine()) }
        let rooms = (0..<6).map { Room("room \($0)") }
        var model: [Room: Set<Int>] = [:]
        for step in 0..<3_000 {
            let member = random.below(lines.count)
            let room = rooms[random.below(rooms.count)]
            switch random.below(20) {
            case 0..<10:
                sockets[member].join(room)
                if lines[member] != nil { model[room, default: []].insert(member) }
            case 10..<19:
                sockets[member].leave(room)
                model[room]?.remove(member)
            default:
                guard lines.count(where: { $0 != nil }) > 8, let line = lines[member] else { continue }
                line.drop()
                lines[member] = nil
                for room in rooms { model[room]?.remove(member) }
            }
            for room in rooms {
                let ids = desk.hub.sockets(in: room).map(\.id)
                let expected = (model[room] ?? []).map { sockets[$0].id }
                try #require(ids.sorted() == expected.sorted(), "seed \(seed), step \(step), \(room)")
                try #require(desk.hub.holdsTogether(room), "seed \(seed), step \(step), \(room)")
            }
        }
        #expect(desk.hub.rooms == Set(rooms.filter { model[$0]?.isEmpty == false }), "empty rooms are kept")
        for room in rooms { desk.hub.send(batch(room.name), to: room) }
        for (member, line) in lines.enumerated() {
            guard let line else { continue }
            let expected = rooms.filter { model[$0]?.contains(member) == true }.map { #"42["\#($0.name)"]"# }
            #expect(try line.heard() == expected)
        }
    }

    @Test("joining twice is joining once, and leaving a room one is not in is nothing")
    func idempotence() throws {
        let sockets = Sockets()
        let desk = Desk(sockets.application)
        let line = try desk.connectedLine()
        sockets[0].leave(Room("a"))
        sockets[0].join(Room("a"))
        sockets[0].join(Room("a"))
        desk.hub.send(batch("once"), to: Room("a"))
        desk.hub.send(OutboundBatch([]), to: Room("a"))
        desk.hub.send(batch("nowhere"), to: Room("b"))
        #expect(try line.heard() == [#"42["once"]"#])
        sockets[0].leave(Room("a"))
        sockets[0].leave(Room("a"))
        desk.hub.send(batch("left"), to: Room("a"))
        #expect(try line.heard().isEmpty)
        #expect(desk.hub.sockets(in: Room("a")).isEmpty)
    }

    @Test("a socket that is gone, or not yet accepted, can't join")
    func joiningTooLate() throws {
        let latch = Latch()
        let sockets = Shared<[Socket]>([])
        let desk = Desk(
            Application(onConnect: { socket, _ in
                sockets.change { $0.append(socket) }
                await latch.wait()
            }))
        let line = try desk.upgradedLine()
        try line.say("40")
        sockets.value[0].join(Room("a"))
        #expect(desk.hub.sockets(in: Room("a")).isEmpty)
        latch.open()
        desk.loop.run()
        sockets.value[0].join(Room("a"))
        #expect(desk.hub.sockets(in: Room("a")).count == 1)
        line.drop()
        #expect(desk.hub.sockets(in: Room("a")).isEmpty)
        sockets.value[0].join(Room("a"))
        #expect(desk.hub.sockets(in: Room("a")).isEmpty)
    }

    @Test("whoever ends while a broadcast is written, every other member gets it once", arguments: [false, true])
    func endsDuringABroadcast(closing: Bool) throws {
        // Which member is written to first is the list's affair: every pair of writer and victim is tried.
        for writer in 0..<6 {
            for victim in 0..<6 {
                let sockets = Sockets()
                let desk = Desk(sockets.application)
                let lines = try (0..<6).map { _ in try desk.connectedLine() }
                for index in 0..<6 { sockets[index].join(Room("all")) }
                let hook = WriteHook()
                try lines[writer].channel.pipeline.syncOperations.addHandler(hook, position: .first)
                hook.onWrite = { sockets[victim].disconnect(close: closing) }
                desk.hub.send(batch(String(repeating: "y", count: 200)), to: Room("all"))
                desk.loop.run()
                hook.onWrite = {}
                for index in 0..<6 where index != victim {
                    let heard = try lines[index].heard().filter { $0.contains("yyy") }
                    #expect(heard.count == 1, "writer \(writer), victim \(victim), member \(index)")
                }
                #expect(try lines[victim].heard().filter { $0.contains("yyy") }.count <= 1)
                #expect(desk.hub.sockets(in: Room("all")).count == 5)
                for line in lines { line.drop() }
                #expect(desk.hub.rooms.isEmpty)
            }
        }
    }

    @Test("an application that disconnects others when it is told of an end tells of each end once")
    func chainOfEnds() throws {
        let sockets = Shared<[Socket]>([])
        let journal = Journal()
        let application = Application(
            onConnect: { socket, _ in
                sockets.change { $0.append(socket) }
                await socket.onLoop { socket in
                    socket.accept()
                    socket.join(Room("all"))
                }
            },
            onDisconnect: { socket, reason in
                journal.note("\(socket.id) \(reason)")
                for other in socket.hub.sockets(in: Room("all")) { other.disconnect(close: true) }
            })
        let desk = Desk(application)
        let lines = try (0..<5).map { _ in try desk.connectedLine() }
        lines[2].drop()
        let ids = sockets.value.map(\.id)
        #expect(
            journal.lines.sorted()
                == ids.enumerated().map { "\($1) \($0 == 2 ? "transport close" : "server namespace disconnect")" }
                .sorted())
        #expect(desk.hub.connectionCount == 0)
        #expect(desk.hub.sockets(in: Room("all")).isEmpty)
    }

    @Test("broadcasts and emits of one turn leave in their order, in one write")
    func oneWritePerTurn() throws {
        let sockets = Sockets()
        let desk = Desk(sockets.application)
        let line = try desk.connectedLine()
        sockets[0].join(Room("a"))
        desk.hub.send(batch("1"), to: Room("a"))
        sockets[0].emit("2", [])
        desk.hub.send(batch("3"), to: Room("a"))
        #expect(try line.channel.readOutbound(as: ByteBuffer.self) == nil)
        desk.loop.run()
        let writes = [try line.channel.readOutbound(as: ByteBuffer.self), try line.channel.readOutbound()]
        #expect(messages(in: try #require(writes[0]).readableBytesView) == [#"42["1"]"#, #"42["2"]"#, #"42["3"]"#])
        #expect(writes[1] == nil)
    }

    @Test("a batch says what it holds")
    func batches() throws {
        let none = OutboundBatch([])
        #expect(none.isEmpty && none.count == 0 && none.byteCount == 0)
        let batch = OutboundBatch([OutboundEvent("a", [1, "b"]), OutboundEvent("c", [])])
        #expect(!batch.isEmpty && batch.count == 2)
        #expect(batch.byteCount == (serverText(#"42["a",1,"b"]"#) + serverText(#"42["c"]"#)).count)
    }

    // MARK: Slow readers

    /// The first of two sockets in one room reads nothing.
    private func slowAndQuick(
        _ sockets: Sockets, _ configure: (inout SocketIOServerConfiguration) -> Void
    ) throws -> (desk: Desk, slow: Line, quick: Line) {
        let desk = Desk(sockets.application, configure: configure)
        let slow = try desk.connectedLine()
        let quick = try desk.connectedLine()
        for index in 0..<2 { sockets[index].join(Room("all")) }
        slow.channel.isWritable = false
        return (desk, slow, quick)
    }

    /// An event of a thousand bytes on the wire.
    private func event(_ number: Int) -> OutboundBatch {
        let padding = String(repeating: "z", count: 1_000 - 4 - 6 - 2 - 3 - 1)
        let text = String(padding.dropLast(String(number).count - 1))
        return OutboundBatch([OutboundEvent("e", [.string(text), .integer(Int64(number))], number: Int64(number))])
    }

    private func readsAgain(_ slow: Line) {
        slow.channel.isWritable = true
        slow.channel.pipeline.fireChannelWritabilityChanged()
        slow.loop.run()
    }

    @Test("for a slow reader events wait up to the limit; past it a notice takes the place of all of them")
    func slowReader() throws {
        let sockets = Sockets()
        let (desk, slow, quick) = try slowAndQuick(sockets) {
            ($0.queueHighWaterMark, $0.queueLimit) = (1_000_000, 9_000)
        }
        for number in 1...9 {
            desk.hub.send(event(number), to: Room("all"))
            desk.loop.run()
            #expect(try quick.heard().count == 1)
        }
        readsAgain(slow)
        #expect(try slow.heard().count == 9)

        slow.channel.isWritable = false
        sockets[0].emit("kept", [1])
        for number in 1...12 { desk.hub.send(event(number), to: Room("all")) }
        sockets[0].emit("kept", [2])
        desk.loop.run()
        for number in 13...14 { desk.hub.send(event(number), to: Room("all")) }
        desk.loop.run()
        #expect(slow.isOpen)
        readsAgain(slow)
        let heard = try slow.heard()
        #expect(heard.prefix(3) == [#"42["kept",1]"#, #"42["lost",1,12,12]"#, #"42["kept",2]"#])
        #expect(heard.dropFirst(3).map { $0.suffix(4) } == [",13]", ",14]"])
        #expect(try quick.heard().count == 14)
        #expect(desk.hub.connectionCount == 2)
    }

    @Test("a reader that takes nothing is closed after the time-out, and one that takes a little is not")
    func stalledReader() throws {
        let sockets = Sockets()
        let (desk, slow, quick) = try slowAndQuick(sockets) {
            $0.stallTimeout = .seconds(10)
            $0.pingInterval = .seconds(1000)
        }
        desk.hub.send(event(1), to: Room("all"))
        desk.loop.run()
        desk.loop.advanceTime(by: .seconds(9))
        readsAgain(slow)
        #expect(try slow.heard().count == 1)
        slow.channel.isWritable = false
        desk.hub.send(event(2), to: Room("all"))
        desk.loop.run()
        desk.loop.advanceTime(by: .milliseconds(9_999))
        #expect(slow.isOpen)
        desk.loop.advanceTime(by: .milliseconds(1))
        #expect(!slow.isOpen)
        #expect(sockets.journal.lines == ["\(sockets[0].id) slow consumer"])
        #expect(try quick.heard().count == 2)
        #expect(desk.hub.connectionCount == 1)
    }

    @Test("what was taken back is not told, and what else waits is")
    func takingBack() throws {
        let sockets = Sockets()
        let (desk, slow, quick) = try slowAndQuick(sockets) { _ in }
        #expect(sockets[0].discardWaitingEvents() == nil)
        desk.hub.send(event(3), to: Room("all"))
        desk.loop.run()
        sockets[0].emit("kept", [1])
        desk.hub.send(event(4), to: Room("all"))
        #expect(sockets[0].discardWaitingEvents() == LostEvents(first: 3, last: 4, count: 2))
        #expect(sockets[0].discardWaitingEvents() == nil)
        sockets[0].emit("kept", [2])
        desk.loop.run()
        readsAgain(slow)
        #expect(try slow.heard() == [#"42["kept",1]"#, #"42["kept",2]"#])
        #expect(try quick.heard().count == 2)
    }

    @Test("who leaves too many answers unread is not read from, and past the limit closed")
    func unreadAnswers() throws {
        let sockets = Sockets()
        let (desk, slow, quick) = try slowAndQuick(sockets) {
            ($0.queueHighWaterMark, $0.queueLimit) = (1_000, 3_000)
        }
        sockets[0].emit(String(repeating: "k", count: 1_000), [])
        desk.loop.run()
        #expect(!slow.autoRead)
        readsAgain(slow)
        #expect(slow.autoRead)
        slow.channel.isWritable = false
        for _ in 0..<4 { sockets[0].emit(String(repeating: "k", count: 1_000), []) }
        desk.loop.run()
        #expect(!slow.isOpen)
        #expect(quick.isOpen)
        #expect(sockets.journal.lines == ["\(sockets[0].id) slow consumer"])
    }
}

/// Does something whenever the connection writes.
private final class WriteHook: ChannelOutboundHandler {
    typealias OutboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer
    var onWrite: () -> Void = {}

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        let body = onWrite
        onWrite = {}
        body()
        context.write(data, promise: promise)
    }
}

extension SocketHub {
    /// The rooms of all namespaces, sockets' own apart.
    var rooms: Set<Room> { namespaces.values.reduce(into: []) { $0.formUnion($1.rooms.keys) } }

    /// Whether every member of a room knows its own place in the list.
    fileprivate func holdsTogether(_ room: Room) -> Bool {
        sockets(in: room).enumerated().allSatisfy { place, socket in
            socket.memberships.count { $0.members.room == room && $0.slot == place } == 1
        }
    }
}
