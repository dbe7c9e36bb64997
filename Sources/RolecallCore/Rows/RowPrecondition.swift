import ModelStore
import RolecallProtocol

/// What a writer asks of a row before it is changed: that it is as the writer has read it.
///
/// It names positions of the log at which the row was read; that of an event of the row serves as well. It holds as
/// long as nothing has happened to the row since that the writer may see: what he can't see he can't overwrite.
package enum RowPrecondition: Hashable, Sendable {
    /// There is a row: what every change asks for anyway.
    case none
    /// Nothing has happened to the row since the latest of these. None of them can mean this log where it is empty.
    case unchanged(since: [Position])

    /// Whether it holds for a row, in the transaction that is going to change it.
    ///
    /// - Parameter isSeen: whether the writer is told of an event of the row.
    func holds(
        for key: Value, of model: Model, log: Era, in transaction: any ReadTransaction, isSeen: (ChangeRecord) -> Bool
    ) throws -> Bool {
        guard case .unchanged(let positions) = self else { return true }
        // What is older than the log's first entry, or has not come yet, says nothing.
        let known = try transaction.earliestSequence() - 1...transaction.latestSequence()
        guard let since = positions.filter({ $0.era == log && known.contains($0.sequence) }).map(\.sequence).max()
        else {
            return false
        }
        var isUnchanged = true
        try transaction.events(of: model, key: key, after: since) { event in
            isUnchanged = event.change != .gap && !isSeen(event)
            return isUnchanged
        }
        return isUnchanged
    }
}
