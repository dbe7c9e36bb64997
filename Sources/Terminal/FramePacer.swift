/// Decides when to paint, so that a flood of changes costs no more than the eye can use.
///
/// The first change after a quiet time is painted at once; in a flood there are at most ``framesPerSecond`` paints in
/// any second; the last change is always painted. Nothing is scheduled while nothing changes.
///
/// What a user typed comes before what happens by itself: routine changes keep a distance, since nobody reads a list
/// that moves more often, and the frames of every second that they leave are for the answers to keys, which wait for
/// nothing else.
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
    /// Between paints that follow each other without an end.
    private let interval: Duration
    private let routineInterval: Duration
    private var state = State.idle
    private var lastPaint: ContinuousClock.Instant?
    /// When the next paint would be due if all of them kept ``interval``; one may come an interval before, so that a
    /// key just after a paint need not wait. (The generic cell rate algorithm, with room for two.)
    private var scheduled: ContinuousClock.Instant?

    /// - Parameters:
    ///   - framesPerSecond: At least 2.
    ///   - routineInterval: How long what happens by itself waits after the last paint.
    public init(framesPerSecond: Int = 30, routineInterval: Duration = .milliseconds(125)) {
        self.framesPerSecond = max(2, framesPerSecond)
        // Rounded up: thirty of them are no less than a second.
        interval = .nanoseconds(1_000_000_000 / (self.framesPerSecond - 1) + 1)
        self.routineInterval = routineInterval
    }

    /// How long it would take until a routine change is painted: who brings them need not bring any before.
    public func rest(at now: ContinuousClock.Instant) -> Duration {
        max(.zero, earliest(.routine, at: now) - now)
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
        guard let lastPaint, let scheduled else { return now }
        let spaced = change == .urgent ? now : lastPaint + routineInterval
        return max(spaced, scheduled - interval)
    }

    private mutating func paint(at now: ContinuousClock.Instant) -> Action {
        state = .idle
        lastPaint = now
        scheduled = max(scheduled ?? now, now) + interval
        return .paint
    }
}
