import RolecallProtocol

/// Ends a socket's association when its token expires, and warns ahead of it. Belongs to the socket's event loop.
final class ExpiryTimer {
    /// Milliseconds between the warning and the expiry; a tenth of what is left at the association where that is less
    /// than ten minutes.
    private static let warning: Int64 = 60_000

    private struct Setting {
        var moment: Timestamp
        var clock: ExpiryClock
        var tick: Int64
        var hasWarned: Bool
        var warn: () -> Void
        var expire: () -> Void
    }

    private var setting: Setting?

    func cancel() {
        guard let setting else { return }
        self.setting = nil
        setting.clock.remove(self, from: setting.tick)
    }

    /// Sets the moment of the expiry. Nothing changes where it is set to that already.
    ///
    /// - Parameters:
    ///   - warn: called ahead of the expiry, once; not where the moment has passed already.
    ///   - expire: called at the expiry, once.
    func set(
        to moment: Timestamp, on clock: ExpiryClock, warn: @escaping () -> Void, expire: @escaping () -> Void
    ) {
        guard setting?.moment != moment else { return }
        cancel()
        let now = Timestamp.now
        let left = max(0, moment.milliseconds.subtractingReportingOverflow(now.milliseconds).partialValue)
        let warning = Timestamp(milliseconds: now.milliseconds + left - Self.lead(left: left))
        setting = Setting(
            moment: moment, clock: clock, tick: clock.add(self, at: left > 0 ? warning : moment),
            hasWarned: left == 0, warn: warn, expire: expire)
    }

    /// It is time: to warn, or to end.
    func fire() {
        guard var setting else { return }
        self.setting = nil
        guard !setting.hasWarned else { return setting.expire() }
        setting.hasWarned = true
        setting.tick = setting.clock.add(self, at: setting.moment)
        self.setting = setting
        setting.warn()
    }

    /// How long ahead the warning comes, in milliseconds.
    static func lead(left: Int64) -> Int64 { left < 10 * warning ? left / 10 : warning }
}
