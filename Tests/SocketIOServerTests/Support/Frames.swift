import NIOCore

/// A WebSocket frame byte by byte, made without the code under test.
func frame(_ opcode: UInt8, _ payload: [UInt8], isFinal: Bool = true, key: [UInt8]? = nil) -> [UInt8] {
    var bytes: [UInt8] = [(isFinal ? 0x80 : 0) | opcode]
    let maskBit: UInt8 = key == nil ? 0 : 0x80
    switch payload.count {
    case ...125: bytes.append(maskBit | UInt8(payload.count))
    case ...65535: bytes += [maskBit | 126, UInt8(payload.count >> 8), UInt8(payload.count & 0xFF)]
    default: bytes += [maskBit | 127] + (0..<8).map { UInt8(truncatingIfNeeded: payload.count >> (56 - 8 * $0)) }
    }
    guard let key else { return bytes + payload }
    return bytes + key + payload.enumerated().map { $1 ^ key[$0 % 4] }
}

private let key: [UInt8] = [0x37, 0xFA, 0x21, 0x3D]

/// A packet as a client sends it.
func clientText(_ packet: String) -> [UInt8] {
    frame(1, Array(packet.utf8), key: key)
}

func clientBinary(_ bytes: [UInt8]) -> [UInt8] {
    frame(2, bytes, key: key)
}

func clientPing(_ text: String) -> [UInt8] {
    frame(9, Array(text.utf8), key: key)
}

func clientClose(_ code: UInt16 = 1000) -> [UInt8] {
    frame(8, [UInt8(code >> 8), UInt8(code & 0xFF)], key: key)
}

/// A packet as a server sends it.
func serverText(_ packet: String) -> [UInt8] {
    frame(1, Array(packet.utf8))
}

/// Reads a server's frames, without the code under test, as texts: a text message as it is, everything else in angle
/// brackets.
struct FrameReader {
    private var bytes: [UInt8] = []

    /// Takes what came, and returns the messages that are whole with it.
    mutating func read(_ more: [UInt8]) -> [String] {
        bytes += more
        var messages: [String] = []
        while let message = next() { messages.append(message) }
        return messages
    }

    private mutating func next() -> String? {
        guard bytes.count >= 2 else { return nil }
        var length = Int(bytes[1] & 0x7F)
        var start = 2
        if length >= 126 {
            let size = length == 126 ? 2 : 8
            guard bytes.count >= 2 + size else { return nil }
            length = bytes[2..<2 + size].reduce(0) { $0 << 8 | Int($1) }
            start += size
        }
        guard bytes.count >= start + length else { return nil }
        let first = bytes[0]
        let payload = Array(bytes[start..<start + length])
        bytes.removeFirst(start + length)
        switch first {
        case 0x81: return String(decoding: payload, as: UTF8.self)
        case 0x82: return "<binary \(payload)>"
        case 0x88 where payload.isEmpty: return "<close>"
        case 0x88:
            let code = Int(payload[0]) << 8 | Int(payload[1])
            let reason = String(decoding: payload[2...], as: UTF8.self)
            return reason.isEmpty ? "<close \(code)>" : "<close \(code) \(reason)>"
        case 0x89: return "<ping \(String(decoding: payload, as: UTF8.self))>"
        case 0x8A: return "<pong \(String(decoding: payload, as: UTF8.self))>"
        default: return "<unexpected frame \(first)>"
        }
    }
}

/// The messages in a server's frames.
func messages(in bytes: some Sequence<UInt8>) -> [String] {
    var reader = FrameReader()
    return reader.read(Array(bytes))
}

/// A message with the ids taken out of it that no test can foresee.
func kind(_ message: String) -> String {
    if message.hasPrefix(#"0{"sid":""#) { return "open" }
    if message.hasPrefix(#"40{"sid":""#) { return "connected" }
    return message
}
