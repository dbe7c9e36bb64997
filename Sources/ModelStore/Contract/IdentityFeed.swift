import RolecallProtocol

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
        /// What a user belongs to may have changed: all of it, as the snapshot has it that was read, whatever happened in
        /// between.
        case memberships(Memberships, ofUser: Int64)
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
    /// Whether entries behind the reader's cursor are missing, since a new era has begun or they were pruned or erased,
    /// so that ``entries`` does not say what has changed: every identity that is held has to be read anew.
    public var isReset: Bool

    public init(entries: [IdentityFeedEntry], cursor: IdentityCursor, isReset: Bool = false) {
        self.entries = entries
        self.cursor = cursor
        self.isReset = isReset
    }
}
