import ModelStore
import RolecallProtocol
import SocketIOServer
import Synchronization

/// A stretch of the log on its way to the event loops, with the frames of each class of receivers: made once, shared by all.
final class DeliveryBatch: Sendable {
    let events: [ChangeRecord]
    /// The last event's place.
    let last: LogCursor
    private let models: [String]
    private let encoder: EventEncoder
    /// By what the classes come down to in the models of this stretch: one that only differs in the rows that a user
    /// owns of another model is sent the same bytes.
    private let frames: Mutex<[[ReceiverClass?]: OutboundBatch]>

    /// - Parameter events: at least one, in the log's order.
    init(events: [ChangeRecord], in era: Era, encoder: EventEncoder) {
        self.events = events
        self.encoder = encoder
        last = LogCursor(era: era, sequence: events.last?.sequence ?? 0)
        models = Array(Set(events.map(\.model)))
        frames = Mutex([:])
    }

    /// What a class is sent; encoded when it is asked for first, on whatever thread that is.
    func frames(for receiverClass: ReceiverClass) -> OutboundBatch {
        let reduced = models.map { receiverClass.reduced(to: $0, under: encoder.policy) }
        return frames.withLock { frames in
            if let known = frames[reduced] { return known }
            let made = encoder.encode(events, in: last.era, for: receiverClass)
            frames[reduced] = made
            return made
        }
    }
}
