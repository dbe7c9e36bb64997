import TestSupport
import Testing
import WireJSON

@Suite("Namespaces of Socket.IO", .blocks)
struct SocketConnectTests {
    @Test(
        "CONNECT is answered with an id of the socket's own, and its payload reaches the application",
        arguments: Transport.allCases,
        [
            (connect: "40", prefix: "", auth: "{}"), (#"40{"token":"123"}"#, "", #"{"token":"123"}"#),
            ("40/custom,", "/custom,", "{}"), ("40/custom", "/custom,", "{}"),
            (#"40/custom,{"token":"abc"}"#, "/custom,", #"{"token":"abc"}"#),
        ])
    func connect(transport: Transport, sentence: (connect: String, prefix: String, auth: String)) throws {
        try withFixture { fixture in
            let session = try fixture.session(transport)
            try session.send(sentence.connect)
            let answer = try session.text()
            #expect(answer.hasPrefix("40" + sentence.prefix))
            let payload = try JSON(parsing: answer.dropFirst(2 + sentence.prefix.count))
            #expect(payload.objectValue.map { Array($0.keys) } == ["sid"])
            #expect(payload["sid"]?.stringValue?.isEmpty == false)
            #expect(try session.text() == "42\(sentence.prefix)[\"auth\",\(sentence.auth)]")
        }
    }

    @Test("a namespace is its whole name: no query is taken from it")
    func noQuery() throws {
        try withFixture { fixture in
            let session = try fixture.session(.webSocket)
            try session.send("40/custom?token=abc,")
            #expect(try session.text() == #"44/custom?token=abc,{"message":"Invalid namespace"}"#)
        }
    }

    @Test("an unknown namespace is refused by name, and the connection lives on", arguments: Transport.allCases)
    func unknown(transport: Transport) throws {
        try withFixture { fixture in
            let session = try fixture.session(transport)
            try session.send("40/random")
            #expect(try session.text() == #"44/random,{"message":"Invalid namespace"}"#)
            try session.send("40")
            #expect(try session.text().hasPrefix("40{"))
        }
    }

    @Test("the application can refuse, with a sentence and data", arguments: Transport.allCases)
    func refused(transport: Transport) throws {
        try withFixture { fixture in
            let session = try fixture.session(transport)
            try session.send("40/refused,")
            #expect(try session.text() == #"44/refused,{"message":"Not for you","data":{"code":7}}"#)
            try session.send("40")
            #expect(try session.text().hasPrefix("40{"))
        }
    }

    @Test(
        "what is no CONNECT ends a session that has no socket", arguments: Transport.allCases,
        ["4abc", "4", "42[\"message\"]", "40[]", "40{"])
    func invalid(transport: Transport, text: String) throws {
        try withFixture { fixture in
            let session = try fixture.session(transport)
            try session.send(text)
            try session.end()
            try fixture.waitForCount("no session left") { $0.sessions == 0 }
        }
    }

    @Test("a session without a CONNECT is closed in time", arguments: Transport.allCases)
    func never(transport: Transport) throws {
        try withFixture("--connect-timeout", "300") { fixture in
            let session = try fixture.session(transport)
            #expect(try session.end() == [])
            try fixture.waitForCount("no session left") { $0.sessions == 0 }
        }
    }

    @Test("one that is refused only has not connected, and is closed in time")
    func onlyRefused() throws {
        try withFixture("--connect-timeout", "2000") { fixture in
            let session = try fixture.session(.webSocket)
            try session.send("40/random,", "40/refused,")
            #expect(try session.end().count == 2)
        }
    }

    @Test("leaving a namespace leaves the connection and the others", arguments: Transport.allCases)
    func leave(transport: Transport) throws {
        try withFixture { fixture in
            let session = try fixture.entered(transport)
            try session.send("40/custom")
            #expect(try session.text().hasPrefix("40/custom,{"))
            #expect(try session.text() == #"42/custom,["auth",{}]"#)
            try session.send("41/custom", #"42["message","message to main namespace"]"#)
            #expect(try session.text() == #"42["message-back","message to main namespace"]"#)
            try session.send("41", "40")
            #expect(try session.text().hasPrefix("40{"))
            #expect(try session.text() == #"42["auth",{}]"#)
        }
    }

    @Test("after the last namespace is left the heartbeat goes on", arguments: Transport.allCases)
    func nothingLeft(transport: Transport) throws {
        try withFixture("--ping-interval", "1000") { fixture in
            let session = try fixture.entered(transport)
            try session.send("41")
            #expect(try session.text() == "2")
            try session.send("3")
            #expect(try session.text() == "2")
        }
    }

    @Test(
        "the server's own DISCONNECT names the namespace, and the client can come back", arguments: Transport.allCases)
    func dismissed(transport: Transport) throws {
        try withFixture { fixture in
            let session = try fixture.entered(transport, "40/custom,")
            try session.send(#"42/custom,["leave"]"#)
            #expect(try session.text() == "41/custom,")
            try session.send("40/custom,")
            #expect(try session.text().hasPrefix("40/custom,{"))
        }
    }

    @Test("CONNECT to a namespace that is connected ends the session", arguments: Transport.allCases)
    func twice(transport: Transport) throws {
        try withFixture { fixture in
            let session = try fixture.entered(transport)
            try session.send("40")
            try session.end()
        }
    }
}
