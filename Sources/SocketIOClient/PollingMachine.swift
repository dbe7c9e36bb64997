import EngineIO
import NIOCore

/// What the polling transport does next, apart from any connection: requests one at a time each way, packets in order,
/// and nothing lost when the session moves to a WebSocket.
///
/// Its owner tells it what happened and then does what ``next()`` says until that is nil. Whatever comes of an action
/// may be told from within the action.
struct PollingMachine {
    enum Action: Equatable {
        /// Send a GET.
        case poll
        /// Send a POST of that body.
        case post(ByteBuffer)
        /// A packet came.
        case deliver(EnginePacket)
        /// Nothing is under way any more, as ``drain()`` asked for: what ``takeUnsent()`` gives belongs to another
        /// transport.
        case drained
        /// All that was to be sent before the end was sent.
        case finished
    }

    private enum Phase {
        case open
        /// No new poll is sent; else as if open.
        case holding
        /// No new request is sent, those under way come to their end.
        case draining
        case drained
        /// What is queued is still sent, nothing more is received.
        case closing
        case finished
    }

    private enum Reading {
        case resting
        /// A GET is under way.
        case polling
        /// The packets of an answer that were not delivered yet.
        case delivering(ByteBuffer)
    }

    private enum Writing {
        case resting
        /// A POST is under way.
        case posting
    }

    /// How much may be queued before the transport calls itself not writable.
    static let highWaterBytes = 64 << 10
    static let highWaterFrames = 1_024

    private var phase = Phase.open
    private var reading = Reading.resting
    private var writing = Writing.resting
    private var outbox = CircularBuffer<EngineFrame>()
    private var outboxBytes = 0
    /// Whether what is queued is to leave.
    private var isFlushed = false
    /// Whether the owner takes no packets for the time being.
    private var isPaused = false
    /// The most bytes of a body that the server takes, once it has opened the session: before, nothing can be sent.
    private var maximumBody: Int?

    /// Whether what is sent leaves without piling up.
    var isWritable: Bool {
        outboxBytes < Self.highWaterBytes && outbox.count < Self.highWaterFrames
    }

    /// Whether what is sent leaves at once.
    var isIdle: Bool {
        switch (phase, writing) {
        case (.open, .resting), (.holding, .resting): outbox.isEmpty && maximumBody != nil
        default: false
        }
    }

    // MARK: The owner's side

    mutating func send(_ frame: EngineFrame) {
        switch phase {
        case .open, .holding, .draining, .drained:
            outbox.append(frame)
            outboxBytes += frame.pollingSize
        case .closing, .finished: break
        }
    }

    mutating func flush() {
        isFlushed = true
    }

    mutating func pause() {
        isPaused = true
    }

    mutating func resume() {
        isPaused = false
    }

    /// Sends no new poll until ``reopen()``.
    mutating func hold() {
        guard case .open = phase else { return }
        phase = .holding
    }

    /// Begins to move the session away: ``Action/drained`` follows when no packet is on its way.
    mutating func drain() {
        switch phase {
        case .open, .holding: phase = .draining
        case .draining, .drained, .closing, .finished: break
        }
    }

    /// The session stays here after all.
    mutating func reopen() {
        switch phase {
        case .holding, .draining, .drained: phase = .open
        case .open, .closing, .finished: break
        }
    }

    /// Takes out what was sent and was in no request yet.
    mutating func takeUnsent() -> [EngineFrame] {
        defer {
            outbox.removeAll()
            outboxBytes = 0
        }
        return Array(outbox)
    }

    /// Sends what is queued, and Engine.IO's `close` behind it; then ``Action/finished`` follows.
    mutating func close() {
        switch phase {
        case .open, .holding, .draining, .drained:
            if maximumBody == nil {
                _ = takeUnsent()
            } else {
                send(EngineFrame(.close))
            }
            phase = .closing
            reading = .resting
            isFlushed = true
        case .closing, .finished: break
        }
    }

    // MARK: The server's side

    /// The session is open, with the most bytes that a body may have. A later call changes nothing.
    mutating func opened(maximumBody: Int) {
        self.maximumBody = self.maximumBody ?? max(1, maximumBody)
    }

    /// The GET was answered.
    mutating func received(_ body: ByteBuffer) {
        guard case .polling = reading else { return }
        reading = .delivering(body)
    }

    /// The POST was answered.
    mutating func posted() {
        writing = .resting
    }

    /// What is to be done now; nil when there is nothing before something else happens.
    ///
    /// - Throws: when an answer isn't one of Engine.IO, behind the packets that were in order.
    mutating func next() throws(EngineProtocolError) -> Action? {
        if let packet = try nextPacket() { return .deliver(packet) }
        if let body = nextBody() { return .post(body) }
        switch (phase, reading, writing) {
        case (.open, .resting, _) where !isPaused:
            reading = .polling
            return .poll
        case (.draining, .resting, .resting):
            phase = .drained
            return .drained
        case (.closing, _, .resting) where outbox.isEmpty:
            phase = .finished
            return .finished
        default: return nil
        }
    }

    private mutating func nextPacket() throws(EngineProtocolError) -> EnginePacket? {
        guard !isPaused, case .delivering(var rest) = reading else { return nil }
        let end = rest.readableBytesView.firstIndex(of: EnginePayload.separator)
        let text = rest.readSlice(length: end.map { $0 - rest.readerIndex } ?? rest.readableBytes) ?? ByteBuffer()
        if end == nil {
            reading = .resting
        } else {
            rest.moveReaderIndex(forwardBy: 1)
            reading = .delivering(rest)
        }
        return try EnginePacket(decodingText: text)
    }

    private mutating func nextBody() -> ByteBuffer? {
        switch (phase, writing) {
        case (.open, .resting), (.holding, .resting), (.closing, .resting): break
        default: return nil
        }
        guard isFlushed, let maximumBody, let first = outbox.popFirst() else { return nil }
        var body = ByteBuffer()
        first.write(to: &body)
        outboxBytes -= first.pollingSize
        // A packet that is too long for any body goes alone: refusing it is the server's.
        while let frame = outbox.first, frame.pollingSize < maximumBody - body.readableBytes {
            body.writeInteger(EnginePayload.separator)
            frame.write(to: &body)
            outboxBytes -= frame.pollingSize
            outbox.removeFirst()
        }
        isFlushed = !outbox.isEmpty
        writing = .posting
        return body
    }
}

extension EngineFrame {
    /// Its length in a polling body, in bytes: binary packets are base64 there.
    fileprivate var pollingSize: Int {
        switch self {
        case .text(let text): text.readableBytes
        case .binary(let bytes): EnginePacket.binary(bytes).encodedTextSize
        }
    }

    fileprivate func write(to body: inout ByteBuffer) {
        switch self {
        case .text(let text): body.writeImmutableBuffer(text)
        case .binary(let bytes): EnginePacket.binary(bytes).encodeText(into: &body)
        }
    }
}
