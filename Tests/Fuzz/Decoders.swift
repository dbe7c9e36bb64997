import EngineIO
import NIOCore
import SocketIO
import WebSocketLink
import WireJSON

/// A decoder to be fuzzed: what it must do with any bytes at all, and what valid input looks like.
struct Decoder: Sendable {
    let name: String
    /// Traps where the decoder does not keep what it promises.
    let check: @Sendable (UnsafeRawBufferPointer) -> Void
    let seeds: [[UInt8]]

    static let all = [json, enginePacket, enginePayload, engineRequest, socketPacket, webSocket]

    // MARK: Texts

    static let json = Decoder(
        name: "json",
        check: { bytes in
            guard let value = try? JSON(parsing: bytes) else { return }
            require((try? JSON(parsing: value.encoded())) == value, "a value is not read back as it was written")
        },
        seeds: texts(
            #"["message",{"room":"a","body":"é\n\u00e9\ud83c\udfb2"},-12.5e+3,9223372036854775807,1e400]"#,
            #"{"_id":"5f","name":null,"tags":[true,false,[]],"at":1700000000000,"at":0.1}"#, #""\"\\\/\b\f\n\r\t""#))

    static let enginePacket = Decoder(
        name: "engine-packet",
        check: { bytes in
            guard let packet = try? EnginePacket(decodingText: ByteBuffer(bytes: bytes)) else { return }
            var text = ByteBuffer()
            packet.encodeText(into: &text)
            require(text.readableBytes == packet.encodedTextSize, "a packet has not the size that it says")
            require((try? EnginePacket(decodingText: text)) == packet, "a packet is not read back as it was written")
        },
        seeds: texts(
            #"0{"sid":"a","upgrades":["websocket"],"pingInterval":25000,"pingTimeout":20000,"maxPayload":1000}"#,
            "4hello", "bAQIDBA==", "bZm9vYg", "2probe", "1"))

    static let enginePayload = Decoder(
        name: "engine-payload",
        check: { bytes in
            guard let packets = try? EnginePayload.decode(ByteBuffer(bytes: bytes), maximumPackets: 100) else { return }
            var body = ByteBuffer()
            EnginePayload.encode(packets, into: &body)
            require((try? EnginePayload.decode(body)) == packets, "a body is not read back as it was written")
            require(
                EnginePayload.count(of: packets, fitting: body.readableBytes) == packets.count, "a body has no room")
        },
        seeds: texts("4hello\u{1E}2\u{1E}4world", "4a\u{1E}bAQIDBA==\u{1E}6", "1\u{1E}5\u{1E}3probe"))

    static let engineRequest = Decoder(
        name: "engine-request",
        check: { bytes in
            let target = String(decoding: bytes, as: UTF8.self)
            for method in ["GET", "POST", target] {
                for isUpgrade in [nil, false, true] {
                    let request = try? EngineRequest(method: method, target: target, isUpgrade: isUpgrade)
                    require(request?.sid?.isEmpty != true, "a session without a name")
                }
            }
        },
        seeds: texts(
            "/socket.io/?EIO=4&transport=polling&t=N8hyd6w&sid=lv_VI97HAXpY6yYWAAAC",
            "/engine.io/?EIO=4&transport=websocket&x=%C3%A9+b"))

    // MARK: Streams

    /// Messages behind each other, each with a byte in front: its top bit makes it binary, the others are its length.
    static let socketPacket = Decoder(
        name: "socket-packet",
        check: { bytes in
            let limits = SocketPacketDecoder.Limits(maximumDepth: 16, maximumAttachments: 4, maximumAttachmentBytes: 64)
            var decoder = SocketPacketDecoder(limits: limits)
            var rest = ByteBuffer(bytes: bytes)
            while let head = rest.readInteger(as: UInt8.self) {
                let message = rest.readSlice(length: min(Int(head & 0x7F), rest.readableBytes)) ?? ByteBuffer()
                let decoded = try? head < 128 ? decoder.text(message) : decoder.binary(message)
                guard let packet = decoded ?? nil else { continue }
                let size = packet.attachments.reduce(0) { $0 + $1.readableBytes }
                require(packet.attachments.count <= 4 && size <= 64, "more attachments than allowed")
                var text = ByteBuffer()
                packet.encodeText(into: &text)
                var again = SocketPacketDecoder(limits: limits)
                var repeated = try? again.text(text)
                for attachment in packet.attachments { repeated = try? again.binary(attachment) }
                require(repeated == packet, "a packet is not read back as it was written")
            }
        },
        seeds: [
            #"0/admin,{"sid":"oSO0OpakMV_3jnilAAAA"}"#, #"4{"message":"Not authorized"}"#,
            #"2/admin,12["foo",{"a":[1,2.5,null]}]"#, #"61-15["bar",{"_placeholder":true,"num":0}]"#, "1/admin,",
        ].map { [UInt8($0.utf8.count)] + Array($0.utf8) + [0x82, 1, 2] })

    /// The first byte is the role, and where the stream is cut.
    static let webSocket = Decoder(
        name: "websocket",
        check: { bytes in
            guard let first = bytes.first else { return }
            let role: WebSocketRole = first & 1 == 0 ? .server : .client
            let stream = bytes.dropFirst()
            let cut = min(Int(first >> 1), stream.count)
            let whole = inbound([stream], role)
            let halves = inbound([stream.prefix(cut), stream.dropFirst(cut)], role)
            require(whole == halves, "a stream means something else where it is cut")
        },
        seeds: [
            [0, 0x81, 0x85, 0x37, 0xFA, 0x21, 0x3D, 0x7F, 0x9F, 0x4D, 0x51, 0x58],
            [9, 0x01, 0x03, 0x48, 0x65, 0x6C, 0x89, 0x01, 0x41, 0x80, 0x02, 0x6C, 0x6F, 0x88, 0x02, 0x03, 0xE8],
            [5, 0x82, 0x7E, 0x00, 0x7E] + [UInt8](repeating: 7, count: 126),
            [3, 0x01, 0x01, 0xE2, 0x00, 0x01, 0x82, 0x80, 0x01, 0xAC],
        ])

    private struct Inbound: Equatable {
        var messages: [WebSocketInbound] = []
        var violation: WebSocketViolation?
    }

    private static func inbound(_ pieces: [Slice<UnsafeRawBufferPointer>], _ role: WebSocketRole) -> Inbound {
        let limit = 300
        var parser = WebSocketFrameParser(role: role, maximumPayloadSize: limit)
        var assembler = WebSocketMessageAssembler(maximumMessageSize: limit)
        var inbound = Inbound()
        for piece in pieces where inbound.violation == nil {
            parser.append(ByteBuffer(bytes: piece))
            do throws(WebSocketViolation) {
                while let frame = try parser.nextFrame() {
                    if let next = try assembler.accept(frame) { inbound.messages.append(next) }
                    parser.maximumPayloadSize = assembler.remainingBytes
                    require((0...limit).contains(assembler.remainingBytes), "a message beyond its limit")
                }
            } catch {
                inbound.violation = error
            }
            // What follows a violation is not looked at, and goes with the parser.
            require(
                inbound.violation != nil || parser.bufferedBytes <= limit + 14, "more is kept than one frame")
        }
        return inbound
    }

    private static func texts(_ texts: String...) -> [[UInt8]] { texts.map { Array($0.utf8) } }

    private static func require(_ condition: Bool, _ fault: StaticString) {
        if !condition { fatalError("\(fault)") }
    }
}
