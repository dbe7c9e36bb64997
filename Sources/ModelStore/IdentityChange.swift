/// What the log says of who somebody is.
public struct IdentityChange: Hashable, Sendable {
    public enum Subject: Hashable, Sendable {
        /// A user's record after the change, without what is secret; nil where the user was removed.
        case user(Int64, Row?)
        /// A session that was revoked, or whose record was removed while its tokens were good.
        case session(String)
    }

    /// The entry's number in the log.
    public var sequence: Int64
    public var subject: Subject
    /// As the database's clock said, `2026-11-22T13:45:01.123Z`.
    public var at: String

    public init(sequence: Int64, subject: Subject, at: String) {
        self.sequence = sequence
        self.subject = subject
        self.at = at
    }
}
