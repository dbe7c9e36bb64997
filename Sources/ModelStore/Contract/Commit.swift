import RolecallProtocol

/// What a write came to. It is durable: it survives the death of the process and of the machine.
public struct Committed<Value: Sendable>: Sendable {
    public var value: Value
    public var position: CommitPosition
    /// What the identity feed covers once it has shown all that this write has changed of identities.
    public var identity: IdentityMark

    public init(value: Value, position: CommitPosition, identity: IdentityMark) {
        self.value = value
        self.position = position
        self.identity = identity
    }
}

extension Committed: Equatable where Value: Equatable {}

/// Where in the log a write's entries are.
public enum CommitPosition: Hashable, Sendable {
    /// At or before this place, all of them.
    case at(Position)
    /// They are committed and on their way into the log; ``StoreUpkeep/position(of:deadline:)`` waits for that.
    case pending(CommitReceipt)
}

/// Names one transaction to the store that gave it, and to it alone.
public struct CommitReceipt: Hashable, Sendable {
    public let rawValue: String

    public init(rawValue: String) { self.rawValue = rawValue }
}

/// What became of a transaction whose commit was cut off.
public enum Settlement: Hashable, Sendable {
    case committed(CommitPosition)
    /// Nothing of it was done, and nothing of it will be.
    case rolledBack
    /// It can't be found out now.
    case unknown
}
