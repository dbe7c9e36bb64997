import ModelStore
import SocketIOServer
import Synchronization

/// A stretch of the log on its way to the event loops, with the frames of each view: made once, shared by all.
final class DeliveryBatch: Sendable {
    let events: [LogEvent]
    /// The last event's number.
    let lastSequence: Int64
    private let models: [String]
    private let encoder: EventEncoder
    /// By what the views come down to in the models of this stretch: a view that only differs in the rows that
    /// somebody owns of another model is sent the same bytes.
    private let frames: Mutex<[[View]: OutboundBatch]>

    /// - Parameters:
    ///   - events: at least one, in the log's order.
    ///   - views: those to encode for now; others are encoded when somebody asks.
    init(events: [LogEvent], views: [View], encoder: EventEncoder) {
        self.events = events
        self.encoder = encoder
        lastSequence = events.last?.sequence ?? 0
        models = Array(Set(events.map(\.model)))
        frames = Mutex([:])
        for view in views { _ = frames(for: view) }
    }

    func frames(for view: View) -> OutboundBatch {
        let reduced = models.map { encoder.policy.view(view, in: $0) }
        return frames.withLock { frames in
            if let known = frames[reduced] { return known }
            let made = encoder.encode(events, for: view)
            frames[reduced] = made
            return made
        }
    }
}
