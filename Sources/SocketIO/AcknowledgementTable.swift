/// Who waits for which acknowledgement on one socket.
public struct AcknowledgementTable<Waiter> {
    private var waiters: [Int64: Waiter] = [:]
    private var nextID: Int64 = 0

    /// A table in which nobody waits.
    public init() {}

    /// How many acknowledgements are outstanding.
    public var count: Int { waiters.count }

    /// Whether no acknowledgement is outstanding.
    public var isEmpty: Bool { waiters.isEmpty }

    /// Enters a waiter.
    ///
    /// - Returns: the id for the event to be acknowledged. Ids count up from 0, begin again after
    ///   ``SocketPacket/largestID`` and skip those still outstanding.
    public mutating func register(_ waiter: Waiter) -> Int64 {
        while waiters[nextID] != nil {
            advance()
        }
        let id = nextID
        advance()
        waiters[id] = waiter
        return id
    }

    /// Takes out the waiter of an id, because the acknowledgement came or is no longer waited for. Nil when there is
    /// none: the peer made the id up, answered twice, or too late.
    public mutating func resolve(_ id: Int64) -> Waiter? {
        waiters.removeValue(forKey: id)
    }

    /// Takes out all waiters, in the order in which they were entered.
    public mutating func removeAll() -> [Waiter] {
        // Ids run in a circle: counted from the next one on, the oldest comes first.
        let period = SocketPacket.largestID + 1
        let next = nextID
        let ordered = waiters.sorted { ($0.key - next + period) % period < ($1.key - next + period) % period }
        waiters.removeAll()
        return ordered.map(\.value)
    }

    private mutating func advance() {
        nextID = nextID == SocketPacket.largestID ? 0 : nextID + 1
    }
}

extension AcknowledgementTable: Sendable where Waiter: Sendable {}
