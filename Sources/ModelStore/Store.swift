import RolecallProtocol

/// Where rows, users, sessions and the event log live.
///
/// **Atomic.** A write and the log's entries for it are one transaction: both stand or neither does, whoever
/// writes: through this protocol, or with the database's own shell in another process. The body of ``write(by:_:)``
/// sees what it wrote; nobody else sees any of it before the whole is committed. A body that throws leaves nothing.
///
/// **Durable.** When ``write(by:_:)`` returns, its rows and events survive the death of the process and of the
/// machine.
///
/// **Ordered.** The log is one sequence. Events of a later commit have higher numbers than those of an earlier one;
/// within a commit they stand in the order of the statements. A reader that has seen number *n* will never be
/// shown a number of *n* or less that it has not seen. Numbers can be missing (a rolled-back write), and a reader
/// must not wait for them.
///
/// **Followed.** Whoever follows the log with ``follow(_:)`` has a turn to read it at once, and then after every commit
/// that may have appended to it: without delay for commits through this store, within about 20 ms for those of other
/// processes. Several commits may share one turn; a turn may find nothing new; a commit that no turn has seen never
/// stays.
///
/// **Snapshots.** What a read body reads, and the position that comes with it, are one moment: "read the list, then
/// follow from its position" has neither hole nor double.
///
/// Implementations may block in their own threads, never in the caller's; all calls are safe from any task.
public protocol Store: Sendable {
    /// Which log this is; in every position.
    var logID: Era { get }

    /// The models, with the columns that their tables have.
    var models: [Model] { get }

    /// Runs a body on a consistent snapshot.
    func read<Output: Sendable>(
        _ body: @escaping @Sendable (any ReadTransaction) throws -> Output
    ) async throws -> Snapshot<Output>

    /// Runs a body in a transaction of its own; one at a time. The position covers what it wrote.
    ///
    /// - Parameter author: stands in the events as their author.
    @discardableResult
    func write<Output: Sendable>(
        by author: Author?, _ body: @escaping @Sendable (any WriteTransaction) throws -> Output
    ) async throws -> Snapshot<Output>

    /// Follows the log. The body reads on from where it was the last time; what it is given is a snapshot in which at
    /// least all that it has been shown before is there.
    ///
    /// A follower has one turn at a time, on threads of the store: after a commit through this store mostly on the very
    /// thread that has committed, where the next write would have to wait for it, so a body should be brief.
    ///
    /// - Parameter body: must end each turn that it is given, or throw: then the turn has ended, and it is given another
    ///   one after a moment.
    func follow(
        _ body: @escaping @Sendable (_ transaction: any ReadTransaction, _ turn: LogTurn) throws -> Void
    ) -> LogSubscription

    /// Gives no more turns to those who follow the log, and releases the database. Calls after it throw.
    func close() async throws
}

/// What a transaction gave, and the log's position at that moment.
public struct Snapshot<Value: Sendable>: Sendable {
    public var value: Value
    public var position: Position

    public init(value: Value, position: Position) {
        self.value = value
        self.position = position
    }
}

/// A consistent view of the database. Valid only inside its body.
public protocol ReadTransaction: RowReader, AccountReader {
    /// The log's entries of models with numbers above `sequence`, lowest first.
    ///
    /// - Parameter limit: at most so many; 1 or more.
    func events(after sequence: Int64, limit: Int) throws -> [ChangeRecord]

    /// Hands the log's entries of one row with numbers above `sequence` to `visit`, lowest first, until it returns false.
    /// It costs what the log holds of the model above that.
    func events(of model: Model, key: Value, after sequence: Int64, visit: (ChangeRecord) throws -> Bool) throws

    /// What the log says above `sequence` of who somebody is, lowest first: changes of users, and ends of sessions,
    /// which no other reading shows. However much else stands in the log, that costs nothing here.
    ///
    /// - Parameter limit: at most so many; 1 or more.
    func identityChanges(after sequence: Int64, limit: Int) throws -> [IdentityChange]

    /// The lowest number that the log still holds, or would hold next where it is empty.
    func earliestSequence() throws -> Int64

    /// The highest number that was ever committed, whether the log still holds it or not; 0 before the first.
    func latestSequence() throws -> Int64
}

public protocol WriteTransaction: ReadTransaction, RowWriter, AccountWriter {
    /// From here on the changes are this author's, as their events say; nobody's for nil. For an author who is only known
    /// from what the transaction reads.
    func act(as author: Author?) throws

    /// Forgets the log's oldest entries: who comes back from before them is told of a gap.
    ///
    /// - Parameters:
    ///   - before: entries older than this go; nil for none.
    ///   - keeping: entries beyond so many newest go; nil for none.
    ///   - through: none with a higher number goes.
    ///   - limit: at most so many go, so that no transaction is long.
    /// - Returns: how many went.
    @discardableResult
    func pruneEvents(before: Timestamp?, keeping: Int?, through: Int64, limit: Int) throws -> Int
    /// Forgets all that the log holds of a row, and leaves a gap of its model.
    ///
    /// - Returns: how many entries went.
    func eraseEvents(of model: Model, key: Value) throws -> Int
    /// Takes a user's name off all that he has done.
    ///
    /// - Returns: how many entries bore it.
    func eraseActor(_ user: Int64) throws -> Int
}
