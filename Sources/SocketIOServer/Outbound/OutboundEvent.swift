public import NIOCore
import SocketIO
import WebSocketLink
public import WireJSON

/// An event, encoded once and whole, that any number of sockets can be sent.
public final class OutboundEvent: Sendable {
    // What writing and counting touch stands first.
    /// One complete WebSocket frame, and one more for each attachment.
    let frame: ByteBuffer
    /// Where the application has the event in its own order: what ``LostEvents`` names it by.
    public let number: Int64
    public let namespace: String
    /// Nil for an event that does not fold, which keeps nothing but its frame.
    private let content: FoldableContent?

    /// What an event that folds keeps to be encoded again. All sockets share it with the event.
    private final class FoldableContent: Sendable {
        let folding: Folding
        /// The key of `folding`, of the event's namespace alone.
        let key: String
        let name: String
        let arguments: [JSON]

        init(_ folding: Folding, _ name: String, _ arguments: [JSON], namespace: String) {
            self.folding = folding
            key = namespace == "/" ? folding.key : "\(namespace)\u{0}\(folding.key)"
            self.name = name
            self.arguments = arguments
        }
    }

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
        content = folding.map { FoldableContent($0, name, arguments, namespace: namespace) }
        frame = Self.frame(name, arguments, attachments, namespace: namespace)
    }

    /// What lets a newer event stand for this one; nil for an event that does not fold.
    public var folding: Folding? { content?.folding }

    /// Of two events with the same key the newer can stand for the older; nil for an event that does not fold.
    var foldingKey: String? { content?.key }

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
        guard let content else { return frame }
        let arguments = digest.amend(content.arguments, standingFor: count, within: span)
        return Self.frame(content.name, arguments, namespace: namespace)
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
