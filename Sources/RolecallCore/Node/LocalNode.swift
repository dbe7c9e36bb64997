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
/// | how far the log has been delivered, which pruning must not pass | ``deliveredSequence()`` |
/// | how far identities have been followed, which "answered when it holds" waits for | ``settled(through:)`` |
package struct LocalNode: Sendable {
    let presence: PresenceBoard
    let loginLimits: LoginLimiter
    let interests: RememberedInterests
    let sessionUse: SessionUse
    package let sockets: SocketDirectory
    let loops: [LoopDelivery]

    /// Returns when all that the log says of users and sessions up to this number holds on every socket of this process:
    /// for a write that is answered only then.
    package func settled(through sequence: Int64) async {
        for loop in loops {
            await withCheckedContinuation { continuation in
                loop.eventLoop.execute { loop.whenIdentitiesHold(sequence) { continuation.resume() } }
            }
        }
    }

    /// Up to here every loop of this process has delivered the log.
    func deliveredSequence() async -> Int64 {
        var least = Int64.max
        for loop in loops {
            let delivered = await withCheckedContinuation { continuation in
                loop.eventLoop.execute { continuation.resume(returning: loop.watermark) }
            }
            least = min(least, delivered)
        }
        return least
    }
}
