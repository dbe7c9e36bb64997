/// A WebSocket client that sends whatever it is told to, and hears everything.
final class WebSocketPeer {
    enum Message: Equatable, CustomStringConvertible {
        case text(String)
        case binary([UInt8])
        /// A close frame, with its code where it bears one.
        case close(Int?)
        /// The end of the connection.
        case end

        var description: String {
            switch self {
            case .text(let text): text.count > 200 ? "\(text.prefix(200))… (\(text.count))" : text
            case .binary(let bytes): bytes.count > 20 ? "\(bytes.count) bytes" : "\(bytes)"
            case .close(let code): "close \(code.map(String.init) ?? "")"
            case .end: "the end"
            }
        }
    }

    /// The request was answered otherwise than with 101.
    struct Refused: Error, CustomStringConvertible {
        var answer: HTTPPeer.Answer
        var description: String { "the WebSocket is refused: \(answer)" }
    }

    let wire: Wire

    /// Opens one, on a new connection or on one that has carried requests.
    ///
    /// - Throws: ``Refused``.
    init(_ target: String, on http: HTTPPeer, headers: [(String, String)] = []) throws {
        wire = http.wire
        // The key and the proof for it are those of RFC 6455, section 1.3.
        let upgrade = [
            ("Connection", "Upgrade"), ("Upgrade", "websocket"), ("Sec-WebSocket-Version", "13"),
            ("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="),
        ]
        let answer = try http.ask("GET", target, headers: upgrade + headers)
        guard answer.status == 101 else { throw Refused(answer: answer) }
        guard answer.header("sec-websocket-accept") == "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=" else {
            throw WireFailure("the proof that the server read the key is wrong: \(answer.headers)")
        }
    }

    // MARK: Sending

    /// A closing handshake's beginning.
    func sendClose(code: UInt16 = 1000) throws {
        try wire.write(Self.frame(0x88, [UInt8(code >> 8), UInt8(code & 0xFF)]))
    }

    /// - Parameter first: the frame's first byte: whether it is the last of its message, reserved bits, opcode.
    static func frame(_ first: UInt8, _ payload: [UInt8]) -> [UInt8] {
        let mask: [UInt8] = [0x37, 0xFA, 0x21, 0x3D]
        var frame = [first]
        switch payload.count {
        case ..<126:
            frame.append(0x80 | UInt8(payload.count))
        case ..<65_536:
            frame += [0x80 | 126, UInt8(payload.count >> 8), UInt8(payload.count & 0xFF)]
        default:
            frame.append(0x80 | 127)
            frame += (0..<8).map { UInt8(truncatingIfNeeded: payload.count >> (56 - 8 * $0)) }
        }
        frame += mask
        frame.reserveCapacity(frame.count + payload.count)
        for (index, byte) in payload.enumerated() { frame.append(byte ^ mask[index & 3]) }
        return frame
    }

    // MARK: Receiving

    /// The next message; the WebSocket protocol's pings are answered meanwhile.
    func receive(_ what: @autoclosure () -> String) throws -> Message {
        while true {
            if let message = try whole() { return message }
            if wire.hasEnded { return .end }
            try wire.receive(what())
        }
    }

    /// The next message that is here already, whole.
    func whole() throws -> Message? {
        while true {
            guard wire.received.count >= 2 else { return nil }
            let first = wire.received[0]
            var length = Int(wire.received[1])
            guard first & 0x70 == 0, length < 128 else {
                throw WireFailure("a server's frame begins with \(first), \(length)")
            }
            var head = 2
            if length >= 126 {
                head = length == 126 ? 4 : 10
                guard wire.received.count >= head else { return nil }
                length = wire.received[2..<head].reduce(0) { $0 << 8 | Int($1) }
            }
            guard wire.received.count >= head + length else { return nil }
            let payload = Array(try wire.take(head + length, "frame").dropFirst(head))
            switch first {
            case 0x81:
                return .text(String(decoding: payload, as: UTF8.self))
            case 0x82:
                return .binary(payload)
            case 0x88:
                return .close(payload.count >= 2 ? Int(payload[0]) << 8 | Int(payload[1]) : nil)
            case 0x89:
                try wire.write(Self.frame(0x8A, payload))
            case 0x8A:
                break
            default:
                throw WireFailure("this server sends no frames that begin with \(first)")
            }
        }
    }

    func close() { wire.close() }
}
