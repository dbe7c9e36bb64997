import WireJSON

/// Why what a peer sent is not Socket.IO. The connection cannot go on after any of these.
public enum SocketProtocolError: Error, Sendable, Equatable {
    /// A text without even a type.
    case emptyPacket
    /// A text whose first byte is no type.
    case unknownPacketType(UInt8)
    /// A binary type without a count of at least one, or without the hyphen after it.
    case malformedAttachmentCount
    /// More attachments announced than allowed.
    case tooManyAttachments(limit: Int)
    /// Attachments that are larger together than allowed, in bytes.
    case attachmentsTooLarge(limit: Int)
    /// A namespace that is not UTF-8.
    case malformedNamespace
    /// An id beyond 2^53 - 1.
    case idOutOfRange
    /// An id on a packet that neither asks for an acknowledgement nor is one.
    case unexpectedID
    /// An acknowledgement that does not say of what.
    case missingID
    /// A payload that is not JSON.
    case malformedPayload(JSONSyntaxError)
    /// A packet without the payload that its kind needs.
    case missingPayload(SocketPacket.Kind)
    /// A payload of another form than the kind of packet has.
    case unexpectedPayload(SocketPacket.Kind)
    /// An event whose name is neither a string nor an integer.
    case malformedEventName
    /// An event of a name that the protocol's implementations use for themselves.
    case reservedEventName(String)
    /// A placeholder that names no attachment, or one that another placeholder has named.
    case misnumberedPlaceholder
    /// An attachment that no placeholder names.
    case unusedAttachment
    /// Text while attachments were due.
    case textInsteadOfAttachment
    /// Binary data that no packet announced.
    case unexpectedAttachment
}

extension SocketProtocolError: CustomStringConvertible {
    /// A sentence for a log.
    public var description: String {
        switch self {
        case .emptyPacket: "A Socket.IO packet is empty."
        case .unknownPacketType(let code): "A Socket.IO packet begins with byte \(code), which is no packet type."
        case .malformedAttachmentCount: "A binary Socket.IO packet does not say how many attachments it has."
        case .tooManyAttachments(let limit): "A Socket.IO packet announces more than \(limit) attachments."
        case .attachmentsTooLarge(let limit): "The attachments of a Socket.IO packet exceed \(limit) bytes."
        case .malformedNamespace: "The namespace of a Socket.IO packet is not UTF-8."
        case .idOutOfRange: "The id of a Socket.IO packet is too large."
        case .unexpectedID: "A Socket.IO packet has an id that its kind does not have."
        case .missingID: "A Socket.IO acknowledgement has no id."
        case .malformedPayload(let error): "The payload of a Socket.IO packet is malformed. \(error)"
        case .missingPayload(let kind): "A Socket.IO packet of kind \(kind) has no payload."
        case .unexpectedPayload(let kind): "A Socket.IO packet of kind \(kind) has a payload of another form."
        case .malformedEventName: "A Socket.IO event's name is neither a string nor an integer."
        case .reservedEventName(let name): "A Socket.IO event has the reserved name \"\(name)\"."
        case .misnumberedPlaceholder: "A placeholder in a Socket.IO packet does not name an attachment of its own."
        case .unusedAttachment: "A Socket.IO packet has an attachment that no placeholder names."
        case .textInsteadOfAttachment: "A Socket.IO text came while attachments were due."
        case .unexpectedAttachment: "A Socket.IO attachment came that no packet announced."
        }
    }
}
