import EngineIO
import NIOCore
import TestSupport
import Testing

@testable import SocketIOClient

private func text(_ text: String) -> EngineFrame { .text(ByteBuffer(string: text)) }

private func body(_ text: String) -> ByteBuffer { ByteBuffer(string: text) }

private func message(_ text: String) -> PollingMachine.Action { .deliver(.message(ByteBuffer(string: text))) }

extension PollingMachine {
    /// A machine whose session is open, with a GET under way.
    fileprivate static func opened(maximumBody: Int = 1_000) throws -> PollingMachine {
        var machine = PollingMachine()
        machine.opened(maximumBody: maximumBody)
        #expect(try machine.all() == [.poll])
        return machine
    }

    /// Everything that is to be done now.
    fileprivate mutating func all() throws -> [Action] {
        var actions: [Action] = []
        while let action = try next() {
            actions.append(action)
        }
        return actions
    }
}

@Suite("Polling machine")
struct PollingMachineTests {
    @Test("there is one GET at a time, and the next goes out when all that the last one brought is delivered")
    func polls() throws {
        var machine = PollingMachine()
        #expect(try machine.all() == [.poll])
        #expect(try machine.all() == [])
        machine.received(body("4a\u{1E}6\u{1E}bAQI="))
        #expect(
            try machine.all()
                == [message("a"), .deliver(.noop), .deliver(.binary(ByteBuffer(bytes: [1, 2]))), .poll])
        machine.received(body("4b"))
        machine.received(body("4never asked for"))
        #expect(try machine.all() == [message("b"), .poll])
    }

    @Test("while the owner takes nothing, nothing is delivered and no GET goes out; then all goes on where it stood")
    func pause() throws {
        var machine = PollingMachine()
        #expect(try machine.next() == .poll)
        machine.received(body("4a\u{1E}4b"))
        #expect(try machine.next() == message("a"))
        machine.pause()
        #expect(try machine.all() == [])
        machine.resume()
        #expect(try machine.next() == message("b"))
        machine.pause()
        #expect(try machine.all() == [])
        machine.resume()
        #expect(try machine.all() == [.poll])
    }

    @Test("nothing is posted before the session is open, nor before a flush")
    func beforeOpen() throws {
        var machine = PollingMachine()
        machine.send(text("40"))
        machine.flush()
        #expect(try machine.all() == [.poll])
        #expect(!machine.isIdle)
        machine.opened(maximumBody: 100)
        #expect(try machine.all() == [.post(body("40"))])
        machine.posted()
        #expect(machine.isIdle)
        machine.send(text("42"))
        #expect(try machine.all() == [])
        machine.flush()
        #expect(try machine.all() == [.post(body("42"))])
    }

    @Test("there is one POST at a time, and what comes meanwhile leaves together, as much as a body may hold")
    func batches() throws {
        var machine = try PollingMachine.opened(maximumBody: 9)
        machine.send(text("4a"))
        machine.flush()
        #expect(try machine.all() == [.post(body("4a"))])
        for packet in ["4b", "4c", "4d", "4e", "4this is too long", "4f"] {
            machine.send(text(packet))
        }
        machine.send(.binary(ByteBuffer(bytes: [1, 2, 3])))
        machine.send(text("4g"))
        machine.flush()
        #expect(try machine.all() == [])
        // Nine bytes hold three packets of two with the separators' two, and not four of them.
        for expected in ["4b\u{1E}4c\u{1E}4d", "4e", "4this is too long", "4f\u{1E}bAQID", "4g"] {
            machine.posted()
            #expect(try machine.all() == [.post(body(expected))])
        }
        machine.posted()
        #expect(try machine.all() == [])
    }

    @Test("a long queue makes the transport unwritable, by its bytes or by its packets")
    func writability() throws {
        var machine = try PollingMachine.opened()
        machine.send(text("4" + String(repeating: "x", count: PollingMachine.highWaterBytes)))
        #expect(!machine.isWritable)
        machine.flush()
        _ = try machine.all()
        #expect(machine.isWritable)
        for _ in 0..<PollingMachine.highWaterFrames {
            #expect(machine.isWritable)
            machine.send(text("3"))
        }
        #expect(!machine.isWritable)
        _ = machine.takeUnsent()
        #expect(machine.isWritable)
    }

    @Test("while polls are held back, the one that is under way is delivered and POSTs go on")
    func hold() throws {
        var machine = try PollingMachine.opened()
        machine.hold()
        machine.received(body("4a"))
        machine.send(text("4b"))
        machine.flush()
        #expect(try machine.all() == [message("a"), .post(body("4b"))])
        machine.posted()
        #expect(machine.isIdle)
        var other = machine
        other.drain()
        #expect(try other.all() == [.drained])
        machine.reopen()
        #expect(try machine.all() == [.poll])
    }

    @Test("a drain waits for both requests and for the delivery, sends nothing new, and hands over the rest")
    func drain() throws {
        var machine = try PollingMachine.opened()
        machine.send(text("4a"))
        machine.flush()
        #expect(try machine.all() == [.post(body("4a"))])
        machine.drain()
        machine.send(text("4b"))
        machine.flush()
        #expect(!machine.isIdle)
        machine.received(body("4x\u{1E}6"))
        machine.pause()
        machine.posted()
        #expect(try machine.all() == [])
        machine.resume()
        #expect(try machine.all() == [message("x"), .deliver(.noop), .drained])
        machine.send(text("4c"))
        #expect(try machine.all() == [])
        #expect(machine.takeUnsent() == [text("4b"), text("4c")])
    }

    @Test("a drain that is called off leaves everything as it would have been", arguments: [false, true])
    func reopen(isDrained: Bool) throws {
        var machine = try PollingMachine.opened()
        machine.drain()
        machine.send(text("4a"))
        machine.flush()
        #expect(try machine.all() == [])
        if isDrained {
            machine.received(body("6"))
            #expect(try machine.all() == [.deliver(.noop), .drained])
        }
        machine.reopen()
        #expect(try machine.all() == (isDrained ? [.post(body("4a")), .poll] : [.post(body("4a"))]))
    }

    @Test("closing sends what is queued, with Engine.IO's close behind it, and delivers nothing more")
    func close() throws {
        var machine = try PollingMachine.opened()
        machine.send(text("41"))
        machine.close()
        machine.close()
        machine.send(text("4late"))
        #expect(try machine.all() == [.post(body("41\u{1E}1"))])
        machine.received(body("4a"))
        #expect(try machine.all() == [])
        machine.posted()
        #expect(try machine.all() == [.finished])
        #expect(try machine.all() == [])
    }

    @Test("closing before the session is open has nothing to say")
    func closeEarly() throws {
        var machine = PollingMachine()
        #expect(try machine.all() == [.poll])
        machine.send(text("40"))
        machine.close()
        #expect(try machine.all() == [.finished])
    }

    @Test("what isn't Engine.IO is an error behind the packets before it")
    func violations() throws {
        for (bad, error) in [
            ("", EngineProtocolError.emptyPacket), ("9", .unknownPacketType(0x39)), ("b~", .invalidBase64),
        ] {
            var machine = try PollingMachine.opened()
            machine.received(body("4a\u{1E}\(bad)"))
            #expect(try machine.next() == message("a"))
            #expect(throws: error) { try machine.next() }
        }
        var machine = try PollingMachine.opened()
        machine.received(ByteBuffer())
        #expect(throws: EngineProtocolError.emptyPacket) { try machine.next() }
    }

    @Test(
        "whatever happens in whatever order: one request each way, no packet lost, doubled or out of order", .computes)
    func property() throws {
        for seed in 0..<2_000 {
            var random = Seeded(UInt64(seed))
            var run = Run(maximumBody: 8 + random.below(40))
            try run.go(&random)
        }
    }

    @Test("no bytes of a server trap, and none make more packets than their length", .computes)
    func hostileBodies() {
        var random = Seeded(7)
        let samples = ["4a\u{1E}2probe\u{1E}bAQID", "0{\"sid\":\"a\"}", "6", "40{\"sid\":\"s\"}\u{1E}42[\"a\"]"]
        for _ in 0..<20_000 {
            let bytes = random.hostileBytes(
                like: samples.map { Array($0.utf8) }, alphabet: Array("0123456b\u{1E}=A".utf8))
            var machine = PollingMachine()
            _ = try? machine.next()
            machine.received(ByteBuffer(bytes: bytes))
            var count = 0
            while let action = try? machine.next(), action != .poll {
                count += 1
            }
            #expect(count <= bytes.count)
        }
    }
}

