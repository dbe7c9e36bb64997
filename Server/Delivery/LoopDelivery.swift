import ModelStore
import NIOCore
import RolecallProtocol
import SocketIOServer
import Synchronization

/// One event loop's end of the line: how far the log has been told there, and to whom.
///
/// Waking a loop costs more than a short stretch of the log itself, so one that has nothing to do for it is passed by:
/// the reader moves its watermark from outside, if nothing on the loop relies on that standing still.
///
/// Unchecked: everything here but ``progress`` belongs to the loop of the hub with the same index; callers are on it.
final class LoopDelivery: @unchecked Sendable {
    /// How far the loop is, for the reader to see, and to move on.
    private struct Progress {
        var watermark: Int64
        var identitiesHold: Int64
        /// How often an audience has come to have members here.
        var arrivals = 0
        /// How many sockets are told what they missed, which must not reach the watermark while that moves.
        var resuming = 0
        var isAwaited = false
    }

    private let progress: Mutex<Progress>
    private var audiences: [ReceiverClass: Members] = [:]
    private var changes = IdentityChangeRecord()
    private var waiting: [(sequence: Int64, resume: () -> Void)] = []
    private var waitingForIdentities: [(sequence: Int64, resume: () -> Void)] = []
    private var isStopped = false

    let eventLoop: any EventLoop
    let expiries: ExpiryClock

    init(watermark: Int64, eventLoop: any EventLoop) {
        progress = Mutex(Progress(watermark: watermark, identitiesHold: watermark))
        self.eventLoop = eventLoop
        expiries = ExpiryClock(eventLoop: eventLoop)
    }

    private struct Members {
        let room: Room
        var count = 0
        /// Up to here all of them know how far the log is.
        var informedUpTo: Int64
    }

    /// Everything up to this number has been told to the loop's sockets. While one of them is resuming, only this loop
    /// moves it.
    var watermark: Int64 { progress.withLock(\.watermark) }

    /// Up to here all that the log says of identities holds on this loop; often ahead of the watermark.
    private var identitiesHold: Int64 { progress.withLock(\.identitiesHold) }

    /// The census has it already.
    func entered(_ audience: ReceiverClass) {
        if audiences[audience] != nil {
            audiences[audience]?.count += 1
        } else {
            let watermark = progress.withLock { progress in
                progress.arrivals += 1
                return progress.watermark
            }
            // Whoever enters has just been told where the log is.
            audiences[audience] = Members(room: .audience(audience), count: 1, informedUpTo: watermark)
        }
    }

    func left(_ audience: ReceiverClass) {
        guard let members = audiences[audience] else { return }
        if members.count > 1 { audiences[audience]?.count -= 1 } else { audiences[audience] = nil }
    }

    /// A socket is told what it missed, until ``endResuming()``.
    func beginResuming() {
        progress.withLock { $0.resuming += 1 }
    }

    func endResuming() {
        progress.withLock { $0.resuming -= 1 }
    }

    // MARK: The reader's side

    /// What ``pass(to:identities:since:)`` asks for: taken before the census that says whether the loop is concerned.
    var arrivals: Int { progress.withLock(\.arrivals) }

    /// Moves on a loop of which no audience is told anything up to this number, and no identity has changed; from any
    /// thread.
    ///
    /// - Returns: false where the loop has to do that itself.
    func pass(to sequence: Int64, identities: Int64, since arrivals: Int) -> Bool {
        progress.withLock { progress in
            guard progress.arrivals == arrivals, progress.resuming == 0, !progress.isAwaited else { return false }
            progress.watermark = max(progress.watermark, sequence)
            progress.identitiesHold = max(progress.identitiesHold, identities)
            return true
        }
    }

    // MARK: The loop's side

    /// Whether something has become known here that the principal's reader could not know.
    func knowsBetter(than principal: Principal) -> Bool { changes.knowsBetter(than: principal) }

