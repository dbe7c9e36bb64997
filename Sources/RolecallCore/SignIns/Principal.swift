import Foundation
import ModelStore
import RolecallProtocol

/// A user whose token was verified, as the records had them at one moment.
package struct Principal: Sendable, Equatable {
    package var user: UserSummary
    /// All that the user belongs to.
    package var memberships: Memberships
    /// The sign-in that the token belongs to; nil for a token of another program that holds the key.
    package var session: String?
    /// The user's token generation, as the token has it.
    package var generation: Int64
    package var expiresAt: Timestamp
    /// What of the identity feed the record that was read holds. A change that it does not hold is newer.
    package var readAt: IdentityCursor

    package init(
        user: UserSummary, memberships: Memberships = .none, session: String?, generation: Int64,
        expiresAt: Timestamp, readAt: IdentityCursor
    ) {
        self.user = user
        self.memberships = memberships
        self.session = session
        self.generation = generation
        self.expiresAt = expiresAt
        self.readAt = readAt
    }
}

extension UserSummary {
    var author: Author { Author(id: id, name: name) }
}

extension ClaimantRecord {
    /// The user, as rules ask for one who writes.
    package var writer: Writer {
        Writer(user: identity.summary.owner, role: identity.summary.role, memberships: memberships)
    }
}

extension Principal {
    /// The user, as rules ask for one who writes.
    package var writer: Writer { Writer(user: user.owner, role: user.role, memberships: memberships) }
}

extension Policy {
    /// - Parameter principal: nil for a caller or a socket without a user.
    package func view(of principal: Principal?) -> View {
        view(role: principal?.user.role, user: principal?.user.owner, memberships: principal?.memberships ?? .none)
    }

    package func view(of caller: ClaimantRecord) -> View { view(of: caller.writer) }

    package func view(of writer: Writer) -> View {
        view(role: writer.role, user: writer.user, memberships: writer.memberships)
    }
}

extension Timestamp {
    package static var now: Timestamp { Timestamp(seconds: Date().timeIntervalSince1970) }
}
