import RolecallProtocol
import SocketIOServer

/// Ends a socket's association when its token expires, and says so ahead. Belongs to the socket's event loop.
final class ExpiryTimer {
    /// Milliseconds between `expiring` and the expiry; a tenth of what is left at the association where that is less than
    /// ten minutes.
    private static let warning: Int64 = 60_000

    private struct Setting {
        var moment: Timestamp
        var socket: Socket
        var association: Association
        var clock: ExpiryClock
        var tick: Int64
        var hasWarned: Bool
    }

    private var setting: Setting?

    func cancel() {
        guard let setting else { return }
        self.setting = nil
        setting.clock.remove(self, from: setting.tick)
    }

    /// Nothing changes where it is set to this moment already.
    func set(to moment: Timestamp, for socket: Socket, association: Association) {
        guard setting?.moment != moment else { return }
        cancel()
        let now = Timestamp.now
        let left = max(0, moment.milliseconds.subtractingReportingOverflow(now.milliseconds).partialValue)
        let clock = association.delivery(of: socket).expiries
        let warning = Timestamp(milliseconds: now.milliseconds + left - Self.lead(left: left))
        setting = Setting(
            moment: moment, socket: socket, association: association, clock: clock,
            tick: clock.add(self, at: left > 0 ? warning : moment), hasWarned: left == 0)
    }

    /// It is time: to warn, or to end.
    func fire() {
        guard var setting else { return }
        self.setting = nil
        guard setting.socket.isConnected else { return }
        guard !setting.hasWarned else { return setting.association.disassociate(setting.socket, reason: .expired) }
        setting.hasWarned = true
        setting.tick = setting.clock.add(self, at: setting.moment)
        self.setting = setting
        setting.socket.emit(Expiring.eventName, [Expiring(expiresAt: setting.moment).json])
    }

    /// How long ahead the warning comes, in milliseconds.
    static func lead(left: Int64) -> Int64 { left < 10 * warning ? left / 10 : warning }
}
