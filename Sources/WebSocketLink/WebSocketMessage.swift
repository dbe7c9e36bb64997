import NIOCore

/// Which end of a connection this process is. A client masks what it sends and a server does not (RFC 6455
/// section 5.3).
public enum WebSocketRole: Sendable {
    case client
    case server
}

/// One whole message.
///
/// The buffer of a received message may share its storage with the bytes that were read from the network: copy it
/// before keeping it for long.
public enum WebSocketMessage: Sendable, Equatable {
    /// UTF-8 text. What is received has been validated; what is sent must be valid.
    case text(ByteBuffer)
    case binary(ByteBuffer)
}
