import TestSupport
import Testing

@Suite("The heartbeat", .blocks)
struct HeartbeatTests {
    @Test("the server pings, each time that it was answered", arguments: Transport.allCases)
    func pings(transport: Transport) throws {
        try withFixture("--ping-interval", "100") { fixture in
            let session = try fixture.session(transport)
            for _ in 0..<3 {
                let began = ContinuousClock.now
                #expect(try session.next() == "2")
                // Not a moment early, but for what had gone by of the time before the client had its turn.
                #expect(ContinuousClock.now - began < .seconds(10))
                try session.send("3")
            }
        }
    }

    @Test("a client that does not answer is gone when its time is up", arguments: Transport.allCases)
    func timesOut(transport: Transport) throws {
        try withFixture("--ping-interval", "300", "--ping-timeout", "200") { fixture in
            let session = try fixture.session(transport)
            #expect(try session.end().allSatisfy { $0 == "2" })
            try fixture.waitForCount("no session left") { $0.sessions == 0 }
        }
    }

    @Test("a client that never polls is gone when its time is up")
    func neverPolls() throws {
        try withFixture("--ping-interval", "300", "--ping-timeout", "200") { fixture in
            let session = try PollingPeer(fixture)
            try fixture.waitForCount("no session left") { $0.sessions == 0 }
            #expect(try fixture.ask(session.query).status == 400)
        }
    }

    @Test("one that answers is kept, however long", arguments: Transport.allCases)
    func kept(transport: Transport) throws {
        try withFixture("--ping-interval", "50", "--ping-timeout", "60000") { fixture in
            let session = try fixture.session(transport)
            for _ in 0..<8 {
                #expect(try session.next() == "2")
                try session.send("3")
            }
            #expect(try fixture.count().sessions == 1)
        }
    }

    @Test("a client has no business to ping", arguments: Transport.allCases)
    func pinged(transport: Transport) throws {
        try withFixture { fixture in
            let session = try fixture.session(transport)
            try session.send("2")
            try session.end()
            try fixture.waitForCount("no session left") { $0.sessions == 0 }
        }
    }
}
