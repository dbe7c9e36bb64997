import Glibc
import TestSupport
import Testing

@Suite("Limits", .blocks)
struct LimitTests {
    // MARK: Time

    @Test("a head that comes a byte at a time has no more time than another")
    func slowHead() throws {
        try withFixture("--request-timeout", "500") { fixture in
            let wire = try Wire(port: fixture.port)
            try trickle(
                wire,
                "GET \(fixture.target("EIO=4&transport=polling")) HTTP/1.1\r\nX: "
                    + String(repeating: "x", count: 100_000))
            try fixture.waitForCount("no connection left") { $0.connections == 0 }
        }
    }

    @Test("a body that comes a byte at a time has no more time than another; its session is not harmed")
    func slowBody() throws {
        try withFixture("--request-timeout", "500") { fixture in
            let session = try PollingPeer(fixture)
            let wire = try Wire(port: fixture.port)
            try trickle(
                wire,
                "POST \(session.target) HTTP/1.1\r\nHost: localhost\r\nContent-Length: 900000\r\n\r\n"
                    + String(repeating: "4", count: 100_000))
        }
    }

    /// Writes bytes one by one until the server ends the connection.
    private func trickle(_ wire: Wire, _ text: String) throws {
        let began = ContinuousClock.now
        for byte in text.utf8 {
            do { try wire.write([byte]) } catch { break }
            if wire.hasEnded { break }
            _ = try Wire.waitForAny(of: [wire], within: .milliseconds(5))
            guard ContinuousClock.now - began < Wire.patience else {
                Issue.record("The server waits for more.")
                return
            }
        }
        try wire.takeRest()
    }

    @Test("a connection that never says anything is closed in time")
    func silent() throws {
        try withFixture("--request-timeout", "300") { fixture in
            let wire = try Wire(port: fixture.port)
            #expect(try wire.takeRest() == [])
        }
    }

    @Test("peers that are there no more without having said so are given up by the heartbeat")
    func halfOpen() throws {
        try withFixture("--ping-interval", "300", "--ping-timeout", "200", "--connect-timeout", "3600000") { fixture in
            // They stay open, and never read or write again: to the server they are like those whose cable was cut.
            let sockets = try (0..<20).map { _ in try fixture.webSocket() }
            let polls = try (0..<20).map { _ in
                let session = try PollingPeer(fixture)
                try session.beginPoll()
                return session
            }
            try fixture.waitForCount("no session left") { $0.sessions == 0 }
            withExtendedLifetime((sockets, polls)) {}
        }
    }

