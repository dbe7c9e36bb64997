import EngineIO
import SocketIO
import WebSocketLink

/// Every way in which a client can break the protocols that are spoken here.
///
/// Each of them ends the connection: its sockets hear ``reason``, the client ``closeCode``, the log a sentence that names
/// what was wrong, and the counter ``SocketIOServerMetrics/violations`` goes up for its name, the raw value.
public enum ProtocolViolation: String, Sendable, CaseIterable {
    // RFC 6455.
    case reservedBitsSet = "websocket_reserved_bits_set"
    case reservedOpcode = "websocket_reserved_opcode"
    case unmaskedFrame = "websocket_unmasked_frame"
    case maskedFrame = "websocket_masked_frame"
    case fragmentedControlFrame = "websocket_fragmented_control_frame"
    case controlFrameTooLong = "websocket_control_frame_too_long"
    case lengthNotMinimal = "websocket_length_not_minimal"
    case lengthOverflow = "websocket_length_overflow"
    case messageTooBig = "websocket_message_too_big"
    case unexpectedContinuation = "websocket_unexpected_continuation"
    case interruptedMessage = "websocket_interrupted_message"
    case invalidText = "websocket_invalid_text"
    case truncatedCloseCode = "websocket_truncated_close_code"
    case invalidCloseCode = "websocket_invalid_close_code"
    case invalidCloseReason = "websocket_invalid_close_reason"

    // Engine.IO.
    case emptyEnginePacket = "engine_empty_packet"
    case unknownEnginePacketType = "engine_unknown_packet_type"
    case invalidHandshake = "engine_invalid_handshake"
    case invalidBase64 = "engine_invalid_base64"
    case tooManyPackets = "engine_too_many_packets"
    /// Only a server pings.
    case unexpectedPing = "engine_unexpected_ping"
    /// Only a server opens.
    case unexpectedOpen = "engine_unexpected_open"
    /// A poll while another one waits.
    case duplicatePoll = "engine_duplicate_poll"
    /// A delivery by polling while another one is under way.
    case duplicateDelivery = "engine_duplicate_delivery"

    // Socket.IO.
    case emptyPacket = "socket_empty_packet"
    case unknownPacketType = "socket_unknown_packet_type"
    case malformedAttachmentCount = "socket_malformed_attachment_count"
    case tooManyAttachments = "socket_too_many_attachments"
    case attachmentsTooLarge = "socket_attachments_too_large"
    case malformedNamespace = "socket_malformed_namespace"
    case idOutOfRange = "socket_id_out_of_range"
    case unexpectedID = "socket_unexpected_id"
    case missingID = "socket_missing_id"
    case malformedPayload = "socket_malformed_payload"
    case missingPayload = "socket_missing_payload"
    case unexpectedPayload = "socket_unexpected_payload"
    case malformedEventName = "socket_malformed_event_name"
    case reservedEventName = "socket_reserved_event_name"
    case misnumberedPlaceholder = "socket_misnumbered_placeholder"
    case unusedAttachment = "socket_unused_attachment"
    case textInsteadOfAttachment = "socket_text_instead_of_attachment"
    case unexpectedAttachment = "socket_unexpected_attachment"
    /// A CONNECT for a namespace that is connected, or being judged, or a packet that only a server sends.
    case unexpectedPacket = "socket_unexpected_packet"
    /// A packet for a namespace that is not connected.
    case namespaceNotConnected = "socket_namespace_not_connected"

    /// What the client's sockets are told to have gone for.
    public var reason: DisconnectReason {
        switch self {
        case .unexpectedPing, .unexpectedOpen, .duplicatePoll, .duplicateDelivery, .unexpectedPacket,
            .namespaceNotConnected:
            .protocolViolation
        default: .parseError
        }
    }

    /// The status code of the Close frame (RFC 6455, section 7.4).
    public var closeCode: UInt16 {
        let code: WebSocketCloseCode =
            switch self {
            case .reservedBitsSet, .reservedOpcode, .unmaskedFrame, .maskedFrame, .fragmentedControlFrame,
                .controlFrameTooLong, .lengthNotMinimal, .lengthOverflow, .unexpectedContinuation,
                .interruptedMessage, .truncatedCloseCode, .invalidCloseCode:
                .protocolError
            case .invalidText, .invalidCloseReason: .invalidPayload
            case .messageTooBig, .tooManyPackets, .tooManyAttachments, .attachmentsTooLarge: .messageTooBig
            default: .policyViolation
            }
        return code.rawValue
    }
}

// MARK: - From what the decoders say

extension ProtocolViolation {
    init(_ violation: WebSocketViolation) {
        self =
            switch violation {
            case .reservedBitsSet: .reservedBitsSet
            case .reservedOpcode: .reservedOpcode
            case .unmaskedFrame: .unmaskedFrame
            case .maskedFrame: .maskedFrame
            case .fragmentedControlFrame: .fragmentedControlFrame
            case .controlFrameTooLong: .controlFrameTooLong
            case .lengthNotMinimal: .lengthNotMinimal
            case .lengthOverflow: .lengthOverflow
            case .messageTooBig: .messageTooBig
            case .unexpectedContinuation: .unexpectedContinuation
            case .interruptedMessage: .interruptedMessage
            case .invalidText: .invalidText
            case .truncatedCloseCode: .truncatedCloseCode
            case .invalidCloseCode: .invalidCloseCode
            case .invalidCloseReason: .invalidCloseReason
            }
    }

    init(_ error: EngineProtocolError) {
        self =
            switch error {
            case .emptyPacket: .emptyEnginePacket
            case .unknownPacketType: .unknownEnginePacketType
            case .invalidHandshake: .invalidHandshake
            case .invalidBase64: .invalidBase64
            case .tooManyPackets: .tooManyPackets
            }
    }

    init(_ error: SocketProtocolError) {
        self =
            switch error {
            case .emptyPacket: .emptyPacket
            case .unknownPacketType: .unknownPacketType
            case .malformedAttachmentCount: .malformedAttachmentCount
            case .tooManyAttachments: .tooManyAttachments
            case .attachmentsTooLarge: .attachmentsTooLarge
            case .malformedNamespace: .malformedNamespace
            case .idOutOfRange: .idOutOfRange
            case .unexpectedID: .unexpectedID
            case .missingID: .missingID
            case .malformedPayload: .malformedPayload
            case .missingPayload: .missingPayload
            case .unexpectedPayload: .unexpectedPayload
            case .malformedEventName: .malformedEventName
            case .reservedEventName: .reservedEventName
            case .misnumberedPlaceholder: .misnumberedPlaceholder
            case .unusedAttachment: .unusedAttachment
            case .textInsteadOfAttachment: .textInsteadOfAttachment
            case .unexpectedAttachment: .unexpectedAttachment
            }
    }
}

/// A client broke the protocol, and what the log says about it.
struct SessionViolation: Error {
    var violation: ProtocolViolation
    var sentence: String

    init(_ violation: ProtocolViolation, _ sentence: String) {
        self.violation = violation
        self.sentence = sentence
    }

    init(_ error: EngineProtocolError) {
        self.init(ProtocolViolation(error), error.description)
    }

    init(_ error: SocketProtocolError) {
        self.init(ProtocolViolation(error), error.description)
    }
}
