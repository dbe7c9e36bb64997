import NIOCore
import NIOEmbedded
import Testing

@testable import SocketIOServer

@Suite("A socket's mailbox")
struct MailboxTests {
    /// An application that handles an event each time it is let.
    private struct Turnstile {
        let latch = Latch()
        let journal = Journal()

        var application: Application {
            let (latch, journal) = (latch, journal)
            return Application(
                onEvent: { event, socket in
                    journal.note("begin \(event.name)")
                    await latch.wait()
                    journal.note("end \(event.name)")
                    return []
                }, onDisconnect: { _, _ in journal.note("disconnected") })
        }

        /// How many events the application has begun to handle.
        var begun: Int { journal.lines.count { $0.hasPrefix("begin") } }

        func letThrough(_ count: Int, on loop: EmbeddedEventLoop) {
            for _ in 0..<count {
                latch.letOneThrough()
                loop.run()
            }
        }
    }

    private func events(_ range: Range<Int>) -> [UInt8] {
        range.flatMap { clientText(#"42["\#($0)"]"#) }
    }

    @Test("an event is begun when the one before it has ended")
    func oneAtATime() throws {
        let turnstile = Turnstile()
        let line = try Desk(turnstile.application).connectedLine()
        try line.receive(events(0..<3))
        #expect(turnstile.journal.lines == ["begin 0"])
        turnstile.letThrough(1, on: line.loop)
        #expect(turnstile.journal.lines == ["begin 0", "end 0", "begin 1"])
        turnstile.letThrough(2, on: line.loop)
        #expect(turnstile.journal.lines.suffix(3) == ["end 1", "begin 2", "end 2"])
        // The mailbox sleeps by now, and wakes again.
        try line.receive(events(3..<4))
        #expect(turnstile.journal.lines.last == "begin 3")
    }

    @Test("reading stops when enough events wait, and goes on when half of them are handled", arguments: [1, 2, 4, 7])
    func backPressure(_ limit: Int) throws {
        let turnstile = Turnstile()
        let line = try Desk(turnstile.application) { $0.maximumPendingEvents = limit }.connectedLine()
        #expect(line.autoRead)
        // The first is under way, and as many as are allowed wait behind it: none of what follows is taken.
        try line.receive(events(0..<1))
        try line.receive(events(1..<limit + 1))
        #expect(!line.autoRead)
        try line.receive(events(limit + 1..<3 * limit + 3) + clientPing("unread"))
        #expect(try line.heard().isEmpty)
        turnstile.letThrough(limit - limit / 2 - 1, on: line.loop)
        #expect(!line.autoRead)
        turnstile.letThrough(1, on: line.loop)
        // Reading has gone on, and stopped again at once, since all of that was there.
        #expect(!line.autoRead)
        turnstile.letThrough(2 * limit + limit / 2 + 2, on: line.loop)
        #expect(line.autoRead)
        #expect(try line.heard() == ["<pong unread>"])
        turnstile.letThrough(1, on: line.loop)
        let all = (0..<3 * limit + 3).flatMap { ["begin \($0)", "end \($0)"] }
        #expect(turnstile.journal.lines == all)
    }

    @Test("reading stops when as many bytes wait as one message may have, attachments among them")
    func backPressureByBytes() throws {
        let turnstile = Turnstile()
        let line = try Desk(turnstile.application) { $0.maximumPayload = 1_000 }.connectedLine()
        let large = clientText(#"42["large","\#(String(repeating: "x", count: 480))"]"#)
        try line.receive(events(0..<1))
        try line.receive(large)
        #expect(line.autoRead)
        try line.receive(
            clientText(#"451-["bytes",{"_placeholder":true,"num":0}]"#)
                + clientBinary([UInt8](repeating: 7, count: 470)))
        #expect(!line.autoRead)
        turnstile.letThrough(1, on: line.loop)
        #expect(!line.autoRead)
        turnstile.letThrough(1, on: line.loop)
        #expect(line.autoRead)
        turnstile.letThrough(1, on: line.loop)
        try line.receive(large + large)
        #expect(line.autoRead)
        try line.receive(large + large)
        #expect(!line.autoRead)
    }

    @Test("no more than the limit ever waits, however much was read at once")
    func bound() throws {
        let turnstile = Turnstile()
        let line = try Desk(turnstile.application) { $0.maximumPendingEvents = 8 }.connectedLine()
        try line.receive(events(0..<1000))
        #expect(!line.autoRead)
        line.drop()
        turnstile.latch.open()
        line.loop.run()
        #expect(turnstile.begun <= 1)
    }

    @Test("a socket that keeps up does not lift the stop that another socket of its connection needs")
    func twoNamespaces() throws {
        let slow = Turnstile()
        let quick = Turnstile()
        quick.latch.open()
        let desk = Desk(slow.application, others: ["/quick": quick.application]) { $0.maximumPendingEvents = 4 }
        let line = try desk.connectedLine()
        try line.say("40/quick,")
        try line.receive(events(0..<1))
        try line.receive(
            events(1..<4) + clientText(#"42/quick,["a"]"#) + events(4..<5) + clientText(#"42/quick,["b"]"#))
        #expect(quick.begun == 1)
        #expect(!line.autoRead)
        slow.letThrough(2, on: line.loop)
        #expect(line.autoRead)
        #expect(quick.begun == 2)
    }

    @Test("two sockets with a backlog both have to be through with it before reading goes on")
    func twoBacklogs() throws {
        let first = Turnstile()
        let second = Turnstile()
        let desk = Desk(first.application, others: ["/b": second.application]) { $0.maximumPendingEvents = 2 }
        let line = try desk.connectedLine()
        try line.say("40/b,")
        // Both get their events in one segment; the second's backlog comes first, and the first's when reading goes on.
        try line.receive(events(0..<1) + clientText(#"42/b,["0"]"#))
        try line.receive(events(1..<3))
        #expect(!line.autoRead)
        first.letThrough(1, on: line.loop)
        #expect(line.autoRead)
        try line.receive(clientText(#"42/b,["1"]"#) + clientText(#"42/b,["2"]"#))
        #expect(!line.autoRead)
        second.letThrough(1, on: line.loop)
        #expect(line.autoRead)
    }

    @Test(
        "a socket that goes with a backlog leaves a connection that reads",
        arguments: [
            "kicked", "refused", "kicked by another",
        ])
    func backlogOfASocketThatGoes(_ way: String) throws {
        let latch = Latch()
        let sockets = Shared<[Socket]>([])
        let application = Application(
            onConnect: { socket, auth throws(ConnectRefusal) in
                sockets.change { $0.append(socket) }
                guard way == "refused", auth == nil else { return }
                await latch.wait()
                throw ConnectRefusal(message: "no")
            },
            onEvent: { event, socket in
                await latch.wait()
                if way == "kicked", event.name == "0" { await socket.onLoop { $0.disconnect() } }
                return []
            })
        let desk = Desk(application) { $0.maximumPendingEvents = 3 }
        let line = try desk.upgradedLine()
        try line.say("40")
        try line.receive(events(0..<1))
        try line.receive(events(1..<5))
        _ = try line.heard()
        #expect(!line.autoRead)
        if way == "kicked by another" { sockets.value[0].disconnect() }
        latch.open()
        #expect(try line.heard() == [way == "refused" ? #"44{"message":"no"}"# : "41"])
        #expect(line.autoRead)
        try line.say("40{}", #"429["back"]"#)
        #expect(try line.heard().map(kind) == ["connected", "439[]"])
    }

    @Test("a client that comes and goes sets no more than a few handlers to work at a time")
    func comingAndGoing() throws {
        let latch = Latch()
        let begun = Shared(0)
        let application = Application(onConnect: { _, _ in
            begun.change { $0 += 1 }
            await latch.wait()
        })
        let line = try Desk(application).upgradedLine()
        // A socket that leaves before its handler was reached costs nothing.
        try line.receive((0..<50).flatMap { _ in clientText("40") + clientText("41") })
        #expect(begun.value == 0)
        #expect(line.autoRead)
        for _ in 0..<20 {
            try line.say("40")
            try line.say("41")
        }
        #expect(begun.value == 8)
        #expect(!line.autoRead)
        latch.letOneThrough()
        line.loop.run()
        #expect(line.autoRead)
        try line.say("40")
        #expect(begun.value == 9)
        try line.say("41")
        #expect(!line.autoRead)
        latch.open()
        try line.say("40", #"420["a"]"#)
        #expect(try line.heard().map(kind) == ["connected", "430[]"])
        #expect(begun.value == 10)
        #expect(line.autoRead)
    }

    @Test("a connection that is closed while it does not read still hears the other side's Close")
    func closingWithABacklog() throws {
        let turnstile = Turnstile()
        let sockets = Shared<[Socket]>([])
        var application = turnstile.application
        application.onConnect = { socket, _ in sockets.change { $0.append(socket) } }
        let desk = Desk(application) { $0.maximumPendingEvents = 3 }
        let line = try desk.connectedLine()
        try line.receive(events(0..<9))
        #expect(!line.autoRead)
        sockets.value[0].disconnect(close: true)
        #expect(line.autoRead)
        #expect(try line.heard() == ["<close 1000 server namespace disconnect>"])
        try line.receive(clientClose())
        #expect(!line.isOpen)
        turnstile.latch.open()
        desk.loop.run()
        #expect(turnstile.begun <= 1)
    }

    @Test("an end that was read behind a backlog is noticed when reading goes on, and no event is handled after it")
    func endBehindABacklog() throws {
        let turnstile = Turnstile()
        let desk = Desk(turnstile.application) { $0.maximumPendingEvents = 2 }
        let line = try desk.connectedLine()
        try line.receive(events(0..<1))
        try line.receive(events(1..<3) + clientText("41") + clientText(#"42["behind"]"#))
        #expect(turnstile.journal.lines == ["begin 0"])
        turnstile.letThrough(1, on: line.loop)
        #expect(turnstile.journal.lines == ["begin 0", "end 0", "disconnected"])
        #expect(try line.heard() == ["<close 1008 protocol violation>"])
        turnstile.latch.open()
        desk.loop.run()
        #expect(turnstile.journal.count == 3)
    }

    // MARK: The reader's pace

    @Test("caughtUp() returns at once for a reader that keeps up, later for one that does not, and at the end")
    func caughtUp() throws {
        let journal = Journal()
        let application = Application(onEvent: { event, socket in
            await socket.onLoop { $0.emit("something", []) }
            await socket.caughtUp()
            journal.note(event.name)
            return []
        })
        let desk = Desk(application)
        let line = try desk.connectedLine()
        try line.say(#"42["at once"]"#)
        #expect(journal.lines == ["at once"])

        line.channel.isWritable = false
        line.channel.pipeline.fireChannelWritabilityChanged()
        try line.say(#"42["on drain"]"#)
        #expect(journal.count == 1)
        line.channel.isWritable = true
        line.channel.pipeline.fireChannelWritabilityChanged()
        desk.loop.run()
        #expect(journal.lines == ["at once", "on drain"])

        line.channel.isWritable = false
        line.channel.pipeline.fireChannelWritabilityChanged()
        try line.say(#"42["at the end"]"#)
        #expect(journal.count == 2)
        line.drop()
        #expect(journal.lines == ["at once", "on drain", "at the end"])
    }

    @Test("caughtUp() returns on a socket that has gone")
    func caughtUpAfterTheEnd() throws {
        let latch = Latch()
        let journal = Journal()
        let application = Application(onEvent: { _, socket in
            await latch.wait()
            await socket.caughtUp()
            journal.note("through")
            return []
        })
        let line = try Desk(application).connectedLine()
        line.channel.isWritable = false
        try line.say(#"42["a"]"#)
        try line.say("41")
        latch.open()
        line.loop.run()
        #expect(journal.lines == ["through"])
    }

    // MARK: The attachment

    @Test("what the application keeps about a socket is there when it is told of the end, and let go after that")
    func attachment() throws {
        final class Kept {}
        let journal = Journal()
        weak var kept: Kept?
        let sockets = Shared<[Socket]>([])
        let application = Application(
            onConnect: { socket, _ in sockets.change { $0.append(socket) } },
            onDisconnect: { socket, _ in journal.note("kept: \(socket.attachment is Kept)") })
        let line = try Desk(application).connectedLine()
        do {
            let made = Kept()
            kept = made
            sockets.value[0].attachment = made
        }
        #expect(kept != nil)
        line.drop()
        #expect(journal.lines == ["kept: true"])
        #expect(kept == nil)
        #expect(sockets.value[0].attachment == nil)
    }
}
