import Foundation
import ModelStore
import RolecallProtocol

/// A user whose token was verified, as he was at one moment of the log.
struct Principal: Sendable, Equatable {
    var user: UserSummary
    /// The sign-in that the token belongs to; nil for tokens of others who hold our key.
    var session: String?
    /// The user's token generation, as the token has it.
    var generation: Int64
    var expiresAt: Timestamp
    /// Where the log stood when the user was read. What the log says of the user after that counts more.
    var readAt: Int64
}

extension UserSummary {
    var author: Author { Author(id: id, name: name) }
    var writer: Writer { Writer(user: owner, role: role) }
}

extension Timestamp {
    static var now: Timestamp { Timestamp(seconds: Date().timeIntervalSince1970) }
}
