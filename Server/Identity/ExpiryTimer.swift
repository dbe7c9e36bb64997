import NIOCore
import RolecallProtocol
import SocketIOServer

/// Ends a socket's association when its token expires, and says so ahead. Belongs to the socket's event loop.
final class ExpiryTimer {
    /// Milliseconds between `expiring` and the expiry; a tenth of what is left at the association where that is less than
    /// ten minutes.
    private static let warning: Int64 = 60_000

    private var ahead: Scheduled<Void>?
    private var end: Scheduled<Void>?

    func cancel() {
        ahead?.cancel()
        end?.cancel()
        ahead = nil
        end = nil
    }

    func set(to moment: Timestamp, for socket: Socket, association: Association) {
        cancel()
        let left = moment.milliseconds.subtractingReportingOverflow(Timestamp.now.milliseconds).partialValue
        // Past what a timer can count there is nothing to wait for.
        guard left < 1000 * 86_400 * 365 * 100 else { return }
        end = socket.eventLoop.scheduleTask(in: .milliseconds(max(0, left))) {
            association.disassociate(socket, reason: .expired)
        }
        guard left > 0 else { return }
        ahead = socket.eventLoop.scheduleTask(in: .milliseconds(left - Self.lead(left: left))) {
            guard socket.isConnected else { return }
            socket.emit(Expiring.eventName, [Expiring(expiresAt: moment).json])
        }
    }

    /// How long ahead the warning comes, in milliseconds.
    static func lead(left: Int64) -> Int64 { left < 10 * warning ? left / 10 : warning }
}
