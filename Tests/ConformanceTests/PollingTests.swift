import TestSupport
import Testing
import WireJSON

@Suite("Polling", .blocks)
struct PollingTests {
    @Test("a POST is answered with ok, and what comes of it by a GET")
    func one() throws {
        try withFixture { fixture in
            let session = try entered(fixture)
            let answer = try session.post(#"42["message","hello"]"#)
            #expect(answer.status == 200)
            #expect(answer.body == "ok")
            #expect(try session.poll() == #"42["message-back","hello"]"#)
        }
    }

    @Test("a GET waits until there is something")
    func waits() throws {
        try withFixture { fixture in
            let session = try entered(fixture)
            for number in 0..<3 {
                try session.beginPoll()
                _ = try session.post("42[\"message\",\(number)]")
                #expect(try session.polled() == "42[\"message-back\",\(number)]")
            }
        }
    }

    @Test("a POST may bear several packets, which are handled in their order; one GET may bring several")
    func several() throws {
        try withFixture { fixture in
            let session = try entered(fixture)
            let numbers = 0..<500
            try session.send(numbers.map { .text("42[\"message\",\($0)]") })
            var heard: [Packet] = []
            while heard.count < numbers.count { heard.append(try session.next()) }
            #expect(heard == numbers.map { .text("42[\"message-back\",\($0)]") })
        }
    }

    @Test("packets that wait for a GET come together")
    func together() throws {
        try withFixture { fixture in
            let session = try entered(fixture)
            // The acknowledgement is the last thing to be sent, and is waited for by another session's.
            _ = try session.post("42[\"message\",1]\u{1E}42[\"message\",2]\u{1E}420[\"message-with-ack\",3]")
            var body = ""
            repeat {
                if !body.isEmpty { body += "\u{1E}" }
                body += try session.poll()
            } while !body.hasSuffix("430[3]")
            #expect(body == "42[\"message-back\",1]\u{1E}42[\"message-back\",2]\u{1E}430[3]")
        }
    }

    @Test("binary packets are told in base64, both ways")
    func binary() throws {
        try withFixture { fixture in
            let session = try entered(fixture)
            let placeholder = #"{"_placeholder":true,"num":0}"#
            let answer = try session.post("451-[\"message\",\(placeholder)]\u{1E}bAQIDBA==")
            #expect(answer.status == 200)
            #expect(try session.poll() == "451-[\"message-back\",\(placeholder)]\u{1E}bAQIDBA==")
        }
    }

    @Test("text beyond ASCII is counted and split by the byte, and comes back whole")
    func text() throws {
        try withFixture { fixture in
            let session = try entered(fixture)
            let text = "né 日本語 👩‍👩‍👧 \u{10FFFF}"
            _ = try session.post("42[\"message\",\"\(text)\"]")
            #expect(try session.poll() == "42[\"message-back\",\"\(text)\"]")
        }
    }

    @Test(
        "a body that is no payload is refused with 400, and closes the session",
        arguments: [
            "abc", "", "4abc\u{1E}", "\u{1E}", "\u{1E}42[\"message\"]", "b!!!!", "bAQIDB", "8",
            "42[\"message\",1]\u{1E}x",
        ])
    func malformed(body: String) throws {
        try withFixture { fixture in
            let session = try PollingPeer(fixture)
            #expect(try session.post(body).status == 400)
            #expect(try !session.isKnown())
            try fixture.waitForCount("no session left") { $0.sessions == 0 }
        }
    }

    @Test("bytes that are no UTF-8 are refused with 400, and close the session")
    func notText() throws {
        try withFixture { fixture in
            let session = try entered(fixture)
            try session.posts.send(
                "POST", session.target, body: Array(#"42["message",""#.utf8) + [0xFF] + Array(#""]"#.utf8))
            #expect(try session.posts.answer().status == 400)
            #expect(try !session.isKnown())
        }
    }

    @Test("a second GET beside the first closes the session: the first is told so, the second is refused")
    func doubled() throws {
        try withFixture { fixture in
            let session = try PollingPeer(fixture)
            try session.beginPoll()
            // As soon as the server has read the first: one connection's bytes are read in their order, two's in any.
            try waitUntilWaiting(session)
            #expect(try fixture.ask(session.query).status == 400)
            #expect(try session.polled() == "1")
            #expect(try !session.isKnown())
            try fixture.waitForCount("no session left") { $0.sessions == 0 }
        }
    }

    @Test("a GET whose client goes away closes the session")
    func cancelled() throws {
        try withFixture { fixture in
            for end in [HTTPPeer.close, HTTPPeer.reset] {
                let session = try PollingPeer(fixture)
                try session.beginPoll()
                try waitUntilWaiting(session)
                end(session.gets)()
                try fixture.waitForCount("no session left") { $0.sessions == 0 }
                #expect(try !session.isKnown())
            }
        }
    }

    @Test("between two polls the client's connections may come and go")
    func newConnections() throws {
        try withFixture { fixture in
            let session = try entered(fixture)
            for number in 0..<10 {
                #expect(try fixture.ask("POST", session.query, body: "42[\"message\",\(number)]").body == "ok")
                #expect(try fixture.ask(session.query).body == "42[\"message-back\",\(number)]")
            }
        }
    }

    @Test("a session that is not there is unknown, to whatever is asked of it")
    func unknown() throws {
        try withFixture { fixture in
            let long = String(repeating: "a", count: 5_000)
            for sid in ["unknown", "0", "a%20b", "..%2F..", long, "AAAAAAAAAAAAAAAAAAAA"] {
                for method in ["GET", "POST"] {
                    let answer = try fixture.ask(
                        method, "EIO=4&transport=polling&sid=\(sid)", body: method == "POST" ? "3" : nil)
                    #expect(answer.status == 400)
                    #expect(try JSON(parsing: answer.body)["code"] == 1)
                }
            }
        }
    }

    @Test("a session takes GET and POST, and nothing else")
    func methods() throws {
        try withFixture { fixture in
            let session = try PollingPeer(fixture)
            for method in ["PUT", "DELETE", "PATCH"] {
                #expect(try fixture.ask(method, session.query, body: "").status == 400)
            }
            #expect(try session.isKnown())
        }
    }

    private func entered(_ fixture: FixtureProcess) throws -> PollingPeer {
        let session = try PollingPeer(fixture)
        try session.send("40")
        _ = try session.next(2)
        return session
    }

    /// Waits until the server holds a GET of the session: it has read what its connection has sent, since it answers
    /// what came behind that on others.
    private func waitUntilWaiting(_ session: PollingPeer) throws {
        for _ in 0..<5 { #expect(try session.isKnown()) }
    }
}

extension HTTPPeer {
    fileprivate func close() { wire.close() }
    fileprivate func reset() { wire.reset() }
}
