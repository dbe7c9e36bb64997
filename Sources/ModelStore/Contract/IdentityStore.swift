import RolecallProtocol

/// Who users are, now and as they change.
///
/// **One call.** ``claimant(user:session:deadline:)`` is what every request and login needs; a store makes it one
/// statement.
///
/// **A feed of its own.** Changes of users, ends of sessions and changes of memberships are read by snapshot and with a
/// cursor that is no place in the log, so that none of them ever waits for the log: not for a long stretch of it, not for
/// a follower that sits in its turn, not for readers of rows. A turn shows a change without delay where it
/// was committed through this store, and within about 20 ms where another process committed it.
public protocol IdentityStore: Sendable {
    /// A user as the records are now; nil where there is none.
    ///
    /// - Parameter session: the sign-in that is to be looked up with him; nil for a claim without one.
    func claimant(user: Int64, session: String?, deadline: Deadline) async throws -> ClaimantRecord?

    /// How far the feed reaches now.
    func identityCursor(deadline: Deadline) async throws -> IdentityCursor

    /// Follows the feed from a cursor on; turns are as those of ``LogStore/follow(from:identities:limit:_:)``. A turn
    /// comes at once, and then whenever something has changed.
    func followIdentities(
        from cursor: IdentityCursor,
        _ body: @escaping @Sendable (_ reading: IdentityReading, _ turn: FollowerTurn) throws -> Void
    ) -> LogSubscription
}

extension IdentityStore {
    public func claimant(user: Int64, session: String?) async throws -> ClaimantRecord? {
        try await claimant(user: user, session: session, deadline: .standard)
    }

    public func identityCursor() async throws -> IdentityCursor { try await identityCursor(deadline: .standard) }
}

/// Whom a good token names: what a request claims, before any record is read.
public struct Claim: Hashable, Sendable {
    /// The user's id.
    public var user: Int64
    /// The sign-in that the token belongs to; nil for tokens of others who hold the key.
    public var session: String?
    /// The user's token generation, as the token has it.
    public var generation: Int64

    public init(user: Int64, session: String?, generation: Int64) {
        self.user = user
        self.session = session
        self.generation = generation
    }
}

/// Why the records are against a claim.
public enum ClaimRefusal: Error, Hashable, Sendable {
    case unknownUser
    /// Its session was ended, or is none of this user's.
    case sessionEnded
    /// The password was changed, or the user signed out everywhere, since the token was made.
    case tokensVoided
}

/// A user without what is secret: what is known of who he is.
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

/// A user belongs to something: a team, a project.
public struct Membership: Hashable, Sendable {
    /// The membership's name in the configuration.
    public var name: String
    /// To which one he belongs.
    public var value: Value
    /// As what, in the membership's own words.
    public var roles: Set<String>

    public init(name: String, value: Value, roles: Set<String>) {
        self.name = name
        self.value = value
        self.roles = roles
    }
}

/// Who a claim is about, as one snapshot has him.
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
    public var memberships: Set<Membership>
    /// What of the identity feed this holds already.
    public var readAt: IdentityCursor

    public init(
        identity: IdentityRecord, session: Session, memberships: Set<Membership> = [], readAt: IdentityCursor
    ) {
        self.identity = identity
        self.session = session
        self.memberships = memberships
        self.readAt = readAt
    }

    /// - Throws: what the records have against a claim of this user.
    public func confirm(_ claim: Claim) throws(ClaimRefusal) {
        guard session != .ended else { throw .sessionEnded }
        guard claim.generation == identity.generation else { throw .tokensVoided }
    }
}

/// Which transaction changed an identity.
public struct IdentityMark: Hashable, Sendable {
    public var era: Era
    /// The transaction's number; ordered only by what an ``IdentityCursor`` says.
    public var number: Int64

    public init(era: Era, number: Int64) {
        self.era = era
        self.number = number
    }
}

/// What of the identity feed a snapshot holds: the transactions up to a number, but for those that were still running.
///
/// Cursors of two eras can't be compared. Where the era changes the feed says so (``IdentityReading/isReset``), and
/// everything that was read before is read anew: then nothing waits for a mark of the former era any more.
public struct IdentityCursor: Hashable, Sendable {
    public var era: Era
    public var upTo: Int64
    public var except: Set<Int64>

    public init(era: Era, upTo: Int64, except: Set<Int64> = []) {
        self.era = era
        self.upTo = upTo
        self.except = except
    }

    public func covers(_ mark: IdentityMark) -> Bool {
        mark.era == era && mark.number <= upTo && !except.contains(mark.number)
    }
}

/// One change of an identity.
public struct IdentityFeedEntry: Hashable, Sendable {
    public enum Subject: Hashable, Sendable {
        /// A user's record after the change; nil where the user was removed.
        case user(Int64, IdentityRecord?)
        /// A session that was revoked, or whose record was removed while its tokens were good.
        case sessionEnded(String)
        /// What a user belongs to has changed; ``IdentityStore/claimant(user:session:deadline:)`` has it.
        case memberships(ofUser: Int64)
    }

    public var mark: IdentityMark
    public var subject: Subject
    /// As the database's clock said, `2026-11-22T13:45:01.123Z`.
    public var at: String

    public init(mark: IdentityMark, subject: Subject, at: String) {
        self.mark = mark
        self.subject = subject
        self.at = at
    }
}

/// All that one snapshot holds of the identity feed beyond a reader's cursor.
public struct IdentityReading: Hashable, Sendable {
    /// In the order of their commits.
    public var entries: [IdentityFeedEntry]
    /// What the snapshot holds.
    public var cursor: IdentityCursor
    /// Whether a new era has begun since the reader's cursor, so that ``entries`` does not say what has changed: every
    /// identity that is held has to be read anew.
    public var isReset: Bool

    public init(entries: [IdentityFeedEntry], cursor: IdentityCursor, isReset: Bool = false) {
        self.entries = entries
        self.cursor = cursor
        self.isReset = isReset
    }
}
