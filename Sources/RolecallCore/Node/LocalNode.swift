import ModelStore
import NIOCore

/// What this process holds in its own memory, where no other process sees it. All of it stands here by name, so that it
/// can be shared once there are several:
///
/// | what | held by |
/// | --- | --- |
/// | presence: which users are present | ``PresenceBoard`` |
/// | limits of attempts to sign in | ``LoginLimiter`` |
/// | what the sockets of recovery tickets wanted | ``RememberedInterests`` |
/// | the open sockets: listing and kicking them | ``SocketDirectory`` |
/// | when a sign-in was noted as used | ``SessionUse`` |
/// | how far the log has been delivered, which pruning must not pass | ``deliveredCursor()`` |
/// | how far identities have been followed, which "answered when it holds" waits for | ``settled(through:)`` |
package struct LocalNode: Sendable {
    let presence: PresenceBoard
    let loginLimits: LoginLimiter
    let interests: RememberedInterests
    let sessionUse: SessionUse
    package let sockets: SocketDirectory
    let loops: [LoopDelivery]

    /// Returns when a change of an identity holds on every socket of this process: for a write that is answered only then.
    package func settled(through mark: IdentityMark) async {
        for loop in loops {
            await withCheckedContinuation { continuation in
                loop.eventLoop.execute { loop.whenIdentitiesHold(mark) { continuation.resume() } }
            }
        }
    }

    /// Up to here every loop of this process has delivered the log; nil while they are in different eras.
    func deliveredCursor() async -> LogCursor? {
        var least: LogCursor?
        for loop in loops {
            let delivered = loop.watermark
            guard least.map({ $0.era == delivered.era }) ?? true else { return nil }
            if least.map({ delivered.sequence < $0.sequence }) ?? true { least = delivered }
        }
        return least
    }
}
