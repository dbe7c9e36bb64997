/// Decides when to paint, so that a flood of changes costs no more than the eye can use.
///
/// The first change after a quiet time is painted at once; in a flood there are at most ``framesPerSecond`` paints in
/// any second; the last change is always painted. Nothing is scheduled while nothing changes.
///
/// What a user typed comes before what happens by itself: routine changes keep a distance that leaves some frames of
/// every second unused, and a change that answers a key takes one of those without waiting.
///
/// Pure: the caller brings the time, paints when told, and sets the one timer it is asked for.
public struct FramePacer: Sendable {
    /// Why there is something to paint.
    public enum Change: Sendable {
        /// Something happened by itself: an event came in, a clock moved.
        case routine
        /// The answer to a key.
        case urgent
    }

    /// What the caller has to do.
    public enum Action: Hashable, Sendable {
        /// Paint now. A timer that was set need not be cancelled.
        case paint
        /// Call ``timerFired(at:)`` at this time; replaces an earlier wish.
        case wait(until: ContinuousClock.Instant)
        /// Nothing: a timer is running that will do.
        case none
    }

    private enum State {
        case idle
        case waiting(until: ContinuousClock.Instant)
    }

    /// The most paints in any second.
    public let framesPerSecond: Int
    private let routineInterval: Duration
    private var state = State.idle
    /// When the last paints were, the oldest first; at most ``framesPerSecond``.
    private var paints: [ContinuousClock.Instant] = []

    /// - Parameter framesPerSecond: At least 1.
    public init(framesPerSecond: Int = 30) {
        self.framesPerSecond = max(1, framesPerSecond)
        // Five sixths of the frames for what happens by itself: 25 of 30.
        routineInterval = .seconds(1) * 6 / (5 * self.framesPerSecond)
    }

    /// There is something new to show.
    public mutating func changed(_ change: Change = .routine, at now: ContinuousClock.Instant) -> Action {
        let due = earliest(change, at: now)
        if due <= now { return paint(at: now) }
        if case .waiting(let until) = state, until <= due { return .none }
        state = .waiting(until: due)
        return .wait(until: due)
    }

    /// The time asked for has come. Early or needless calls do no harm.
    public mutating func timerFired(at now: ContinuousClock.Instant) -> Action {
        guard case .waiting(let until) = state else { return .none }
        return until <= now ? paint(at: now) : .wait(until: until)
    }

    private func earliest(_ change: Change, at now: ContinuousClock.Instant) -> ContinuousClock.Instant {
        guard let last = paints.last, let oldest = paints.first else { return now }
        let spaced = change == .urgent ? now : last + routineInterval
        return paints.count < framesPerSecond ? spaced : max(spaced, oldest + .seconds(1))
    }

    private mutating func paint(at now: ContinuousClock.Instant) -> Action {
        state = .idle
        if paints.count == framesPerSecond { paints.removeFirst() }
        paints.append(now)
        return .paint
    }
}
