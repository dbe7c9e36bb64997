import NIOCore
import NIOEmbedded
import Testing

@testable import WebSocketLink

/// SplitMix64: the same numbers for the same seed, everywhere.
struct SeededGenerator: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) {
        state = seed
    }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}

extension ByteBuffer {
    init(_ bytes: [UInt8]) {
        self.init(bytes: bytes)
    }

    var bytes: [UInt8] { Array(readableBytesView) }
}

/// A frame byte by byte, made without the code under test.
func frame(
    _ opcode: UInt8,
    _ payload: [UInt8] = [],
    isFinal: Bool = true,
    reserved: UInt8 = 0,
    key: [UInt8]? = nil
) -> [UInt8] {
    var bytes: [UInt8] = [(isFinal ? 0x80 : 0) | reserved << 4 | opcode]
    let maskBit: UInt8 = key == nil ? 0 : 0x80
    switch payload.count {
    case ...125: bytes.append(maskBit | UInt8(payload.count))
    case ...65535: bytes += [maskBit | 126, UInt8(payload.count >> 8), UInt8(payload.count & 0xFF)]
    default: bytes += [maskBit | 127] + (0..<8).map { UInt8(truncatingIfNeeded: payload.count >> (56 - 8 * $0)) }
    }
    guard let key else { return bytes + payload }
    return bytes + key + payload.enumerated().map { $1 ^ key[$0 % 4] }
}

let key: [UInt8] = [0x37, 0xFA, 0x21, 0x3D]

func clientText(_ text: String, isFinal: Bool = true) -> [UInt8] {
    frame(1, Array(text.utf8), isFinal: isFinal, key: key)
}

func clientClose(_ code: UInt16, _ reason: String = "") -> [UInt8] {
    frame(8, [UInt8(code >> 8), UInt8(code & 0xFF)] + Array(reason.utf8), key: key)
}

func serverClose(_ code: UInt16, _ reason: String = "") -> [UInt8] {
    frame(8, [UInt8(code >> 8), UInt8(code & 0xFF)] + Array(reason.utf8))
}

/// Remembers what a connection tells, and may do something about it.
final class Recorder: WebSocketDelegate {
    var messages: [WebSocketMessage] = []
    var ends: [WebSocketCloseReason] = []
    var writability: [Bool] = []
    var quiesceCount = 0
    var onMessage: (WebSocketConnection, WebSocketMessage) -> Void = { _, _ in }
    var onWritability: (WebSocketConnection, Bool) -> Void = { _, _ in }
    var onEnd: (WebSocketConnection) -> Void = { _ in }

    var texts: [String] {
        messages.map {
            switch $0 {
            case .text(let text): String(buffer: text)
            case .binary(let bytes): "binary \(bytes.bytes)"
            }
        }
    }

    func webSocket(_ connection: WebSocketConnection, received message: WebSocketMessage) {
        messages.append(message)
        onMessage(connection, message)
    }

    func webSocketClosed(_ connection: WebSocketConnection, reason: WebSocketCloseReason) {
        ends.append(reason)
        onEnd(connection)
    }

    func webSocketWritabilityChanged(_ connection: WebSocketConnection, writable: Bool) {
        writability.append(writable)
        onWritability(connection, writable)
    }

    func webSocketShouldQuiesce(_ connection: WebSocketConnection) {
        quiesceCount += 1
    }
}

/// A connection on an embedded channel, with its delegate.
struct Link {
    let recorder = Recorder()
    let connection: WebSocketConnection
    let channel: EmbeddedChannel

    init(role: WebSocketRole = .server, maximumMessageSize: Int = 1 << 20) throws {
        connection = WebSocketConnection(role: role, maximumMessageSize: maximumMessageSize, delegate: recorder)
        channel = EmbeddedChannel(handler: connection)
        try channel.connect(to: SocketAddress(ipAddress: "127.0.0.1", port: 1)).wait()
    }

    func receive(_ bytes: [UInt8]) throws {
        try channel.writeInbound(ByteBuffer(bytes))
    }

    /// Everything written and flushed since the last call.
    func sent() throws -> [UInt8] {
        var bytes: [UInt8] = []
        while let buffer = try channel.readOutbound(as: ByteBuffer.self) {
            bytes += buffer.bytes
        }
        return bytes
    }

    /// How many writes were flushed since the last call.
    func writes() throws -> Int {
        var count = 0
        while let buffer = try channel.readOutbound(as: ByteBuffer.self) {
            count += buffer.readableBytes > 0 ? 1 : 0
        }
        return count
    }
}
