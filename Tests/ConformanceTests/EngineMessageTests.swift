import TestSupport
import Testing

@Suite("Messages of Engine.IO, without Socket.IO above", .blocks)
struct EngineMessageTests {
    private func withEcho(_ body: (FixtureProcess) throws -> Void) throws {
        try withFixture("--protocol", "engine.io", path: "/engine.io/", body)
    }

    @Test("a text comes back", arguments: Transport.allCases)
    func text(transport: Transport) throws {
        try withEcho { fixture in
            let session = try fixture.session(transport)
            try session.send("4hello")
            #expect(try session.next() == "4hello")
        }
    }

    @Test("an empty message is one", arguments: Transport.allCases)
    func empty(transport: Transport) throws {
        try withEcho { fixture in
            let session = try fixture.session(transport)
            try session.send(["4", .binary([]), "4x"])
            #expect(try session.next(3) == ["4", .binary([]), "4x"])
        }
    }

    @Test("several come back in their order", arguments: Transport.allCases)
    func several(transport: Transport) throws {
        try withEcho { fixture in
            let session = try fixture.session(transport)
            let packets: [Packet] = ["4test1", "4test2", .binary([1, 2, 3, 4]), "4test3", .binary([5])]
            try session.send(packets)
            #expect(try session.next(packets.count) == packets)
        }
    }

    @Test("what was posted comes back in one poll, as it was")
    func payload() throws {
        try withEcho { fixture in
            let session = try PollingPeer(fixture)
            for body in ["4hello", "4test1\u{1E}4test2\u{1E}4test3", "4hello\u{1E}bAQIDBA=="] {
                #expect(try session.post(body).body == "ok")
                #expect(try session.poll() == body)
            }
        }
    }

    @Test("a session needs no CONNECT to be kept")
    func kept() throws {
        try withFixture(
            "--protocol", "engine.io", "--connect-timeout", "10", "--ping-interval", "100", path: "/engine.io/"
        ) { fixture in
            let session = try fixture.session(.webSocket)
            for _ in 0..<5 {
                #expect(try session.next() == "2")
                try session.send("3")
            }
            try session.send("4hello")
            var packet = try session.next()
            // On a machine that is slow enough the next ping is first.
            while packet == "2" {
                try session.send("3")
                packet = try session.next()
            }
            #expect(packet == "4hello")
        }
    }

    @Test(
        "a packet of no type, or of one that clients don't send, closes the session", arguments: Transport.allCases,
        ["abc", "2", "0", "7"])
    func malformed(transport: Transport, text: String) throws {
        try withEcho { fixture in
            let session = try fixture.session(transport)
            try session.send(text)
            try session.end()
            try fixture.waitForCount("no session left") { $0.sessions == 0 }
        }
    }
}
