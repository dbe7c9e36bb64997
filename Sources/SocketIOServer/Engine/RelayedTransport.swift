import NIOCore
import WebSocketLink

/// Stands for a WebSocket of another event loop: what a turn of the session's loop sends to all of that loop's
/// connections crosses over in one hop.
///
/// Belongs to the session's event loop.
final class RelayedTransport: OutboxTransport {
    /// How many bytes may be on their way, or wait over there, before the session's queue holds the rest.
    private static let window = 1 << 17

    let relay: WebSocketRelay.Handle
    private let hub: SocketHub
    private var isAwaitingRoom = false
    /// What came over and was handled, and the other loop has not been told of, in bytes.
    private var handledBytes = 0
    private(set) var queuedBytes = 0
    private(set) var isOpen = true

    init(relay: WebSocketRelay.Handle, hub: SocketHub) {
        self.relay = relay
        self.hub = hub
    }

    var takesFrames: Bool { isOpen && queuedBytes < Self.window }
    var takesParts: Bool { false }
    var holdsFrames: Bool { false }

    func offer(_ frames: ByteBuffer) -> Int {
        queuedBytes += frames.readableBytes
        hub.relay(frames, over: relay)
        return frames.readableBytes
    }

    func send(encodedFrames: ByteBuffer) {
        _ = offer(encodedFrames)
    }

    func finish(_ rest: ByteBuffer) {}
    func flush() {}

    func awaitRoom() {
        isAwaitingRoom = true
    }

    /// - Returns: whether somebody waits to hear that there is room again, and there is.
    func took(_ bytes: Int) -> Bool {
        queuedBytes -= bytes
        guard isAwaitingRoom, takesFrames else { return false }
        isAwaitingRoom = false
        return true
    }

    /// A message that came over was handled: the other loop passes on only so much more.
    func handled(_ bytes: Int) {
        handledBytes += bytes
        guard handledBytes >= Self.window / 2 else { return }
        let handled = handledBytes
        handledBytes = 0
        relay.run { $0.handled(handled) }
    }

    func pause() {
        relay.run { $0.hold(true) }
    }

    func resume() {
        relay.run { $0.hold(false) }
    }

    func close(code: WebSocketCloseCode, reason: String) {
        guard isOpen else { return }
        isOpen = false
        hub.sendRelayed()
        relay.run { $0.close(code: code, reason: reason) }
    }

    func abort() {
        isOpen = false
        relay.run { $0.abort() }
    }
}
