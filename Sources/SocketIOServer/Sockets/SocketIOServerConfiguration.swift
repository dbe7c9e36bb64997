public import EngineIO
public import NIOCore

/// How a ``SocketIOServer`` behaves on the wire. The defaults are the reference implementation's.
public struct SocketIOServerConfiguration: Sendable {
    /// The request path, with a slash at both ends.
    public var path = "/socket.io/"
    /// What clients may use; with both they may begin by polling and move to a WebSocket.
    public var transports: Set<EngineTransport> = [.polling, .websocket]
    /// The web pages, by their origin (`https://app.example.org`), whose scripts may read what polling answers, with
    /// their visitors' cookies (CORS). Whether a page may open a session at all is ``SocketIOHandler/admit(_:)``'s to say.
    public var allowedOrigins: Set<String> = []
    /// The time between two pings of the server.
    public var pingInterval: TimeAmount = .milliseconds(25_000)
    /// The time a client has to answer a ping.
    public var pingTimeout: TimeAmount = .milliseconds(20_000)
    /// The time a new connection has to send a CONNECT that is granted.
    public var connectTimeout: TimeAmount = .milliseconds(45_000)
    /// The time a new TCP connection has to bring its first request, and the next one where that was for us.
    public var requestTimeout: TimeAmount = .seconds(10)
    /// The time a WebSocket has to take over a session that was opened by polling.
    public var upgradeTimeout: TimeAmount = .seconds(10)
    /// The largest message, and the largest body of a polling request, that is read, in bytes.
    public var maximumPayload = 1_000_000
    /// How many bytes of events may wait for one slow reader before they are folded, so that the newest of a key stands
    /// for those before it. With as many bytes of answers waiting nothing more is read from the client.
    public var queueHighWaterMark = 1 << 20
    /// The most bytes of events that may wait for one slow reader; past it they are dropped, and the application is
    /// asked for a notice in their place. With as many bytes of answers waiting the connection is closed.
    public var queueLimit = 8 << 20
    /// The time after which a connection is closed that takes nothing of what waits for it.
    public var stallTimeout: TimeAmount = .seconds(30)
    /// How many bytes the operating system may hold for one client that are not on their way to it yet, about. What it
    /// holds can't be folded or taken back; with fewer than this a fast connection may have to wait for more.
    public var unsentLimit = 1 << 17
    /// Whether frames are written to the socket past the channel's pipeline, as long as it takes them at once: much
    /// cheaper. Only where no handler in the pipeline changes what is written: never with TLS.
    public var writesDirectly = false
    /// How many of a socket's events may wait to be handled before reading from its connection stops. It stops, too,
    /// when they have as many bytes as one message may have.
    public var maximumPendingEvents = 128
    /// How many acknowledgements of one socket may be awaited at the same time; see
    /// ``Socket/emitWithAcknowledgement(_:_:attachments:timeout:)``.
    public var maximumPendingAcknowledgements = 1_024

    /// The most TCP connections at a time, in all and from one address (of IPv6, one /64). Addresses of this machine are
    /// exempt from the second, since a reverse proxy's connections are many users'. The same numbers hold for sessions,
    /// which need no connection while they poll.
    public var maximumConnections = 100_000
    public var maximumConnectionsPerAddress = 1_000
    /// How many packets a second a client may send, and how many at once after a rest. One that sends more is read from
    /// more slowly. 0 is any number.
    public var maximumEventsPerSecond = 1_000
    public var maximumEventBurst = 5_000

    public init() {}

    public init(path: String) {
        self.path = path
    }
}
