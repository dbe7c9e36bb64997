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
public protocol ReadTransaction {
    /// The row with this key; nil where there is none.
    func row(of model: Model, key: Value) throws -> Row?

    /// Hands the rows of a model to `visit` in the order of their keys until it returns false.
    ///
    /// - Parameters:
    ///   - after: only rows that come behind this key.
    ///   - order: of the keys.
    ///   - equals: only rows whose columns have these values.
    func rows(
        of model: Model, after: Value?, order: KeyOrder, equals: [(column: Column, value: Value)],
        visit: (Row) throws -> Bool
    ) throws

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

    func user(id: Int64) throws -> UserRecord?
    /// Addresses are compared without regard to case.
    func user(email: String) throws -> UserRecord?
    func users() throws -> [UserRecord]
    /// How many users have a role: whether one is the last admin, for example.
    func userCount(role: String) throws -> Int
    func session(id: String) throws -> SessionRecord?
    /// All that is known of a user's sign-ins, newest first; see ``SessionRecord/isOpen(at:)``.
    func sessions(ofUser id: Int64) throws -> [SessionRecord]
}

extension ReadTransaction {
    /// The rows in the ascending order of their keys.
    public func rows(
        of model: Model, after: Value?, equals: [(column: Column, value: Value)], visit: (Row) throws -> Bool
    ) throws {
        try rows(of: model, after: after, order: .ascending, equals: equals, visit: visit)
    }
}

/// In which direction rows are read.
public enum KeyOrder: Hashable, Sendable {
    case ascending
    case descending
}

public protocol WriteTransaction: ReadTransaction {
    /// From here on the changes are this author's, as their events say; nobody's for nil. For an author who is only known
    /// from what the transaction reads.
    func act(as author: Author?) throws

    /// - Returns: the row as it stands, defaults included.
    /// - Throws: ``StoreError`` where a constraint refuses it.
    func insert(_ values: [(column: String, value: Value)], into model: Model) throws -> Row
    /// - Returns: the row as it stands; nil where there is none.
    func update(_ model: Model, key: Value, set values: [(column: String, value: Value)]) throws -> Row?
    /// - Returns: the row that was removed; nil where there was none.
    func remove(_ model: Model, key: Value) throws -> Row?

    /// - Throws: ``StoreError/conflict(_:column:)`` where the address is taken.
    func insertUser(email: String, name: String, role: String, password: String) throws -> UserRecord
    func setRole(_ role: String, ofUser id: Int64) throws
    /// Stores a password's hash and raises the user's token generation: every token made before is void.
    func setPassword(_ hash: String, ofUser id: Int64) throws
    /// Raises the user's token generation: every token made before is void, those of no session included.
    func voidTokens(ofUser id: Int64) throws
    /// Stores a better hash of the same password; tokens stay valid.
    func upgradePassword(_ hash: String, ofUser id: Int64) throws
    /// Gives a user another name, another address, or both; nil leaves what is there.
    ///
    /// - Returns: the user as he stands; nil where there is none.
    /// - Throws: ``StoreError/conflict(_:column:)`` where the address is taken.
    func updateUser(id: Int64, name: String?, email: String?) throws -> UserRecord?
    /// Ids of removed users are never given again: a token can't come to name somebody else.
    func removeUser(id: Int64) throws

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

    func insertSession(_ session: SessionRecord) throws
    /// - Returns: false where there is no such session, or it was revoked before.
    @discardableResult func revokeSession(id: String, at: Timestamp) throws -> Bool
    /// Revokes all sessions of a user that are open.
    ///
    /// - Returns: how many.
    @discardableResult func revokeSessions(ofUser id: Int64, at: Timestamp) throws -> Int
    /// Notes that a session is in use. Nothing is written where that was noted less than
    /// ``SessionRecord/touchInterval`` before; a server asks only when it must have been longer.
    ///
    /// - Returns: whether it was noted.
    @discardableResult func touchSession(id: String, at: Timestamp) throws -> Bool
    /// Lets a session last until this moment; never shorter than it did.
    ///
    /// - Returns: false where there is no such session, or it was revoked.
    @discardableResult func extendSession(id: String, expiresAt: Timestamp) throws -> Bool
    /// Forgets sessions whose tokens expired before this moment.
    func pruneSessions(expiredBefore: Timestamp) throws
}

/// A user with what never leaves the server.
public struct UserRecord: Hashable, Sendable {
    public var id: Int64
    public var email: String
    public var name: String
    public var role: String
    /// A password's hash with its parameters; in no log, no answer, no description.
    public var password: String
    /// Tokens of an older generation are void.
    public var generation: Int64

    public init(id: Int64, email: String, name: String, role: String, password: String, generation: Int64) {
        self.id = id
        self.email = email
        self.name = name
        self.role = role
        self.password = password
        self.generation = generation
    }

    public var summary: UserSummary { UserSummary(id: id, email: email, name: name, role: role) }
}

extension UserRecord: CustomStringConvertible {
    public var description: String { "user \(id) \(email) (\(role))" }
}

/// Why a store refused or failed, with a sentence that says what to do.
public enum StoreError: Error, Hashable, Sendable, CustomStringConvertible {
    /// A row like this exists already, or others depend on it.
    case conflict(String, column: String?)
    /// A value that the table does not take.
    case invalid(String, column: String?)
    /// Locked by another process for longer than we wait, or the disk is full: trying again later can help.
    case unavailable(String)
    /// The database can't be used at all: no database, a newer version, no permission.
    case unusable(String)

    public var description: String {
        switch self {
        case .conflict(let sentence, _), .invalid(let sentence, _), .unavailable(let sentence), .unusable(let sentence):
            sentence
        }
    }
}
