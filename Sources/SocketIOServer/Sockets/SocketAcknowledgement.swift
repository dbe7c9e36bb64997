public import NIOCore
import SocketIO
public import WireJSON

/// What an event is answered with: a client's, by what its handler returns; the server's own, by what
/// ``Socket/emitWithAcknowledgement(_:_:attachments:timeout:)`` returns.
///
/// Where there are no attachments an array literal of the arguments is enough: `return ["ok", 1]`.
public struct SocketAcknowledgement: Sendable, Equatable {
    public var arguments: [JSON]
    /// The bytes that placeholders in the arguments stand for; see ``attachment(for:)``.
    public var attachments: [ByteBuffer]

    public init(_ arguments: [JSON] = [], attachments: [ByteBuffer] = []) {
        self.arguments = arguments
        self.attachments = attachments
    }

    /// The bytes that an argument, or a value within one, stands for; nil when it is no placeholder.
    public func attachment(for value: JSON) -> ByteBuffer? {
        attachments.bytes(for: value)
    }
}

extension SocketAcknowledgement: ExpressibleByArrayLiteral {
    public init(arrayLiteral elements: JSON...) {
        self.init(elements)
    }
}

extension SocketEvent {
    /// The bytes that an argument, or a value within one, stands for; nil when it is no placeholder.
    public func attachment(for value: JSON) -> ByteBuffer? {
        attachments.bytes(for: value)
    }
}

extension JSON {
    /// What stands in an event's arguments for the attachment at that position, from 0. Each attachment needs its
    /// placeholder, and just one.
    public static func attachment(_ position: Int) -> JSON {
        SocketPacket.placeholder(position)
    }
}

extension [ByteBuffer] {
    fileprivate func bytes(for value: JSON) -> ByteBuffer? {
        guard let position = SocketPacket.placeholderNumber(of: value), indices.contains(position) else { return nil }
        return self[position]
    }
}
