import TestSupport
import Testing

@Suite("Messages of Socket.IO", .blocks)
struct SocketMessageTests {
    static let twoPlaceholders = #"{"_placeholder":true,"num":0},{"_placeholder":true,"num":1}"#

    @Test("an event comes back with its arguments as they were", arguments: Transport.allCases, ["", "/custom,"])
    func plain(transport: Transport, namespace: String) throws {
        try withFixture { fixture in
            let session = try fixture.entered(transport, "40" + namespace)
            try session.send(#"42\#(namespace)["message",1,"2",{"3":[true]}]"#)
            #expect(try session.next() == .text(#"42\#(namespace)["message-back",1,"2",{"3":[true]}]"#))
        }
    }

    @Test("attachments come back in their order", arguments: Transport.allCases, ["", "/custom,"])
    func binary(transport: Transport, namespace: String) throws {
        try withFixture { fixture in
            let session = try fixture.entered(transport, "40" + namespace)
            try session.send([
                .text(#"452-\#(namespace)["message",\#(Self.twoPlaceholders)]"#), .binary([1, 2, 3]),
                .binary([4, 5, 6]),
            ])
            let answer: [Packet] = [
                .text(#"452-\#(namespace)["message-back",\#(Self.twoPlaceholders)]"#), .binary([1, 2, 3]),
                .binary([4, 5, 6]),
            ]
            #expect(try session.next(3) == answer)
        }
    }

    @Test("an acknowledgement bears the id that it was asked by", arguments: Transport.allCases, ["", "/custom,"])
    func acknowledgement(transport: Transport, namespace: String) throws {
        try withFixture { fixture in
            let session = try fixture.entered(transport, "40" + namespace)
            try session.send(#"42\#(namespace)456["message-with-ack",1,"2",{"3":[false]}]"#)
            #expect(try session.next() == .text(#"43\#(namespace)456[1,"2",{"3":[false]}]"#))
        }
    }

    @Test("an acknowledgement can bear attachments", arguments: Transport.allCases, ["", "/custom,"])
    func binaryAcknowledgement(transport: Transport, namespace: String) throws {
        try withFixture { fixture in
            let session = try fixture.entered(transport, "40" + namespace)
            try session.send([
                .text(#"452-\#(namespace)789["message-with-ack",\#(Self.twoPlaceholders)]"#), .binary([1, 2, 3]),
                .binary([4, 5, 6]),
            ])
            let answer: [Packet] = [
                .text(#"462-\#(namespace)789[\#(Self.twoPlaceholders)]"#), .binary([1, 2, 3]), .binary([4, 5, 6]),
            ]
            #expect(try session.next(3) == answer)
        }
    }

    @Test("the server asks, and is answered, with attachments", arguments: Transport.allCases)
    func asked(transport: Transport) throws {
        try withFixture { fixture in
            let session = try fixture.entered(transport)
            try session.send([.text(#"451-["ask",{"_placeholder":true,"num":0},"q"]"#), .binary([7])])
            let question = try session.text()
            let pattern = /451-(\d+)\["question",\{"_placeholder":true,"num":0\},"q"\]/
            let id = try #require(try pattern.wholeMatch(in: question)?.output.1, "\(question)")
            #expect(try session.next() == .binary([7]))
            try session.send([.text(#"461-\#(id)["a",{"_placeholder":true,"num":0}]"#), .binary([8, 9])])
            #expect(try session.next() == #"451-["answer","a",{"_placeholder":true,"num":0}]"#)
            #expect(try session.next() == .binary([8, 9]))
        }
    }

    @Test(
        "what is no packet of Socket.IO ends the session", arguments: Transport.allCases,
        [
            "4abc", "42{}", #"42abc["message-with-ack",1,"2",{"3":[false]}]"#, "42", "42[]", "42[", "47", "44", "43[]",
            #"42/nowhere,["message"]"#, #"451["message"]"#, #"45-["message"]"#,
        ])
    func malformed(transport: Transport, text: String) throws {
        try withFixture { fixture in
            let session = try fixture.entered(transport)
            try session.send(text)
            try session.end()
            try fixture.waitForCount("no session left") { $0.sessions == 0 }
        }
    }

    @Test(
        "a text in place of an attachment, and an attachment that was not announced, end the session",
        arguments: Transport.allCases)
    func attachments(transport: Transport) throws {
        try withFixture { fixture in
            let sentences: [[Packet]] = [
                [#"451-["message",{"_placeholder":true,"num":0}]"#, #"42["message"]"#], [.binary([1])],
            ]
            for sentence in sentences {
                let session = try fixture.entered(transport)
                try session.send(sentence)
                try session.end()
            }
            try fixture.waitForCount("no session left") { $0.sessions == 0 }
        }
    }

    @Test("a packet as large as one may be passes, and as much comes back", arguments: Transport.allCases)
    func large(transport: Transport) throws {
        try withFixture { fixture in
            let session = try fixture.entered(transport)
            let frame = #"42["message",""]"#.utf8.count
            let padding = String(repeating: "x", count: 1_000_000 - frame)
            try session.send(#"42["message","\#(padding)"]"#)
            #expect(try session.text().utf8.count == 1_000_000 + "-back".utf8.count)
            // In base64 four bytes stand for three.
            let bytes = (0..<700_000).map { UInt8($0 % 251) }
            try session.send([#"451-["message",{"_placeholder":true,"num":0}]"#, .binary(bytes)])
            #expect(try session.next() == #"451-["message-back",{"_placeholder":true,"num":0}]"#)
            #expect(try session.next() == .binary(bytes))
        }
    }

    @Test("many events come in their order", arguments: Transport.allCases)
    func many(transport: Transport) throws {
        try withFixture { fixture in
            let session = try fixture.entered(transport)
            try session.send(#"42["count",5000]"#)
            for number in 0..<5_000 {
                let packet = try session.next()
                guard packet == .text("42[\"number\",\(number)]") else {
                    Issue.record("\(packet) in place of number \(number)")
                    return
                }
            }
        }
    }
}
