import RolecallProtocol

/// The log of all that has been committed: read from a place on, followed, judged.
///
/// **Ordered.** The log is one sequence. Of two changes that conflict, the later one has the higher number; the entries of
/// one transaction stand together, in the order of its changes. A reader that has come to a number will never be shown
/// another entry with that number or a lower one within the same era. Numbers can be missing, and a reader must not wait
/// for them.
///
/// **Complete.** Every commit comes into the log, those of other processes included, and nothing else does. A commit
/// through this store can come into it a moment later (``Committed/position``), one of another process within about
/// 20 ms.
///
/// **Eras.** Where the log may have gone back in time a new era begins, and its first number says how much of the era
/// before is still true. Two places are compared for equality only.
///
/// A reader of the log waits neither for readers of rows nor for the identity feed, nor they for it.
public protocol LogStore: Sendable {
    var storeID: StoreID { get }

    /// What the log holds now.
    func span(deadline: Deadline) async throws -> LogSpan

    /// What a position means to this log now.
    func judge(_ position: Position, deadline: Deadline) async throws -> PositionVerdict

    /// The entries behind a cursor, lowest first.
    ///
    /// - Parameter limit: at most so many; 1 or more.
    func stretch(behind cursor: LogCursor, limit: Int, deadline: Deadline) async throws -> LogStretch

    /// The entries of one row behind a cursor, lowest first, gaps of its model among them.
    ///
    /// - Parameter limit: at most so many; 1 or more.
    func history(
        of model: Model, key: Value, behind cursor: LogCursor, limit: Int, deadline: Deadline
    ) async throws -> LogStretch

    /// Follows the log from a cursor on. A turn comes whenever there is something behind what the turn before has shown:
    /// entries, or a new era.
    ///
    /// A follower has one turn at a time, on threads of the store: after a commit through this store possibly on the very
    /// thread that has committed, where the next write would have to wait for it, so a body should be brief. It gets the
    /// same stretch again, after a moment, if it throws.
    ///
    /// - Parameters:
    ///   - identities: the follower's place in the identity feed. Each turn brings the changes of identities
    ///     that its snapshot holds beyond that, so that a follower sends no entry to an identity that had ended before it.
    ///   - limit: of the entries of one turn.
    ///   - body: must end each turn that it is given, or throw.
    func follow(
        from cursor: LogCursor, identities: IdentityCursor, limit: Int,
        _ body: @escaping @Sendable (_ news: LogNews, _ turn: FollowerTurn) throws -> Void
    ) -> LogSubscription
}

extension LogStore {
    public func span() async throws -> LogSpan { try await span(deadline: .standard) }

    /// The place of the newest entry.
    public func head() async throws -> LogCursor { try await span(deadline: .standard).end }

    public func judge(_ position: Position) async throws -> PositionVerdict {
        try await judge(position, deadline: .standard)
    }

    public func stretch(behind cursor: LogCursor, limit: Int) async throws -> LogStretch {
        try await stretch(behind: cursor, limit: limit, deadline: .standard)
    }

    public func history(
        of model: Model, key: Value, behind cursor: LogCursor, limit: Int
    ) async throws -> LogStretch {
        try await history(of: model, key: key, behind: cursor, limit: limit, deadline: .standard)
    }
}

/// What a log holds: the entries behind ``start``, up to and with ``end``.
public struct LogSpan: Hashable, Sendable {
    public var start: LogCursor
    public var end: LogCursor

    public init(start: LogCursor, end: LogCursor) {
        self.start = start
        self.end = end
    }
}

/// Some of the log, read from one snapshot.
public struct LogStretch: Hashable, Sendable {
    /// Why reading does not go on where it ended.
    public enum Interruption: Hashable, Sendable {
        /// The entries between the reader's cursor and ``LogStretch/start`` are held no more.
        case retention
        /// The log has been set back behind the reader's cursor: what the reader was shown behind this place is not true.
        /// Nil where no place of the reader's era is known to be common: all of it may not be true.
        case setBack(to: LogCursor?)
    }

    /// From where this was read: the same place as the reader's cursor, unless there was an interruption.
    public var start: LogCursor
    public var interruption: Interruption?
    public var entries: [ChangeRecord]
    /// Up to here all has been read. The last entry can have a lower number.
    public var end: LogCursor
    /// Whether the limit has ended it.
    public var mayHoldMore: Bool

    public init(
        start: LogCursor, interruption: Interruption? = nil, entries: [ChangeRecord], end: LogCursor, mayHoldMore: Bool
    ) {
        self.start = start
        self.interruption = interruption
        self.entries = entries
        self.end = end
        self.mayHoldMore = mayHoldMore
    }
}

/// What a follower of the log is shown in one turn, all of one snapshot.
public struct LogNews: Sendable {
    public var stretch: LogStretch
    public var identities: IdentityReading

    public init(stretch: LogStretch, identities: IdentityReading) {
        self.stretch = stretch
        self.identities = identities
    }
}
