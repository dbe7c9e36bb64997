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
        var watermark: LogCursor
        var identitiesHold: IdentityCursor
        /// How often a class of receivers has come to have members here.
        var arrivals = 0
        /// How many sockets are sent what they missed: that must not reach the watermark while the watermark moves.
        var resuming = 0
        var isAwaited = false

        func hasReached(_ place: LogCursor) -> Bool {
            watermark.era == place.era && watermark.sequence >= place.sequence
        }

        mutating func advance(to place: LogCursor) {
            if watermark.era != place.era || watermark.sequence < place.sequence { watermark = place }
        }

        mutating func hold(_ cursor: IdentityCursor) {
            if identitiesHold.era != cursor.era || cursor.covers(identitiesHold) { identitiesHold = cursor }
        }
    }

    private let progress: Mutex<Progress>
    private var receivers: [ReceiverClass: Members] = [:]
    /// How many classes have come to have members here: names their rooms.
    private var lastClass = 0
    private var changes: IdentityChangeRecord
    private var waiting: [(place: LogCursor, resume: () -> Void)] = []
    private var waitingForIdentities: [(mark: IdentityMark, resume: () -> Void)] = []
    /// Eras that have ended here: what waits for a place of one waits for nothing.
    private var formerEras: Set<Era> = []
    /// Whether each identity is being read anew, and what waits for the end of that.
    private(set) var isResetting = false
    private var waitingForReset: [() -> Void] = []
    private var isStopped = false

    package let eventLoop: any EventLoop
    let expiries: ExpiryClock

    init(watermark: LogCursor, identities: IdentityCursor, eventLoop: any EventLoop) {
        progress = Mutex(Progress(watermark: watermark, identitiesHold: identities))
        changes = IdentityChangeRecord(from: identities)
        self.eventLoop = eventLoop
        expiries = ExpiryClock(eventLoop: eventLoop)
    }

    private struct Members {
        let room: Room
        var count = 0
        /// The place that all of them have been sent last.
        var informedOf: LogCursor
    }

    /// Everything up to this place has been delivered to the loop's sockets. While one of them is resuming, only this
    /// loop moves it.
    package var watermark: LogCursor { progress.withLock(\.watermark) }

    /// Up to here all that the log says of identities holds on this loop; often ahead of the watermark.
    var identitiesHold: IdentityCursor { progress.withLock(\.identitiesHold) }

    /// The census has it already.
    ///
    /// - Returns: the room that the class's events are sent to.
    @discardableResult
    func entered(_ receiverClass: ReceiverClass) -> Room {
        if let members = receivers[receiverClass] {
            receivers[receiverClass]?.count += 1
            return members.room
        } else {
            let watermark = progress.withLock { progress in
                progress.arrivals += 1
                return progress.watermark
            }
            lastClass += 1
            let room = Room("receivers:\(lastClass)")
            // A socket that enters has just been sent the position.
            receivers[receiverClass] = Members(room: room, count: 1, informedOf: watermark)
            return room
        }
    }

    /// - Returns: the room that the class's events are sent to; nil where it has no members.
    @discardableResult
    func left(_ receiverClass: ReceiverClass) -> Room? {
        guard let members = receivers[receiverClass] else { return nil }
        if members.count > 1 { receivers[receiverClass]?.count -= 1 } else { receivers[receiverClass] = nil }
        return members.room
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

    /// Moves on a loop none of whose receivers is sent anything up to this place, and where no identity has changed; from
    /// any thread.
    ///
    /// - Returns: false where the loop has to do that itself.
    func skip(to place: LogCursor, identities: IdentityCursor, since arrivals: Int) -> Bool {
        progress.withLock { progress in
            guard progress.arrivals == arrivals, progress.resuming == 0, !progress.isAwaited,
                progress.watermark.era == place.era, progress.identitiesHold.era == identities.era
            else { return false }
            progress.advance(to: place)
            progress.hold(identities)
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
            receivers.values[index].informedOf = batch.last
        }
        advance(to: batch.last)
    }

    /// Sends the position to sockets that were sent nothing while the log went on: when they come back, what they may not
    /// see need not be read for them again.
    func sendPosition(on hub: SocketHub) {
        let watermark = watermark
        var frames: OutboundBatch?
        for index in receivers.indices where receivers.values[index].informedOf != watermark {
            let notice = frames ?? PositionNotice.batch(watermark.position)
            frames = notice
            hub.send(notice, to: receivers.values[index].room)
            receivers.values[index].informedOf = watermark
        }
    }

    /// There is nothing to send up to here: numbers can be missing at the log's end, too.
    func advance(to place: LogCursor) {
        let former = progress.withLock { progress in
            defer { progress.advance(to: place) }
            return progress.watermark.era
        }
        if former != place.era { formerEras.insert(former) }
        resumeWaiting()
    }

    /// The log goes on elsewhere: it was set back to this place, or does not hold what comes before it any more. Each live
    /// socket is sent a gap. Sockets that are sent what they missed find out by themselves.
    func interrupt(at place: LogCursor, reason: Gap.Reason, on hub: SocketHub) {
        let former = progress.withLock { progress in
            defer { progress.watermark = place }
            return progress.watermark
        }
        if former.era != place.era { formerEras.insert(former.era) }
        resumeWaiting()
        let gap = Gap(after: former.position.description, before: place.position, reason: reason)
        for room in receivers.values.map(\.room) {
            for socket in hub.sockets(in: room) {
                _ = socket.discardWaitingEvents()
                socket.emit(Gap.eventName, [gap.json])
            }
        }
    }

    /// Runs the body once everything up to this place has been delivered here, or nothing is delivered any more.
    package func whenDelivered(_ place: LogCursor, _ body: @escaping () -> Void) {
        guard !isStopped, !formerEras.contains(place.era), isAwaited(where: { !$0.hasReached(place) }) else {
            return body()
        }
        waiting.append((place: place, resume: body))
    }

    /// Runs the body once this change of an identity, and all that came with it, holds here, or identities are not
    /// followed any more.
    func whenIdentitiesHold(_ mark: IdentityMark, _ body: @escaping () -> Void) {
        guard !isStopped, !formerEras.contains(mark.era), isAwaited(where: { !$0.identitiesHold.covers(mark) }) else {
            return body()
        }
        waitingForIdentities.append((mark: mark, resume: body))
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
    func note(_ entry: IdentityFeedEntry, of cursor: IdentityCursor) { changes.note(entry, of: cursor) }

    /// All that a reading of the feed has shown holds on the loop.
    func identitiesHold(_ cursor: IdentityCursor) {
        progress.withLock { $0.hold(cursor) }
        resumeWaiting()
    }

    /// The feed can't say what has changed: until ``endReset(to:)`` each identity is read anew. What was read without what
    /// the cursor covers is old from now on.
    ///
    /// - Returns: false where that is under way already, or the loop has come further.
    func beginReset(to cursor: IdentityCursor) -> Bool {
        guard !isResetting, !identitiesHold.covers(cursor) else { return false }
        isResetting = true
        changes = IdentityChangeRecord(from: cursor)
        return true
    }

    func endReset(to cursor: IdentityCursor) {
        let former = progress.withLock { progress in
            defer { progress.hold(cursor) }
            return progress.identitiesHold.era
        }
        if former != cursor.era { formerEras.insert(former) }
        isResetting = false
        let waiting = waitingForReset
        waitingForReset = []
        for body in waiting { body() }
        resumeWaiting()
    }

    /// Runs the body once no reset is under way.
    func whenReset(_ body: @escaping () -> Void) {
        if isResetting { waitingForReset.append(body) } else { body() }
    }

    /// Whether an era has ended here.
    func isFormer(_ era: Era) -> Bool { formerEras.contains(era) }

    private func resumeWaiting() {
        guard !waiting.isEmpty || !waitingForIdentities.isEmpty else { return }
        let progress = progress.withLock { $0 }
        // Taken out first: what is resumed may wait again.
        let ready =
            Self.takeReady(from: &waiting) {
                isStopped || formerEras.contains($0.place.era) || progress.hasReached($0.place)
            }.map(\.resume)
            + Self.takeReady(from: &waitingForIdentities) {
                isStopped || formerEras.contains($0.mark.era) || progress.identitiesHold.covers($0.mark)
            }.map(\.resume)
        for resume in ready { resume() }
        self.progress.withLock { $0.isAwaited = !waiting.isEmpty || !waitingForIdentities.isEmpty }
    }

    private static func takeReady<Waiter>(from waiting: inout [Waiter], where isReady: (Waiter) -> Bool) -> [Waiter] {
        let ready = waiting.filter(isReady)
        waiting.removeAll(where: isReady)
        return ready
    }
}
