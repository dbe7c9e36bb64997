import Glibc
import TestSupport
import Testing

@Suite("Closing", .blocks)
struct ClosingTests {
    @Test("a client's close packet ends the session", arguments: Transport.allCases)
    func byClient(transport: Transport) throws {
        try withFixture { fixture in
            let session = try fixture.session(transport)
            try session.send("1")
            try session.end()
            try fixture.waitForCount("no session left") { $0.sessions == 0 }
        }
    }

    @Test("a poll that waits while its client closes is answered with a noop, and the next is refused")
    func releasesPoll() throws {
        try withFixture { fixture in
            let session = try PollingPeer(fixture)
            try session.beginPoll()
            for _ in 0..<5 { #expect(try session.isKnown()) }
            #expect(try session.post("1").body == "ok")
            #expect(try session.polled() == "6")
            #expect(try fixture.ask(session.query).status == 400)
        }
    }

    @Test(
        "a message that is no packet ends the session", arguments: [Transport.webSocket, .upgraded],
        ["abc", "", "7", "0{}"])
    func malformed(transport: Transport, text: String) throws {
        try withFixture { fixture in
            let session = try fixture.session(transport)
            try session.send(text)
            try session.end()
            try fixture.waitForCount("no session left") { $0.sessions == 0 }
        }
    }

    @Test("the application can end the session", arguments: Transport.allCases)
    func byServer(transport: Transport) throws {
        try withFixture { fixture in
            let session = try fixture.entered(transport)
            try session.send(#"42["close"]"#)
            try session.end()
            try fixture.waitForCount("no session left") { $0.sessions == 0 }
        }
    }

    @Test("a WebSocket's close frame, its end of data and its reset each end the session")
    func badly() throws {
        try withFixture { fixture in
            let ends: [(WebSocketPeer) throws -> Void] = [
                { try $0.sendClose() }, { $0.wire.endOutput() }, { $0.wire.close() }, { $0.wire.reset() },
            ]
            for end in ends {
                for transport in [Transport.webSocket, .upgraded] {
                    let session = try #require(try fixture.entered(transport) as? WebSocketPeer)
                    #expect(try fixture.count().sessions == 1)
                    try end(session)
                    try fixture.waitForCount("no session left") { $0.sessions == 0 }
                }
            }
        }
    }

    @Test("a server that stops ends every session, and itself with them", arguments: [Transport.webSocket, .upgraded])
    func stops(transport: Transport) throws {
        try withFixture(mayEnd: true) { fixture in
            let session = try fixture.entered(transport)
            fixture.process.signal(SIGTERM)
            #expect(try session.end() == [])
            #expect(try fixture.process.waitForExit() == 0)
        }
    }

    @Test("a server that stops tells who polls, and waits for nobody who does not")
    func stopsPolling() throws {
        try withFixture(mayEnd: true) { fixture in
            let absent = try PollingPeer(fixture)
            let present = try PollingPeer(fixture)
            try present.beginPoll()
            for _ in 0..<5 { #expect(try present.isKnown()) }
            fixture.process.signal(SIGTERM)
            #expect(try present.polled() == "1")
            #expect(try fixture.process.waitForExit() == 0)
            withExtendedLifetime(absent) {}
        }
    }
}
