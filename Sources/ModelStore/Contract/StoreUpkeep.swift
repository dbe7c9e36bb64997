import RolecallProtocol

/// Maintenance of a store, and questions about its commits.
public protocol StoreUpkeep: Sendable {
    /// Reads the records, and nothing more: succeeds where a request could be judged now.
    ///
    /// - Throws: ``StoreError/unusable(_:cause:)`` where a table of memberships is gone or has lost a column: it grants
    ///   nothing then.
    func probe(deadline: Deadline) async throws

    /// Prepares the database for service, so that the first commits cost what later ones do. Changes nothing where that
    /// can't be done.
    func prepareForService() async throws

    /// Forgets the log's oldest entries: a reader from before them gets ``LogStretch/Interruption/retention``.
    ///
    /// - Returns: how many went.
    func prune(_ order: PruneOrder, deadline: Deadline) async throws -> Int

    /// Forgets all that the log holds of a row, and leaves a gap of its model.
    ///
    /// - Returns: how many entries went.
    func eraseEvents(of model: Model, key: Value, deadline: Deadline) async throws -> Committed<Int>

    /// Removes a user as the author of entries.
    ///
    /// - Returns: how many entries named the user.
    func eraseAuthor(_ user: Int64, deadline: Deadline) async throws -> Committed<Int>

    /// Begins a new era: to be called once the data may have gone back in time, after a backup was restored or a copy
    /// was made. Places before it stay known; numbers that are given from here on are not those that were given
    /// elsewhere.
    ///
    /// - Returns: the log's head, in the new era.
    @discardableResult
    func beginEra(deadline: Deadline) async throws -> LogCursor

    /// Waits until a committed write's entries are in the log.
    ///
    /// - Throws: ``StoreError/overdue``; ``StoreError/unusable(_:cause:)`` for a receipt that this store has not given.
    func position(of receipt: CommitReceipt, deadline: Deadline) async throws -> Position

    /// Finds out what became of a transaction whose commit was cut off. What it answers once stays so.
    func settle(_ receipt: CommitReceipt, deadline: Deadline) async throws -> Settlement

    /// Gives followers no more turns, waits for calls under way and releases the database. Calls after it throw.
    func close() async throws
}

extension StoreUpkeep {
    public func probe() async throws { try await probe(deadline: .standard) }

    public func prune(_ order: PruneOrder) async throws -> Int { try await prune(order, deadline: .standard) }

    @discardableResult
    public func beginEra() async throws -> LogCursor { try await beginEra(deadline: .standard) }

    public func settle(_ receipt: CommitReceipt) async throws -> Settlement {
        try await settle(receipt, deadline: .standard)
    }

    /// The place up to which the log holds a write, waited for where it is pending.
    public func position(_ place: CommitPosition, deadline: Deadline = .standard) async throws -> Position {
        switch place {
        case .at(let position): position
        case .pending(let receipt): try await position(of: receipt, deadline: deadline)
        }
    }
}

/// What of the log is to be forgotten.
public struct PruneOrder: Hashable, Sendable {
    /// Entries older than this go; nil for none.
    public var before: Timestamp?
    /// Entries beyond so many newest go; nil for none.
    public var keeping: Int?
    /// None behind this place goes. Where it is of a former era nothing goes that the newest does not share with it.
    public var through: LogCursor
    /// At most so many go, so that no transaction is long.
    public var limit: Int

    public init(before: Timestamp?, keeping: Int?, through: LogCursor, limit: Int) {
        self.before = before
        self.keeping = keeping
        self.through = through
        self.limit = limit
    }
}
