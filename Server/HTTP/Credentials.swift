import NIOHTTP1
import RolecallCore
import RolecallProtocol
import WireJSON

extension PresentedToken {
    /// The first source that is present decides; one with a bad token does not fall through to the next.
    ///
    /// - Parameter auth: the payload of a socket's CONNECT.
    static func find(auth: JSON? = nil, headers: [(name: String, value: String)]) -> PresentedToken? {
        if let token = auth?["token"], !token.isNull {
            return PresentedToken(token: token.stringValue ?? "", source: .auth)
        }
        // Another scheme is for another program, a proxy perhaps.
        for header in headers where header.name.lowercased() == "authorization" {
            let parts = header.value.split(separator: " ", maxSplits: 1)
            guard parts.first?.lowercased() == "bearer" else { continue }
            return PresentedToken(token: parts.count == 2 ? String(parts[1]) : "", source: .header)
        }
        return Cookies.token(in: headers).map { PresentedToken(token: $0, source: .cookie) }
    }
}

/// The `token` cookie: reading it from a request, writing it into an answer.
enum Cookies {
    static let name = "token"

    /// The token that the cookie holds; nil without one, or with an empty one.
    ///
    /// Some clients of this protocol's family store the token as a JSON string, quoted and percent-encoded: both are
    /// taken off.
    static func token(in headers: [(name: String, value: String)]) -> String? {
        for header in headers where header.name.lowercased() == "cookie" {
            for pair in header.value.split(separator: ";") {
                let parts = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
                guard parts.count == 2, parts[0].trimmed == Cookies.name else { continue }
                var value = parts[1].trimmed
                if value.hasPrefix("%22"), value.hasSuffix("%22"), value.utf8.count >= 6 {
                    value = value.dropFirst(3).dropLast(3)
                } else if value.hasPrefix("\""), value.hasSuffix("\""), value.utf8.count >= 2 {
                    value = value.dropFirst().dropLast()
                }
                if !value.isEmpty { return String(value) }
            }
        }
        return nil
    }

    /// - Parameters:
    ///   - lifetime: seconds.
    ///   - isSecure: whether browsers send it over TLS only.
    static func setting(_ token: String, lifetime: Int, isSecure: Bool) -> String {
        "\(name)=\(token); Path=/; HttpOnly; SameSite=Lax; Max-Age=\(lifetime)\(isSecure ? "; Secure" : "")"
    }

    static func clearing(isSecure: Bool) -> String { setting("", lifetime: 0, isSecure: isSecure) }
}

extension HTTPHeaders {
    /// Name and value of each field, in order.
    var pairs: [(name: String, value: String)] { map { (name: $0.name, value: $0.value) } }
}

extension Substring {
    fileprivate var trimmed: Substring {
        var rest = drop { $0 == " " || $0 == "\t" }
        while let last = rest.last, last == " " || last == "\t" { rest.removeLast() }
        return rest
    }
}
