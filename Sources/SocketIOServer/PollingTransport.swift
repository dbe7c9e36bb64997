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

    private weak var session: EngineSession?
    private let eventLoop: any EventLoop
    /// The poll that waits for packets.
    private var poll: HTTPReply?
    /// A delivery that was handled, and whose answer is held back so that the client sends nothing more.
    private var delivery: HTTPReply?
    private var release: Scheduled<Void>?
    /// What a poll gets that comes when the session is over.
    private var farewell = ByteBuffer()
    private(set) var isOpen = true

    init(session: EngineSession) {
        self.session = session
        eventLoop = session.hub.eventLoop
    }

    var hasPoll: Bool { poll != nil }
    var hasDelivery: Bool { delivery != nil }
    /// Whether packets are left for one more poll.
    var hasFarewell: Bool { farewell.readableBytes > 0 }

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

    /// Answers the one poll that still comes once the session is over.
    func sayFarewell(_ reply: HTTPReply) {
        reply.answer(.packets(farewell))
        farewell = ByteBuffer()
    }

    // MARK: Sending

    var takesFrames: Bool { isOpen && poll != nil }
    var takesParts: Bool { false }
    var holdsFrames: Bool { false }
    var queuedBytes: Int { 0 }

    func offer(_ frames: ByteBuffer) -> Int {
        guard let poll = poll.take() else { return 0 }
        cancelRelease()
        var payload = ByteBuffer()
        Self.appendPackets(of: frames, to: &payload)
        answer(poll, payload)
        return frames.readableBytes
    }

    private func answer(_ poll: HTTPReply, _ payload: ByteBuffer) {
        guard let session else { return }
        let bound = NIOLoopBound(session, eventLoop: eventLoop)
        poll.answer(.packets(payload)) { [eventLoop] in
            eventLoop.execute { bound.value.lostPackets() }
        }
    }

    func finish(_ rest: ByteBuffer) {}
    func flush() {}
    /// A poll that comes tells of itself.
    func awaitRoom() {}

    func send(encodedFrames: ByteBuffer) {
        Self.appendPackets(of: encodedFrames, to: &farewell)
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
        Self.append(.close, to: &farewell)
        delivery.take()?.acceptDelivery()
        if let poll = poll.take() { sayFarewell(poll) }
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
    private static func appendPackets(of frames: ByteBuffer, to payload: inout ByteBuffer) {
        payload.reserveCapacity(minimumWritableBytes: frames.readableBytes)
        var frames = frames
        while let message = WebSocketFrameWriter.readMessage(from: &frames) {
            switch message {
            case .text(let text):
                if payload.readableBytes > 0 { payload.writeInteger(EnginePayload.separator) }
                payload.writeImmutableBuffer(text)
            case .binary(let bytes):
                append(.binary(bytes), to: &payload)
            }
        }
    }
}
