import EngineIO
import NIOCore
import TestSupport
import Testing

@Suite struct EnginePacketTests {
    private static let handshake = EngineHandshake(
        sid: "lv_VI97HAXpY6yYWAAAC",
        upgrades: ["websocket"],
        pingInterval: 25000,
        pingTimeout: 20000,
        maxPayload: 1_000_000
    )

    private static let handshakeText =
        #"0{"sid":"lv_VI97HAXpY6yYWAAAC","upgrades":["websocket"],"pingInterval":25000,"pingTimeout":20000,"#
        + #""maxPayload":1000000}"#

    @Test(
        "a packet and its text stand for each other",
        arguments: [
            (.open(handshake), handshakeText),
            (.close, "1"),
            (.ping(ByteBuffer()), "2"),
            (.ping(ByteBuffer(string: "probe")), "2probe"),
            (.pong(ByteBuffer()), "3"),
            (.pong(ByteBuffer(string: "probe")), "3probe"),
            (.message(ByteBuffer(string: "hello")), "4hello"),
            (.message(ByteBuffer(string: "")), "4"),
            (.message(ByteBuffer(string: "€ 🎲")), "4€ 🎲"),
            (.message(ByteBuffer(string: #"2["hey","Jude"]"#)), #"42["hey","Jude"]"#),
            (.upgrade, "5"),
            (.noop, "6"),
            (.binary(ByteBuffer(bytes: [1, 2, 3, 4])), "bAQIDBA=="),
            (.binary(ByteBuffer()), "b"),
        ] as [(EnginePacket, String)]
    )
    func bothWays(packet: EnginePacket, text: String) throws {
        var buffer = ByteBuffer()
        packet.encodeText(into: &buffer)
        #expect(String(buffer: buffer) == text)
        #expect(packet.encodedTextSize == text.utf8.count)
        #expect(try EnginePacket(decodingText: ByteBuffer(string: text)) == packet)
    }

    @Test("a packet is decoded from the readable bytes alone and written behind what is there")
    func surroundings() throws {
        var buffer = ByteBuffer(string: "xx4hello")
        buffer.moveReaderIndex(forwardBy: 2)
        #expect(try EnginePacket(decodingText: buffer) == .message(ByteBuffer(string: "hello")))
        EnginePacket.ping(ByteBuffer(string: "probe")).encodeText(into: &buffer)
        #expect(String(buffer: buffer) == "4hello2probe")
    }

    @Test("what follows the type of a packet without payload is ignored", arguments: ["1", "5", "6"])
    func ignoredPayload(digit: String) throws {
        let bare = try EnginePacket(decodingText: ByteBuffer(string: digit))
        #expect(try EnginePacket(decodingText: ByteBuffer(string: digit + "more")) == bare)
    }

    @Test(
        "what is no packet is refused by name",
        arguments: [
            ("", .emptyPacket),
            ("7", .unknownPacketType(UInt8(ascii: "7"))),
            ("9hello", .unknownPacketType(UInt8(ascii: "9"))),
            ("hello", .unknownPacketType(UInt8(ascii: "h"))),
            ("B", .unknownPacketType(UInt8(ascii: "B"))),
            (" 4", .unknownPacketType(UInt8(ascii: " "))),
            ("\u{1E}", .unknownPacketType(0x1E)),
            ("bA", .invalidBase64),
            ("bAQIDB", .invalidBase64),
            ("bAQI=BA==", .invalidBase64),
            ("b====", .invalidBase64),
            ("bAQ-_", .invalidBase64),
            ("bAQ ID", .invalidBase64),
            ("bAQIé", .invalidBase64),
            ("0", .invalidHandshake("The JSON text ends too early (at byte 0).")),
            ("0[]", .invalidHandshake("it is no object")),
        ] as [(String, EngineProtocolError)]
    )
    func refuses(text: String, error: EngineProtocolError) {
        #expect(throws: error) { try EnginePacket(decodingText: ByteBuffer(string: text)) }
    }

    @Test(
        "base64 is written padded and read with or without padding (RFC 4648, section 10)",
        arguments: [
            ("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foob", "Zm9vYg=="), ("fooba", "Zm9vYmE="),
            ("foobar", "Zm9vYmFy"),
        ]
    )
    func base64(bytes: String, text: String) throws {
        let packet = EnginePacket.binary(ByteBuffer(string: bytes))
        var buffer = ByteBuffer()
        packet.encodeText(into: &buffer)
        #expect(String(buffer: buffer) == "b" + text)
        let unpadded = text.filter { $0 != "=" }
        #expect(try EnginePacket(decodingText: ByteBuffer(string: "b" + unpadded)) == packet)
    }

    @Test("any bytes survive base64")
    func randomBinary() throws {
        var random = Seeded(64)
        for length in 0..<300 {
            let packet = EnginePacket.binary(ByteBuffer(bytes: (0..<length).map { _ in UInt8(random.below(256)) }))
            var buffer = ByteBuffer()
            packet.encodeText(into: &buffer)
            #expect(buffer.readableBytes == packet.encodedTextSize)
            #expect(try EnginePacket(decodingText: buffer) == packet)
        }
    }

    @Test("hostile packets are each decoded or refused, and what is decoded is encoded as itself", .computes)
    func hostilePackets() {
        var random = Seeded(0xE9)
        let samples = [Self.handshakeText, "4hello", "bAQIDBA==", "bZm9vYg", "2probe", "3", "6", "1"].map {
            Array($0.utf8)
        }
        let alphabet = Array(#"0123456b=AQIDZ+/{}":,sidpingInterval[]"#.utf8)
        var (decoded, refused) = (0, 0)
        for _ in 0..<HostileInputs.perDecoder {
            let bytes = random.hostileBytes(like: samples, alphabet: alphabet)
            guard let packet = try? EnginePacket(decodingText: ByteBuffer(bytes: bytes)) else {
                refused += 1
                continue
            }
            decoded += 1
            guard decoded % 8 == 0 else { continue }
            var text = ByteBuffer()
            packet.encodeText(into: &text)
            let repeated = try? EnginePacket(decodingText: text)
            if repeated != packet || text.readableBytes != packet.encodedTextSize {
                Issue.record("\(bytes) was decoded as \(packet), and that as \(String(describing: repeated))")
            }
        }
        #expect(decoded > HostileInputs.perDecoder / 20)
        #expect(refused > HostileInputs.perDecoder / 20)
    }
}
