import RolecallProtocol

/// A transaction of administration. Valid only inside its body.
public protocol StoreTransaction: RowReader, AccountReader, RowWriter, AccountWriter {
    /// Makes this the author of the changes that follow; nil for no author. For an author that only the transaction's own
    /// readings name.
    func act(as author: Author?) throws

    /// Waits until no other transaction holds the subject, and holds it until this one has ended. What is read of it after
    /// that is as the transaction before has left it. What is not there can be locked, too.
    ///
    /// - Throws: ``StoreError/overdue`` where another one holds it past the deadline. Two that wait for each other are
    ///   resolved by the store: one of them runs again.
    func lock(_ subject: LockSubject) throws
}

extension StoreTransaction {
    /// Locks a user's account: the record and its sign-ins.
    public func lock(user id: Int64) throws { try lock(.user(id)) }

    /// Locks a row.
    public func lock(row key: Value, of model: Model) throws {
        if model.name == ModelName.user, case .integer(let id) = key { return try lock(.user(id)) }
        try lock(.row(model: model.name, key: key))
    }
}

/// What a transaction decides on.
public enum LockSubject: Hashable, Sendable {
    case row(model: String, key: Value)
    case user(Int64)
    /// The set of administrators. A transaction that may take a user out of it locks it before it counts those left.
    case administrators
}
