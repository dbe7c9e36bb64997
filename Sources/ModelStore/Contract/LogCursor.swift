import RolecallProtocol

/// Which data these are, for as long as they are: a server's users, rows and log keep it through every restart, backup
/// and fail-over. What must outlive an era (tickets, remembered interests) is bound to it.
public struct StoreID: Hashable, Sendable, CustomStringConvertible {
    /// 32 lower-case hexadecimal digits.
    public let description: String

    /// Nil for a text that is none.
    public init?(_ text: String) {
        let digits = Set("0123456789abcdef".utf8)
        guard text.utf8.count == 32, text.utf8.allSatisfy(digits.contains) else { return nil }
        description = text
    }

    public static func random() -> StoreID {
        var random = SystemRandomNumberGenerator()
        let digits = Array("0123456789abcdef".utf8)
        let text = (0..<32).map { _ in digits[Int(random.next() % 16)] }
        return StoreID(unchecked: String(decoding: text, as: UTF8.self))
    }

    private init(unchecked text: String) { description = text }
}

/// A place in the log from which to read on: everything up to and with it has been read.
///
/// Readers keep it; a ``Position`` is the same place as clients keep it. Numbers of two eras are never
/// compared: a cursor of another era goes through the store, which says where its place is now.
public struct LogCursor: Hashable, Sendable {
    public var era: Era
    /// The number of the last entry that was read; 0 stands before the first.
    public var sequence: Int64

    public init(era: Era, sequence: Int64) {
        self.era = era
        self.sequence = max(0, sequence)
    }

    /// The place of a position. Where ``Position/folding`` is set, not all before it has been told.
    public init(_ position: Position) {
        self.init(era: position.era, sequence: position.sequence)
    }

    public var position: Position { Position(era: era, sequence: sequence) }
}

/// What a store says of a position that a client brings.
public enum PositionVerdict: Hashable, Sendable {
    /// It is a place of this log, all that follows is still held, and this cursor, of the newest era, is the same place.
    case known(LogCursor)
    /// It is a place of this log, and entries behind it are held no more. What is held begins behind this cursor.
    case retention(LogCursor)
    /// It is no place of this log: of another one, of a stretch that an era's end has cut off, or past the head.
    case unknown
}

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

    /// From where a reader goes on who has come to a cursor, and why that is not the cursor itself.
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
