import EngineIO
import NIOCore
import WebSocketLink

/// Carries a session by HTTP long-polling: what waits leaves with the answer to the client's poll, what the client sends
/// comes as the body of a request of its own. It takes frames only while a poll waits.
///
/// Belongs to its session's event loop; the requests come in on any.
final class PollingTransport: OutboxTransport {
    /// How long a poll is left waiting while the session moves to a WebSocket. The packet that completes the move is on
    /// another connection, and may come a moment later than a poll that was made behind it: that poll belongs to no
    /// transport any more. Any other is let go then, since the client waits for it before it moves.
    private static let releaseDelay = TimeAmount.milliseconds(10)

    /// How many packets one answer has, at most. The protocol has no such limit, and the most used client in Python has:
    /// it gives up upon an answer of more.
    private static let maximumPackets = 16

    private weak var session: EngineSession?
    private let eventLoop: any EventLoop
    /// The poll that waits for packets.
    private var poll: HTTPReply?
    /// A delivery that was handled, and whose answer is held back so that the client sends nothing more.
    private var delivery: HTTPReply?
    private var release: Scheduled<Void>?
    /// An answer that lacks the rest of what was offered.
    private var incomplete = ByteBuffer()
    /// What a poll gets that comes when the session is over.
    private var finalPackets = ByteBuffer()
    private(set) var isOpen = true

    init(session: EngineSession) {
        self.session = session
        eventLoop = session.hub.eventLoop
    }

    var hasPoll: Bool { poll != nil }
    var hasDelivery: Bool { delivery != nil }
    /// Whether packets are left for one more poll.
    var hasFinalPackets: Bool { finalPackets.readableBytes > 0 }

    func isWaiting(for reply: HTTPReply.ID) -> Bool {
        poll?.id == reply || delivery?.id == reply
    }

    // MARK: Requests

    func wait(_ reply: HTTPReply) {
        poll = reply
    }

    func holdDelivery(_ reply: HTTPReply) {
        delivery = reply
    }

    /// Answers a poll that waits with a packet that says nothing.
    func releasePoll() {
        cancelRelease()
        poll.take()?.answer(.packets(Self.payload(of: .noop)))
    }

    func releasePollLater() {
        guard poll != nil, release == nil else { return }
        release = eventLoop.assumeIsolated().scheduleTask(in: Self.releaseDelay) { [weak self] in self?.releasePoll() }
    }

    func cancelRelease() {
        release?.cancel()
        release = nil
    }

    /// Another transport has taken over.
    func retire() {
        isOpen = false
        cancelRelease()
        delivery.take()?.acceptDelivery()
        poll.take()?.refuse(.badRequest)
    }

    /// Has the one poll that may still come answered like one that waited.
    func leaveNoop() {
        finalPackets = Self.payload(of: .noop)
    }

    /// Answers a poll once the session is over, with as many packets as an answer has; the rest is for the next.
    func sendFinalPackets(_ reply: HTTPReply) {
        let bytes = finalPackets.readableBytesView
        let ends = bytes.indices.lazy.filter { bytes[$0] == EnginePayload.separator }
        guard let end = ends.dropFirst(Self.maximumPackets - 1).first else {
            reply.answer(.packets(finalPackets))
            finalPackets = ByteBuffer()
            return
        }
        let part = finalPackets.readSlice(length: end - finalPackets.readerIndex) ?? ByteBuffer()
        finalPackets.moveReaderIndex(forwardBy: 1)
        reply.answer(.packets(part))
    }

    // MARK: Sending

    var takesFrames: Bool { isOpen && poll != nil }
    var takesParts: Bool { true }
    var holdsFrames: Bool { false }
    var queuedBytes: Int { 0 }

    func offer(_ frames: ByteBuffer) -> Int {
        // What is left comes back as the rest of one frame, or else as the next one, which has to follow.
        let rest = Self.appendPackets(of: frames, limit: Self.maximumPackets - 1, to: &incomplete)
        if rest == 0 { answer() }
        return frames.readableBytes - rest
    }

    func finish(_ rest: ByteBuffer) {
        _ = Self.appendPackets(of: rest, to: &incomplete)
        answer()
    }

    private func answer() {
        let payload = incomplete
        incomplete = ByteBuffer()
        guard let poll = poll.take(), let session else { return }
        cancelRelease()
        let bound = NIOLoopBound(session, eventLoop: eventLoop)
        poll.answer(.packets(payload)) { [eventLoop] in
            eventLoop.execute { bound.value.lostPackets() }
        }
    }

    func flush() {}
    /// A poll that comes tells of itself.
    func awaitRoom() {}

    func send(encodedFrames: ByteBuffer) {
        _ = Self.appendPackets(of: encodedFrames, to: &finalPackets)
    }

    // MARK: Reading

    /// From now on the answers to deliveries are held back.
    func pause() {}

    func resume() {
        delivery.take()?.acceptDelivery()
    }

    // MARK: Ending

    func close(code: WebSocketCloseCode, reason: String) {
        guard isOpen else { return }
        isOpen = false
        cancelRelease()
        Self.append(.close, to: &finalPackets)
        delivery.take()?.acceptDelivery()
        if let poll = poll.take() { sendFinalPackets(poll) }
    }

    func abort() {
        guard isOpen else { return }
        isOpen = false
        cancelRelease()
        delivery.take()?.refuse(.badRequest)
        poll.take()?.answer(.packets(Self.payload(of: .close)))
    }

    // MARK: Packets

    private static func payload(of packet: EnginePacket) -> ByteBuffer {
        var payload = ByteBuffer()
        append(packet, to: &payload)
        return payload
    }

    private static func append(_ packet: EnginePacket, to payload: inout ByteBuffer) {
        if payload.readableBytes > 0 { payload.writeInteger(EnginePayload.separator) }
        packet.encodeText(into: &payload)
    }

    /// Makes packets of whole frames.
    ///
    /// - Parameter limit: how many packets, at most.
    /// - Returns: how many bytes of frames are left.
    private static func appendPackets(
        of frames: ByteBuffer, limit: Int = .max, to payload: inout ByteBuffer
    ) -> Int {
        var frames = frames
        var count = 0
        while count < limit, let message = WebSocketFrameWriter.readMessage(from: &frames) {
            switch message {
            case .text(let text):
                if payload.readableBytes > 0 { payload.writeInteger(EnginePayload.separator) }
                payload.writeImmutableBuffer(text)
            case .binary(let bytes):
                append(.binary(bytes), to: &payload)
            }
            count += 1
        }
        return frames.readableBytes
    }
}
