import ModelStore
import SocketIOServer
import Synchronization

/// A stretch of the log on its way to the event loops, with the frames of each view: made once, shared by all.
final class DeliveryBatch: Sendable {
    let events: [LogEvent]
    /// The last event's number.
    let lastSequence: Int64
    private let encoder: EventEncoder
    private let frames: Mutex<[View: OutboundBatch]>

    /// - Parameters:
    ///   - events: at least one, in the log's order.
    ///   - views: those to encode for now; others are encoded when somebody asks.
    init(events: [LogEvent], views: [View], encoder: EventEncoder) {
        self.events = events
        self.encoder = encoder
        lastSequence = events.last?.sequence ?? 0
        var frames: [View: OutboundBatch] = [:]
        for view in views { frames[view] = encoder.encode(events, for: view) }
        self.frames = Mutex(frames)
    }

    func frames(for view: View) -> OutboundBatch {
        frames.withLock { frames in
            if let known = frames[view] { return known }
            let made = encoder.encode(events, for: view)
            frames[view] = made
            return made
        }
    }
}
