import Foundation
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
    private var waiting: [Packet] = []
    private var isOver = false

    init(_ fixture: FixtureProcess, headers: [(String, String)] = []) throws {
        self.fixture = fixture
        gets = try fixture.http()
        posts = try fixture.http()
        let answer = try gets.ask("GET", fixture.target("EIO=4&transport=polling"), headers: headers)
        guard answer.status == 200, answer.body.hasPrefix("0"),
            let handshake = try? JSON(parsing: answer.body.dropFirst()), let sid = handshake["sid"]?.stringValue
        else { throw WireFailure("no session is opened: \(answer)") }
        self.handshake = handshake
        self.sid = sid
    }

    var query: String { "EIO=4&transport=polling&sid=\(sid)" }
    var target: String { fixture.target(query) }
    var webSocketQuery: String { "EIO=4&transport=websocket&sid=\(sid)" }

    /// Sends a GET, and leaves its answer for later.
    func beginPoll() throws { try gets.send("GET", target) }

    /// The body of the answer to a GET that was sent.
    func polled() throws -> String {
        let answer = try gets.answer()
        guard answer.status == 200 else { throw WireFailure("a poll is refused: \(answer)") }
        return answer.body
    }

    /// A GET, and the body of its answer.
    func poll() throws -> String {
        try beginPoll()
        return try polled()
    }

    /// A POST of this body, and its answer.
    func post(_ body: String) throws -> HTTPPeer.Answer { try posts.ask("POST", target, body: body) }

    /// Whether the session is known; asked by a POST that does nothing.
    func isKnown() throws -> Bool { try fixture.ask("POST", query, body: "6").status == 200 }

    /// A WebSocket for the session, to which nothing was said yet.
    func webSocket() throws -> WebSocketPeer { try fixture.webSocket(webSocketQuery) }

    /// Goes over to a WebSocket, as the protocol says it: probe, end of polling, upgrade.
    func upgrade() throws -> WebSocketPeer {
        let socket = try webSocket()
        try socket.send("2probe")
        let answer = try socket.next()
        guard answer == "3probe" else { throw WireFailure("a probe is answered with: \(answer)") }
        let last = try poll()
        guard last == "6" else { throw WireFailure("the last poll is answered with: \(last)") }
        try socket.send("5")
        return socket
    }
}

extension PollingPeer: SessionPeer {
    func send(_ packets: [Packet]) throws {
        let body = packets.map { packet in
            switch packet {
            case .text(let text): text
            case .binary(let bytes): "b" + Data(bytes).base64EncodedString()
            case .end: "1"
            }
        }
        // A refusal is told by the end of the session.
        _ = try post(body.joined(separator: String(Self.separator)))
    }

    func next() throws -> Packet {
        while true {
            if !waiting.isEmpty {
                let packet = waiting.removeFirst()
                if packet == "6" { continue }
                if packet != "1" { return packet }
                isOver = true
            }
            if isOver { return .end }
            try beginPoll()
            let answer = try gets.answer()
            if answer.status == 400 { isOver = true }
            if answer.status != 200 { continue }
            waiting = answer.body.split(separator: Self.separator, omittingEmptySubsequences: false).map { packet in
                guard packet.first == "b" else { return .text(String(packet)) }
                return .binary(Data(base64Encoded: String(packet.dropFirst())).map(Array.init) ?? [])
            }
        }
    }
}
