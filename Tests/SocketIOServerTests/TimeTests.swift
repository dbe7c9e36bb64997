import NIOCore
import NIOEmbedded
import Testing

@testable import SocketIOServer

@Suite("A session and time")
struct TimeTests {
    @Test("a connection without a CONNECT is closed in time")
    func connectTimeout() throws {
        let desk = Desk { $0.connectTimeout = .seconds(5) }
        let silent = try desk.upgradedLine()
        let lost = try desk.upgradedLine()
        try lost.say("40/nowhere,")
        let connected = try desk.connectedLine()
        desk.loop.advanceTime(by: .milliseconds(4_999))
        #expect(try silent.heard().isEmpty)
        desk.loop.advanceTime(by: .milliseconds(1))
        #expect(try silent.heard() == ["<close 1000 connect timeout>"])
        #expect(try lost.heard().last == "<close 1000 connect timeout>")
        #expect(try connected.heard().isEmpty)
        #expect(desk.hub.connectionCount == 1)
    }

    @Test("a client that is refused, or whose CONNECT takes too long, does not stay either")
    func connectTimeoutAfterRefusal() throws {
        let latch = Latch()
        let journal = Journal()
        let application = Application(
            onConnect: { socket, auth throws(ConnectRefusal) in
                if auth == nil { throw ConnectRefusal(message: "no") }
                await latch.wait()
                journal.note("cancelled: \(Task.isCancelled)")
            },
            onDisconnect: { _, _ in journal.note("disconnected") })
        let desk = Desk(application) { $0.connectTimeout = .seconds(5) }
        let refused = try desk.upgradedLine()
        try refused.say("40")
        let slow = try desk.upgradedLine()
        try slow.say("40{}")
        desk.loop.advanceTime(by: .seconds(5))
        #expect(try refused.heard() == [#"44{"message":"no"}"#, "<close 1000 connect timeout>"])
        #expect(try slow.heard() == ["<close 1000 connect timeout>"])
        latch.open()
        desk.loop.run()
        #expect(journal.lines == ["cancelled: true"])
    }

    @Test("a connection whose client was accepted once stays without a namespace")
    func stayingWithoutNamespace() throws {
        let desk = Desk { $0.connectTimeout = .seconds(5) }
        let line = try desk.connectedLine()
        try line.say("41")
        desk.loop.advanceTime(by: .seconds(6))
        try line.say("40")
        #expect(try line.heard().map(kind) == ["connected"])
    }

    @Test("the server pings at its interval, and a client that answers stays")
    func heartbeat() throws {
        let desk = Desk()
        let line = try desk.connectedLine()
        for _ in 0..<4 {
            desk.loop.advanceTime(by: .milliseconds(24_999))
            #expect(try line.heard().isEmpty)
            desk.loop.advanceTime(by: .milliseconds(1))
            #expect(try line.heard() == ["2"])
            try line.say("3")
        }
    }

    @Test("a client that does not answer a ping is gone when the time-out is over")
    func silentClient() throws {
        let journal = Journal()
        let desk = Desk(Application(onDisconnect: { _, reason in journal.note("\(reason)") }))
        let line = try desk.connectedLine()
        desk.loop.advanceTime(by: .milliseconds(44_999))
        #expect(line.isOpen)
        desk.loop.advanceTime(by: .milliseconds(1))
        #expect(!line.isOpen)
        #expect(journal.lines == ["ping timeout"])
        #expect(desk.hub.connectionCount == 0)
    }

    @Test("a client is not blamed for a pong that the server did not read")
    func backlogAndHeartbeat() throws {
        let latch = Latch()
        let application = Application(onEvent: { _, _ in
            await latch.wait()
            return []
        })
        let desk = Desk(application) { $0.maximumPendingEvents = 2 }
        let line = try desk.connectedLine()
        try line.say(#"42["a"]"#, #"42["b"]"#, #"42["c"]"#)
        desk.loop.advanceTime(by: .seconds(25))
        #expect(try line.heard() == ["2"])
        try line.say("3")
        desk.loop.advanceTime(by: .seconds(100))
        #expect(line.isOpen)
        latch.open()
        desk.loop.advanceTime(by: .seconds(25))
        #expect(line.isOpen)
        #expect(try line.heard() == ["2"])

        // From here on its silence is its own.
        desk.loop.advanceTime(by: .seconds(20))
        #expect(!line.isOpen)
    }

    @Test("after a backlog a silent client has one time-out, and one that does not read has none")
    func silenceAfterABacklog() throws {
        let latch = Latch()
        let application = Application(onEvent: { _, _ in
            await latch.wait()
            return []
        })
        let desk = Desk(application) { $0.maximumPendingEvents = 2 }
        let silent = try desk.connectedLine()
        try silent.say(#"42["a"]"#, #"42["b"]"#, #"42["c"]"#)
        let stuck = try desk.connectedLine()
        try stuck.say(#"42["a"]"#, #"42["b"]"#, #"42["c"]"#)
        stuck.channel.isWritable = false
        desk.loop.advanceTime(by: .seconds(45))
        #expect(!stuck.isOpen)
        desk.loop.advanceTime(by: .seconds(10))
        latch.open()
        desk.loop.advanceTime(by: .milliseconds(19_999))
        #expect(silent.isOpen)
        desk.loop.advanceTime(by: .milliseconds(1))
        #expect(!silent.isOpen)
    }
}
