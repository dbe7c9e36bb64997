import RolecallProtocol

/// How far the log has been told to this client, across all its connections; pure.
///
/// From this follow the position from which the next connection resumes, and which events were told before.
struct Progress: Hashable, Sendable {
    enum Verdict: Hashable, Sendable {
        case fresh
        /// Told before within this identity's epoch.
        case duplicate
    }

    /// Where the next connection resumes: the position last seen in an event or an identity. Nil begins with what
    /// happens from then on.
    private(set) var resumption: Position?
    /// How many events were told twice.
    private(set) var duplicates = 0
    /// The identity's epoch; nil before this connection's first identity.
    private var epoch: Int64?
    /// No event at or before this one is due within the epoch. An identity's position is no such mark: the events
    /// that a connection resumes with may come after its identity.
    private var floor: Position?

    init(resumption: Position? = nil) {
        self.resumption = resumption
    }

    /// A new connection resumes from ``resumption``. Epochs are counted anew by each.
    mutating func connected() {
        epoch = nil
        floor = resumption
    }

    mutating func received(_ event: ModelEvent) -> Verdict {
        if let floor, floor.log == event.position.log, event.position <= floor {
            duplicates += 1
            return .duplicate
        }
        floor = event.position
        resumption = event.position
        return .fresh
    }

    /// - Parameter position: the log's position that came with the identity.
    mutating func received(_ identity: Identity, at position: Position?) {
        if let epoch, epoch != identity.epoch {
            // The new identity may see rows of which the old one was told nothing, or something else.
            floor = nil
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
        floor = nil
    }
}
