public import NIOCore
import SocketIO
import WebSocketLink
public import WireJSON

/// An event, encoded once and whole, that any number of sockets can be sent.
public final class OutboundEvent: Sendable {
    public let namespace: String
    /// Where the application has the event in its own order: what ``LostEvents`` names it by.
    public let number: Int64
    /// What lets a newer event stand for this one; nil where nothing may.
    public let folding: Folding?
    /// The key of ``folding``, of this namespace alone.
    let foldingKey: String?
    /// One complete WebSocket frame, and one more for each attachment.
    let frame: ByteBuffer

    /// What makes events fold in the queue of a client that reads too slowly.
    public struct Folding: Sendable {
        /// Of events with the same key only the newest needs to be told.
        public var key: String
        public var digest: any EventDigest
        public var order: Order

        public init(key: String, digest: any EventDigest, order: Order = .member) {
            self.key = key
            self.digest = digest
            self.order = order
        }
    }

    /// What an event's number says, where clients resume behind the last one that they were told.
    public enum Order: Sendable {
        /// The event is the one of this number in the application's order.
        case member
        /// It tells how far the order has come, and is no part of it.
        case place
        /// It has nothing to do with the order: the number only says where it was told.
        case outside
    }

    /// - Parameters:
    ///   - attachments: the bytes that ``WireJSON/JSON/attachment(_:)`` stands for in the arguments.
    ///   - folding: nil for an event with attachments.
    public init(
        _ name: String, _ arguments: [JSON], attachments: [ByteBuffer] = [], namespace: String = "/",
        number: Int64 = 0, folding: Folding? = nil
    ) {
        precondition(folding == nil || attachments.isEmpty, "an event with attachments is not folded")
        self.namespace = namespace
        self.number = number
        self.folding = folding
        foldingKey = namespace == "/" ? folding?.key : folding.map { "\(namespace)\u{0}\($0.key)" }
        frame = Self.frame(name, arguments, attachments, namespace: namespace)
    }

    var byteCount: Int { frame.readableBytes }

    private static func frame(
        _ name: String, _ arguments: [JSON], _ attachments: [ByteBuffer] = [], namespace: String
    ) -> ByteBuffer {
        var text = ByteBuffer()
        SocketPacket.event(name, arguments, namespace: namespace, attachments: attachments)
            .encodeText(into: &text, engineMessage: true)
        var frames = WebSocketFrameWriter.textFrame(text)
        for attachment in attachments { WebSocketFrameWriter.appendBinary(attachment, to: &frames) }
        return frames
    }

    /// The frame of this event where it stands for others, too, or others before it have been left out.
    func frame(amendedBy digest: any EventDigest, standingFor count: Int, within span: FoldedSpan?) -> ByteBuffer {
        var decoder = SocketPacketDecoder(limits: .init(maximumDepth: .max))
        // Our own frame: what was encoded can be decoded.
        guard let text = WebSocketFrameWriter.payload(ofWhole: frame), text.readableBytes > 1,
            let packet = try? decoder.text(text.dropping(1)), let content = packet.data?.arrayValue,
            let name = content.first?.stringValue
        else { return frame }
        let arguments = digest.amend(Array(content.dropFirst()), standingFor: count, within: span)
        return Self.frame(name, arguments, namespace: namespace)
    }
}

extension ByteBuffer {
    fileprivate func dropping(_ count: Int) -> ByteBuffer {
        var rest = self
        rest.moveReaderIndex(forwardBy: count)
        return rest
    }
}

/// What an event tells, as far as it matters when a newer one comes to stand for it.
public protocol EventDigest: Sendable {
    /// What the newer of two events has to tell so that the older need not be told.
    func followed(by newer: any EventDigest) -> any EventDigest

    /// The arguments of the event that is told.
    ///
    /// - Parameters:
    ///   - arguments: those it was made with.
    ///   - count: how many events it stands for, itself included.
    ///   - span: where a client stands that has been told this event and nothing behind it, if events before it have been
    ///     left out. An application whose clients resume behind the last event that they were told puts it into what they
    ///     bring then.
    func amend(_ arguments: [JSON], standingFor count: Int, within span: FoldedSpan?) -> [JSON]
}

/// Events that a socket will not be sent.
public struct LostEvents: Hashable, Sendable {
    /// The numbers of the first and the last of them. All of the socket's events in between are lost.
    public var first: Int64
    public var last: Int64
    /// How many events the client would have had to read.
    public var count: Int

    public init(first: Int64, last: Int64, count: Int) {
        self.first = first
        self.last = last
        self.count = count
    }

    mutating func join(_ later: LostEvents) {
        first = Swift.min(first, later.first)
        last = Swift.max(last, later.last)
        count += later.count
    }
}
