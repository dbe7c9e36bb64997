import NIOCore
import SocketIO
import TestSupport
import Testing
import WireJSON

@Suite struct SocketPropertyTests {
    private func decode(
        _ text: ByteBuffer,
        _ attachments: [ByteBuffer]
    ) throws(SocketProtocolError) -> SocketPacket? {
        var decoder = SocketPacketDecoder()
        var packet = try decoder.text(text)
        for attachment in attachments {
            packet = try decoder.binary(attachment)
        }
        return packet
    }

    private func randomPacket(from random: inout Seeded) -> SocketPacket {
        let namespace = ["/", "/admin", "/a/b?c=d"][random.below(3)]
        let attachments = (0..<random.below(4)).map { ByteBuffer(bytes: [UInt8($0), UInt8(random.below(256))]) }
        var arguments: [JSON] = attachments.indices.map { SocketPacket.placeholder($0) }
        arguments += (0..<random.below(4)).map { ["n": .integer(Int64($0)), "s": "é\n\(random.below(99))"] }
        arguments.shuffle(using: &random)
        let id = Int64(random.next() >> UInt64(11 + random.below(53)))
        return switch random.below(5) {
        case 0: .connect(namespace: namespace, random.below(2) == 0 ? nil : ["token": "x"])
        case 1: .disconnect(namespace: namespace)
        case 2: .connectError(message: "no", data: random.below(2) == 0 ? nil : [1], namespace: namespace)
        case 3: .acknowledgement(id: id, arguments, namespace: namespace, attachments: attachments)
        default:
            .event(
                "e\(random.below(9))",
                arguments,
                id: random.below(2) == 0 ? nil : id,
                namespace: namespace,
                attachments: attachments
            )
        }
    }

    @Test("any packet is decoded as it was encoded")
    func roundTrip() throws {
        var random = Seeded(0x50C7)
        for _ in 0..<5000 {
            let packet = randomPacket(from: &random)
            var text = ByteBuffer()
            packet.encodeText(into: &text)
            #expect(try decode(text, packet.attachments) == packet)
        }
    }

    @Test("hostile messages are each decoded or refused", .computes)
    func hostileMessages() throws {
        var random = Seeded(0x4057)
        let samples = [
            #"0/admin,{"sid":"oSO0OpakMV_3jnilAAAA"}"#,
            #"4{"message":"Not authorized"}"#,
            #"2/admin,12["foo",{"a":[1,2.5,null]}]"#,
            #"52-/admin,["baz",{"_placeholder":true,"num":0},{"_placeholder":true,"num":1}]"#,
            #"61-15["bar",{"_placeholder":true,"num":0}]"#,
            "1/admin,",
        ].map { Array($0.utf8) }
        let alphabet = Array(#"0123456-/,[]{}":_placeholdrnumtrue "#.utf8)
        var decoder = SocketPacketDecoder()
        var decoded = 0
        for _ in 0..<HostileInputs.perDecoder {
            let message = ByteBuffer(bytes: random.hostileBytes(like: samples, alphabet: alphabet))
            do throws(SocketProtocolError) {
                let isBinary = random.below(decoder.isAwaitingAttachment ? 8 : 64) != 0
                let packet =
                    isBinary == decoder.isAwaitingAttachment
                    ? try decoder.binary(message)
                    : try decoder.text(message)
                guard let packet else { continue }
                decoded += 1
                // What was accepted is encoded and decoded again as itself.
                var text = ByteBuffer()
                packet.encodeText(into: &text)
                if decoded % 8 == 0, try decode(text, packet.attachments) != packet {
                    Issue.record("\(packet) is not decoded as itself")
                }
            } catch {
                decoder = SocketPacketDecoder()
            }
        }
        #expect(decoded > HostileInputs.perDecoder / 20)
    }
}