/// A machine between a user and a server who do what they like.
private struct Run {
    let maximumBody: Int
    var machine = PollingMachine()
    var (isPolling, isPosting, isPaused, isDraining) = (false, false, false, false)
    var (sent, arrived, offered, delivered) = ([String](), [String](), [String](), [String]())

    init(maximumBody: Int) {
        self.maximumBody = maximumBody
        machine.opened(maximumBody: maximumBody)
    }

    mutating func go(_ random: inout Seeded) throws {
        for step in 0..<60 {
            happen(&random, step)
            try perform()
        }
        // Whatever state it is in, it can be brought to an end with nothing missing.
        machine.reopen()
        machine.resume()
        isPaused = false
        machine.flush()
        for _ in 0..<400 {
            try perform()
            if isPosting {
                isPosting = false
                machine.posted()
            }
        }
        #expect(arrived == sent)
        #expect(delivered == offered)
    }

    private mutating func happen(_ random: inout Seeded, _ step: Int) {
        switch random.below(9) {
        case 0, 1:
            let packet = "4\(step)" + String(repeating: "x", count: random.below(12))
            sent.append(packet)
            machine.send(text(packet))
        case 2: machine.flush()
        case 3 where isPolling:
            isPolling = false
            let packets = (0...random.below(4)).map { "4s\(step).\($0)" }
            offered += packets
            machine.received(body(packets.joined(separator: "\u{1E}")))
        case 4 where isPosting:
            isPosting = false
            machine.posted()
        case 5:
            isPaused = true
            machine.pause()
        case 6:
            isPaused = false
            machine.resume()
        case 7 where random.below(3) == 0:
            isDraining = true
            machine.drain()
        case 8 where isDraining:
            isDraining = false
            machine.reopen()
        case 8: machine.hold()
        default: break
        }
    }

    private mutating func perform() throws {
        while let action = try machine.next() {
            switch action {
            case .poll:
                #expect(!isPolling && !isPaused && delivered == offered)
                isPolling = true
            case .post(let body):
                #expect(!isPosting)
                isPosting = true
                let packets = String(buffer: body).split(separator: "\u{1E}").map(String.init)
                #expect(packets.count == 1 || body.readableBytes <= maximumBody)
                arrived += packets
            case .deliver(let packet):
                #expect(!isPaused)
                var text = ByteBuffer()
                packet.encodeText(into: &text)
                delivered.append(String(buffer: text))
            case .drained:
                #expect(isDraining && !isPolling && !isPosting && delivered == offered)
            case .finished: Issue.record("nobody closed")
            }
        }
    }
}
