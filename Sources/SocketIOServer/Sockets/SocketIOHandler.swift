public import EngineIO
public import NIOCore
public import WireJSON

/// What an application does with the sockets of a namespace.
///
/// A socket's `connect` and its events are handled one at a time, in the order in which they came, each to its
/// end. What still waits for its turn when the socket goes is dropped; the one that is under way then is cancelled,
/// and may find the socket gone. The asynchronous methods prefer the socket's event loop; ``Socket/onLoop(_:)`` is
/// certain to be there.
public protocol SocketIOHandler: Sendable {
    /// Judges a request before it is answered, be it a handshake or, by polling, any of those behind it; called on its
    /// connection's event loop. A session can have sockets in several namespaces: only the handler of the main one is
    /// asked.
    ///
    /// - Throws: what the request is answered with, mostly ``EngineError/forbidden``.
    func admit(_ request: HandshakeRequest) throws(EngineError)

    /// Judges a later request of a session, whose first request ``admit(_:)`` has let in: a poll, a delivery, or the
    /// move to a WebSocket. Called on the session's event loop. By default every one that is let in by itself is.
    ///
    /// A session id is known to its client and to whoever has seen its requests: here an application can ask for more,
    /// such as the same cookie.
    ///
    /// - Parameters:
    ///   - session: the request that opened the session.
    ///   - sockets: what the session has, in all namespaces.
    func admit(_ request: HandshakeRequest, to session: HandshakeRequest, sockets: [Socket]) throws(EngineError)

    /// Decides about a CONNECT.
    ///
    /// An application that has something to send first, or to set up in the same turn of the loop, calls
    /// ``Socket/accept()`` itself; otherwise the socket is accepted when this returns. A refusal after that
    /// disconnects the socket.
    func connect(_ socket: Socket, auth: JSON?) async throws(ConnectRefusal)

    /// Handles an event.
    ///
    /// - Returns: the acknowledgement; sent if one was asked for.
    func received(_ event: SocketEvent, on socket: Socket) async -> SocketAcknowledgement

    /// An accepted socket is gone; called once, on its event loop.
    func disconnected(_ socket: Socket, reason: DisconnectReason)

    /// Events were dropped from the queue of a client that reads too slowly. Called on the socket's event loop, as late
    /// as when the client takes something again, and in the middle of writing to it: it must not touch any socket.
    ///
    /// - Returns: the event that says so in their place, by name and arguments; nil (the default) for none.
    func notice(of lost: LostEvents, to socket: Socket) -> (name: String, arguments: [JSON])?
}

extension SocketIOHandler {
    public func admit(
        _ request: HandshakeRequest, to session: HandshakeRequest, sockets: [Socket]
    ) throws(EngineError) {}
    public func notice(of lost: LostEvents, to socket: Socket) -> (name: String, arguments: [JSON])? { nil }
}

/// An event as a client sent it.
public struct SocketEvent: Sendable {
    public var name: String
    public var arguments: [JSON]
    /// The bytes that placeholders in the arguments stand for; see ``attachment(for:)``.
    public var attachments: [ByteBuffer]
    /// Whether the client waits for an acknowledgement.
    public var wantsAcknowledgement: Bool

    public init(name: String, arguments: [JSON], attachments: [ByteBuffer] = [], wantsAcknowledgement: Bool) {
        self.name = name
        self.arguments = arguments
        self.attachments = attachments
        self.wantsAcknowledgement = wantsAcknowledgement
    }
}

/// What a CONNECT is refused with (CONNECT_ERROR).
public struct ConnectRefusal: Error, Sendable {
    public var message: String
    public var data: JSON?

    public init(message: String, data: JSON? = nil) {
        self.message = message
        self.data = data
    }
}

/// Why a socket is gone. The texts are the reference implementation's where it has the reason.
public enum DisconnectReason: String, Sendable, CaseIterable, CustomStringConvertible {
    /// The client closed the connection, or it ended.
    case transportClose = "transport close"
    /// The connection failed.
    case transportError = "transport error"
    /// The client did not answer a ping within ``SocketIOServerConfiguration/pingTimeout``.
    case pingTimeout = "ping timeout"
    /// The client sent what can't be decoded, or is larger than allowed; see ``ProtocolViolation``.
    case parseError = "parse error"
    /// The client sent what it must not send where it was; see ``ProtocolViolation``.
    case protocolViolation = "protocol violation"
    /// The client left the namespace; its connection may go on.
    case clientDisconnect = "client namespace disconnect"
    /// The application ended the socket, by ``Socket/disconnect(close:)`` or a refusal after it was connected.
    case serverDisconnect = "server namespace disconnect"
    /// The server's process is about to end.
    case serverShutdown = "server shutting down"
    /// The connection had no socket within ``SocketIOServerConfiguration/connectTimeout``.
    case connectTimeout = "connect timeout"
    /// The client took nothing for ``SocketIOServerConfiguration/stallTimeout``, or left more answers waiting than
    /// ``SocketIOServerConfiguration/queueLimit``.
    case slowConsumer = "slow consumer"

    public var description: String { rawValue }
}
