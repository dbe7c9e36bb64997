import EngineIO
import NIOCore
import TestSupport
import Testing

@Suite struct EnginePayloadTests {
    private static func message(_ text: String) -> EnginePacket {
        .message(ByteBuffer(string: text))
    }

    @Test(
        "a body and its packets stand for each other",
        arguments: [
            ("4hello\u{1E}2\u{1E}4world", [message("hello"), .ping(ByteBuffer()), message("world")]),
            ("4hello\u{1E}bAQIDBA==", [message("hello"), .binary(ByteBuffer(bytes: [1, 2, 3, 4]))]),
            (#"42["hello"]"# + "\u{1E}" + #"42["world"]"#, [message(#"2["hello"]"#), message(#"2["world"]"#)]),
            ("40", [message("0")]),
            ("6", [.noop]),
            ("4\u{1E}4", [message(""), message("")]),
        ] as [(String, [EnginePacket])]
    )
    func bothWays(body: String, packets: [EnginePacket]) throws {
        var buffer = ByteBuffer()
        EnginePayload.encode(packets, into: &buffer)
        #expect(String(buffer: buffer) == body)
        #expect(try EnginePayload.decode(ByteBuffer(string: body)) == packets)
        #expect(try EnginePayload.decode(buffer, maximumPackets: packets.count) == packets)
    }

    @Test("a body cut in two at any separator is the same packets in two bodies, and cut elsewhere never traps")
    func everySplit() throws {
        let body = Array("4hello\u{1E}2\u{1E}bAQIDBA==\u{1E}4wörld\u{1E}6".utf8)
        let whole = try EnginePayload.decode(ByteBuffer(bytes: body))
        for place in body.indices {
            let front = try? EnginePayload.decode(ByteBuffer(bytes: body[..<place]))
            let back = try? EnginePayload.decode(ByteBuffer(bytes: body[(place + 1)...]))
            if body[place] == EnginePayload.separator {
                #expect(try #require(front) + #require(back) == whole)
            }
        }
    }

    @Test(
        "a body with a bad packet is refused as a whole",
        arguments: [
            ("", .emptyPacket),
            ("\u{1E}", .emptyPacket),
            ("4a\u{1E}", .emptyPacket),
            ("\u{1E}4a", .emptyPacket),
            ("4a\u{1E}\u{1E}4b", .emptyPacket),
            ("4a\u{1E}x", .unknownPacketType(UInt8(ascii: "x"))),
            ("4a\u{1E}b?", .invalidBase64),
            ("2:4a", nil),
            ("4:4a€", nil),
        ] as [(String, EngineProtocolError?)]
    )
    func refuses(body: String, error: EngineProtocolError?) {
        if let error {
            #expect(throws: error) { try EnginePayload.decode(ByteBuffer(string: body)) }
        } else {
            // The third revision's length prefixes are not lengths here.
            #expect(throws: Never.self) { try EnginePayload.decode(ByteBuffer(string: body)) }
        }
    }

    @Test("more packets than allowed are refused before any of them is looked at")
    func limit() throws {
        let body = ByteBuffer(string: "4a\u{1E}4b\u{1E}x")
        #expect(throws: EngineProtocolError.tooManyPackets(limit: 2)) {
            try EnginePayload.decode(body, maximumPackets: 2)
        }
        #expect(throws: EngineProtocolError.unknownPacketType(UInt8(ascii: "x"))) {
            try EnginePayload.decode(body, maximumPackets: 3)
        }
        let flood = ByteBuffer(repeating: EnginePayload.separator, count: 1_000_000)
        #expect(throws: EngineProtocolError.tooManyPackets(limit: 65_536)) { try EnginePayload.decode(flood) }
    }

    @Test("a queue is cut where the body would exceed its size, and always moves on")
    func fitting() {
        let packets = [Self.message("hello"), .ping(ByteBuffer()), .binary(ByteBuffer(bytes: [1, 2, 3, 4]))]
        // 6 bytes; 1 and 1; 1 and 9.
        for (size, count) in [(0, 1), (5, 1), (6, 1), (7, 1), (8, 2), (17, 2), (18, 3), (1000, 3)] {
            #expect(EnginePayload.count(of: packets, fitting: size) == count, "\(size)")
            var body = ByteBuffer()
            EnginePayload.encode(packets.prefix(count), into: &body)
            #expect(body.readableBytes <= max(size, 6))
        }
        #expect(EnginePayload.count(of: [], fitting: 100) == 0)
    }

    @Test("hostile bodies are each decoded or refused", .computes)
    func hostileBodies() {
        var random = Seeded(0xE10)
        let samples = [
            "4hello\u{1E}2\u{1E}4world",
            "4hello\u{1E}bAQIDBA==\u{1E}bZm9vYmE=",
            #"0{"sid":"a","upgrades":["websocket"],"pingInterval":25000,"pingTimeout":20000,"maxPayload":1000}"#,
            "1\u{1E}5\u{1E}6\u{1E}3probe",
        ].map { Array($0.utf8) }
        let alphabet = Array("0123456b=\u{1E}\u{1E}AQ/+{}\":".utf8)
        var decoded = 0
        for _ in 0..<HostileInputs.perDecoder {
            let bytes = random.hostileBytes(like: samples, alphabet: alphabet)
            guard let packets = try? EnginePayload.decode(ByteBuffer(bytes: bytes), maximumPackets: 20) else {
                continue
            }
            decoded += 1
            guard decoded % 8 == 0 else { continue }
            // What was accepted is written and read again as itself.
            var again = ByteBuffer()
            EnginePayload.encode(packets, into: &again)
            let repeated = try? EnginePayload.decode(again)
            if repeated != packets {
                Issue.record("\(bytes) was decoded as \(packets), and that as \(String(describing: repeated))")
            }
        }
        #expect(decoded > HostileInputs.perDecoder / 20)
    }
}
