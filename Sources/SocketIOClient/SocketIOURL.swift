/// Why a text isn't the URL of a Socket.IO server.
public enum SocketIOURLError: Error, Sendable, Equatable, CustomStringConvertible {
    /// There is no `scheme://` in front.
    case schemeMissing
    case schemeUnsupported(String)
    /// A user name or password stands in front of the host; credentials belong into headers or `auth`.
    case credentialsInURL
    case hostInvalid(String)
    case portInvalid(String)
    /// A path other than `/`.
    case pathUnsupported(String)
    /// A query or a fragment.
    case suffixUnsupported(String)

    public var description: String {
        switch self {
        case .schemeMissing: "The URL must begin with http://, https://, ws:// or wss://."
        case .schemeUnsupported(let scheme): "The scheme \"\(scheme)\" is none of http, https, ws and wss."
        case .credentialsInURL: "The URL must not contain a user name or a password."
        case .hostInvalid(let host): host.isEmpty ? "The URL has no host." : "The URL's host \"\(host)\" is invalid."
        case .portInvalid(let port): "The URL's port \"\(port)\" is not a number from 1 to 65535."
        case .pathUnsupported(let path): "The URL must name the server only, without the path \"\(path)\"."
        case .suffixUnsupported(let suffix): "The URL must name the server only, without \"\(suffix)\"."
        }
    }
}

/// The parts of a server's URL (RFC 3986 section 3).
struct SocketIOURL {
    let isSecure: Bool
    let host: String
    let port: Int

    init(parsing text: String) throws(SocketIOURLError) {
        guard let colon = text.firstIndex(of: ":"), text[colon...].hasPrefix("://") else { throw .schemeMissing }
        let scheme = text[..<colon].lowercased()
        switch scheme {
        case "http", "ws": isSecure = false
        case "https", "wss": isSecure = true
        default: throw .schemeUnsupported(scheme)
        }
        let afterScheme = text[colon...].dropFirst(3)
        let authority = afterScheme.prefix { !"/?#".contains($0) }
        let path = afterScheme[authority.endIndex...].prefix { !"?#".contains($0) }
        let suffix = afterScheme[path.endIndex...]
        guard !authority.contains("@") else { throw .credentialsInURL }
        guard path.isEmpty || path == "/" else { throw .pathUnsupported(String(path)) }
        guard suffix.isEmpty else { throw .suffixUnsupported(String(suffix)) }

        let portText: Substring?
        (host, portText) = try Self.split(authority)
        guard let portText, !portText.isEmpty else {
            port = isSecure ? 443 : 80
            return
        }
        guard portText.utf8.allSatisfy({ (0x30...0x39).contains($0) }), let number = Int(portText),
            (1...65535).contains(number)
        else { throw .portInvalid(String(portText)) }
        port = number
    }

    /// Separates `host:port` or `[address]:port`.
    private static func split(_ authority: Substring) throws(SocketIOURLError) -> (String, Substring?) {
        let host: Substring
        let rest: Substring
        if authority.hasPrefix("[") {
            host = authority.dropFirst().prefix { $0 != "]" }
            guard host.contains(":"), authority[host.endIndex...].hasPrefix("]"),
                host.utf8.allSatisfy({ isAddressByte($0) })
            else { throw .hostInvalid(String(authority)) }
            rest = authority[host.endIndex...].dropFirst()
        } else {
            host = authority.prefix { $0 != ":" }
            guard !host.isEmpty, host.utf8.allSatisfy({ isNameByte($0) }) else { throw .hostInvalid(String(host)) }
            rest = authority[host.endIndex...]
        }
        guard !rest.isEmpty else { return (String(host), nil) }
        guard rest.hasPrefix(":") else { throw .hostInvalid(String(authority)) }
        return (String(host), rest.dropFirst())
    }

    private static func isNameByte(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"):
            true
        default: false
        }
    }

    private static func isAddressByte(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "f"), UInt8(ascii: "A")...UInt8(ascii: "F"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: ":"), UInt8(ascii: "."):
            true
        default: false
        }
    }
}
