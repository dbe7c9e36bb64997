import RolecallProtocol

/// What must hold of a row for it to be changed: HTTP's `If-Match`.
public struct WriteCondition: Sendable {
    /// Nil asks for nothing.
    public let since: [Position]?
    public let isSeen: @Sendable (ClaimantRecord, ChangeRecord) -> Bool

    public static let none = WriteCondition(since: nil, isSeen: { _, _ in false })

    /// Nothing has happened to the row since the latest of these places that the caller may see.
    ///
    /// - Parameters:
    ///   - positions: those that the store does not know, or behind which entries are held no more, count for nothing;
    ///     where none is left the condition does not hold.
    ///   - isSeen: whether the caller may see a change of the row: a hidden change can't be overwritten unseen.
    public static func unchanged(
        since positions: [Position], isSeen: @escaping @Sendable (ClaimantRecord, ChangeRecord) -> Bool
    ) -> WriteCondition {
        WriteCondition(since: positions, isSeen: isSeen)
    }

    /// The latest place that counts; nil where none does.
    ///
    /// - Parameter judge: what the store says of a position.
    public func place(judge: (Position) throws -> PositionVerdict) rethrows -> LogCursor? {
        var latest: LogCursor?
        for position in since ?? [] {
            // The store gives every known place in the newest era: within one era numbers are ordered.
            guard case .known(let cursor) = try judge(position) else { continue }
            if latest.map({ $0.sequence < cursor.sequence }) ?? true { latest = cursor }
        }
        return latest
    }
}

/// Why a row was not changed.
public enum RowRefusal: Error, Hashable, Sendable {
    case noRow
    /// The condition does not hold.
    case changed
}
