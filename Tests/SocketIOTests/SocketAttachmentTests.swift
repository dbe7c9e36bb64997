import NIOCore
import SocketIO
import Testing
import WireJSON

@Suite struct SocketAttachmentTests {
    private static let first = ByteBuffer(bytes: [1, 2])
    private static let second = ByteBuffer(bytes: [3, 4])

    @Test(
        "a packet with attachments is complete with the last of them",
        arguments: [
            (
                .event("baz", [SocketPacket.placeholder(0)], attachments: [first]),
                #"51-["baz",{"_placeholder":true,"num":0}]"#
            ),
            (
                .event(
                    "baz",
                    [SocketPacket.placeholder(0), SocketPacket.placeholder(1)],
                    namespace: "/admin",
                    attachments: [first, second]
                ),
                #"52-/admin,["baz",{"_placeholder":true,"num":0},{"_placeholder":true,"num":1}]"#
            ),
            (
                .event(
                    "deep",
                    [["a": [SocketPacket.placeholder(1), ["b": SocketPacket.placeholder(0)]]]],
                    id: 7,
                    attachments: [first, second]
                ),
                #"52-7["deep",{"a":[{"_placeholder":true,"num":1},{"b":{"_placeholder":true,"num":0}}]}]"#
            ),
            (
                .acknowledgement(id: 15, ["bar", SocketPacket.placeholder(0)], attachments: [first]),
                #"61-15["bar",{"_placeholder":true,"num":0}]"#
            ),
            (
                .acknowledgement(id: 1, [SocketPacket.placeholder(0)], namespace: "/admin", attachments: [first]),
                #"61-/admin,1[{"_placeholder":true,"num":0}]"#
            ),
        ] as [(SocketPacket, String)]
    )
    func bothWays(packet: SocketPacket, text: String) throws {
        var buffer = ByteBuffer()
        packet.encodeText(into: &buffer)
        #expect(String(buffer: buffer) == text)

        var decoder = SocketPacketDecoder()
        // Twice, since a decoder goes on after a packet.
        for _ in 0..<2 {
            #expect(try decoder.text(buffer) == nil)
            for attachment in packet.attachments.dropLast() {
                #expect(decoder.isAwaitingAttachment)
                #expect(try decoder.binary(attachment) == nil)
            }
            #expect(decoder.isAwaitingAttachment)
            #expect(try decoder.binary(#require(packet.attachments.last)) == packet)
            #expect(!decoder.isAwaitingAttachment)
        }
        #expect(try decoder.text(ByteBuffer(string: #"2["foo"]"#)) == .event("foo"))
    }

    @Test("text while attachments are due is an error, after any number of them", arguments: 0..<3)
    func textInterrupts(count: Int) throws {
        var decoder = SocketPacketDecoder()
        let placeholders = (0..<3).map { SocketPacket.placeholder($0).description }.joined(separator: ",")
        #expect(try decoder.text(ByteBuffer(string: "53-[\"a\",\(placeholders)]")) == nil)
        for _ in 0..<count {
            #expect(try decoder.binary(Self.first) == nil)
        }
        #expect(throws: SocketProtocolError.textInsteadOfAttachment) {
            try decoder.text(ByteBuffer(string: #"2["foo"]"#))
        }
    }

    @Test("binary data that no packet announced is an error")
    func unannounced() throws {
        var fresh = SocketPacketDecoder()
        #expect(throws: SocketProtocolError.unexpectedAttachment) { try fresh.binary(Self.first) }
        var used = SocketPacketDecoder()
        #expect(try used.text(ByteBuffer(string: #"51-["a",{"_placeholder":true,"num":0}]"#)) == nil)
        #expect(try used.binary(Self.first) != nil)
        #expect(throws: SocketProtocolError.unexpectedAttachment) { try used.binary(Self.first) }
    }

    @Test("after an error the decoder gives that error to everything")
    func errorsAreFinal() {
        var decoder = SocketPacketDecoder()
        #expect(throws: SocketProtocolError.missingID) { try decoder.text(ByteBuffer(string: "3[]")) }
        #expect(throws: SocketProtocolError.missingID) { try decoder.text(ByteBuffer(string: #"2["foo"]"#)) }
        #expect(throws: SocketProtocolError.missingID) { try decoder.binary(Self.first) }
        #expect(!decoder.isAwaitingAttachment)
    }

    @Test("attachments are counted before any is held, and weighed together")
    func limits() throws {
        let limits = SocketPacketDecoder.Limits(maximumAttachments: 2, maximumAttachmentBytes: 5)
        let placeholders = (0..<2).map { SocketPacket.placeholder($0).description }.joined(separator: ",")
        let text = ByteBuffer(string: "52-[\"a\",\(placeholders)]")

        var counting = SocketPacketDecoder(limits: limits)
        #expect(throws: SocketProtocolError.tooManyAttachments(limit: 2)) {
            try counting.text(ByteBuffer(string: "53-nonsense"))
        }

        var weighing = SocketPacketDecoder(limits: limits)
        #expect(try weighing.text(text) == nil)
        #expect(try weighing.binary(ByteBuffer(bytes: [1, 2, 3])) == nil)
        #expect(try weighing.binary(ByteBuffer(bytes: [4, 5]))?.attachments.count == 2)
        #expect(try weighing.text(text) == nil, "the next packet's attachments are weighed anew")
        #expect(try weighing.binary(ByteBuffer(bytes: [1, 2, 3])) == nil)
        #expect(throws: SocketProtocolError.attachmentsTooLarge(limit: 5)) {
            try weighing.binary(ByteBuffer(bytes: [4, 5, 6]))
        }
    }

    @Test("a placeholder is recognised and leads to its attachment, and a forged one to nothing")
    func placeholders() {
        let packet = SocketPacket.event("a", [SocketPacket.placeholder(1)], attachments: [Self.first, Self.second])
        #expect(SocketPacket.placeholder(1).description == #"{"_placeholder":true,"num":1}"#)
        #expect(packet.attachment(for: SocketPacket.placeholder(0)) == Self.first)
        #expect(packet.attachment(for: SocketPacket.placeholder(1)) == Self.second)
        for forged: JSON in [
            SocketPacket.placeholder(2), SocketPacket.placeholder(-1), SocketPacket.placeholder(.max), 1, nil, [],
            ["num": 0], ["_placeholder": false, "num": 0], ["_placeholder": 1, "num": 0],
            ["_placeholder": true], ["_placeholder": true, "num": 0.5], ["_placeholder": true, "num": 1e300],
        ] {
            #expect(packet.attachment(for: forged) == nil, "\(forged)")
        }
        #expect(SocketPacket.event("a").attachment(for: SocketPacket.placeholder(0)) == nil)
    }

    @Test("attachments of a packet that cannot have any are not announced")
    func otherKinds() {
        var buffer = ByteBuffer()
        SocketPacket(kind: .connect, attachments: [Self.first]).encodeText(into: &buffer)
        #expect(String(buffer: buffer) == "0")
    }
}
