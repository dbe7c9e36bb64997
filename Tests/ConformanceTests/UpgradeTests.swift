import TestSupport
import Testing

@Suite("The upgrade from polling to a WebSocket", .blocks)
struct UpgradeTests {
    @Test("the probe is answered, the last poll is released with a noop, and messages come by the WebSocket")
    func upgrades() throws {
        try withFixture { fixture in
            let session = try entered(fixture)
            let socket = try session.webSocket()
            try socket.send("2probe")
            #expect(try socket.next() == "3probe")
            #expect(try session.poll() == "6")
            try socket.send("5", #"42["message","hello"]"#)
            #expect(try socket.next() == #"42["message-back","hello"]"#)
        }
    }

    @Test("a poll that waits already is released by the probe")
    func releases() throws {
        try withFixture { fixture in
            let session = try entered(fixture)
            try session.beginPoll()
            for _ in 0..<5 { #expect(try session.isKnown()) }
            let socket = try session.webSocket()
            try socket.send("2probe")
            #expect(try session.polled() == "6")
            #expect(try socket.next() == "3probe")
            try socket.send("5", #"42["message","hello"]"#)
            #expect(try socket.next() == #"42["message-back","hello"]"#)
        }
    }

    @Test("after the upgrade the session is no longer there for polling, and goes on")
    func endsPolling() throws {
        try withFixture { fixture in
            let session = try entered(fixture)
            let socket = try session.upgrade()
            // What stands behind the upgrade on the WebSocket was handled, so that was, too.
            try socket.send(#"42["message",1]"#)
            #expect(try socket.next() == #"42["message-back",1]"#)
            #expect(try fixture.ask(session.query).status == 400)
            #expect(try fixture.ask("POST", session.query, body: #"42["message","lost"]"#).status == 400)
            try socket.send(#"42["message",2]"#)
            #expect(try socket.next() == #"42["message-back",2]"#)
        }
    }

    @Test("after the upgrade another WebSocket is turned away, and the session goes on")
    func turnsAway() throws {
        try withFixture { fixture in
            let session = try entered(fixture)
            let socket = try session.upgrade()
            try socket.send(#"42["message",1]"#)
            #expect(try socket.next() == #"42["message-back",1]"#)
            try expectTurnedAway(session)
            try socket.send(#"42["message",2]"#)
            #expect(try socket.next() == #"42["message-back",2]"#)
        }
    }

    @Test("a client need not wait for the probe's answer")
    func impatient() throws {
        try withFixture { fixture in
            let session = try entered(fixture)
            let socket = try session.webSocket()
            try socket.send("2probe", "5", #"42["message",1]"#)
            #expect(try socket.next() == "3probe")
            #expect(try socket.next() == #"42["message-back",1]"#)
            #expect(try fixture.ask(session.query).status == 400)
        }
    }

    @Test("until the upgrade messages come by polling; what still waits then comes by the WebSocket")
    func meanwhile() throws {
        try withFixture { fixture in
            let session = try entered(fixture)
            let socket = try session.webSocket()
            try socket.send("2probe")
            #expect(try socket.next() == "3probe")
            _ = try session.post(#"42["message",1]"#)
            #expect(try session.next() == #"42["message-back",1]"#)
            _ = try session.post(#"42["message",2]"#)
            try socket.send("5", #"42["message",3]"#)
            #expect(try socket.next() == #"42["message-back",2]"#)
            #expect(try socket.next() == #"42["message-back",3]"#)
        }
    }

    @Test("binary data goes both ways, before and after")
    func binary() throws {
        try withFixture { fixture in
            let session = try entered(fixture)
            let packets: [Packet] = [
                #"452-["message",{"_placeholder":true,"num":0},{"_placeholder":true,"num":1}]"#,
                .binary([1, 2, 3]), .binary([]),
            ]
            let answers: [Packet] = [
                #"452-["message-back",{"_placeholder":true,"num":0},{"_placeholder":true,"num":1}]"#,
                .binary([1, 2, 3]), .binary([]),
            ]
            try session.send(packets)
            #expect(try session.next(3) == answers)
            let socket = try session.upgrade()
            try socket.send(packets)
            #expect(try socket.next(3) == answers)
        }
    }

    @Test("a WebSocket that ends before the upgrade changes nothing: polling goes on, and another may try")
    func abandoned() throws {
        try withFixture { fixture in
            let session = try entered(fixture)
            for probe in [[], ["2probe"]] {
                for isReset in [false, true] {
                    let socket = try session.webSocket()
                    if !probe.isEmpty {
                        try socket.send(probe.map { .text($0) })
                        #expect(try socket.next() == "3probe")
                    }
                    if isReset { socket.wire.reset() } else { socket.wire.close() }
                    try session.send(#"42["message",1]"#)
                    #expect(try session.next() == #"42["message-back",1]"#)
                }
            }
            // The last of them may not have been noticed yet.
            var socket: WebSocketPeer?
            try eventually("another probe is answered") {
                guard let candidate = try? session.webSocket() else { return false }
                try candidate.send("2probe")
                guard try candidate.next() == "3probe" else { return false }
                socket = candidate
                return true
            }
            try socket?.send("5", #"42["message",2]"#)
            #expect(try socket?.next() == #"42["message-back",2]"#)
        }
    }

    @Test(
        "a WebSocket that says anything but the probe is turned away; polling goes on",
        arguments: ["5", "3probe", "2", "2prob", "abc", "40"])
    func noProbe(text: String) throws {
        try withFixture { fixture in
            let session = try entered(fixture)
            let socket = try session.webSocket()
            try socket.send(text)
            try socket.end()
            try session.send(#"42["message",1]"#)
            #expect(try session.next() == #"42["message-back",1]"#)
        }
    }

    @Test("while one WebSocket is tried, another is turned away")
    func twoAtOnce() throws {
        try withFixture { fixture in
            let session = try entered(fixture)
            let socket = try session.webSocket()
            try socket.send("2probe")
            #expect(try socket.next() == "3probe")
            try expectTurnedAway(session)
            #expect(try session.poll() == "6")
            try socket.send("5", #"42["message",1]"#)
            #expect(try socket.next() == #"42["message-back",1]"#)
        }
    }

    @Test("a connection that has carried polls can become the WebSocket")
    func sameConnection() throws {
        try withFixture { fixture in
            let session = try entered(fixture)
            let socket = try WebSocketPeer(fixture.target(session.webSocketQuery), on: session.posts)
            try socket.send("2probe")
            #expect(try socket.next() == "3probe")
            #expect(try session.poll() == "6")
            try socket.send("5", #"42["message",1]"#)
            #expect(try socket.next() == #"42["message-back",1]"#)
            #expect(try fixture.count().accepted == 2)
        }
    }

    @Test("the heartbeat goes on across the upgrade")
    func heartbeat() throws {
        try withFixture("--ping-interval", "100") { fixture in
            let session = try PollingPeer(fixture)
            #expect(try session.next() == "2")
            try session.send("3")
            let socket = try session.webSocket()
            try socket.send("2probe", "5")
            var pings = 0
            while pings < 3 {
                let packet = try socket.next()
                guard packet != "3probe" else { continue }
                #expect(packet == "2")
                pings += 1
                try socket.send("3")
            }
        }
    }

    private func entered(_ fixture: FixtureProcess) throws -> PollingPeer {
        let session = try PollingPeer(fixture)
        try session.send("40")
        _ = try session.next(2)
        return session
    }

    /// Refused, or closed before it is told anything.
    private func expectTurnedAway(_ session: PollingPeer) throws {
        do {
            let socket = try session.webSocket()
            try? socket.send("2probe")
            #expect(try socket.end() == [])
        } catch let refusal as WebSocketPeer.Refused {
            #expect(refusal.answer.status == 400)
        }
    }
}
