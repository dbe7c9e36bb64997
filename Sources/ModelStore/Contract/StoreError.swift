/// Why a store refused or failed, with a sentence that says what to do.
///
/// A sentence repeats no value of a row, and no statement. What only an operator may read (the database's own words for
/// the failure) is the ``Cause``: ``description`` has it and is for logs, ``message`` never has it and is for clients.
public enum StoreError: Error, Hashable, Sendable, CustomStringConvertible {
    /// A row like this exists already, or others depend on it.
    case conflict(String, column: String?)
    /// A value that the table does not take.
    case invalid(String, column: String?)
    /// Locked for longer than the deadline allows, or the disk is full: nothing was done, and trying again later can
    /// help. Clients read the sentence.
    case unavailable(String, cause: Cause? = nil)
    /// The database can't be used at all: no database, a newer version, no permission. Nothing was done.
    case unusable(String, cause: Cause? = nil)
    /// The connection or the disk failed during the commit: it was done whole, or not at all.
    /// ``StoreUpkeep/settle(_:deadline:)`` finds out which.
    case unknown(String, CommitReceipt)

    /// What stands behind an error, for a log only.
    public struct Cause: Hashable, Sendable, CustomStringConvertible {
        public let description: String

        public init(_ description: String) { self.description = description }
    }

    /// For logs: the sentence, and the cause where there is one.
    public var description: String { cause.map { "\(sentence) (\($0))" } ?? sentence }

    /// For clients: what they can do. Paths, versions and the database's own words are not in it: those of an error that
    /// passes are its cause, and the sentence of ``unusable(_:cause:)`` is for an operator as a whole.
    public var message: String {
        switch self {
        case .conflict, .invalid, .unavailable, .unknown: sentence
        case .unusable: "The database can't be used: the server's log says more."
        }
    }

    /// What an operator can do, without the cause.
    public var sentence: String {
        switch self {
        case .conflict(let sentence, _), .invalid(let sentence, _), .unavailable(let sentence, _),
            .unusable(let sentence, _), .unknown(let sentence, _):
            sentence
        }
    }

    public var cause: Cause? {
        switch self {
        case .unavailable(_, let cause), .unusable(_, let cause): cause
        case .conflict, .invalid, .unknown: nil
        }
    }

    /// A call that has not come to its end by its deadline, with nothing done.
    public static let overdue = StoreError.unavailable("The database has not answered in time: try again later.")
}
