public import NIOCore
public import NIOHTTP1

/// The HTTP request that opened a connection, as far as an application may ask about it.
public struct HandshakeRequest: Sendable {
    /// Path and query.
    public var target: String
    public var headers: HTTPHeaders
    /// The peer of the TCP connection.
    public var remoteAddress: SocketAddress?

    public init(target: String, headers: HTTPHeaders, remoteAddress: SocketAddress?) {
        self.target = target
        self.headers = headers
        self.remoteAddress = remoteAddress
    }

    /// What the request shows of who made it, as it stands.
    var credentials: [String] { headers["cookie"] + headers["authorization"] }

    /// The peer as `host:port`, or `unknown`.
    public var address: String {
        guard let remoteAddress, let host = remoteAddress.ipAddress, let port = remoteAddress.port else {
            return "unknown"
        }
        return host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)"
    }
}
