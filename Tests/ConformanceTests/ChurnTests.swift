import Foundation
import Glibc
import TestSupport
import Testing

@Suite("Sessions that come and go", .blocks)
struct ChurnTests {
    /// How a client's visit ends.
    private enum Way: Int, CaseIterable {
        // By WebSocket.
        case closeFrame, enginePacket, endOfData, reset, leave, violation, beforeConnect, brokenHandshake,
            silentWebSocket
        // By polling.
        case closePosted, pollCancelled, pollReset, pollAbandoned, neverPolls, malformed, halfBody, doubledPoll
        // Between the two.
        case upgraded, upgradedAndReset, probeAbandoned, probeLeftOpen
    }

    @Test("of 2,000 sessions, well and badly closed, no session, no descriptor and no memory is left")
    func churn() throws {
        try withFixture("--ping-interval", "1000", "--ping-timeout", "500", "--connect-timeout", "3000") { fixture in
            var random = Seeded(2_026)
            try visit(fixture, 500, &random)
            let warm = try resources(of: fixture)
            try visit(fixture, 1_500, &random)
            let after = try resources(of: fixture)
            #expect(after.descriptors == warm.descriptors)
            // A session that stays takes about 10 kB: the 1,500 would take more than this.
            #expect(after.kilobytes < warm.kilobytes + 8_192, "\(warm) became \(after)")
        }
    }

    /// Has so many come and go, and waits until the server has forgotten them.
    private func visit(_ fixture: FixtureProcess, _ count: Int, _ random: inout Seeded) throws {
        // To the server, they vanish without a word.
        var vanished: [AnyObject] = []
        for _ in 0..<count {
            // A machine that is slow enough may have a session time out in the middle.
            try? visit(fixture, Way.allCases[random.below(Way.allCases.count)], &vanished)
            #expect(fixture.process.exitStatus() == nil)
        }
        try fixture.waitForCount("no session left") { $0.sessions == 0 }
        withExtendedLifetime(vanished) {}
        vanished = []
        try fixture.waitForCount("no connection left") { $0.connections == 0 }
    }

    private func visit(_ fixture: FixtureProcess, _ way: Way, _ vanished: inout [AnyObject]) throws {
        switch way {
        case .closeFrame: try entered(fixture).sendClose()
        case .enginePacket: try entered(fixture).send("1")
        case .endOfData: try entered(fixture).wire.endOutput()
        case .reset: try entered(fixture).wire.reset()
        case .leave: try entered(fixture).send("41")
        case .violation: try entered(fixture).send("2")
        case .beforeConnect: try fixture.webSocket().wire.close()
        case .brokenHandshake:
            try Wire(port: fixture.port).write("GET \(fixture.target("EIO=4&transport=websocket")) HTTP/1.1\r\nUpgr")
        case .silentWebSocket: vanished.append(try entered(fixture))
        case .closePosted: _ = try polling(fixture).post("1")
        case .pollCancelled:
            let session = try polling(fixture)
            try session.beginPoll()
            session.gets.wire.close()
        case .pollReset:
            let session = try polling(fixture)
            try session.beginPoll()
            session.gets.wire.reset()
        case .pollAbandoned:
            let session = try polling(fixture)
            try session.beginPoll()
            vanished.append(session)
        case .neverPolls: _ = try PollingPeer(fixture)
        case .malformed: _ = try polling(fixture).post("abc")
        case .halfBody:
            let session = try polling(fixture)
            try session.posts.wire.write("POST \(session.target) HTTP/1.1\r\nContent-Length: 100\r\n\r\n42[\"mess")
        case .doubledPoll:
            let session = try polling(fixture)
            try session.beginPoll()
            _ = try fixture.ask(session.query)
        case .upgraded: try upgraded(fixture).send("1")
        case .upgradedAndReset: try upgraded(fixture).wire.reset()
        case .probeAbandoned:
            let session = try polling(fixture)
            let socket = try session.webSocket()
            try socket.send("2probe")
            socket.wire.reset()
        case .probeLeftOpen:
            let session = try polling(fixture)
            let socket = try session.webSocket()
            try socket.send("2probe")
            vanished += [session, socket]
        }
    }

    /// With something exchanged, so that there is more of a session than its bare bones.
    private func entered(_ fixture: FixtureProcess) throws -> WebSocketPeer {
        let socket = try fixture.webSocket()
        _ = try socket.text()
        try exchange(socket)
        return socket
    }

    private func polling(_ fixture: FixtureProcess) throws -> PollingPeer {
        let session = try PollingPeer(fixture)
        try exchange(session)
        return session
    }

    private func upgraded(_ fixture: FixtureProcess) throws -> WebSocketPeer {
        let socket = try PollingPeer(fixture).upgrade()
        try exchange(socket)
        return socket
    }

    private func exchange(_ session: any SessionPeer) throws {
        try session.send("40", #"420["message-with-ack","some text"]"#)
        while try session.text() != #"430["some text"]"# {}
    }

    /// What the process holds, as the system counts it.
    private func resources(of fixture: FixtureProcess) throws -> (descriptors: Int, kilobytes: Int) {
        let process = "/proc/\(fixture.process.identifier)"
        let status = try String(contentsOfFile: process + "/status", encoding: .utf8)
        let resident = try #require(status.firstMatch(of: /VmRSS:\s+(\d+) kB/))
        return (try FileManager.default.contentsOfDirectory(atPath: process + "/fd").count, Int(resident.output.1) ?? 0)
    }
}
