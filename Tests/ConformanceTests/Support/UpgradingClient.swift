import TestSupport

/// A client that sends and receives by polling as fast as it can while it goes over to a WebSocket.
///
/// One thread for all three connections: it does whatever can be done next.
final class UpgradingClient {
    private let session: PollingPeer
    private let messages: Int
    private let upgradeAfter: Int
    private var random: Seeded
    private var socket: WebSocketPeer?
    private var isPolling = false
    private var isPosting = false
    private var probe = Probe.none
    private var sent = 0
    private(set) var sentByPolling = 0
    /// What came back of what was sent, and what the server counted.
    private(set) var echoes: [Int] = []
    private(set) var numbers: [Int] = []

    private enum Probe {
        case none
        case sent
        /// No further poll or POST is begun; what is under way comes to its end.
        case answered
        case upgraded
    }

    init(_ fixture: FixtureProcess, messages: Int, upgradeAfter: Int, random: Seeded) throws {
        session = try PollingPeer(fixture)
        self.messages = messages
        self.upgradeAfter = upgradeAfter
        self.random = random
        try session.send("40")
        _ = try session.next(2)
        try session.send("42[\"count\",\(messages)]")
    }

    func run() throws {
        while echoes.count < messages || numbers.count < messages {
            try begin()
            var wires = [session.gets.wire, session.posts.wire]
            if let socket { wires.append(socket.wire) }
            guard try Wire.waitForAny(of: wires) else { throw WireFailure("nothing comes any more") }
            try take()
        }
    }

    /// Begins what can be begun.
    private func begin() throws {
        switch probe {
        case .none, .sent:
            if !isPolling {
                try session.beginPoll()
                isPolling = true
            }
            if !isPosting, sent < messages {
                let body = batch().joined(separator: String(PollingPeer.separator))
                try session.posts.send("POST", session.target, body: Array(body.utf8))
                isPosting = true
                sentByPolling = sent
            }
            if case .none = probe, sent >= upgradeAfter {
                let socket = try session.webSocket()
                try socket.send("2probe")
                self.socket = socket
                probe = .sent
            }
        case .answered:
            guard !isPolling, !isPosting else { return }
            try socket?.send("5")
            probe = .upgraded
            fallthrough
        case .upgraded:
            while sent < messages { try socket?.send(batch().map { .text($0) }) }
        }
    }

    private func batch() -> [String] {
        let end = min(messages, sent + 1 + random.below(40))
        defer { sent = end }
        return (sent..<end).map { "42[\"message\",\($0)]" }
    }

    /// Takes all that is here, whole.
    private func take() throws {
        if isPolling, !session.gets.wire.received.isEmpty {
            isPolling = false
            for packet in try session.polled().split(separator: PollingPeer.separator) { try note(String(packet)) }
        }
        if isPosting, !session.posts.wire.received.isEmpty {
            isPosting = false
            let answer = try session.posts.answer()
            guard answer.status == 200 else { throw WireFailure("a POST is refused: \(answer)") }
        }
        while let message = try socket?.whole() {
            guard case .text(let text) = message else { throw WireFailure("unexpected: \(message)") }
            if text == "3probe" { probe = .answered } else { try note(text) }
        }
        if socket?.wire.hasEnded == true { throw WireFailure("the WebSocket has ended") }
    }

    private func note(_ packet: String) throws {
        if packet == "6" { return }
        guard let match = packet.wholeMatch(of: /42\["(number|message-back)",(\d+)\]/), let number = Int(match.output.2)
        else { throw WireFailure("unexpected: \(packet)") }
        if match.output.1 == "number" { numbers.append(number) } else { echoes.append(number) }
    }
}
