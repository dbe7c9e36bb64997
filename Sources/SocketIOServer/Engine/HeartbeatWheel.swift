import NIOCore

/// The deadlines of all heartbeats of one event loop, behind one timer.
///
/// A deadline stands in the slot of its tick, and comes up when that tick begins: up to one tick early, never late by
/// the wheel's doing. Entering, leaving and coming up cost the same with any number of sessions. Sessions whose
/// deadlines fall into one tick come up together, so that their pings leave in one turn of the loop.
struct HeartbeatWheel {
    /// Where a session stands.
    struct Place {
        fileprivate var slot: Int
        fileprivate var index: Int
    }

    private struct Entry {
        let session: EngineSession
        let deadline: NIODeadline
        /// How many ticks after the beginning of time.
        let tick: UInt64
    }

    private static let slotCount = 512
    private let tickLength: UInt64
    private var slots = [[Entry]](repeating: [], count: slotCount)
    private(set) var count = 0
    /// The tick up to which everything has come up.
    private var position: UInt64

    /// - Parameter precision: how early a deadline may come up.
    init(now: NIODeadline, precision: TimeAmount) {
        tickLength = UInt64(max(precision.nanoseconds, 1_000_000))
        position = now.uptimeNanoseconds / tickLength
    }

    /// - Parameter session: stands nowhere in the wheel.
    /// - Returns: its place, until it comes up or leaves.
    mutating func enter(_ session: EngineSession, deadline: NIODeadline) -> Place {
        // What is due already comes up with the next tick.
        let tick = max(deadline.uptimeNanoseconds / tickLength, position + 1)
        let slot = Int(tick % UInt64(Self.slotCount))
        slots[slot].append(Entry(session: session, deadline: deadline, tick: tick))
        count += 1
        return Place(slot: slot, index: slots[slot].count - 1)
    }

    mutating func leave(_ place: Place) {
        // The last takes the place of the one that goes.
        let last = slots[place.slot].removeLast()
        count -= 1
        guard place.index < slots[place.slot].count else { return }
        slots[place.slot][place.index] = last
        last.session.movedInWheel(to: place)
    }

    /// Takes out one session whose tick has begun; nil when there is none any more.
    ///
    /// - Returns: the session, and the time that it is to think it is: its deadline, or later.
    mutating func next(now: NIODeadline) -> (session: EngineSession, now: NIODeadline)? {
        let current = now.uptimeNanoseconds / tickLength
        guard count > 0 else {
            position = max(position, current)
            return nil
        }
        // After a long stop one round sees every slot.
        if current > position + UInt64(Self.slotCount) { position = current - UInt64(Self.slotCount) }
        while position < current {
            let slot = Int((position + 1) % UInt64(Self.slotCount))
            if let index = slots[slot].lastIndex(where: { $0.tick <= current }) {
                let entry = slots[slot][index]
                leave(Place(slot: slot, index: index))
                return (entry.session, max(now, entry.deadline))
            }
            position += 1
        }
        return nil
    }

    /// When to look again; nil when nobody is here.
    func nextWake() -> NIODeadline? {
        guard count > 0 else { return nil }
        for distance in 1...UInt64(Self.slotCount) {
            let tick = position + distance
            if slots[Int(tick % UInt64(Self.slotCount))].contains(where: { $0.tick <= tick }) {
                return .uptimeNanoseconds(tick * tickLength)
            }
        }
        // All deadlines are more than one round away.
        return .uptimeNanoseconds((position + UInt64(Self.slotCount)) * tickLength)
    }
}
