/// How long to wait before the next attempt to connect: 1, 2, 4, … seconds up to 30, each a bit off at random so that
/// the clients of a server that went down don't come back in one moment.
public struct ReconnectBackoff: Sendable {
    public let initial: Duration
    public let maximum: Duration
    /// How far a delay may be off, as a part of it: 0.2 makes 1 s a time from 0.8 s to 1.2 s.
    public let jitter: Double
    /// How many delays were given out since the last success.
    public private(set) var attempts = 0

    /// - Parameters:
    ///   - initial: the first delay, before the jitter.
    ///   - maximum: the longest delay, before the jitter.
    ///   - jitter: from 0 to 1.
    public init(initial: Duration = .seconds(1), maximum: Duration = .seconds(30), jitter: Double = 0.2) {
        self.initial = max(initial, .zero)
        self.maximum = max(maximum, .zero)
        self.jitter = min(max(jitter, 0), 1)
    }

    /// The next delay, twice the one before within the bounds.
    public mutating func next(using generator: inout some RandomNumberGenerator) -> Duration {
        // 2^30 times even a millisecond is beyond any sensible maximum; more would only risk an overflow.
        let doublings = min(attempts, 30)
        attempts = min(attempts, Int.max - 1) + 1
        let factor = Double.random(in: (1 - jitter)...(1 + jitter), using: &generator)
        return min(initial * (1 << doublings), maximum) * factor
    }

    /// The next delay, with the system's random numbers.
    public mutating func next() -> Duration {
        var generator = SystemRandomNumberGenerator()
        return next(using: &generator)
    }

    /// To be called once a connection stands: the next delay is the first again.
    public mutating func reset() {
        attempts = 0
    }
}
