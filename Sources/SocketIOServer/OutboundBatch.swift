import NIOCore
import SocketIO
import WebSocketLink
public import WireJSON

/// Events, encoded once and whole, that any number of sockets can be sent.
public struct OutboundBatch: Sendable {
    /// Complete WebSocket frames, one behind the other.
    private(set) var frames: ByteBuffer
    /// The namespace of all events in it.
    public let namespace: String
    /// How many events these are.
    public private(set) var count = 0

    public init(namespace: String = "/") {
        self.namespace = namespace
        frames = ByteBuffer()
    }

    public var isEmpty: Bool { count == 0 }
    /// The size on the wire.
    public var byteCount: Int { frames.readableBytes }

    /// Adds an event.
    public mutating func append(_ name: String, _ arguments: [JSON]) {
        var text = ByteBuffer()
        SocketPacket.event(name, arguments, namespace: namespace).encodeText(into: &text, engineMessage: true)
        WebSocketFrameWriter.appendText(text, to: &frames)
        count += 1
    }
}
