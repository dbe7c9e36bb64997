import Foundation
import RolecallProtocol

/// Which web pages may act with a user's cookie: those of this server's own origin, and those that are listed.
///
/// A browser sends the cookie along with whatever page asks; without this check any page could open a socket in its
/// visitor's name. Native clients send no `Origin`.
struct OriginPolicy: Sendable {
    /// Scheme, host and port, lower case, as browsers send them: `https://app.example.org`.
    let allowed: Set<String>

    init(allowed: some Sequence<String>) {
        self.allowed = Set(allowed.map(Self.normalized))
    }

    /// Whether a text is what browsers send as an origin: `http` or `https`, a host, and perhaps a port.
    static func isOrigin(_ text: String) -> Bool {
        guard let parts = URLComponents(string: text), parts.scheme == "http" || parts.scheme == "https" else {
            return false
        }
        return parts.host?.isEmpty == false && (parts.path.isEmpty || parts.path == "/") && parts.query == nil
            && parts.user == nil && parts.fragment == nil
    }

    /// Why a handshake is refused; nil where it is not.
    func refusal(ofHandshake headers: [(name: String, value: String)]) -> WireError? {
        guard Self.value("cookie", in: headers) != nil else { return nil }
        return refusal(ofCookieRequest: headers)
    }

    /// Why a request that relies on a cookie is refused, even where it only reads; nil where it is not.
    func refusal(ofCookieRequest headers: [(name: String, value: String)]) -> WireError? {
        if let origin = Self.value("origin", in: headers) {
            return isOwnOrListed(origin, headers) ? nil : .originRefused(origin)
        }
        return Self.value("sec-fetch-site", in: headers)?.lowercased() == "cross-site" ? .originRefused(nil) : nil
    }

    /// Why a request that changes something on the strength of a cookie is refused; nil where it is not.
    func refusal(ofUnsafeCookieRequest headers: [(name: String, value: String)]) -> WireError? {
        guard let origin = Self.value("origin", in: headers) else { return .originRefused(nil) }
        return isOwnOrListed(origin, headers) ? nil : .originRefused(origin)
    }

    /// Whether this is one of those that were listed.
    func isListed(_ origin: String) -> Bool { allowed.contains(Self.normalized(origin)) }

    private func isOwnOrListed(_ origin: String, _ headers: [(name: String, value: String)]) -> Bool {
        if isListed(origin) { return true }
        let origin = Self.normalized(origin)
        let scheme = origin.prefix { $0 != ":" }
        guard let host = Self.value("host", in: headers) ?? Self.value(":authority", in: headers)
        else { return false }
        return origin == Self.normalized("\(scheme)://\(host)")
    }

    /// Lower case, without a scheme's own port and without a slash at the end.
    private static func normalized(_ origin: String) -> String {
        var text = origin.lowercased()
        if text.hasSuffix("/") { text.removeLast() }
        if text.hasPrefix("http://"), text.hasSuffix(":80") { text.removeLast(3) }
        if text.hasPrefix("https://"), text.hasSuffix(":443") { text.removeLast(4) }
        return text
    }

    private static func value(_ name: String, in headers: [(name: String, value: String)]) -> String? {
        headers.first { $0.name.lowercased() == name }?.value
    }
}

extension WireError {
    fileprivate static func originRefused(_ origin: String?) -> WireError {
        WireError(
            .originRefused,
            origin.map { "Pages of \($0) may not use a cookie here; list it with --allowed-origin if they should." }
                ?? "A request that relies on the cookie has to say its origin, and it has to be this server's.")
    }
}
