/// Why bytes of a peer are not Engine.IO. The session cannot go on after any of these.
public enum EngineProtocolError: Error, Sendable, Equatable {
    /// A packet without even a type.
    case emptyPacket
    /// A packet whose first byte is no type.
    case unknownPacketType(UInt8)
    /// An `open` packet whose payload is no handshake; the sentence names the field.
    case invalidHandshake(String)
    /// A binary packet in text whose payload is not base64.
    case invalidBase64
    /// A polling body of more packets than allowed.
    case tooManyPackets(limit: Int)
}

extension EngineProtocolError: CustomStringConvertible {
    /// A sentence for a log.
    public var description: String {
        switch self {
        case .emptyPacket: "An Engine.IO packet is empty."
        case .unknownPacketType(let code): "An Engine.IO packet begins with byte \(code), which is no packet type."
        case .invalidHandshake(let fault): "The Engine.IO handshake is invalid: \(fault)."
        case .invalidBase64: "A binary Engine.IO packet is not base64."
        case .tooManyPackets(let limit): "A polling body has more than \(limit) Engine.IO packets."
        }
    }
}
