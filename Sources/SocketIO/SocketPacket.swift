import NIOCore
import WireJSON

/// One packet of Socket.IO, revision 5.
///
/// Binary values stand in ``data`` as placeholders (``placeholder(_:)``), each with the position of its bytes in
/// ``attachments``. A packet with attachments is one of the protocol's binary types; no kind of its own says so.
public struct SocketPacket: Sendable, Equatable {
    /// What a packet is for.
    public enum Kind: Sendable, Hashable, CaseIterable {
        /// Asks for a namespace, and grants it.
        case connect
        /// Leaves a namespace.
        case disconnect
        /// A name and arguments.
        case event
        /// The answer to an event that bore an id.
        case acknowledgement
        /// Refuses a namespace.
        case connectError
    }

    /// The namespace that packets belong to when they name none.
    public static let mainNamespace = "/"

    /// The largest acknowledgement id: the largest integer that JavaScript counts in (2^53 - 1).
    public static let largestID: Int64 = 9_007_199_254_740_991

    /// What the packet is for.
    public var kind: Kind
    /// Begins with `/` and contains no comma; see ``isNamespace(_:)``.
    public var namespace: String
    /// 0 to ``largestID``: the event whose acknowledgement is asked for, or that is acknowledged.
    public var id: Int64?
    /// The payload; an event's is an array that begins with its name.
    public var data: JSON?
    /// The bytes that the placeholders in ``data`` stand for. Only events and acknowledgements have any.
    public var attachments: [ByteBuffer]

    /// A packet of any make, unchecked; the static functions below make those that the protocol knows.
    public init(
        kind: Kind,
        namespace: String = mainNamespace,
        id: Int64? = nil,
        data: JSON? = nil,
        attachments: [ByteBuffer] = []
    ) {
        self.kind = kind
        self.namespace = namespace
        self.id = id
        self.data = data
        self.attachments = attachments
    }

    /// Whether a text can name a namespace on the wire, where a comma ends the name.
    public static func isNamespace(_ text: some StringProtocol) -> Bool {
        text.utf8.first == UInt8(ascii: "/") && !text.utf8.contains(UInt8(ascii: ","))
    }
}

// MARK: - Making

extension SocketPacket {
    /// An event. With an id the peer is asked to acknowledge it.
    public static func event(
        _ name: String,
        _ arguments: [JSON] = [],
        id: Int64? = nil,
        namespace: String = mainNamespace,
        attachments: [ByteBuffer] = []
    ) -> SocketPacket {
        SocketPacket(
            kind: .event,
            namespace: namespace,
            id: id,
            data: .array([.string(name)] + arguments),
            attachments: attachments
        )
    }

    /// The acknowledgement of the event of that id.
    public static func acknowledgement(
        id: Int64,
        _ arguments: [JSON] = [],
        namespace: String = mainNamespace,
        attachments: [ByteBuffer] = []
    ) -> SocketPacket {
        SocketPacket(
            kind: .acknowledgement,
            namespace: namespace,
            id: id,
            data: .array(arguments),
            attachments: attachments
        )
    }

    /// From a client: the wish to enter a namespace, with its `auth` payload. From a server: the grant.
    public static func connect(namespace: String = mainNamespace, _ data: JSONObject? = nil) -> SocketPacket {
        SocketPacket(kind: .connect, namespace: namespace, data: data.map { .object($0) })
    }

    /// The refusal of a namespace: `{"message": ..., "data": ...}`.
    public static func connectError(
        message: String,
        data: JSON? = nil,
        namespace: String = mainNamespace
    ) -> SocketPacket {
        var payload: JSONObject = ["message": .string(message)]
        payload["data"] = data
        return SocketPacket(kind: .connectError, namespace: namespace, data: .object(payload))
    }

    /// The end of a namespace; the connection below it may go on.
    public static func disconnect(namespace: String = mainNamespace) -> SocketPacket {
        SocketPacket(kind: .disconnect, namespace: namespace)
    }
}

// MARK: - Reading

extension SocketPacket {
    /// The name of an event; nil for other kinds.
    public var eventName: String? {
        guard kind == .event else { return nil }
        return data?[0]?.stringValue
    }

    /// The arguments of an event, after its name, or of an acknowledgement; empty for other kinds.
    public var arguments: [JSON] {
        guard let elements = data?.arrayValue else { return [] }
        switch kind {
        case .event: return Array(elements.dropFirst())
        case .acknowledgement: return elements
        case .connect, .disconnect, .connectError: return []
        }
    }

    /// The bytes that a value stands for; nil when it is no placeholder, or one without an attachment.
    public func attachment(for value: JSON) -> ByteBuffer? {
        guard let number = Self.placeholderNumber(of: value), attachments.indices.contains(number) else { return nil }
        return attachments[number]
    }

    /// The value that stands in ``data`` for the attachment at that position.
    public static func placeholder(_ number: Int) -> JSON {
        ["_placeholder": true, "num": .integer(Int64(number))]
    }

    /// The position that a placeholder names; nil when the value is no placeholder.
    public static func placeholderNumber(of value: JSON) -> Int? {
        guard isPlaceholder(value), let number = value["num"]?.integerValue, number >= 0 else { return nil }
        return Int(exactly: number)
    }

    /// Whether a value claims to be a placeholder, with a sound number or not.
    static func isPlaceholder(_ value: JSON) -> Bool {
        value["_placeholder"]?.boolValue == true
    }
}
