import RolecallProtocol

/// How far the log has been told to this client, across all its connections; pure.
///
/// From this follow the position from which the next connection resumes, and which events were told before.
///
/// A server tells a socket each event at most once within an identity's epoch, and goes on strictly behind the position
/// from which a connection resumes. A server that breaks this is caught by equality alone, since positions have no order
/// that a client could know: an event is a duplicate if its position is that of one of the last ``memory`` events of the
/// epoch, or the one from which the connection resumed.
struct Progress: Hashable, Sendable {
    enum Verdict: Hashable, Sendable {
        case fresh
        /// Told before within this identity's epoch.
        case duplicate
    }

    /// How many events are remembered: several times what a server reads of its log at once.
    static let memory = 1024

    /// Where the next connection resumes: the position last seen in an event, an identity or a notice of its own. Nil
    /// begins with what happens from then on.
    private(set) var resumption: Position?
    /// How many events were told twice.
    private(set) var duplicates = 0
    /// The identity's epoch; nil before this connection's first identity.
    private var epoch: Int64?
    /// What is not due again within the epoch. The position of an identity or a notice is not among them, unless it is
    /// resumed from: an event that stands there may still come.
    private var told = RecentPositions(limit: memory)

    init(resumption: Position? = nil) {
        self.resumption = resumption
    }

    /// A new connection resumes from ``resumption``. Epochs are counted anew by each.
    mutating func connected() {
        epoch = nil
        if let resumption { _ = told.insert(resumption) }
    }

    mutating func received(_ event: ModelEvent) -> Verdict {
        guard told.insert(event.position) else {
            duplicates += 1
            return .duplicate
        }
        resumption = event.position
        return .fresh
    }

    /// - Parameter position: the log's position that came with the identity.
    mutating func received(_ identity: Identity, at position: Position?) {
        if let epoch, epoch != identity.epoch {
            // The new identity may see rows of which the old one was told nothing, or something else.
            told.removeAll()
        }
        epoch = identity.epoch
        if let position { resumption = position }
    }

    /// The log has gone on without an event for this client.
    mutating func received(_ position: Position) {
        resumption = position
    }

    /// What came before is not continued by what follows: the log may even be an older state of itself.
    mutating func received(_: Gap) {
        told.removeAll()
    }
}
