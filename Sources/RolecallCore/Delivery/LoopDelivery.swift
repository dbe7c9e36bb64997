import ModelStore
import NIOCore
import RolecallProtocol
import SocketIOServer
import Synchronization

/// One event loop's end of the line: how far the log has been delivered there, and to which classes of receivers.
///
/// Waking a loop costs more than a short stretch of the log itself, so a loop that has nothing to do for it is skipped:
/// the reader moves its watermark from outside, if nothing on the loop relies on that standing still.
///
/// Unchecked: everything here but ``progress`` belongs to the loop of the hub with the same index; callers are on it.
package final class LoopDelivery: @unchecked Sendable {
    /// How far the loop is, for the reader to see, and to move on.
    private struct Progress {
        var watermark: Int64
        var identitiesHold: Int64
        /// How often a class of receivers has come to have members here.
        var arrivals = 0
        /// How many sockets are sent what they missed: that must not reach the watermark while the watermark moves.
        var resuming = 0
        var isAwaited = false
    }

    private let progress: Mutex<Progress>
    private var receivers: [ReceiverClass: Members] = [:]
    private var changes = IdentityChangeRecord()
    private var waiting: [(sequence: Int64, resume: () -> Void)] = []
    private var waitingForIdentities: [(sequence: Int64, resume: () -> Void)] = []
    private var isStopped = false

    package let eventLoop: any EventLoop
    let expiries: ExpiryClock

    init(watermark: Int64, eventLoop: any EventLoop) {
        progress = Mutex(Progress(watermark: watermark, identitiesHold: watermark))
        self.eventLoop = eventLoop
        expiries = ExpiryClock(eventLoop: eventLoop)
    }

    private struct Members {
        let room: Room
        var count = 0
        /// Up to here all of them have been sent a position.
        var informedUpTo: Int64
    }

    /// Everything up to this number has been delivered to the loop's sockets. While one of them is resuming, only this
    /// loop moves it.
    package var watermark: Int64 { progress.withLock(\.watermark) }

    /// Up to here all that the log says of identities holds on this loop; often ahead of the watermark.
    var identitiesHold: Int64 { progress.withLock(\.identitiesHold) }

    /// The census has it already.
    func entered(_ receiverClass: ReceiverClass) {
        if receivers[receiverClass] != nil {
            receivers[receiverClass]?.count += 1
        } else {
            let watermark = progress.withLock { progress in
                progress.arrivals += 1
                return progress.watermark
            }
            // A socket that enters has just been sent the position.
            receivers[receiverClass] = Members(room: .receivers(receiverClass), count: 1, informedUpTo: watermark)
        }
    }

    func left(_ receiverClass: ReceiverClass) {
        guard let members = receivers[receiverClass] else { return }
        if members.count > 1 { receivers[receiverClass]?.count -= 1 } else { receivers[receiverClass] = nil }
    }

    /// A socket is sent what it missed, until ``endResuming()``.
    func beginResuming() {
        progress.withLock { $0.resuming += 1 }
    }

    func endResuming() {
        progress.withLock { $0.resuming -= 1 }
    }

    // MARK: The reader's side

    /// What ``skip(to:identities:since:)`` asks for: taken before the census that says whether the loop is concerned.
    var arrivals: Int { progress.withLock(\.arrivals) }

    /// Moves on a loop none of whose receivers is sent anything up to this number, and where no identity has changed; from
    /// any thread.
    ///
    /// - Returns: false where the loop has to do that itself.
    func skip(to sequence: Int64, identities: Int64, since arrivals: Int) -> Bool {
        progress.withLock { progress in
            guard progress.arrivals == arrivals, progress.resuming == 0, !progress.isAwaited else { return false }
            progress.watermark = max(progress.watermark, sequence)
            progress.identitiesHold = max(progress.identitiesHold, identities)
            return true
        }
    }

    // MARK: The loop's side

    /// Whether a change has become known here that the principal's reader could not know.
    func hasNewerRecord(than principal: Principal) -> Bool { changes.hasNewerRecord(than: principal) }

    /// Sends a stretch of the log to the loop's sockets. All that the log says of identities up to its end must hold.
    func deliver(_ batch: DeliveryBatch, on hub: SocketHub) {
        for index in receivers.indices {
            let frames = batch.frames(for: receivers.keys[index])
            guard !frames.isEmpty else { continue }
            hub.send(frames, to: receivers.values[index].room)
            receivers.values[index].informedUpTo = batch.lastSequence
        }
        advance(to: batch.lastSequence)
    }

    /// Sends the position to sockets that were sent nothing while the log went on: when they come back, what they may not
    /// see need not be read for them again.
    func sendPosition(of log: Era, on hub: SocketHub) {
        let watermark = watermark
        var frames: OutboundBatch?
        for index in receivers.indices where receivers.values[index].informedUpTo < watermark {
            let notice = frames ?? PositionNotice.batch(Position(era: log, sequence: watermark))
            frames = notice
            hub.send(notice, to: receivers.values[index].room)
            receivers.values[index].informedUpTo = watermark
        }
    }

    /// There is nothing to send up to here: numbers can be missing at the log's end, too.
    func advance(to sequence: Int64) {
        progress.withLock { $0.watermark = max($0.watermark, sequence) }
        resumeWaiting()
    }

    /// Runs the body once everything up to this number has been delivered here, or nothing is delivered any more.
    package func whenDelivered(_ sequence: Int64, _ body: @escaping () -> Void) {
        guard !isStopped, isAwaited(where: { $0.watermark < sequence }) else { return body() }
        waiting.append((sequence: sequence, resume: body))
    }

    /// Runs the body once all that the log says of identities up to this number holds here, or it is not followed any
    /// more.
    func whenIdentitiesHold(_ sequence: Int64, _ body: @escaping () -> Void) {
        guard !isStopped, isAwaited(where: { $0.identitiesHold < sequence }) else { return body() }
        waitingForIdentities.append((sequence: sequence, resume: body))
    }

    /// Whether there is something to wait for; the reader does not skip the loop then.
    private func isAwaited(where isAhead: (Progress) -> Bool) -> Bool {
        progress.withLock { progress in
            guard isAhead(progress) else { return false }
            progress.isAwaited = true
            return true
        }
    }

    /// The log is not followed any more, and nothing has to wait for it.
    func stop() {
        isStopped = true
        resumeWaiting()
    }

    // MARK: Identities

    /// A change of an identity has been read.
    func note(_ change: IdentityChange) { changes.note(change) }

    /// All that the log says of identities up to this number holds on the loop.
    func identitiesHold(through sequence: Int64) {
        progress.withLock { $0.identitiesHold = max($0.identitiesHold, sequence) }
        resumeWaiting()
    }

    private func resumeWaiting() {
        guard !waiting.isEmpty || !waitingForIdentities.isEmpty else { return }
        let (watermark, identitiesHold) = progress.withLock { ($0.watermark, $0.identitiesHold) }
        // Taken out first: what is resumed may wait again.
        let ready =
            Self.takeReady(from: &waiting) { $0 <= watermark || isStopped }
            + Self.takeReady(from: &waitingForIdentities) { $0 <= identitiesHold || isStopped }
        for resume in ready { resume() }
        progress.withLock { $0.isAwaited = !waiting.isEmpty || !waitingForIdentities.isEmpty }
    }

    private static func takeReady(
        from waiting: inout [(sequence: Int64, resume: () -> Void)], where isReady: (Int64) -> Bool
    ) -> [() -> Void] {
        let ready = waiting.filter { isReady($0.sequence) }.map(\.resume)
        waiting.removeAll { isReady($0.sequence) }
        return ready
    }
}
