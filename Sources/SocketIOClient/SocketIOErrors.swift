import WireJSON

/// How far an attempt to connect had come.
public enum SocketIOConnectStage: Sendable, Equatable, CustomStringConvertible {
    /// Looking up the name and opening the TCP connection.
    case transport
    case tls
    /// The HTTP request that becomes a WebSocket.
    case upgrade
    /// Engine.IO's `open` packet.
    case open
    /// Socket.IO's CONNECT.
    case namespace

    public var description: String {
        switch self {
        case .transport: "connecting to the host"
        case .tls: "the TLS handshake"
        case .upgrade: "the WebSocket handshake"
        case .open: "the Engine.IO handshake"
        case .namespace: "joining the namespace"
        }
    }
}

/// Why ``SocketIOConnection/connect(_:on:)`` or ``SocketIOConnection/namespace(_:auth:timeout:)`` failed.
public enum SocketIOConnectError: Error, Sendable, Equatable, CustomStringConvertible {
    /// The configuration makes no sense; the sentence says what of it.
    case invalidConfiguration(String)
    /// There was no connection, or it ended too early; the sentence says where and why.
    case unreachable(String)
    /// The TLS handshake failed, for example because the certificate isn't trusted.
    case tlsFailed(String)
    /// The server answered the WebSocket handshake with another status than 101, or the first poll with another than
    /// 200. Of the body, at most 4,096 bytes; ``refusal`` reads it.
    case refused(status: Int, body: String)
    /// The server does not keep to one of the protocols.
    case protocolViolation(String)
    /// The server answered CONNECT with CONNECT_ERROR.
    case rejected(message: String, data: JSON?)
    /// The time was over.
    case timedOut(SocketIOConnectStage)
    /// The task was cancelled.
    case cancelled

    public var description: String {
        switch self {
        case .invalidConfiguration(let sentence): sentence
        case .unreachable(let sentence): sentence
        case .tlsFailed(let detail): "The TLS handshake failed: \(detail)"
        case .refused(let status, let body): SocketIORefusal(status: status, body: body).description
        case .protocolViolation(let sentence): "The server broke the protocol. \(sentence)"
        case .rejected(let message, _): "The server refused the namespace: \(message)"
        case .timedOut(let stage): "No answer in time: \(stage)."
        case .cancelled: "The attempt was cancelled."
        }
    }

    /// What a server that refused by HTTP said; nil for other errors.
    public var refusal: SocketIORefusal? {
        guard case .refused(let status, let body) = self else { return nil }
        return SocketIORefusal(status: status, body: body)
    }
}

/// Why a connection, or one namespace of it, ended.
public enum SocketIODisconnectReason: Sendable, Equatable, CustomStringConvertible {
    /// ``SocketIOConnection/disconnect()`` or ``SocketIONamespace/leave()`` was called, or what it was called on let go.
    case clientDisconnect
    /// The server sent DISCONNECT for the namespace.
    case serverDisconnect
    /// The server sent Engine.IO's `close`.
    case serverClosed
    /// The server answered a poll or a POST with another status than 200.
    case refused(SocketIORefusal)
    /// The server's ping did not come in time.
    case pingTimeout
    /// The transport ended; the sentence says how.
    case transportClosed(String)
    /// The server does not keep to one of the protocols; the sentence says how.
    case protocolViolation(String)

    public var description: String {
        switch self {
        case .clientDisconnect: "This client disconnected."
        case .serverDisconnect: "The server disconnected this client."
        case .serverClosed: "The server closed the Engine.IO session."
        case .refused(let refusal): refusal.description
        case .pingTimeout: "The server fell silent."
        case .transportClosed(let sentence): sentence
        case .protocolViolation(let sentence): "The server broke the protocol. \(sentence)"
        }
    }
}

/// Why an event that was to be acknowledged was not.
public enum SocketIOEmitError: Error, Sendable, Equatable, CustomStringConvertible {
    /// There was no acknowledgement in time. The event may have arrived all the same.
    case timedOut
    /// The connection ended before. The event may have arrived all the same.
    case disconnected(SocketIODisconnectReason)
    /// The task was cancelled. The event may have arrived all the same.
    case cancelled

    public var description: String {
        switch self {
        case .timedOut: "The event was not acknowledged in time."
        case .disconnected(let reason): "The event was not acknowledged before the connection ended. \(reason)"
        case .cancelled: "The wait for the acknowledgement was cancelled."
        }
    }
}
