import EngineIO
import NIOCore

/// A packet on its way out, encoded as far as all transports encode it alike.
enum EngineFrame: Equatable {
    /// A packet as text, its type's digit in front.
    case text(ByteBuffer)
    /// The bytes of a binary packet.
    case binary(ByteBuffer)

    init(_ packet: EnginePacket) {
        if case .binary(let bytes) = packet {
            self = .binary(bytes)
        } else {
            var text = ByteBuffer()
            packet.encodeText(into: &text)
            self = .text(text)
        }
    }
}

/// What carries the packets of an Engine.IO session, one way or the other. Belongs to its event loop.
///
/// Packets are delivered and sent in order, each once. After its end, or after ``close(violation:)``, a transport
/// delivers nothing more.
protocol EngineTransport: AnyObject {
    var kind: SocketIOTransport { get }
    /// Hears of everything. It is let go when the transport has ended.
    var owner: (any EngineTransportOwner)? { get set }
    /// Whether what is sent leaves without piling up.
    var isWritable: Bool { get }
    /// Whether what is sent leaves at once: nothing is queued or under way before it.
    var isIdle: Bool { get }
    /// The network connection that packets are read from; nil while there is none.
    var channel: (any Channel)? { get }
    /// Done when nothing of the transport is left.
    var closed: EventLoopFuture<Void> { get }

    /// Sends a packet. It leaves with the next ``flush()``.
    func send(_ frame: EngineFrame)
    func flush()
    /// Delivers nothing more and reads nothing more from the network, until ``resume()``.
    func pause()
    func resume()
    /// Sends what was sent before and ends the transport; the owner hears nothing more of it.
    ///
    /// - Parameter violation: what the server did wrong, if that is the reason.
    func close(violation: String?)
}

/// Why a transport, and with it a session, has ended.
struct EngineEnd {
    let reason: SocketIODisconnectReason
    /// What that is to somebody who still waits for the session, where the reason alone would say less.
    let connectError: SocketIOConnectError?

    init(_ reason: SocketIODisconnectReason, connectError: SocketIOConnectError? = nil) {
        self.reason = reason
        self.connectError = connectError
    }
}

/// The owner of a transport. Each of these may send, pause, or close.
protocol EngineTransportOwner: AnyObject {
    func transport(_ transport: any EngineTransport, received packet: EnginePacket)
    /// The transport is gone, or the server's bytes make no sense. Called once at most, and last of all.
    func transport(_ transport: any EngineTransport, ended end: EngineEnd)
    /// The transport takes more again.
    func transportBecameWritable(_ transport: any EngineTransport)
    /// The process is about to stop.
    func transportShouldQuiesce(_ transport: any EngineTransport)
}
