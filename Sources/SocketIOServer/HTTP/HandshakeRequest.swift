import Crypto
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

    /// Whether another request bears the same `Cookie` and `Authorization`: the only fields that count as credentials here.
    /// Compared in constant time.
    func hasSameCredentials(as other: HandshakeRequest) -> Bool {
        credentialsDigest == other.credentialsDigest
    }

    private var credentialsDigest: SHA256Digest {
        let fields = ["cookie", "authorization"].flatMap { name in headers[name].map { "\(name): \($0)" } }
        // No field has a line break in it.
        return SHA256.hash(data: Array(fields.joined(separator: "\n").utf8))
    }

    /// The peer as `host:port`, or `unknown`.
    public var address: String {
        guard let remoteAddress, let host = remoteAddress.ipAddress, let port = remoteAddress.port else {
            return "unknown"
        }
        return host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)"
    }
}
