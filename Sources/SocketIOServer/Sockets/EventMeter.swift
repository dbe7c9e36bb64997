import NIOCore

/// How many events a client may send: so many a second, and so many more at once after a rest.
///
/// What is over is not refused: it is counted as a debt, and nothing more is read until that is paid off.
struct EventMeter {
    private let perEvent: Int64
    private let burst: Int64
    /// The time up to which all events are paid for; as far back as a rest counts, or ahead by the debt. In nanoseconds.
    private var paidUntil: Int64

    /// - Parameters:
    ///   - rate: events a second; 0 for any number.
    ///   - burst: how many may come at once.
    init(rate: Int, burst: Int, now: NIODeadline) {
        perEvent = rate > 0 ? 1_000_000_000 / Int64(clamping: rate) : 0
        self.burst = perEvent.multipliedReportingOverflow(by: Int64(clamping: burst)).partialValue
        paidUntil = Int64(clamping: now.uptimeNanoseconds) - self.burst
    }

    /// Counts an event.
    ///
    /// - Returns: how long nothing more should be read; nil for no time at all.
    mutating func count(now: NIODeadline) -> TimeAmount? {
        guard perEvent > 0 else { return nil }
        paidUntil = max(paidUntil, Int64(clamping: now.uptimeNanoseconds) - burst) + perEvent
        return debt(now: now)
    }

    /// How long it takes to pay off what is over; nil where nothing is.
    func debt(now: NIODeadline) -> TimeAmount? {
        let now = Int64(clamping: now.uptimeNanoseconds)
        return paidUntil > now ? .nanoseconds(paidUntil - now) : nil
    }
}
