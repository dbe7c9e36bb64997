import RolecallProtocol

extension IdentityReason {
    /// Why a socket is nobody's, as the line of identity has room for it; nil where there is nothing to explain.
    var shortWords: String? {
        switch self {
        case .anonymous, .logout: nil
        case .expired: "expired"
        case .signedOut: "signed out"
        case .passwordChanged: "password changed"
        case .userRemoved: "removed"
        case .kick: "kicked"
        case .tokenExpired: "login expired"
        case .tokenRevoked: "login revoked"
        case .tokenInvalid: "login refused"
        case .userUnknown: "no such user"
        default: SafeText(String(rawValue.prefix(20))).text.replacing("_", with: " ")
        }
    }

    /// Why a socket is nobody's, as a clause.
    var clause: String {
        switch self {
        case .anonymous: "nobody is logged in"
        case .logout: "logged out here"
        case .expired: "the login has expired"
        case .signedOut: "the session was ended"
        case .passwordChanged: "the password was changed"
        case .userRemoved: "the account was removed"
        case .kick: "kicked by an admin"
        case .tokenExpired: "the login had expired"
        case .tokenRevoked: "the login was revoked"
        case .tokenInvalid: "the server does not accept the login"
        case .userUnknown: "the login's account is not there"
        default: SafeText(String(rawValue.prefix(80))).text.replacing("_", with: " ")
        }
    }

    /// Whether a socket became nobody's by no wish of its user's here.
    var isLoss: Bool { self != .anonymous && self != .logout }

    /// Whether the account is not there any more, for any password.
    var isForGood: Bool { self == .userRemoved || self == .userUnknown }

    /// What a user can do who is nobody any more, and why; a whole sentence.
    var advice: String { "F2 logs in \(isForGood ? "with another account" : "again"): \(clause)." }

    private static let kick = IdentityReason(rawValue: "kicked")
}
