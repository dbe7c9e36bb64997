import NIOCore
import NIOHTTP1

/// The cookies that a server set in its answers, to be sent back to that server alone (RFC 6265 section 5): load
/// balancers tell by them which node has the session.
///
/// Of the two ways to limit a cookie's life only `Max-Age` is heeded: with `Expires` alone it lasts as long as the
/// connection, as one without either does.
struct CookieJar {
    private struct Cookie {
        var name: String
        var value: String
        var expiry: NIODeadline
    }

    /// How many cookies are kept; further ones displace the oldest.
    static let maximumCount = 32
    /// The longest cookie that is kept, name and value together, in bytes.
    static let maximumSize = 4096

    private let host: String
    private let path: String
    private let isSecure: Bool
    private var cookies: [Cookie] = []

    /// - Parameters:
    ///   - host: the server's name, as cookies may be meant for a domain that it isn't in.
    ///   - path: that of the requests.
    ///   - isSecure: whether requests are encrypted.
    init(host: String, path: String, isSecure: Bool) {
        self.host = host.lowercased()
        self.path = path
        self.isSecure = isSecure
    }

    /// Takes over what an answer's `Set-Cookie` fields say.
    mutating func update(from headers: HTTPHeaders, now: NIODeadline) {
        for field in headers["Set-Cookie"] {
            update(field, now: now)
        }
    }

    /// The value of a request's `Cookie` field, nil without any.
    ///
    /// - Parameter own: the user's own cookies in the form of the field. One that the server set under the same name
    ///   takes the place of the user's.
    func field(adding own: [String] = [], now: NIODeadline) -> String? {
        let current = cookies.filter { now < $0.expiry }
        let pairs = own.flatMap { $0.split(separator: ";") }.map(Self.trimmed).filter { pair in
            !pair.isEmpty && !current.contains { $0.name[...] == Self.trimmed(pair.prefix { $0 != "=" }) }
        }
        let all = pairs.map(String.init) + current.map { "\($0.name)=\($0.value)" }
        return all.isEmpty ? nil : all.joined(separator: "; ")
    }

    private mutating func update(_ field: String, now: NIODeadline) {
        guard field.utf8.count <= 2 * Self.maximumSize else { return }
        let parts = field.split(separator: ";", omittingEmptySubsequences: false)
        guard let pair = parts.first, let equals = pair.firstIndex(of: "=") else { return }
        let name = Self.trimmed(pair[..<equals])
        let value = Self.trimmed(pair[pair.index(after: equals)...])
        guard !name.isEmpty, name.utf8.count + value.utf8.count <= Self.maximumSize, Self.isPrintable(name),
            Self.isPrintable(value)
        else { return }
        var expiry = NIODeadline.distantFuture
        for attribute in parts.dropFirst() {
            let key = Self.trimmed(attribute.prefix { $0 != "=" }).lowercased()
            let argument = Self.trimmed(attribute.drop { $0 != "=" }.dropFirst())
            switch key {
            case "max-age":
                // Digits with or without a minus; what isn't is ignored.
                guard let seconds = Int64(argument) else { continue }
                expiry = seconds <= 0 ? .uptimeNanoseconds(0) : now + .seconds(min(seconds, 400 * 24 * 3600))
            case "domain" where !isMeant(forDomain: argument.lowercased()): return
            case "path" where !isMeant(forPath: argument): return
            case "secure" where !isSecure: return
            default: break
            }
        }
        cookies.removeAll { $0.name[...] == name || $0.expiry <= now }
        guard expiry > now else { return }
        if cookies.count == Self.maximumCount {
            cookies.removeFirst()
        }
        cookies.append(Cookie(name: String(name), value: String(value), expiry: expiry))
    }

    /// RFC 6265 section 5.1.3, where a leading dot is ignored.
    private func isMeant(forDomain domain: String) -> Bool {
        let domain = domain.hasPrefix(".") ? domain.dropFirst() : domain[...]
        return domain.isEmpty || host[...] == domain || host.hasSuffix(".\(domain)")
    }

    /// RFC 6265 section 5.1.4; what isn't a path stands for the default.
    private func isMeant(forPath prefix: Substring) -> Bool {
        guard prefix.hasPrefix("/"), prefix[...] != path[...] else { return true }
        guard path.hasPrefix(prefix) else { return false }
        return prefix.hasSuffix("/") || path.dropFirst(prefix.count).hasPrefix("/")
    }

    private static func trimmed(_ text: Substring) -> Substring {
        var text = text.drop { $0 == " " || $0 == "\t" }
        while let last = text.last, last == " " || last == "\t" {
            text.removeLast()
        }
        return text
    }

    /// Whether a text can stand in a header, and comes back as it was.
    private static func isPrintable(_ text: Substring) -> Bool {
        text.utf8.allSatisfy { $0 >= 0x20 && $0 != 0x7F }
    }
}
