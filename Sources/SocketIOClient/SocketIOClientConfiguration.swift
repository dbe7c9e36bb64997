import NIOCore
import SocketIO
import WireJSON

/// A way to carry an Engine.IO session.
public enum SocketIOTransport: String, Sendable, CaseIterable {
    /// HTTP long-polling: works wherever HTTP does.
    case polling
    case websocket
}

/// Where a Socket.IO server is, and how to introduce oneself there.
///
/// What may be secret, headers and `auth`, does not show when a configuration is printed.
public struct SocketIOClientConfiguration: Sendable {
    /// Whether to speak TLS.
    public var isSecure: Bool
    /// A name or an IP address, an IPv6 address without brackets.
    public var host: String
    public var port: Int
    /// The Engine.IO path.
    public var path = "/socket.io/"
    /// The transports that may be used, in the order of preference, each once.
    ///
    /// - `[.websocket]` opens a WebSocket at once.
    /// - `[.polling, .websocket]` begins by polling and moves to a WebSocket as soon as the server has shown that it
    ///   answers there, as the reference client does; where none gets through, polling goes on.
    /// - `[.polling]` stays with polling.
    /// - `[.websocket, .polling]` polls where the server doesn't open a WebSocket.
    public var transports: [SocketIOTransport] = [.websocket]
    /// Headers of every HTTP request beyond those of the protocols, such as `Authorization`, `Cookie` or `Origin`.
    public var headers: [(String, String)] = []
    /// The namespace to begin with. Begins with a slash.
    public var namespace = SocketPacket.mainNamespace
    /// The payload of that namespace's CONNECT. The protocol wants an object.
    public var auth: JSON?
    /// How long ``SocketIOConnection/connect(_:on:)`` may take in all, until the server has granted the namespace.
    public var connectTimeout: Duration = .seconds(10)
    /// The longest WebSocket message that is accepted, or the longest body of an answer to a poll, in bytes.
    public var maximumMessageSize = 16 << 20
    /// How many attachments one packet may have.
    public var maximumAttachments = 64
    /// How many elements of one namespace's ``SocketIONamespace/incoming`` may wait to be read before nothing more is
    /// read from the network. It is read again when half of them are left.
    public var maximumUnreadElements = 1_024
    /// A file of certificates in PEM form to trust in place of the system's.
    public var trustRootsFile: String?
    /// The name that the server's certificate must be for, where it isn't ``host``.
    public var serverHostname: String?

    public init(isSecure: Bool = false, host: String, port: Int) {
        self.isSecure = isSecure
        self.host = host
        self.port = port
    }

    /// Reads a URL: `http://host:port`, or with `https`, `ws` or `wss`. Without a port it is 80, or 443 with TLS.
    ///
    /// The URL names the server only. The Engine.IO path and the namespace are properties of their own, so a path other
    /// than `/` is refused, just as a query, a fragment or a password is.
    public init(url: String) throws(SocketIOURLError) {
        let parts = try SocketIOURL(parsing: url)
        self.init(isSecure: parts.isSecure, host: parts.host, port: parts.port)
    }
}

extension SocketIOClientConfiguration: CustomStringConvertible {
    /// The server's URL and the namespace.
    public var description: String {
        "\(isSecure ? "https" : "http")://\(authority)\(path) \(namespace)"
    }
}

extension SocketIOClientConfiguration {
    /// Host and port as a URL or the `Host` header has them, without a port that is the scheme's own.
    var authority: String {
        let name = host.contains(":") ? "[\(host)]" : host
        return port == (isSecure ? 443 : 80) ? name : "\(name):\(port)"
    }

    /// The name for SNI and the certificate's check. Nil for an IP address, which must not be an SNI name (RFC 6066
    /// section 3); the certificate is then checked against the address.
    var tlsServerName: String? {
        let name = serverHostname ?? host
        return (try? SocketAddress(ipAddress: name, port: 0)) == nil ? name : nil
    }

    /// Checks what would otherwise end in a broken request, or in one that says more than it should.
    func validate() throws(SocketIOConnectError) {
        guard !host.isEmpty, host.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F }) else {
            throw .invalidConfiguration("The host \"\(host)\" is not a name or an address.")
        }
        guard (1...65535).contains(port) else {
            throw .invalidConfiguration("The port \(port) is not between 1 and 65535.")
        }
        guard path.hasPrefix("/"),
            path.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F && $0 != Self.query && $0 != Self.hash })
        else {
            throw .invalidConfiguration("The path \"\(path)\" does not begin with a slash or needs encoding.")
        }
        try Self.validate(namespace: namespace)
        guard !transports.isEmpty, Set(transports).count == transports.count else {
            throw .invalidConfiguration("No transport is given, or one twice.")
        }
        guard maximumUnreadElements > 0, maximumMessageSize > 0, maximumAttachments >= 0 else {
            throw .invalidConfiguration("A limit is not positive.")
        }
        for (name, value) in headers {
            guard !name.isEmpty, name.utf8.allSatisfy(Self.isTokenByte) else {
                throw .invalidConfiguration("A header has the invalid name \"\(name)\".")
            }
            guard value.utf8.allSatisfy({ $0 >= 0x20 && $0 != 0x7F || $0 == 0x09 }) else {
                throw .invalidConfiguration("The value of the header \"\(name)\" contains a control character.")
            }
        }
    }

    /// A control character could be taken for the separator of packets in a polling body.
    static func validate(namespace: String) throws(SocketIOConnectError) {
        guard SocketPacket.isNamespace(namespace), namespace.utf8.allSatisfy({ $0 >= 0x20 }) else {
            throw .invalidConfiguration(
                "The namespace \"\(namespace)\" does not begin with a slash, or has a comma or a control character.")
        }
    }

    private static let query = UInt8(ascii: "?")
    private static let hash = UInt8(ascii: "#")

    /// The characters of a header's name (RFC 9110 section 5.6.2).
    private static func isTokenByte(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"):
            true
        default:
            "!#$%&'*+-.^_`|~".utf8.contains(byte)
        }
    }
}
