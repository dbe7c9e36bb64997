import Foundation
import ModelStore
import RolecallProtocol

/// A user whose token was verified, as the records had them at one moment.
package struct Principal: Sendable, Equatable {
    package var user: UserSummary
    /// The sign-in that the token belongs to; nil for a token of another program that holds the key.
    package var session: String?
    /// The user's token generation, as the token has it.
    package var generation: Int64
    package var expiresAt: Timestamp
    /// What of the identity feed the record that was read holds. A change that it does not hold is newer.
    package var readAt: IdentityCursor

    package init(user: UserSummary, session: String?, generation: Int64, expiresAt: Timestamp, readAt: IdentityCursor) {
        self.user = user
        self.session = session
        self.generation = generation
        self.expiresAt = expiresAt
        self.readAt = readAt
    }
}

extension UserSummary {
    var author: Author { Author(id: id, name: name) }
    package var writer: Writer { Writer(user: owner, role: role) }
}

extension Timestamp {
    package static var now: Timestamp { Timestamp(seconds: Date().timeIntervalSince1970) }
}
