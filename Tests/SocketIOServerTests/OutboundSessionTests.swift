import NIOCore
import NIOEmbedded
import Testing
import WireJSON

@testable import SocketIOServer

@Suite("What a session sends")
struct OutboundSessionTests {
    @Test("one order, nothing lost but what is announced, under any changes of pace", arguments: 0..<10)
    func randomTraffic(seed: Int) throws {
        let traffic = Traffic(seed: UInt64(seed), sizes: [0, 30, 300, 3_000, 70_000])
        let sockets = Shared<[Socket]>([])
        let journal = Journal()
        let desk = Desk(Traffic.application([traffic], sockets, journal)) {
            ($0.queueHighWaterMark, $0.queueLimit) = (4_000, seed.isMultiple(of: 2) ? 20_000 : 2_000_000)
            $0.pingInterval = .seconds(1_000)
        }
        var random = Seeded(UInt64(seed) &+ 1_000)
        let lines = try (0..<3).map { _ in try desk.connectedLine() }
        var heard = [[String]](repeating: [], count: lines.count)
        var pongs = 0
        var returned = 0
        var waits = 0
        for step in 0..<150 {
            for _ in 0..<random.below(4) { traffic.act(on: desk.hub) }
            let index = random.below(lines.count)
            let line = lines[index]
            switch random.below(8) {
            case 0:
                line.channel.isWritable.toggle()
                line.channel.pipeline.fireChannelWritabilityChanged()
            case 1 where line.autoRead: try line.say(#"42\#(step)["answer"]"#)
            case 2 where line.autoRead && line.channel.isWritable:
                try line.receive(clientPing("\(step)"))
                pongs += 1
            case 3 where waits < 20:
                waits += 1
                sockets.value[index].onLoopCaughtUp { returned += 1 }
            case 4: break
            default: desk.loop.run()
            }
            for (index, line) in lines.enumerated() where random.below(3) == 0 { heard[index] += try line.heard() }
        }
        // One is closed with all that waits for it; the others read on.
        sockets.value[0].disconnect(close: true)
        for line in lines {
            line.channel.isWritable = true
            line.channel.pipeline.fireChannelWritabilityChanged()
        }
        for (index, line) in lines.enumerated() { heard[index] += try line.heard() }
        #expect(heard[0].popLast() == "<close 1000 server namespace disconnect>", "seed \(seed)")
        #expect(heard.joined().count { $0.hasPrefix("<pong") } == pongs, "seed \(seed)")
        #expect(returned == waits, "seed \(seed)")
        for (index, messages) in heard.enumerated() {
            let verdict = traffic.account(of: sockets.value[index].id)
                .judge(messages.filter { !$0.hasPrefix("<pong") }, isComplete: true)
            #expect(verdict == nil, "seed \(seed), line \(index)")
        }
    }

    @Test("a session that the server closes hands over what waits, ahead of the Close frame")
    func handingOver() throws {
        let sockets = Shared<[Socket]>([])
        let traffic = Traffic(seed: 1, sizes: [10, 1_000])
        let desk = Desk(Traffic.application([traffic], sockets, Journal()))
        let line = try desk.connectedLine()
        line.channel.isWritable = false
        for _ in 0..<20 {
            traffic.broadcast(3, on: desk.hub)
            traffic.emit(to: sockets.value[0])
        }
        desk.loop.run()
        #expect(try line.heard().isEmpty)
        traffic.broadcast(1, on: desk.hub)
        sockets.value[0].disconnect(close: true)
        var heard = try line.heard()
        #expect(heard.popLast() == "<close 1000 server namespace disconnect>")
        #expect(traffic.account(of: sockets.value[0].id).judge(heard, isComplete: true) == nil)
    }

    @Test("what one session handed over at its end is no burden to the others of its loop")
    func handingOverMuch() throws {
        let sockets = Shared<[Socket]>([])
        let traffic = Traffic(seed: 1, sizes: [100_000])
        let desk = Desk(Traffic.application([traffic], sockets, Journal()))
        let line = try desk.connectedLine()
        line.channel.isWritable = false
        traffic.broadcast(30, on: desk.hub)
        traffic.broadcast(30, on: desk.hub)
        desk.loop.run()
        sockets.value[0].disconnect(close: true)
        #expect(try !line.heard().isEmpty)
        // It is cleared before each use, and would be allocated anew as large as it is where somebody still holds it.
        #expect(desk.hub.scratch.capacity <= 1 << 18)
    }

    @Test("an event that stands for others is told with what their digests came to, in its own place")
    func foldedByTheSession() throws {
        let sockets = Shared<[Socket]>([])
        let desk = Desk(Traffic.application([Traffic(seed: 1, sizes: [0])], sockets, Journal())) {
            $0.queueHighWaterMark = 50
        }
        let line = try desk.connectedLine()
        line.channel.isWritable = false
        let events = (1...8).map { (number: Int64) in
            let key = number.isMultiple(of: 2) ? "even" : "odd"
            return OutboundEvent(
                "e", [.integer(number)], number: number, folding: .init(key: key, digest: Trail(numbers: [number])))
        }
        for event in events { desk.hub.send(OutboundBatch([event]), to: Room("all")) }
        desk.loop.run()
        line.channel.isWritable = true
        line.channel.pipeline.fireChannelWritabilityChanged()
        #expect(try line.heard() == [#"42["e",7,4,[1,3,5,7],[1,8]]"#, #"42["e",8,4,[2,4,6,8]]"#])
    }
}

extension Socket {
    /// Runs a body as soon as ``caughtUp()`` would return.
    fileprivate func onLoopCaughtUp(_ body: @escaping () -> Void) {
        if let session { session.whenTaken(body) } else { body() }
    }
}
