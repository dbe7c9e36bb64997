/// Brings a client that comes back from where it was to the live stream, without a hole and without a double; pure, driven
/// by ``Replay``.
///
/// There are two senders: the replay, which reads the log, and the event loop, which has sent its sockets all up to its
/// watermark and goes on by itself. The client is the replay's alone until that has sent all that the loop has; from the
/// same turn on it is the loop's alone. So the replay may send nothing that the loop has not sent, and must not make way
/// before it has sent all that the loop has.
struct RecoveryMachine: Sendable {
    /// The number up to which all has been sent, or said to be lost.
    private(set) var sent: Int64
    /// What has been read reaches to here.
    private(set) var covered: Int64
    /// Whether the client is the loop's to send to, from this turn on.
    private(set) var isLive = false

    /// - Parameter start: the number of the last event that the client has.
    init(after start: Int64) {
        sent = start
        covered = start
    }

    /// What has been lost to it by pruning.
    struct Lost: Hashable, Sendable {
        /// What lies between, the latter included.
        var after: Int64
        var through: Int64
    }

    /// The log was read behind ``covered``.
    ///
    /// - Parameters:
    ///   - earliest: the first number that the log still has, or its next one.
    ///   - last: the number of the last event that was read; nil without any.
    ///   - isFull: whether as many were read as were asked for, so that there may be more.
    ///   - head: up to where the log reached.
    mutating func read(earliest: Int64, last: Int64?, isFull: Bool, head: Int64) -> Lost? {
        let start = covered
        // Fewer than were asked for: there are no more up to the log's end, whatever numbers are missing there.
        covered = max(start, isFull ? last ?? start : head)
        guard start + 1 < earliest else { return nil }
        covered = max(covered, earliest - 1)
        sent = max(sent, earliest - 1)
        return Lost(after: start, through: earliest - 1)
    }

    /// Of what was read the replay sends what the loop has sent, in the turn in which this is asked for.
    ///
    /// What was read beyond that the loop sends when its turn comes: the client has gone live by then, or it is waited for.
    ///
    /// - Parameters:
    ///   - end: no more than up to here is sent in this turn.
    ///   - watermark: up to here the loop has sent its sockets everything.
    /// - Returns: the numbers of the events to send, from the first to the one before the end of the range.
    mutating func turn(through end: Int64, watermark: Int64) -> Range<Int64> {
        let through = min(end, covered, watermark)
        let range = sent + 1..<max(sent, through) + 1
        sent = max(sent, through)
        isLive = sent >= watermark
        return range
    }
}
