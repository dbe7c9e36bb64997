import RolecallProtocol

/// The positions that were added last, as many as the limit allows; the one that was added first makes room.
struct RecentPositions: Hashable, Sendable {
    private let limit: Int
    private var known: Set<Position> = []
    /// In the order in which they were added, from ``oldest`` on and around.
    private var ring: [Position] = []
    private var oldest = 0

    /// - Parameter limit: at least 1.
    init(limit: Int) {
        self.limit = max(1, limit)
    }

    /// Adds a position.
    ///
    /// - Returns: whether it was not among them.
    mutating func insert(_ position: Position) -> Bool {
        guard known.insert(position).inserted else { return false }
        if ring.count < limit {
            ring.append(position)
        } else {
            known.remove(ring[oldest])
            ring[oldest] = position
            oldest = (oldest + 1) % limit
        }
        return true
    }

    mutating func removeAll() { self = RecentPositions(limit: limit) }
}
