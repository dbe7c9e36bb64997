public import NIOCore
import SocketIO

/// How a ``SocketIOServer`` behaves on the wire. The defaults are the reference implementation's.
public struct SocketIOServerConfiguration: Sendable {
    /// The request path, with a slash at both ends.
    public var path = "/socket.io/"
    /// The time between two pings of the server.
    public var pingInterval: TimeAmount = .milliseconds(25_000)
    /// The time a client has to answer a ping.
    public var pingTimeout: TimeAmount = .milliseconds(20_000)
    /// The time a new connection has to send a CONNECT that is granted.
    public var connectTimeout: TimeAmount = .milliseconds(45_000)
    /// The time a new TCP connection has to bring its first request, and the next one where that was for us.
    public var requestTimeout: TimeAmount = .seconds(10)
    /// The largest message that is read, in bytes.
    public var maximumPayload = 1_000_000
    /// The most that may wait for one slow reader, in bytes; past it the connection is closed.
    public var maximumQueuedBytes = 16 << 20
    /// How many of a socket's events may wait to be handled before reading from its connection stops. It stops, too,
    /// when they have as many bytes as one message may have.
    public var maximumPendingEvents = 128

    public init() {}
}
