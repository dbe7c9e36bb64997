/// A session by any transport, as packets of Engine.IO.
protocol SessionPeer: AnyObject {
    func send(_ packets: [Packet]) throws
    /// The next packet, or the end of the session; noops are passed over.
    func next() throws -> Packet
}

/// A packet of Engine.IO: a text in its WebSocket form, or binary data.
enum Packet: Equatable, CustomStringConvertible {
    case text(String)
    case binary([UInt8])
    /// The end of the session.
    case end

    var description: String {
        switch self {
        case .text(let text): text.count > 200 ? "\(text.prefix(200))… (\(text.count))" : text
        case .binary(let bytes): bytes.count > 20 ? "\(bytes.count) bytes" : "\(bytes)"
        case .end: "the end"
        }
    }
}

extension Packet: ExpressibleByStringLiteral {
    init(stringLiteral text: String) { self = .text(text) }
}

/// By what packets come and go.
enum Transport: CaseIterable {
    case polling
    case webSocket
    /// A WebSocket that took over from polling.
    case upgraded
}

extension FixtureProcess {
    /// Opens a session.
    func session(_ transport: Transport) throws -> any SessionPeer {
        switch transport {
        case .polling:
            return try PollingPeer(self)
        case .webSocket:
            let socket = try webSocket()
            _ = try socket.text()
            return socket
        case .upgraded:
            return try PollingPeer(self).upgrade()
        }
    }

    /// Opens a session, connects to a namespace, and takes the answer and the event `auth`.
    func entered(_ transport: Transport, _ connect: String = "40") throws -> any SessionPeer {
        let session = try session(transport)
        try session.send(connect)
        _ = try session.text()
        _ = try session.text()
        return session
    }
}

extension SessionPeer {
    func send(_ texts: String...) throws { try send(texts.map { .text($0) }) }

    /// The next packet, which has to be a text.
    func text() throws -> String {
        let packet = try next()
        guard case .text(let text) = packet else { throw WireFailure("in place of a text there is: \(packet)") }
        return text
    }

    /// The next packets.
    func next(_ count: Int) throws -> [Packet] { try (0..<count).map { _ in try next() } }

    /// Waits for the end of the session.
    ///
    /// - Returns: what came before it.
    @discardableResult
    func end() throws -> [Packet] {
        var heard: [Packet] = []
        while true {
            let packet = try next()
            if packet == .end { return heard }
            heard.append(packet)
        }
    }
}

extension WebSocketPeer: SessionPeer {
    func send(_ packets: [Packet]) throws {
        try wire.write(
            packets.flatMap { packet -> [UInt8] in
                switch packet {
                case .text(let text): Self.frame(0x81, Array(text.utf8))
                case .binary(let bytes): Self.frame(0x82, bytes)
                case .end: Self.frame(0x88, [0x03, 0xE8])
                }
            })
    }

    func next() throws -> Packet {
        while true {
            switch try receive("packet") {
            case .text("6"): continue
            case .text(let text): return .text(text)
            case .binary(let bytes): return .binary(bytes)
            case .end: return .end
            case .close:
                // RFC 6455, section 5.5.1: the frame is answered, and then the server ends the connection.
                try? wire.write(Self.frame(0x88, []))
            }
        }
    }
}
