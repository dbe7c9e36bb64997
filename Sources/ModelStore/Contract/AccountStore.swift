import RolecallProtocol

/// Accounts and sign-ins: single calls for logging in, transactions for administration.
public protocol AccountStore: Sendable {
    /// What a password is checked against; nil for an unknown address. Addresses are compared without regard to case.
    func credentials(email: String, deadline: Deadline) async throws -> UserRecord?

    /// Begins a sign-in, if the user's token generation is still the one that was read; forgets sign-ins that have
    /// expired before it began.
    ///
    /// - Parameter upgraded: a better hash of the same password.
    /// - Returns: the user as the sign-in begins.
    /// - Throws: ``ClaimRefusal``.
    func beginSession(
        _ session: SessionRecord, generation: Int64, upgraded: String?, deadline: Deadline
    ) async throws -> Committed<UserRecord>

    /// Lets a claim's sign-in last as long as `fresh` would; a claim that has none gets `fresh`.
    ///
    /// - Throws: ``ClaimRefusal``.
    func renewSession(
        of claim: Claim, as fresh: SessionRecord, deadline: Deadline
    ) async throws -> Committed<RenewedSession>

    /// Ends a sign-in.
    ///
    /// - Returns: false where there is no such sign-in, or it was ended before.
    func endSession(_ id: String, at moment: Timestamp, deadline: Deadline) async throws -> Committed<Bool>

    /// Notes that sign-ins are in use; see ``SessionRecord/touchInterval``.
    func noteUse(of sessions: Set<String>, at moment: Timestamp, deadline: Deadline) async throws

    /// Runs a body on one snapshot of users, sign-ins and rows.
    func inspect<Output: Sendable>(
        positioned: Bool, deadline: Deadline,
        _ body: @escaping @Sendable (any RowReader & AccountReader) throws -> Output
    ) async throws -> Reading<Output>

    /// Runs a body in a transaction of its own: for administration, where what is written depends on several things that
    /// were read.
    ///
    /// Several are under way at the same time, and what a body has read can be changed by another one before it commits:
    /// a body locks what it decides on (``StoreTransaction/lock(_:)``) before it reads that. It may run more than once,
    /// and has no other effects; the last run counts. One that throws leaves nothing.
    ///
    /// - Parameter author: stands in the events as their author; see ``StoreTransaction/act(as:)``.
    func transaction<Output: Sendable>(
        by author: Author?, deadline: Deadline,
        _ body: @escaping @Sendable (any StoreTransaction) throws -> Output
    ) async throws -> Committed<Output>
}

extension AccountStore {
    public func credentials(email: String) async throws -> UserRecord? {
        try await credentials(email: email, deadline: .standard)
    }

    public func beginSession(
        _ session: SessionRecord, generation: Int64, upgraded: String? = nil
    ) async throws -> Committed<UserRecord> {
        try await beginSession(session, generation: generation, upgraded: upgraded, deadline: .standard)
    }

    public func endSession(_ id: String, at moment: Timestamp) async throws -> Committed<Bool> {
        try await endSession(id, at: moment, deadline: .standard)
    }

    public func inspect<Output: Sendable>(
        positioned: Bool = false, _ body: @escaping @Sendable (any RowReader & AccountReader) throws -> Output
    ) async throws -> Reading<Output> {
        try await inspect(positioned: positioned, deadline: .standard, body)
    }

    @discardableResult
    public func transaction<Output: Sendable>(
        by author: Author? = nil, _ body: @escaping @Sendable (any StoreTransaction) throws -> Output
    ) async throws -> Committed<Output> {
        try await transaction(by: author, deadline: .standard, body)
    }
}

/// A user whose sign-in lasts longer, and that sign-in.
public struct RenewedSession: Hashable, Sendable {
    public var user: UserRecord
    public var session: String

    public init(user: UserRecord, session: String) {
        self.user = user
        self.session = session
    }
}
