import NIOCore
import SocketIO
import Testing
import WireJSON

@Suite struct SocketPacketTextTests {
    private static func decode(_ text: String) throws(SocketProtocolError) -> SocketPacket? {
        var decoder = SocketPacketDecoder()
        return try decoder.text(ByteBuffer(string: text))
    }

    @Test(
        "a packet and its text stand for each other",
        arguments: [
            (.connect(), "0"),
            (.connect(namespace: "/admin"), "0/admin,"),
            (.connect(["sid": "wZX3oN0bSVIhsaknAAAI"]), #"0{"sid":"wZX3oN0bSVIhsaknAAAI"}"#),
            (
                .connect(namespace: "/admin", ["sid": "oSO0OpakMV_3jnilAAAA"]),
                #"0/admin,{"sid":"oSO0OpakMV_3jnilAAAA"}"#
            ),
            (.connect(namespace: "/admin", ["token": "123"]), #"0/admin,{"token":"123"}"#),
            (.connectError(message: "Not authorized"), #"4{"message":"Not authorized"}"#),
            (
                .connectError(message: "No", data: ["code": 7], namespace: "/admin"),
                #"4/admin,{"message":"No","data":{"code":7}}"#
            ),
            (SocketPacket(kind: .connectError, data: "Not authorized"), #"4"Not authorized""#),
            (.event("foo"), #"2["foo"]"#),
            (.event("bar", namespace: "/admin"), #"2/admin,["bar"]"#),
            (.event("foo", id: 12), #"212["foo"]"#),
            (.event("foo", ["bar", 1, nil, ["a": [true]]], id: 0), #"20["foo","bar",1,null,{"a":[true]}]"#),
            (.event("tellme", id: 1, namespace: "/admin"), #"2/admin,1["tellme"]"#),
            (.event("é🎲", namespace: "/ünï"), #"2/ünï,["é🎲"]"#),
            (.event("", id: 9_007_199_254_740_991), #"29007199254740991[""]"#),
            (.acknowledgement(id: 13, ["bar"], namespace: "/admin"), #"3/admin,13["bar"]"#),
            (.acknowledgement(id: 12), "312[]"),
            (.disconnect(), "1"),
            (.disconnect(namespace: "/admin"), "1/admin,"),
        ] as [(SocketPacket, String)]
    )
    func bothWays(packet: SocketPacket, text: String) throws {
        var buffer = ByteBuffer()
        packet.encodeText(into: &buffer)
        #expect(String(buffer: buffer) == text)
        #expect(try Self.decode(text) == packet)

        var message = ByteBuffer()
        packet.encodeText(into: &message, engineMessage: true)
        #expect(String(buffer: message) == "4" + text)
    }

    @Test(
        "other spellings of a packet are read as well",
        arguments: [
            ("0/admin", .connect(namespace: "/admin")),
            ("1/admin", .disconnect(namespace: "/admin")),
            ("0/,", .connect()),
            ("0/admin?token=1&x=y,", .connect(namespace: "/admin?token=1&x=y")),
            (#"2/,["foo"]"#, .event("foo")),
            (#"2007["foo"]"#, .event("foo", id: 7)),
            (#"2 [ "foo" , 1 ] "#, .event("foo", [1])),
            ("2[7]", .event("7")),
            ("2[-7,1]", .event("-7", [1])),
            ("2[7.0]", .event("7")),
            (#"2["foo",{"_placeholder":true,"num":0}]"#, .event("foo", [SocketPacket.placeholder(0)])),
        ] as [(String, SocketPacket)]
    )
    func lenient(text: String, packet: SocketPacket) throws {
        #expect(try Self.decode(text) == packet)
    }

    @Test(
        "what is no packet is refused by name",
        arguments: [
            ("", .emptyPacket),
            ("7", .unknownPacketType(UInt8(ascii: "7"))),
            ("abc", .unknownPacketType(UInt8(ascii: "a"))),
            ("42[\"foo\"]", .unexpectedPayload(.connectError)),
            ("42\"foo\"", .unexpectedID),
            ("2", .missingPayload(.event)),
            ("2/admin,", .missingPayload(.event)),
            ("212", .missingPayload(.event)),
            ("2[]", .unexpectedPayload(.event)),
            ("2{}", .unexpectedPayload(.event)),
            (#"2"foo""#, .unexpectedPayload(.event)),
            ("2null", .unexpectedPayload(.event)),
            ("2[null]", .malformedEventName),
            ("2[true]", .malformedEventName),
            ("2[{}]", .malformedEventName),
            (#"2[["foo"]]"#, .malformedEventName),
            ("2[1.5]", .malformedEventName),
            ("2[1e300]", .malformedEventName),
            (#"2["connect"]"#, .reservedEventName("connect")),
            (#"2["connect_error",1]"#, .reservedEventName("connect_error")),
            (#"2["disconnect"]"#, .reservedEventName("disconnect")),
            (#"2/admin,1["disconnecting"]"#, .reservedEventName("disconnecting")),
            (#"2["newListener"]"#, .reservedEventName("newListener")),
            (#"2["\u0072emoveListener"]"#, .reservedEventName("removeListener")),
            (#"51-["connect",{"_placeholder":true,"num":0}]"#, .reservedEventName("connect")),
            ("2[\"foo\"", .malformedPayload(JSONSyntaxError(.unexpectedEnd, at: 6))),
            ("2/admin,12[\"foo\",]", .malformedPayload(JSONSyntaxError(.unexpectedByte, at: 7))),
            ("2foo", .malformedPayload(JSONSyntaxError(.unexpectedByte, at: 1))),
            ("2-1[\"foo\"]", .malformedPayload(JSONSyntaxError(.trailingBytes, at: 2))),
            ("29007199254740992[\"foo\"]", .idOutOfRange),
            ("299999999999999999999999[\"foo\"]", .idOutOfRange),
            ("3[]", .missingID),
            ("3", .missingPayload(.acknowledgement)),
            ("312", .missingPayload(.acknowledgement)),
            ("312{}", .unexpectedPayload(.acknowledgement)),
            ("312\"a\"", .unexpectedPayload(.acknowledgement)),
            ("0[]", .unexpectedPayload(.connect)),
            ("0\"token\"", .unexpectedPayload(.connect)),
            ("0null", .unexpectedPayload(.connect)),
            ("01", .unexpectedID),
            ("1{}", .unexpectedPayload(.disconnect)),
            ("1null", .unexpectedPayload(.disconnect)),
            ("11", .unexpectedID),
            ("4", .missingPayload(.connectError)),
            ("4[]", .unexpectedPayload(.connectError)),
            ("5", .malformedAttachmentCount),
            ("5-[\"a\"]", .malformedAttachmentCount),
            ("51", .malformedAttachmentCount),
            ("51[\"a\"]", .malformedAttachmentCount),
            ("50-[\"a\"]", .malformedAttachmentCount),
            ("5x-[\"a\"]", .malformedAttachmentCount),
            ("5-1-[\"a\"]", .malformedAttachmentCount),
            ("51.5-[\"a\"]", .malformedAttachmentCount),
            ("517-", .tooManyAttachments(limit: 16)),
            ("5999999999999999999999-[\"a\"]", .tooManyAttachments(limit: 16)),
            ("51-", .missingPayload(.event)),
            ("51-[]", .unexpectedPayload(.event)),
            ("61-[]", .missingID),
            ("61-1{}", .unexpectedPayload(.acknowledgement)),
            ("51-[\"a\"]", .unusedAttachment),
            (#"52-["a",{"_placeholder":true,"num":0}]"#, .unusedAttachment),
            (#"51-["a",{"_placeholder":true,"num":1}]"#, .misnumberedPlaceholder),
            (#"51-["a",{"_placeholder":true,"num":-1}]"#, .misnumberedPlaceholder),
            (#"51-["a",{"_placeholder":true,"num":0.5}]"#, .misnumberedPlaceholder),
            (#"51-["a",{"_placeholder":true,"num":"0"}]"#, .misnumberedPlaceholder),
            (#"51-["a",{"_placeholder":true}]"#, .misnumberedPlaceholder),
            (
                #"51-["a",{"_placeholder":true,"num":0},{"_placeholder":true,"num":0}]"#,
                .misnumberedPlaceholder
            ),
            (
                #"51-["a",{"_placeholder":true,"num":0},{"b":[{"_placeholder":true,"num":99999999999}]}]"#,
                .misnumberedPlaceholder
            ),
        ] as [(String, SocketProtocolError)]
    )
    func refuses(text: String, error: SocketProtocolError) {
        #expect(throws: error) { try Self.decode(text) }
    }

    @Test("a namespace that is not UTF-8 is refused")
    func namespaceEncoding() {
        var decoder = SocketPacketDecoder()
        #expect(throws: SocketProtocolError.malformedNamespace) {
            try decoder.text(ByteBuffer(bytes: [0x30, 0x2F, 0xFF, 0x2C]))
        }
    }

    @Test("a payload nests as deep as the limit says and no deeper")
    func depth() throws {
        func text(_ depth: Int) -> ByteBuffer {
            let inner = depth - 1
            return ByteBuffer(
                string: "2[\"a\"," + String(repeating: "[", count: inner) + String(repeating: "]", count: inner) + "]"
            )
        }
        var decoder = SocketPacketDecoder()
        #expect(try decoder.text(text(64))?.eventName == "a")
        #expect(throws: SocketProtocolError.malformedPayload(JSONSyntaxError(.tooDeep, at: 68))) {
            try decoder.text(text(65))
        }
        var narrow = SocketPacketDecoder(limits: .init(maximumDepth: 1))
        #expect(throws: SocketProtocolError.malformedPayload(JSONSyntaxError(.tooDeep, at: 5))) {
            try narrow.text(text(2))
        }
        var bombed = SocketPacketDecoder()
        let bomb = ByteBuffer(string: "2" + String(repeating: "[", count: 1_000_000))
        #expect(throws: SocketProtocolError.malformedPayload(JSONSyntaxError(.tooDeep, at: 64))) {
            try bombed.text(bomb)
        }
    }

    @Test("no beginning of a text is taken for the whole")
    func everyBeginning() throws {
        for text in [#"2/admin,12["foo",{"a":[1]}]"#, #"3/admin,13["bar"]"#, #"4{"message":"No"}"#] {
            let bytes = Array(text.utf8)
            for count in bytes.indices {
                var decoder = SocketPacketDecoder()
                #expect(throws: SocketProtocolError.self) { try decoder.text(ByteBuffer(bytes: bytes[..<count])) }
            }
        }
    }

    @Test("a packet tells its event and arguments, and nothing of the kind for others")
    func reading() {
        let event = SocketPacket.event("foo", [1, "two"])
        #expect(event.eventName == "foo")
        #expect(event.arguments == [1, "two"])
        #expect(SocketPacket.event("foo").arguments == [])
        let answer = SocketPacket.acknowledgement(id: 1, ["a", 2])
        #expect(answer.eventName == nil)
        #expect(answer.arguments == ["a", 2])
        #expect(SocketPacket.connect(["a": 1]).arguments == [])
        #expect(SocketPacket(kind: .event).eventName == nil)
        #expect(SocketPacket(kind: .event, data: []).arguments == [])
    }

    @Test("a namespace begins with a slash and has no comma")
    func namespaces() {
        #expect(SocketPacket.isNamespace("/"))
        #expect(SocketPacket.isNamespace("/admin"))
        #expect(!SocketPacket.isNamespace(""))
        #expect(!SocketPacket.isNamespace("admin"))
        #expect(!SocketPacket.isNamespace("/a,b"))
    }

    @Test("every error has a sentence of its own")
    func sentences() {
        let errors: [SocketProtocolError] = [
            .emptyPacket, .unknownPacketType(7), .malformedAttachmentCount, .tooManyAttachments(limit: 16),
            .attachmentsTooLarge(limit: 100), .malformedNamespace, .idOutOfRange, .unexpectedID, .missingID,
            .malformedPayload(JSONSyntaxError(.tooDeep, at: 1)), .missingPayload(.event), .unexpectedPayload(.connect),
            .malformedEventName, .reservedEventName("connect"), .misnumberedPlaceholder, .unusedAttachment,
            .textInsteadOfAttachment, .unexpectedAttachment,
        ]
        #expect(Set(errors.map(\.description)).count == errors.count)
        #expect(errors.allSatisfy { $0.description.hasSuffix(".") })
    }
}
