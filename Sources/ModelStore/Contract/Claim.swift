import RolecallProtocol

/// The user, sign-in and generation that a valid token names, before any record is read.
public struct Claim: Hashable, Sendable {
    /// The user's id.
    public var user: Int64
    /// The sign-in that the token belongs to; nil for a token that another holder of the key has made.
    public var session: String?
    /// The user's token generation, as the token has it.
    public var generation: Int64

    public init(user: Int64, session: String?, generation: Int64) {
        self.user = user
        self.session = session
        self.generation = generation
    }
}

/// Why the records refuse a claim.
public enum ClaimRefusal: Error, Hashable, Sendable {
    case unknownUser
    /// Its session was ended, or is none of this user's.
    case sessionEnded
    /// The password was changed, or the user signed out everywhere, since the token was made.
    case tokensVoided
}

/// A user's record without its secrets.
public struct IdentityRecord: Hashable, Sendable {
    public var summary: UserSummary
    /// Tokens of an older generation are void.
    public var generation: Int64

    public init(summary: UserSummary, generation: Int64) {
        self.summary = summary
        self.generation = generation
    }

    public init(_ user: UserRecord) {
        self.init(summary: user.summary, generation: user.generation)
    }

    /// Reads the image of a row of the users' model; nil where it is none.
    public init?(_ row: Row) {
        guard case .integer(let id) = row[Model.keyName], case .text(let email) = row["email"],
            case .text(let name) = row["name"], case .text(let role) = row["role"],
            case .integer(let generation) = row["generation"]
        else { return nil }
        self.init(summary: UserSummary(id: id, email: email, name: name, role: role), generation: generation)
    }

    public var author: Author { Author(id: summary.id, name: summary.name) }
}

/// The user and the sign-in of a claim, as one snapshot has them.
public struct ClaimantRecord: Hashable, Sendable {
    public enum Session: Hashable, Sendable {
        /// The claim names none.
        case unclaimed
        /// Not revoked, and this user's.
        case open
        case ended
    }

    public var identity: IdentityRecord
    public var session: Session
    /// Of all names that the store was opened with.
    public var memberships: Memberships
    /// What of the identity feed this holds already.
    public var readAt: IdentityCursor

    public init(
        identity: IdentityRecord, session: Session, memberships: Memberships = .none, readAt: IdentityCursor
    ) {
        self.identity = identity
        self.session = session
        self.memberships = memberships
        self.readAt = readAt
    }

    /// - Throws: the records' reason to refuse a claim of this user.
    public func confirm(_ claim: Claim) throws(ClaimRefusal) {
        guard session != .ended else { throw .sessionEnded }
        guard claim.generation == identity.generation else { throw .tokensVoided }
    }
}
