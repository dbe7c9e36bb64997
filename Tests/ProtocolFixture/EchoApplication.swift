import EngineIO
import NIOCore
import NIOHTTP1
import SocketIOServer
import WireJSON

/// What the published Socket.IO suite expects of a server, and what this package's own tests ask for beyond it.
///
/// | event | what comes of it |
/// | --- | --- |
/// | CONNECT | the event `auth` with the payload of the CONNECT, or with an empty object |
/// | `message` | the event `message-back` with the same arguments and attachments |
/// | `message-with-ack` | an acknowledgement with the same arguments and attachments |
/// | `ask` | the event `question` with the same, to be acknowledged; then `answer` with that, or `no-answer` |
/// | `count N` | N events `number`, from 0 on |
/// | `bytes N` | the event `bytes` with N bytes attached, each the remainder of its place by 251 |
/// | `leave` | DISCONNECT |
/// | `close` | the end of the connection |
struct EchoApplication: SocketIOHandler {
    /// What every CONNECT is refused with; nil where it is granted.
    var refusal: ConnectRefusal?
    /// How long after the answer to CONNECT the event `auth` follows.
    var authDelay = Duration.zero

    func admit(_ request: HandshakeRequest) throws(EngineError) {}

    /// A session is its client's alone, who is told by the cookie.
    func admit(_ request: HandshakeRequest, to session: HandshakeRequest, sockets: [Socket]) throws(EngineError) {
        guard request.headers["cookie"] == session.headers["cookie"] else { throw .forbidden }
    }

    func connect(_ socket: Socket, auth: JSON?) async throws(ConnectRefusal) {
        if let refusal { throw refusal }
        await socket.onLoop { _ = $0.accept() }
        if authDelay > .zero { try? await Task.sleep(for: authDelay) }
        await socket.onLoop { $0.emit("auth", [auth ?? [:]]) }
    }

    func received(_ event: SocketEvent, on socket: Socket) async -> SocketAcknowledgement {
        switch event.name {
        case "message":
            socket.emit("message-back", event.arguments, attachments: event.attachments)
        case "message-with-ack":
            return SocketAcknowledgement(event.arguments, attachments: event.attachments)
        case "ask":
            await ask(event, on: socket)
        case "count":
            await count(to: event.arguments.first?.integerValue ?? 0, on: socket)
        case "bytes":
            let size = Int(clamping: event.arguments.first?.integerValue ?? 0)
            guard (0...Self.mostBytes).contains(size) else { break }
            socket.emit("bytes", [.attachment(0)], attachments: [Self.bytes(size)])
        case "leave":
            socket.disconnect()
        case "close":
            socket.disconnect(close: true)
        default:
            break
        }
        return []
    }

    func disconnected(_ socket: Socket, reason: DisconnectReason) {}

    private func ask(_ event: SocketEvent, on socket: Socket) async {
        do {
            let answer = try await socket.emitWithAcknowledgement(
                "question", event.arguments, attachments: event.attachments, timeout: .seconds(60))
            socket.emit("answer", answer.arguments, attachments: answer.attachments)
        } catch {
            socket.emit("no-answer", [.string("\(error)")])
        }
    }

    private static let mostBytes = 64 << 20
    private static let mostAtOnce: Int64 = 50

    private static func bytes(_ size: Int) -> ByteBuffer {
        let pattern = Array<UInt8>(0..<251)
        var bytes = ByteBuffer()
        bytes.reserveCapacity(size)
        while bytes.readableBytes < size { bytes.writeBytes(pattern.prefix(size - bytes.readableBytes)) }
        return bytes
    }

    /// A little at a time: what is emitted waits for its reader without limit.
    private func count(to end: Int64, on socket: Socket) async {
        var next: Int64 = 0
        while next < end {
            let first = next
            next = min(end, first + Self.mostAtOnce)
            let numbers = first..<next
            let isThere = await socket.onLoop { socket in
                for number in numbers { socket.emit("number", [.integer(number)]) }
                return socket.isConnected
            }
            guard isThere else { return }
            await socket.caughtUp()
        }
    }
}
