import NIOCore

/// Events in their order, as one stretch of bytes that any number of sockets can be sent.
public final class OutboundBatch: Sendable {
    public let namespace: String
    public let events: [OutboundEvent]
    /// Complete WebSocket frames, one behind the other.
    let frames: ByteBuffer

    /// - Parameter events: all of one namespace.
    public init(_ events: [OutboundEvent]) {
        namespace = events.first?.namespace ?? "/"
        self.events = events
        precondition(events.allSatisfy { [namespace] in $0.namespace == namespace }, "a batch has one namespace")
        if events.count == 1 {
            frames = events[0].frame
        } else {
            var frames = ByteBuffer()
            frames.reserveCapacity(events.reduce(0) { $0 + $1.byteCount })
            for event in events { frames.writeImmutableBuffer(event.frame) }
            self.frames = frames
        }
    }

    public var isEmpty: Bool { events.isEmpty }
    /// How many events these are.
    public var count: Int { events.count }
    /// The size on the wire.
    public var byteCount: Int { frames.readableBytes }
}
