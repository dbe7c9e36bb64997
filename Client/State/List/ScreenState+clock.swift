import RolecallProtocol

/// What changes with time alone.
extension ScreenState {
    /// When the clock, the rate, or a time that is told as "how long ago" next reads otherwise, in uptime. Nothing is
    /// asked for while none of them would change.
    var clockTick: Duration? {
        var ticks: [Duration] = [now.uptime + .milliseconds(60_000 - Self.rest(of: now.wall, 60_000))]
        if let change = meter.nextChange(at: now.uptime) { ticks.append(change) }
        if timeMode == .relative, let last = lastShown.flatMap({ timeline[$0] }) {
            let age = now.wall.milliseconds.subtractingReportingOverflow(last.time.milliseconds)
            // From a minute on, minutes are told.
            if !age.overflow, age.partialValue < 60_000 {
                let until = age.partialValue < 0 ? 1000 : 1000 - age.partialValue % 1000
                ticks.append(now.uptime + .milliseconds(until))
            }
        }
        return ticks.min()
    }

    private static func rest(of time: Timestamp, _ step: Int64) -> Int64 {
        let rest = time.milliseconds % step
        return rest < 0 ? rest + step : rest
    }

    /// Messages of others count as unread until the tab of chat is looked at.
    mutating func countUnread(_ event: ModelEvent) {
        guard event.model == "message", event.operation == .created, event.by?.id != user?.id || event.by == nil,
            sieve.tab != .chat
        else { return }
        unreadChat += 1
    }
}
