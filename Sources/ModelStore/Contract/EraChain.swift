import RolecallProtocol

/// An era's row: within it, numbers from ``first`` on are given once.
public struct EraRecord: Hashable, Sendable {
    public var era: Era
    /// The first number that was given in it.
    public var first: Int64

    public init(era: Era, first: Int64) {
        self.era = era
        self.first = first
    }
}

/// The eras of a log, oldest first; never empty. How a store judges places, whatever it keeps them in.
public struct EraChain: Hashable, Sendable {
    public let eras: [EraRecord]

    /// - Parameter eras: oldest first; at least one.
    public init(_ eras: [EraRecord]) {
        precondition(!eras.isEmpty, "A log has an era.")
        self.eras = eras
    }

    public var newest: Era { eras[eras.count - 1].era }

    /// The last number of a cursor's era that is also a place of the newest one: the one before the next era's first,
    /// or the head. Nil for an era that is not in the chain.
    public func lastCommon(of era: Era, head: Int64) -> Int64? {
        guard let place = eras.lastIndex(where: { $0.era == era }) else { return nil }
        return min(head, eras[(place + 1)...].map { $0.first - 1 }.min() ?? head)
    }

    /// See ``LogStore/judge(_:deadline:)``.
    ///
    /// - Parameters:
    ///   - earliest: the lowest number that the log holds, or would hold next.
    ///   - head: the highest that was given.
    public func judge(_ position: Position, earliest: Int64, head: Int64) -> PositionVerdict {
        let last = position.folding?.upperBound ?? position.sequence
        guard let common = lastCommon(of: position.era, head: head), last <= common else { return .unknown }
        // Numbers can be missing from the log; only one that stood below its first entry is lost.
        let next = position.folding?.lowerBound ?? position.sequence + 1
        guard next >= earliest else { return .retention(LogCursor(era: newest, sequence: earliest - 1)) }
        return .known(LogCursor(era: newest, sequence: position.sequence))
    }

    /// The place from which a reader at a cursor reads on, and why that is not the cursor itself.
    public func resumption(
        of cursor: LogCursor, earliest: Int64, head: Int64
    ) -> (start: LogCursor, interruption: LogStretch.Interruption?) {
        let common = lastCommon(of: cursor.era, head: head)
        var start = LogCursor(era: newest, sequence: min(cursor.sequence, common ?? 0))
        var interruption: LogStretch.Interruption?
        if start.sequence < cursor.sequence { interruption = .setBack(to: common.map { _ in start }) }
        if start.sequence < earliest - 1 {
            start.sequence = earliest - 1
            if interruption == nil { interruption = .retention }
        }
        return (start, interruption)
    }
}
