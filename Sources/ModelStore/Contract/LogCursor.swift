import RolecallProtocol

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

    /// The place of a position. Where ``Position/folding`` is set, entries before it are still to be sent.
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
