import Base64Coding
import RolecallProtocol
import WireJSON

/// The bearer of a user's rights. It prints itself as a placeholder, so that no log and no message ever holds one.
struct Token: Hashable, Sendable, CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    /// The text itself, for the request or the file that must carry it.
    let secret: String

    /// Takes what may stand in a cookie and a header without quotes (RFC 6265 §4.1.1, `cookie-octet`), which every
    /// JWT is made of; nil for anything else, an empty text and one past 8 KiB.
    init?(_ text: String) {
        guard !text.isEmpty, text.utf8.count <= 8192, text.utf8.allSatisfy(Self.isCookieOctet) else { return nil }
        secret = text
    }

    var description: String { "⟨token⟩" }
    var debugDescription: String { description }
    var customMirror: Mirror { Mirror(self, children: []) }

    /// When the token says that it expires: the claim `exp` of its payload (RFC 7519 §4.1.4). A hint for people;
    /// nothing is verified here, and only the server's word counts.
    var expiresAt: Timestamp? {
        claim("exp")?.doubleValue.map { Timestamp(seconds: $0) }
    }

    /// The session that the token says it belongs to: the claim `sid`. Not verified here either.
    var sessionID: String? {
        guard let claim = claim("sid") else { return nil }
        return claim.stringValue ?? claim.integerValue.map { String($0) }
    }

    private func claim(_ name: String) -> JSON? {
        let parts = secret.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count == 3, let payload = Base64.decode(parts[1], .urlSafe) else { return nil }
        return (try? JSON(parsing: payload))?[name]
    }

    private static func isCookieOctet(_ byte: UInt8) -> Bool {
        switch byte {
        case 0x21, 0x23...0x2B, 0x2D...0x3A, 0x3C...0x5B, 0x5D...0x7E: true
        default: false
        }
    }
}
