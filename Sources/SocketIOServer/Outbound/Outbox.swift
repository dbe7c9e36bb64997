import Logging
import NIOCore

/// Whom an ``Outbox`` belongs to. Each of these may send, and end the session.
protocol OutboxOwner: AnyObject {
    /// What a client is told in the place of events that were dropped; empty for nothing.
    func frame(noticing lost: LostEvents, namespace: String) -> ByteBuffer

    /// So many answers wait for the client that nothing more should be read from it.
    func outboxHoldsUpReading()
    func outboxLetsReadingGoOn()

    /// The client takes nothing, or not its answers.
    func outboxGaveUp()
}

/// What one session sends, on its way to the connection: the queue, and who looks after it.
///
/// What a turn of the loop brings is written at its end, at once and past the pipeline where nothing waits. For a client
/// that is slower than that the outbox keeps the queue within the configured bounds, and gives up one that takes nothing.
///
/// Belongs to its connection's event loop.
final class Outbox {
    // What each delivery touches stands first, and together.
    private let hub: SocketHub
    private var connection: (any OutboxTransport)?
    private var awaitsFlush = false
    private var isWriting = false
    /// Whether the client has been slower than what it is sent.
    private(set) var isBackedUp = false
    /// Whether so many answers wait for the client that nothing is read from it.
    private(set) var holdsUpReading = false
    private var hasDroppedEvents = false
    private var queue: OutboundQueue
    private var awaitingWriters: [() -> Void] = []
    private var folder: OutboundFolder?
    /// When the client took something last, while it is slower.
    private var lastProgress: NIODeadline = .uptimeNanoseconds(0)
    /// How many bytes the connection held when it was last looked whether it takes anything: of a frame that takes
    /// longer than the time-out, nothing else tells.
    private var heldAtCheck = 0
    private var stallCheck: Scheduled<Void>?
    private let configuration: SocketIOServerConfiguration
    private let logger: Logger
    private let address: String
    private weak var owner: (any OutboxOwner)?

    /// What waits for the client to take it, in bytes.
    var queuedBytes: Int { queue.eventBytes + queue.keptBytes + (connection?.queuedBytes ?? 0) }

    init(hub: SocketHub, configuration: SocketIOServerConfiguration, logger: Logger, address: String) {
        self.hub = hub
        self.configuration = configuration
        self.logger = logger
        self.address = address
        queue = OutboundQueue(highWaterMark: configuration.queueHighWaterMark)
    }

    func open(_ transport: any OutboxTransport, owner: any OutboxOwner) {
        connection = transport
        self.owner = owner
    }

    /// What is sent from now on leaves by another transport, behind what the one before has taken.
    func move(to transport: any OutboxTransport) {
        guard connection != nil else { return }
        connection = transport
        heldAtCheck = 0
        hasRoom()
    }

    /// The session has ended: nothing is sent any more, and nobody waits for it.
    func close() {
        connection = nil
        queue = OutboundQueue(highWaterMark: 0)
        folder = nil
        stallCheck?.cancel()
        resumeWriters()
    }

    /// - Parameter batch: not empty.
    func append(_ batch: OutboundBatch) {
        guard connection != nil else { return }
        queue.append(batch)
        sent()
    }

    /// - Parameter isBarrier: whether no event may be folded across it.
    func append(kept frames: ByteBuffer, isBarrier: Bool = true) {
        guard connection != nil else { return }
        queue.append(kept: frames, isBarrier: isBarrier)
        sent()
    }

    /// Takes out the events that wait for a namespace.
    func discard(namespace: String) -> LostEvents? {
        queue.discard(namespace: namespace)
    }

    /// The connection takes more.
    func hasRoom() {
        guard connection != nil, isBackedUp else { return }
        lastProgress = hub.eventLoop.now
        // What follows in this turn goes out with what waits.
        sent()
    }

    /// What one turn of the loop sends goes out together, at its end.
    private func sent() {
        guard !awaitsFlush else { return }
        awaitsFlush = true
        hub.flushLater(self)
    }

    func flush() {
        awaitsFlush = false
        write()
        keepWithinBounds()
    }

    /// How much is written at once where frames have to be joined, in bytes.
    private static let chunkSize = 1 << 16
    /// How much is written in one turn of the loop, about. Who has a long queue to catch up with gets the rest in the
    /// next turns, behind what others are sent.
    private static let turnSize = 1 << 17

    /// Writes from the queue as long as the connection takes it, and it is this connection's turn.
    private func write() {
        // The pipeline may call back while it is written to.
        guard let connection, !isWriting else { return }
        isWriting = true
        defer { isWriting = false }
        // A pong, say.
        if connection.holdsFrames { connection.flush() }
        var room = Self.turnSize
        while !queue.isEmpty, connection.takesFrames {
            guard room > 0 else { return sent() }
            let chunk = nextChunk()
            room -= chunk.readableBytes
            if connection.takesParts {
                let taken = connection.offer(chunk)
                if isBackedUp, taken > 0 { lastProgress = hub.eventLoop.now }
                if let rest = queue.advance(past: taken, of: chunk, lengths: hub.lengths) { connection.finish(rest) }
            } else {
                _ = queue.advance(past: chunk.readableBytes, of: chunk, lengths: hub.lengths)
                if isBackedUp { lastProgress = hub.eventLoop.now }
                _ = connection.offer(chunk)
            }
        }
    }

