import RolecallProtocol

/// One entry of the event log: a row before and after a change, untouched by any policy.
public struct ChangeRecord: Hashable, Sendable {
    /// What happened to the row itself. What receivers are sent does not follow from it but from ``before`` and ``after``:
    /// see ``Policy/visibility(of:to:)``.
    public enum Change: String, Hashable, Sendable {
        case created
        case updated
        case removed
        /// Changes of the model are missing from the log before this place: its triggers were lost meanwhile, or entries
        /// were erased. Such an entry has neither key nor row.
        case gap
    }

    /// Counts up from 1; a later commit always has higher numbers. Numbers may be missing, never repeated.
    public var sequence: Int64
    public var model: String
    public var change: Change
    public var key: Value
    /// Nil for a creation.
    public var before: Row?
    /// Nil for a removal.
    public var after: Row?
    /// Nil where the change came from outside the server.
    public var author: Author?
    /// As the database's clock said, `2026-11-22T13:45:01.123Z`.
    public var at: String

    public init(
        sequence: Int64, model: String, change: Change, key: Value, before: Row?, after: Row?, author: Author?,
        at: String
    ) {
        self.sequence = sequence
        self.model = model
        self.change = change
        self.key = key
        self.before = before
        self.after = after
        self.author = author
        self.at = at
    }
}
