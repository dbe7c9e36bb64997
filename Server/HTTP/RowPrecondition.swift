import HTTPTypes
import ModelStore
import RolecallProtocol

/// `If-Match` on a row (RFC 9110, section 13.1.1): what a writer has read is what he changes, or nothing is.
///
/// A row's entity tag is the log's position at which it was read; that of an event of the row serves as well. It matches
/// as long as nothing has happened to the row since that the writer may see: what he can't see he can't overwrite.
enum RowPrecondition: Hashable, Sendable {
    /// There is a row: what every change asks for anyway.
    case none
    /// Nothing has happened to the row since the latest of these. None of them can mean this log where it is empty.
    case unchanged(since: [Position])

    init(_ fields: HTTPFields) {
        let values = fields[values: .ifMatch]
        guard !values.isEmpty else {
            self = .none
            return
        }
        let tags = values.flatMap { $0.split(separator: ",") }.map { $0.filter { !$0.isWhitespace } }
        // Tags are compared strongly: a weak one, `W/"..."`, matches nothing.
        self = tags.contains("*") ? .none : .unchanged(since: tags.compactMap { Position(Self.unquoted($0)) })
    }

    private static func unquoted(_ tag: String) -> String {
        tag.utf8.count > 1 && tag.hasPrefix("\"") && tag.hasSuffix("\"") ? String(tag.dropFirst().dropLast()) : tag
    }

    /// Whether it holds for a row, in the transaction that is going to change it.
    ///
    /// - Parameter isSeen: whether the writer is told of an event of the row.
    func holds(
        for key: Value, of model: Model, log: LogID, in transaction: any ReadTransaction, isSeen: (ChangeRecord) -> Bool
    ) throws -> Bool {
        guard case .unchanged(let positions) = self else { return true }
        // What is older than the log's first entry, or has not come yet, says nothing.
        let known = try transaction.earliestSequence() - 1...transaction.latestSequence()
        guard let since = positions.filter({ $0.log == log && known.contains($0.sequence) }).map(\.sequence).max()
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

extension RequestFailure {
    static func changedMeanwhile(_ model: Model) -> RequestFailure {
        RequestFailure(
            .preconditionFailed, .preconditionFailed,
            "This \(model.name) has changed since it was read: read it again, and make the change anew.")
    }
}
