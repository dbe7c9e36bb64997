import ModelStore
import RolecallProtocol
import SocketIOServer

/// One event loop's end of the line: how far the log has been told there, and to which views.
///
/// Unchecked: everything here belongs to the loop of the hub with the same index; callers are on it.
final class LoopDelivery: @unchecked Sendable {
    /// Everything up to this number has been told to the loop's sockets.
    private(set) var watermark: Int64
    private var views: [View: Int] = [:]
    /// Users whose records changed since the server started, with the number of the last change: whoever read a
    /// record before that reads it again. Bounded by the number of users.
    private var userChanges: [Int64: Int64] = [:]
    /// Sessions that were ended here, until their tokens expire by themselves.
    private var endedSessions: [String: Timestamp] = [:]
    private var waiting: [(sequence: Int64, resume: () -> Void)] = []
    private var isStopped = false

    init(watermark: Int64) {
        self.watermark = watermark
    }

    func entered(_ view: View) {
        views[view, default: 0] += 1
    }

    func left(_ view: View) {
        guard let count = views[view] else { return }
        views[view] = count > 1 ? count - 1 : nil
    }

    /// Whether something has become known here that the principal's reader could not know.
    func knowsBetter(than principal: Principal) -> Bool {
        if let session = principal.session, endedSessions[session] != nil { return true }
        return userChanges[principal.user.id].map { $0 > principal.readAt } ?? false
    }

    /// Tells a stretch of the log to the loop's sockets.
    ///
    /// A batch that changes users begins with that event: identities change first, so that it and all that follows is
    /// seen with the new rights.
    func deliver(_ batch: DeliveryBatch, on hub: SocketHub, association: Association) {
        if let first = batch.events.first, first.model == ModelName.user { apply(first, on: hub, association) }
        for view in views.keys { hub.send(batch.frames(for: view), to: .view(view)) }
        watermark = max(watermark, batch.lastSequence)
        resumeWaiting()
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

    /// The log is not followed any more; nobody has to wait for it.
    func stop() {
        isStopped = true
        resumeWaiting()
    }

    private func resumeWaiting() {
        guard !waiting.isEmpty else { return }
        let ready = waiting.filter { $0.sequence <= watermark || isStopped }
        waiting.removeAll { $0.sequence <= watermark || isStopped }
        for waiter in ready { waiter.resume() }
    }

    /// A session was ended: its sockets belong to nobody.
    func end(session: String, expiresAt: Timestamp, on hub: SocketHub, association: Association) {
        if endedSessions.count >= 1024 {
            let now = Timestamp.now
            endedSessions = endedSessions.filter { $0.value > now }
        }
        endedSessions[session] = expiresAt
        for socket in hub.sockets(in: .session(session)) { association.disassociate(socket, reason: .signedOut) }
    }

    private func apply(_ event: LogEvent, on hub: SocketHub, _ association: Association) {
        guard case .integer(let id) = event.key else { return }
        userChanges[id] = event.sequence
        for socket in hub.sockets(in: .user(id)) {
            // Who was read after this change is who the record says by now, whatever the log tells late.
            guard let principal = association.identity(of: socket)?.principal, principal.readAt < event.sequence else {
                continue
            }
            guard let user = event.after.flatMap(UserImage.init) else {
                association.disassociate(socket, reason: .userRemoved)
                continue
            }
            if user.generation == principal.generation {
                association.update(socket, to: user.summary, readAt: event.sequence)
            } else {
                association.disassociate(socket, reason: .passwordChanged)
            }
        }
    }
}

/// A user as the log shows him.
struct UserImage {
    var summary: UserSummary
    var generation: Int64

    init?(_ row: Row) {
        guard case .integer(let id) = row["_id"], case .text(let email) = row["email"],
            case .text(let name) = row["name"], case .text(let role) = row["role"],
            case .integer(let generation) = row["generation"]
        else { return nil }
        summary = UserSummary(id: id, email: email, name: name, role: role)
        self.generation = generation
    }
}
