/// How many events came lately, in steps of two seconds.
struct RateMeter: Hashable, Sendable {
    /// How long a step lasts, in seconds.
    static let step: Int64 = 2
    /// How many steps are kept, the one that is under way among them.
    static let steps = 8

    private var counts = [Int](repeating: 0, count: steps)
    /// The number of the step that is under way, from the start of the uptime; its count stands last.
    private var current: Int64 = 0

    /// An event has come.
    mutating func count(at uptime: Duration) {
        let number = Self.number(uptime)
        if number > current {
            counts = counts(at: uptime)
            current = number
        }
        counts[counts.count - 1] += 1
    }

    /// The steps up to now, the oldest first.
    func counts(at uptime: Duration) -> [Int] {
        let passed = max(0, Self.number(uptime) - current)
        guard passed < counts.count else { return [Int](repeating: 0, count: counts.count) }
        return Array(counts.dropFirst(Int(passed))) + [Int](repeating: 0, count: Int(passed))
    }

    /// Whether nothing came lately.
    func isIdle(at uptime: Duration) -> Bool {
        // In the last step that was begun something has come, unless nothing came ever.
        counts[counts.count - 1] == 0 || Self.number(uptime) - current >= Int64(Self.steps)
    }

    /// Tenths of events per second, over all steps.
    func tenths(at uptime: Duration) -> Int {
        counts(at: uptime).reduce(0, +) * 10 / (Self.steps * Int(Self.step))
    }

    /// When it will tell something else without an event, in uptime; nil where nothing came lately.
    func nextChange(at uptime: Duration) -> Duration? {
        isIdle(at: uptime) ? nil : .seconds((Self.number(uptime) + 1) * Self.step)
    }

    private static func number(_ uptime: Duration) -> Int64 { max(0, uptime.components.seconds) / step }
}
