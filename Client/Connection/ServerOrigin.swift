#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// Where a server is: scheme, host and port, in one spelling.
///
/// Tokens are kept by it: a token goes to the origin that issued it and nowhere else.
struct ServerOrigin: Hashable, Sendable, CustomStringConvertible {
    enum Scheme: String, Sendable, Hashable {
        case http
        case https

        var defaultPort: Int { self == .http ? 80 : 443 }
    }

    static let `default` = ServerOrigin(scheme: .http, host: "127.0.0.1", port: 9000, isIPv6: false)

    let scheme: Scheme
    /// Lower case, without brackets and final dot; an IPv6 address in its canonical form.
    let host: String
    /// 1...65535.
    let port: Int
    private let isIPv6: Bool

    private init(scheme: Scheme, host: String, port: Int, isIPv6: Bool) {
        self.scheme = scheme
        self.host = host
        self.port = port
        self.isIPv6 = isIPv6
    }

    /// Host and port as they stand in a URL and in a `Host` header.
    var authority: String { "\(isIPv6 ? "[\(host)]" : host):\(port)" }

    /// `scheme://host:port`, the port always written out.
    var description: String { "\(scheme.rawValue)://\(authority)" }

    /// Whether what is sent there never leaves this machine: `localhost`, 127.0.0.0/8 and ::1.
    var isLoopback: Bool {
        if isIPv6 { return host == "::1" }
        return host == "localhost" || Self.dottedQuad(host)?.first == 127
    }

    /// Whether a password that is sent there can be read by nobody on the way.
    var mayCarryPassword: Bool { scheme == .https || isLoopback }
}

extension ServerOrigin {
    /// Why a text is no server's URL; a whole sentence.
    struct Malformed: Error, Hashable, Sendable, CustomStringConvertible {
        let description: String

        fileprivate init(_ text: String, _ fault: String) {
            description = "The server's URL '\(SafeText(text))' \(fault)"
        }
    }

    /// Reads `http://host[:port]` or `https://host[:port]`; a final slash is passed over.
    init(parsing text: String) throws(Malformed) {
        guard let separator = text.firstRange(of: "://") else {
            throw Malformed(text, "has no scheme; write http://host:port or https://host:port.")
        }
        guard let scheme = Scheme(rawValue: text[..<separator.lowerBound].lowercased()) else {
            throw Malformed(text, "is neither http:// nor https://.")
        }
        var authority = text[separator.upperBound...]
        if authority.last == "/" { authority.removeLast() }
        if authority.contains("@") {
            throw Malformed("\(scheme.rawValue)://…", "carries a user's name or password; use `rolecall login`.")
        }
        guard !authority.contains(where: { "/?#".contains($0) }) else {
            throw Malformed(text, "has a path; only scheme, host and port are taken.")
        }
        try self.init(scheme: scheme, authority: authority, text: text)
    }

    private init(scheme: Scheme, authority: Substring, text: String) throws(Malformed) {
        let host: Substring
        let portText: Substring
        var address: String?
        if authority.first == "[" {
            guard let bracket = authority.firstIndex(of: "]"),
                let canonical = Self.canonicalIPv6(
                    String(authority[authority.index(after: authority.startIndex)..<bracket]))
            else { throw Malformed(text, "has no IPv6 address between its brackets.") }
            address = canonical
            host = authority[...bracket]
            portText = authority[authority.index(after: bracket)...]
        } else {
            host = authority.prefix { $0 != ":" }
            portText = authority[host.endIndex...]
        }
        var port = scheme.defaultPort
        if !portText.isEmpty {
            let digits = portText.dropFirst()
            guard portText.first == ":", digits.utf8.allSatisfy({ (0x30...0x39).contains($0) }),
                let number = Int(digits),
                (1...65535).contains(number)
            else { throw Malformed(text, "has no port from 1 to 65535 after its host.") }
            port = number
        }
        if let address {
            self.init(scheme: scheme, host: address, port: port, isIPv6: true)
            return
        }
        var name = host.lowercased()
        if name.last == "." { name.removeLast() }
        guard !name.isEmpty, name.utf8.count <= 253, name.utf8.allSatisfy(Self.isHostByte) else {
            throw Malformed(
                text, "has no host of letters, digits, '.', '-' and '_' (write other names in their xn-- form).")
        }
        self.init(scheme: scheme, host: name, port: port, isIPv6: false)
    }

    private static func isHostByte(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "."),
            UInt8(ascii: "-"), UInt8(ascii: "_"):
            true
        default: false
        }
    }

    /// The four numbers of an IPv4 address in its one strict spelling. Looser ones (`127.1`, `0177.0.0.1`) are not
    /// taken for loopback, whatever a resolver makes of them.
    private static func dottedQuad(_ text: String) -> [UInt8]? {
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        let numbers = parts.compactMap { part in
            part.utf8.count > 1 && part.first == "0" ? nil : UInt8(part)
        }
        return parts.count == 4 && numbers.count == 4 ? numbers : nil
    }

    private static func canonicalIPv6(_ text: String) -> String? {
        var address = in6_addr()
        guard inet_pton(AF_INET6, text, &address) == 1 else { return nil }
        var buffer = [CChar](repeating: 0, count: Int(INET6_ADDRSTRLEN))
        guard inet_ntop(AF_INET6, &address, &buffer, socklen_t(buffer.count)) != nil else { return nil }
        return String(decoding: buffer.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
    }
}