    @Test("a WebSocket whose close is never answered does not keep its connection")
    func unansweredClose() throws {
        try withFixture { fixture in
            let socket = try fixture.webSocket()
            try socket.send("40", #"42["close"]"#)
            try fixture.waitForCount("no connection left") { $0.sessions == 0 && $0.connections == 0 }
            withExtendedLifetime(socket) {}
        }
    }

    // MARK: Size

    @Test("a body longer than announced as the most is refused with 413 before it is sent")
    func tooLong() throws {
        try withFixture("--max-payload", "1000") { fixture in
            let session = try PollingPeer(fixture)
            try session.posts.wire.write(
                "POST \(session.target) HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1001\r\n\r\n")
            #expect(try session.posts.answer().status == 413)
            try session.posts.wire.takeRest()
        }
    }

    @Test("a body in chunks may be no longer")
    func tooManyChunks() throws {
        try withFixture("--max-payload", "1000") { fixture in
            let session = try PollingPeer(fixture)
            let wire = session.posts.wire
            try wire.write("POST \(session.target) HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n")
            for _ in 0..<3 {
                try? wire.write("190\r\n" + String(repeating: "4", count: 400) + "\r\n")
            }
            #expect(try session.posts.answer().status == 413)
            try wire.takeRest()
        }
    }

    @Test("a body in chunks within the bounds is read like any other")
    func chunks() throws {
        try withFixture { fixture in
            let session = try PollingPeer(fixture)
            try session.send("40")
            _ = try session.next(2)
            let wire = session.posts.wire
            try wire.write("POST \(session.target) HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n")
            for piece in ["42[\"mess", "age\",", "1]"] {
                try wire.write("\(String(piece.utf8.count, radix: 16))\r\n\(piece)\r\n")
            }
            try wire.write("0\r\n\r\n")
            #expect(try session.posts.answer().body == "ok")
            #expect(try session.next() == #"42["message-back",1]"#)
        }
    }

    @Test("a WebSocket message longer than announced as the most closes the connection with 1009")
    func tooBig() throws {
        try withFixture("--max-payload", "1000") { fixture in
            let socket = try fixture.webSocket()
            _ = try socket.text()
            try socket.send("4" + String(repeating: "x", count: 1_000))
            #expect(try socket.receive("close") == .close(1009))
            try fixture.waitForCount("no session left") { $0.sessions == 0 }
        }
    }

    @Test("a head without end is refused")
    func endlessHead() throws {
        try withFixture { fixture in
            let wire = try Wire(port: fixture.port)
            try wire.write("GET \(fixture.target("EIO=4&transport=polling")) HTTP/1.1\r\n")
            let line = "X-Padding: " + String(repeating: "x", count: 1_000) + "\r\n"
            for _ in 0..<2_000 {
                do { try wire.write(line) } catch { break }
            }
            let answer = String(decoding: try wire.takeRest(), as: UTF8.self)
            #expect(answer.isEmpty || answer.hasPrefix("HTTP/1.1 4"))
            try fixture.waitForCount("no connection left") { $0.connections == 0 && $0.sessions == 0 }
        }
    }

    // MARK: Number

    @Test("200 polls of one session at once close it, and are all answered")
    func manyPolls() throws {
        try withFixture { fixture in
            let session = try PollingPeer(fixture)
            let polls = try (0..<200).map { _ in
                let poll = try fixture.http()
                try poll.send("GET", session.target)
                return poll
            }
            let answers = try polls.map { try $0.answer() }
            #expect(answers.count { $0.status == 200 && $0.body == "1" } == 1)
            #expect(answers.count { $0.status == 400 } == 199)
            try fixture.waitForCount("no session left") { $0.sessions == 0 }
        }
    }

    @Test("200 sessions poll at once, each for itself")
    func manySessions() throws {
        try withFixture { fixture in
            let sessions = try (0..<200).map { _ in try PollingPeer(fixture) }
            for session in sessions { try session.send("40") }
            for session in sessions { _ = try session.next(2) }
            for session in sessions { try session.beginPoll() }
            for (number, session) in sessions.enumerated() { _ = try session.post("42[\"message\",\(number)]") }
            for (number, session) in sessions.enumerated() {
                #expect(try session.polled() == "42[\"message-back\",\(number)]")
            }
            #expect(try fixture.count().sessions == 200)
        }
    }

    @Test("200 POSTs of one session at once are answered, and leave it whole or closed")
    func manyPosts() throws {
        try withFixture { fixture in
            let session = try PollingPeer(fixture)
            try session.send("40")
            _ = try session.next(2)
            let posts = try (0..<200).map { number in
                let post = try fixture.http()
                try post.send("POST", session.target, body: Array("42[\"message\",\(number)]".utf8))
                return post
            }
            let statuses = try posts.map { try $0.answer().status }
            #expect(Set(statuses).isSubset(of: [200, 400]))
            if try session.isKnown() {
                let heard = try Set(session.next(statuses.count { $0 == 200 }).map { "\($0)" })
                #expect(heard.count == statuses.count { $0 == 200 })
            }
        }
    }

    @Test("200 WebSockets that try one session at once leave it to one of them")
    func manyUpgrades() throws {
        try withFixture { fixture in
            let session = try PollingPeer(fixture)
            try session.send("40")
            _ = try session.next(2)
            let sockets = (0..<200).compactMap { _ in try? session.webSocket() }
            var answers: [Packet] = []
            var winner: WebSocketPeer?
            for socket in sockets { try? socket.send("2probe") }
            for socket in sockets {
                let answer = try socket.next()
                answers.append(answer)
                if answer == "3probe" { winner = socket }
            }
            #expect(answers.count { $0 == "3probe" } == 1)
            #expect(answers.count { $0 == .end } == sockets.count - 1)
            #expect(try session.poll() == "6")
            try winner?.send("5", #"42["message",1]"#)
            #expect(try winner?.next() == #"42["message-back",1]"#)
        }
    }

    @Test("of more connections than there may be those too many are closed, until there is room again")
    func manyConnections() throws {
        try withFixture("--connections", "5") { fixture in
            var wires = try (0..<5).map { _ in try Wire(port: fixture.port) }
            try fixture.waitForCount("five connections") { $0.connections == 5 }
            for _ in 0..<20 { try Wire(port: fixture.port).takeRest() }
            wires.removeLast()
            try eventually("there is room again") {
                guard let answer = try? fixture.ask("EIO=4&transport=abc") else { return false }
                return answer.status == 400
            }
        }
    }

    @Test("sessions count, too, when they have no connection")
    func manyPolledSessions() throws {
        try withFixture("--connections", "5") { fixture in
            let sessions = try (0..<5).map { _ in
                let session = try PollingPeer(fixture)
                session.gets.wire.close()
                session.posts.wire.close()
                try fixture.waitForCount("no connection") { $0.connections == 0 }
                return session
            }
            #expect(try fixture.ask("EIO=4&transport=polling").status >= 400)
            #expect(try fixture.ask("POST", sessions[0].query, body: "1").status == 200)
            #expect(try fixture.ask("EIO=4&transport=polling").status == 200)
        }
    }

    @Test("who sends more than there may be is read from more slowly, and loses nothing", arguments: Transport.allCases)
    func manyEvents(transport: Transport) throws {
        try withFixture("--events-per-second", "200") { fixture in
            let session = try fixture.entered(transport)
            let began = ContinuousClock.now
            for batch in 0..<6 { try session.send((0..<20).map { .text("42[\"message\",\(batch * 20 + $0)]") }) }
            for number in 0..<120 { #expect(try session.next() == .text("42[\"message-back\",\(number)]")) }
            // Twenty at once, and the others at two hundred a second.
            #expect(ContinuousClock.now - began > .milliseconds(400))
        }
    }

    // MARK: Whose session

    @Test("a session's id is of no use with another's cookie, or without")
    func stolen() throws {
        try withFixture { fixture in
            let own = [("Cookie", "token=own")]
            let session = try PollingPeer(fixture, headers: own)
            for headers in [[], [("Cookie", "token=other")], [("Cookie", "token=own; more=1")]] {
                #expect(try fixture.ask("GET", session.query, headers: headers).status == 403)
                #expect(try fixture.ask("POST", session.query, headers: headers, body: "1").status == 403)
                let refusal = #expect(throws: WebSocketPeer.Refused.self) {
                    try fixture.webSocket(session.webSocketQuery, headers: headers)
                }
                #expect(refusal?.answer.status == 403)
            }
            #expect(try fixture.ask("POST", session.query, headers: own, body: "40").body == "ok")
            #expect(try fixture.ask("GET", session.query, headers: own).body.hasPrefix("40{"))
        }
    }

    // MARK: Slow readers

    @Test("a client that stops reading keeps nobody else waiting, and is given up", arguments: ["direct", "channel"])
    func stopsReading(writes: String) throws {
        try withFixture("--stall-timeout", "1000", "--writes", writes) { fixture in
            let stuck = try neverReading(fixture)
            for _ in 0..<6 { try stuck.send(#"42["bytes",1000000]"#) }
            let other = try fixture.entered(.webSocket)
            for number in 0..<100 {
                try other.send("42[\"message\",\(number)]")
                #expect(try other.next() == .text("42[\"message-back\",\(number)]"))
            }
            try fixture.waitForCount("only the other session left") { $0.sessions == 1 }
        }
    }

    @Test(
        "one that leaves more answers waiting than there may be is given up at once", arguments: ["direct", "channel"])
    func leavesAnswers(writes: String) throws {
        try withFixture("--stall-timeout", "3600000", "--writes", writes) { fixture in
            let stuck = try neverReading(fixture)
            for _ in 0..<60 { try stuck.send(#"42["bytes",1000000]"#) }
            try fixture.waitForCount("no session left") { $0.sessions == 0 }
        }
    }

    @Test(
        "one that takes a part of a message and no more is given up by the heartbeat", arguments: ["direct", "channel"])
    func takesAPart(writes: String) throws {
        try withFixture(
            "--stall-timeout", "3600000", "--ping-interval", "300", "--ping-timeout", "200", "--writes", writes
        ) { fixture in
            let stuck = try neverReading(fixture)
            try stuck.send(#"42["bytes",30000000]"#)
            try fixture.waitForCount("no session left") { $0.sessions == 0 }
        }
    }

    /// A WebSocket that is connected, and of which nothing more is read.
    private func neverReading(_ fixture: FixtureProcess) throws -> WebSocketPeer {
        let http = HTTPPeer(wire: try Wire(port: fixture.port, receiveBuffer: 4_096))
        let socket = try WebSocketPeer(fixture.target("EIO=4&transport=websocket"), on: http)
        try socket.send("40")
        return socket
    }
}
