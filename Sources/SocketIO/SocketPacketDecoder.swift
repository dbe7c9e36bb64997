import NIOCore
import WireJSON

/// Puts packets together from the messages of one connection, in the order in which these come.
///
/// A packet without attachments is complete with its text; one with attachments is complete with the last of as many
/// binary messages. An error is final: what follows it on a connection has no meaning any more, and the decoder
/// answers everything after it with the same error.
public struct SocketPacketDecoder: Sendable {
    /// What a peer may ask of this side's memory.
    public struct Limits: Sendable, Equatable {
        /// How deep arrays and objects may nest in a payload.
        public var maximumDepth: Int
        /// Attachments per packet. A packet that announces more is refused before any of them is held.
        public var maximumAttachments: Int
        /// The attachments of one packet together, in bytes.
        public var maximumAttachmentBytes: Int

        /// Limits that suit a server whose messages are held to a megabyte or so.
        public init(
            maximumDepth: Int = 64,
            maximumAttachments: Int = 16,
            maximumAttachmentBytes: Int = 4 << 20
        ) {
            self.maximumDepth = maximumDepth
            self.maximumAttachments = maximumAttachments
            self.maximumAttachmentBytes = maximumAttachmentBytes
        }
    }

    private enum State {
        case betweenPackets
        /// The text of a packet is there, and some of its attachments.
        case collecting(SocketPacket, count: Int, bytes: Int)
        case failed(SocketProtocolError)
    }

    /// What the peer may ask of this side's memory.
    public let limits: Limits
    private var state: State = .betweenPackets

    /// A decoder for a new connection.
    public init(limits: Limits = Limits()) {
        self.limits = limits
    }

    /// Whether the next message has to be an attachment.
    public var isAwaitingAttachment: Bool {
        if case .collecting = state { true } else { false }
    }

    /// Takes a text message, without the digit of Engine.IO.
    ///
    /// - Returns: the packet; nil when it has attachments, which have to follow.
    public mutating func text(_ message: ByteBuffer) throws(SocketProtocolError) -> SocketPacket? {
        switch state {
        case .betweenPackets:
            do throws(SocketProtocolError) {
                let (packet, count) = try SocketPacketText.decode(message, limits: limits)
                guard count > 0 else { return packet }
                state = .collecting(packet, count: count, bytes: 0)
                return nil
            } catch {
                throw fail(error)
            }
        case .collecting: throw fail(.textInsteadOfAttachment)
        case .failed(let error): throw error
        }
    }

    /// Takes a binary message. Its bytes are kept as they are, sharing the buffer's storage.
    ///
    /// - Returns: the packet with all its attachments when this was the last of them; nil before.
    public mutating func binary(_ message: ByteBuffer) throws(SocketProtocolError) -> SocketPacket? {
        switch state {
        case .betweenPackets: throw fail(.unexpectedAttachment)
        case .collecting(var packet, let count, let held):
            // The state lets go of its packet, or each attachment would copy the list of those before it.
            state = .betweenPackets
            guard message.readableBytes <= limits.maximumAttachmentBytes - held else {
                throw fail(.attachmentsTooLarge(limit: limits.maximumAttachmentBytes))
            }
            packet.attachments.append(message)
            guard packet.attachments.count < count else { return packet }
            state = .collecting(packet, count: count, bytes: held + message.readableBytes)
            return nil
        case .failed(let error): throw error
        }
    }

    private mutating func fail(_ error: SocketProtocolError) -> SocketProtocolError {
        state = .failed(error)
        return error
    }
}
