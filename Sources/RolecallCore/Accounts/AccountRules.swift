import ModelStore

/// What an account's fields may be, by whatever way they are written.
package enum AccountRules {
    /// The longest name and password, in bytes.
    package static let longestText = 256

    /// Whether a text could be an e-mail address: what matters is that there is one `@`, and nothing that a line, a
    /// header or a terminal would stumble over. RFC 5321 has at most 254 bytes.
    package static func isAddress(_ text: String) -> Bool {
        let parts = text.split(separator: "@", omittingEmptySubsequences: false)
        return parts.count == 2 && !parts[0].isEmpty && !parts[1].isEmpty && text.utf8.count <= 254
            && !text.unicodeScalars.contains { $0.properties.isWhitespace || isControl($0) }
    }

    /// Whether a text can be shown as a user's name.
    package static func isName(_ text: String) -> Bool {
        text.utf8.count <= longestText && text.unicodeScalars.contains { !$0.properties.isWhitespace }
            && !text.unicodeScalars.contains(where: isControl)
    }

    package static func isPassword(_ text: String) -> Bool {
        (1...longestText).contains(text.utf8.count)
    }

    /// What an account is called that was given no name.
    package static func name(forAddress address: String) -> String {
        String(address.prefix { $0 != "@" })
    }

    private static func isControl(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.properties.generalCategory {
        case .control, .lineSeparator, .paragraphSeparator: true
        default: false
        }
    }
}

extension Policy {
    /// Whether a role administrates accounts, sessions and sockets: the highest does.
    package func isAdministrator(_ role: String?) -> Bool {
        guard let role, roles.count > 1 else { return false }
        return role == roles.last
    }

    /// What a new account is unless an administrator says otherwise: the least above that of the sockets without a user.
    package var newcomersRole: String { roles.dropFirst().first ?? lowestRole }
}
