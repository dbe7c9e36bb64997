import NIOCore
import WireJSON

extension SocketPacket {
    /// Writes the packet's text. Its attachments follow as one binary message each, in their order; sending them is
    /// the caller's part.
    ///
    /// - Parameters:
    ///   - engineMessage: whether to put in front the `4` that makes the text an Engine.IO message.
    /// - Precondition: ``namespace`` satisfies ``isNamespace(_:)``; any other would be read as something else.
    public func encodeText(into buffer: inout ByteBuffer, engineMessage: Bool = false) {
        precondition(Self.isNamespace(namespace), "a namespace begins with a slash and has no comma")
        if engineMessage {
            buffer.writeInteger(UInt8(ascii: "4"))
        }
        buffer.writeInteger(typeDigit)
        if isBinary {
            buffer.writeString(String(attachments.count))
            buffer.writeInteger(UInt8(ascii: "-"))
        }
        if namespace != Self.mainNamespace {
            buffer.writeString(namespace)
            buffer.writeInteger(UInt8(ascii: ","))
        }
        if let id {
            buffer.writeString(String(id))
        }
        if let data {
            buffer.writeBytes(data.encoded())
        }
    }

    private var isBinary: Bool {
        !attachments.isEmpty && (kind == .event || kind == .acknowledgement)
    }

    private var typeDigit: UInt8 {
        switch kind {
        case .connect: UInt8(ascii: "0")
        case .disconnect: UInt8(ascii: "1")
        case .event: isBinary ? UInt8(ascii: "5") : UInt8(ascii: "2")
        case .acknowledgement: isBinary ? UInt8(ascii: "6") : UInt8(ascii: "3")
        case .connectError: UInt8(ascii: "4")
        }
    }
}
