import WireJSON

/// A session that polls: one connection for its GETs, another for its POSTs.
final class PollingPeer {
    static let separator: Character = "\u{1E}"

    let fixture: FixtureProcess
    /// What the server said as it opened the session.
    let handshake: JSON
    let sid: String
    let gets: HTTPPeer
    let posts: HTTPPeer

    init(_ fixture: FixtureProcess) throws {
        self.fixture = fixture
        gets = try fixture.http()
        posts = try fixture.http()
        let answer = try gets.ask("GET", fixture.target("EIO=4&transport=polling"))
        guard answer.status == 200, answer.body.hasPrefix("0"),
            let handshake = try? JSON(parsing: answer.body.dropFirst()), let sid = handshake["sid"]?.stringValue
        else { throw WireFailure("no session is opened: \(answer)") }
        self.handshake = handshake
        self.sid = sid
    }

    var target: String { fixture.target("EIO=4&transport=polling&sid=\(sid)") }

    var webSocketQuery: String { "EIO=4&transport=websocket&sid=\(sid)" }

    /// Sends a GET, and leaves its answer for ``polled()``.
    func beginPoll() throws { try gets.send("GET", target) }

    /// The answer to a GET that was sent.
    func polled() throws -> HTTPPeer.Answer { try gets.answer() }

    /// A GET, and the packets that it brings.
    func poll() throws -> [String] {
        try beginPoll()
        return try packets()
    }

    /// The packets of the answer to a GET that was sent.
    func packets() throws -> [String] {
        let answer = try polled()
        guard answer.status == 200 else { throw WireFailure("a poll is refused: \(answer)") }
        return answer.body.split(separator: Self.separator, omittingEmptySubsequences: false).map(String.init)
    }

    /// Polls until there are so many packets.
    func poll(_ count: Int) throws -> [String] {
        var packets: [String] = []
        while packets.count < count { packets += try poll() }
        return packets
    }

    /// A POST of these packets, and its answer.
    func post(_ packets: String...) throws -> HTTPPeer.Answer {
        try posts.ask("POST", target, body: packets.joined(separator: String(Self.separator)))
    }

    /// Connects to a namespace, and takes the answer and the event `auth`.
    func enter(_ connect: String = "40") throws {
        let answer = try post(connect)
        guard answer.status == 200 else { throw WireFailure("a POST is refused: \(answer)") }
        _ = try poll(2)
    }

    /// Whether the session is known; asked by a request that does no harm.
    func isKnown() throws -> Bool {
        try fixture.ask("POST", "EIO=4&transport=polling&sid=\(sid)", body: "6").status == 200
    }
}

extension WebSocketPeer {
    /// Takes the handshake, connects to a namespace, and takes the answer and the event `auth`.
    @discardableResult
    func enter(_ connect: String = "40") throws -> Self {
        for step in ["handshake", "CONNECT", "auth"] {
            if step == "CONNECT" { try send(connect) }
            _ = try text(step)
        }
        return self
    }
}
