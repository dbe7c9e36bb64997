import ModelStore
import NIOCore
import RolecallProtocol
import SocketIOServer

/// One event loop's end of the line: how far the log has been told there, and to whom.
///
/// Unchecked: everything here belongs to the loop of the hub with the same index; callers are on it.
final class LoopDelivery: @unchecked Sendable {
    /// Everything up to this number has been told to the loop's sockets.
    private(set) var watermark: Int64
    private var audiences: [Audience: Members] = [:]
    /// Up to here all that the log says of identities holds on this loop; often ahead of the watermark.
    private(set) var identitiesHold: Int64
    private var changes = IdentityChangeRecord()
    private var waiting: [(sequence: Int64, resume: () -> Void)] = []
    private var waitingForIdentities: [(sequence: Int64, resume: () -> Void)] = []
    private var isStopped = false

    let eventLoop: any EventLoop
    let expiries: ExpiryClock

    init(watermark: Int64, eventLoop: any EventLoop) {
        self.watermark = watermark
        identitiesHold = watermark
        self.eventLoop = eventLoop
        expiries = ExpiryClock(eventLoop: eventLoop)
    }

    private struct Members {
        let room: Room
        var count = 0
        /// Up to here all of them know how far the log is.
        var informedUpTo: Int64
    }

    func entered(_ audience: Audience) {
        // Whoever enters has just been told where the log is.
        audiences[audience, default: Members(room: .audience(audience), informedUpTo: watermark)].count += 1
    }

    func left(_ audience: Audience) {
        guard let members = audiences[audience] else { return }
        if members.count > 1 { audiences[audience]?.count -= 1 } else { audiences[audience] = nil }
    }

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
        watermark = max(watermark, batch.lastSequence)
        resumeWaiting()
    }

    /// Tells those who were sent nothing while the log went on how far it is: when they come back they need not be told
    /// of all that they may not see.
    func tellPosition(of log: LogID, on hub: SocketHub) {
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
        watermark = max(watermark, sequence)
        resumeWaiting()
    }

    /// Runs the body once everything up to this number has been told here, or nothing is told any more.
    func whenTold(_ sequence: Int64, _ body: @escaping () -> Void) {
        guard watermark < sequence, !isStopped else { return body() }
        waiting.append((sequence: sequence, resume: body))
    }

    /// Runs the body once all that the log says of identities up to this number holds here, or it is not followed any
    /// more.
    func whenIdentitiesHold(_ sequence: Int64, _ body: @escaping () -> Void) {
        guard identitiesHold < sequence, !isStopped else { return body() }
        waitingForIdentities.append((sequence: sequence, resume: body))
    }

    /// The log is not followed any more; nobody has to wait for it.
    func stop() {
        isStopped = true
        resumeWaiting()
    }

    private func resumeWaiting() {
        Self.resume(&waiting) { $0 <= watermark || isStopped }
        Self.resume(&waitingForIdentities) { $0 <= identitiesHold || isStopped }
    }

    private static func resume(
        _ waiting: inout [(sequence: Int64, resume: () -> Void)], where isReady: (Int64) -> Bool
    ) {
        guard !waiting.isEmpty else { return }
        let ready = waiting.filter { isReady($0.sequence) }
        waiting.removeAll { isReady($0.sequence) }
        for waiter in ready { waiter.resume() }
    }

    // MARK: Identities

    /// Makes the loop's sockets follow what the log says; what holds already is left out.
    func apply(_ reading: IdentityFeed.Reading, on hub: SocketHub, association: Association) {
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
        identitiesHold = max(identitiesHold, reading.last)
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