    /// Tells a stretch of the log to the loop's sockets. All that the log says of identities up to its end must hold.
    func deliver(_ batch: DeliveryBatch, on hub: SocketHub) {
        for index in audiences.indices {
            let frames = batch.frames(for: audiences.keys[index])
            guard !frames.isEmpty else { continue }
            hub.send(frames, to: audiences.values[index].room)
            audiences.values[index].informedUpTo = batch.lastSequence
        }
        advance(to: batch.lastSequence)
    }

    /// Tells those who were sent nothing while the log went on how far it is: when they come back they need not be told
    /// of all that they may not see.
    func tellPosition(of log: LogID, on hub: SocketHub) {
        let watermark = watermark
        var frames: OutboundBatch?
        for index in audiences.indices where audiences.values[index].informedUpTo < watermark {
            let told = frames ?? PositionNotice.batch(Position(log: log, sequence: watermark))
            frames = told
            hub.send(told, to: audiences.values[index].room)
            audiences.values[index].informedUpTo = watermark
        }
    }

    /// There is nothing to tell up to here: numbers can be missing at the log's end, too.
    func advance(to sequence: Int64) {
        progress.withLock { $0.watermark = max($0.watermark, sequence) }
        resumeWaiting()
    }

    /// Runs the body once everything up to this number has been told here, or nothing is told any more.
    func whenTold(_ sequence: Int64, _ body: @escaping () -> Void) {
        guard !isStopped, isAwaited(where: { $0.watermark < sequence }) else { return body() }
        waiting.append((sequence: sequence, resume: body))
    }

    /// Runs the body once all that the log says of identities up to this number holds here, or it is not followed any
    /// more.
    func whenIdentitiesHold(_ sequence: Int64, _ body: @escaping () -> Void) {
        guard !isStopped, isAwaited(where: { $0.identitiesHold < sequence }) else { return body() }
        waitingForIdentities.append((sequence: sequence, resume: body))
    }

    /// Whether there is something to wait for; the reader does not pass by then.
    private func isAwaited(where isAhead: (Progress) -> Bool) -> Bool {
        progress.withLock { progress in
            guard isAhead(progress) else { return false }
            progress.isAwaited = true
            return true
        }
    }

    /// The log is not followed any more; nobody has to wait for it.
    func stop() {
        isStopped = true
        resumeWaiting()
    }

    private func resumeWaiting() {
        guard !waiting.isEmpty || !waitingForIdentities.isEmpty else { return }
        let (watermark, identitiesHold) = progress.withLock { ($0.watermark, $0.identitiesHold) }
        // Taken out before anybody is resumed, who may wait again.
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

    // MARK: Identities

    /// Makes the loop's sockets follow what the log says; what holds already is left out.
    func apply(_ reading: IdentityFeed.Reading, on hub: SocketHub, association: Association) {
        let identitiesHold = identitiesHold
        for change in reading.changes where change.sequence > identitiesHold {
            changes.note(change)
            switch change.subject {
            case .user(let id, let row):
                follow(row.flatMap(UserImage.init), of: id, since: change.sequence, on: hub, association)
            case .session(let id):
                for socket in hub.sockets(in: .session(id)) {
                    // Who was read after this belongs to a session that is there again.
                    guard isOlder(socket, than: change.sequence, association) else { continue }
                    association.disassociate(socket, reason: .signedOut)
                }
            }
        }
        progress.withLock { $0.identitiesHold = max($0.identitiesHold, reading.last) }
        resumeWaiting()
    }

    private func follow(
        _ user: UserImage?, of id: Int64, since sequence: Int64, on hub: SocketHub, _ association: Association
    ) {
        for socket in hub.sockets(in: .user(id)) {
            // Who was read after this change is who the record says by now, whatever the log tells late.
            guard isOlder(socket, than: sequence, association),
                let principal = association.identity(of: socket)?.principal
            else { continue }
            guard let user else {
                association.disassociate(socket, reason: .userRemoved)
                continue
            }
            if user.generation == principal.generation {
                association.update(socket, to: user.summary, readAt: sequence)
            } else {
                association.disassociate(socket, reason: .passwordChanged)
            }
        }
    }

    private func isOlder(_ socket: Socket, than sequence: Int64, _ association: Association) -> Bool {
        association.identity(of: socket)?.principal.map { $0.readAt < sequence } ?? false
    }
}