    private func nextChunk() -> ByteBuffer {
        queue.chunk(limit: Self.chunkSize, scratch: &hub.scratch, lengths: &hub.lengths) { lost, namespace in
            owner?.frame(noticing: lost, namespace: namespace) ?? ByteBuffer()
        }
    }

    private func keepWithinBounds() {
        guard let connection else { return }
        guard !queue.isEmpty else {
            if isBackedUp { caughtUp() } else { resumeWriters() }
            return
        }
        if !awaitsFlush { connection.awaitRoom() }
        if !isBackedUp { fellBehind() }
        let isFull = queue.eventBytes > configuration.queueLimit
        if folder == nil, queue.eventBytes > queue.foldingThreshold || isFull && queue.isFoldingOfUse {
            folder = OutboundFolder(queue)
            hub.foldLater(self)
        }
        // Folding that is under way is given the time that it takes.
        if isFull, folder == nil || queue.eventBytes - configuration.queueLimit > configuration.queueLimit / 8 {
            queue.drop()
            if !hasDroppedEvents {
                hasDroppedEvents = true
                hub.metrics.dropped(.backlog)
                logger.notice(
                    "dropping events for a connection that reads too slowly",
                    metadata: ["address": .string(address)])
            }
        }
        if queue.keptBytes > configuration.queueLimit {
            logger.notice(
                "closing a connection that does not read its answers",
                metadata: [
                    "address": .string(address), "queued_bytes": .stringConvertible(queue.keptBytes),
                ])
            owner?.outboxGaveUp()
        } else if queue.keptBytes > configuration.queueHighWaterMark, !holdsUpReading {
            // Who does not take answers has no need to ask on.
            holdsUpReading = true
            owner?.outboxHoldsUpReading()
        }
    }

    /// Goes on with the folding of what waits.
    ///
    /// - Returns: whether there is more to do.
    func fold(budget: Int) -> Bool {
        guard var work = folder.take() else { return false }
        // Where the client has taken nearly all meanwhile, or what waited is dropped, there may be nothing to fold.
        guard connection != nil, work.isValid(for: queue) else { return false }
        work.work(on: queue, budget: budget)
        guard work.isFinished else {
            folder = work
            return true
        }
        if work.isWorthwhile { queue.apply(work) } else { queue.foldingWasNoUse() }
        return false
    }

    private func fellBehind() {
        isBackedUp = true
        lastProgress = hub.eventLoop.now
        scheduleStallCheck()
    }

    private func caughtUp() {
        isBackedUp = false
        hasDroppedEvents = false
        stallCheck?.cancel()
        stallCheck = nil
        if holdsUpReading {
            holdsUpReading = false
            owner?.outboxLetsReadingGoOn()
        }
        resumeWriters()
    }

    private func scheduleStallCheck() {
        heldAtCheck = connection?.queuedBytes ?? 0
        let deadline = lastProgress + configuration.stallTimeout
        stallCheck = hub.eventLoop.assumeIsolated().scheduleTask(deadline: deadline) { [weak self] in
            self?.checkForStall()
        }
    }

    private func checkForStall() {
        guard isBackedUp, let connection else { return }
        if connection.queuedBytes < heldAtCheck { lastProgress = hub.eventLoop.now }
        guard hub.eventLoop.now >= lastProgress + configuration.stallTimeout else {
            return scheduleStallCheck()
        }
        logger.notice(
            "closing a connection that takes nothing", metadata: ["address": .string(address)])
        owner?.outboxGaveUp()
    }

    /// Runs the body once everything that was sent has been taken, or the connection is gone.
    func whenTaken(_ body: @escaping () -> Void) {
        guard connection != nil, !queue.isEmpty else { return body() }
        awaitingWriters.append(body)
    }

    private func resumeWriters() {
        guard !awaitingWriters.isEmpty else { return }
        let waiting = awaitingWriters
        awaitingWriters = []
        for body in waiting { body() }
    }

    /// Gives the connection all that waits, to be written ahead of its Close frame as far as there is time.
    func handOver() {
        guard let connection, !isWriting else { return }
        while !queue.isEmpty, connection.isOpen {
            let chunk = nextChunk()
            _ = queue.advance(past: chunk.readableBytes, of: chunk, lengths: hub.lengths)
            connection.send(encodedFrames: chunk)
        }
    }

    /// Whether the connection has taken all of earlier turns, and takes more.
    var takesAtOnce: Bool {
        !isBackedUp && connection?.takesFrames ?? false
    }
}
