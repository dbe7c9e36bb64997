import NIOCore
import NIOEmbedded
import Testing

@testable import SocketIOServer

@Suite("The end of a session")
struct SessionEndTests {
    // MARK: The server's ends

    @Test("a handler that disconnects its own socket sends nothing after that, and the connection stays")
    func disconnectInsideReceived() throws {
        let journal = Journal()
        let application = Application(
            onEvent: { event, socket in
                await socket.onLoop { socket in
                    socket.emit("bye", [])
                    socket.disconnect()
                    socket.emit("lost", [])
                    socket.disconnect()
                    journal.note("after disconnect")
                }
                return []
            },
            onDisconnect: { socket, reason in
                journal.note("\(reason)")
                socket.disconnect(close: true)
            })
        let line = try Desk(application).connectedLine()
        try line.say(#"420["leave"]"#, #"421["lost"]"#)
        #expect(try line.heard() == [#"42["bye"]"#, "41"])
        #expect(journal.lines == ["server namespace disconnect", "after disconnect"])
        #expect(line.isOpen)
    }

    @Test("a handler that closes the connection ends every socket on it, once")
    func closeInsideReceived() throws {
        let journal = Journal()
        let application = Application(
            onEvent: { event, socket in
                await socket.onLoop { $0.disconnect(close: true) }
                return []
            },
            onDisconnect: { socket, reason in journal.note("\(socket.namespace) \(reason)") })
        let desk = Desk(application, others: ["/other": application])
        let line = try desk.connectedLine()
        try line.say("40/other,")
        _ = try line.heard()
        try line.say(#"420["leave"]"#, #"421["lost"]"#)
        #expect(try line.heard() == ["<close 1000 server namespace disconnect>"])
        #expect(journal.lines.sorted() == ["/ server namespace disconnect", "/other server namespace disconnect"])
        #expect(desk.hub.connectionCount == 0)
        try line.receive(clientClose())
        #expect(!line.isOpen)
        #expect(journal.count == 2)
    }

    @Test("a server that stops closes its connections in a way that makes clients come back")
    func quiescing() throws {
        let journal = Journal()
        let desk = Desk(Application(onDisconnect: { _, reason in journal.note("\(reason)") }))
        let line = try desk.connectedLine()
        line.channel.pipeline.fireUserInboundEventTriggered(ChannelShouldQuiesceEvent())
        #expect(try line.heard() == ["<close 1001 server shutting down>"])
        #expect(journal.lines == ["server shutting down"])
        #expect(desk.hub.connectionCount == 0)
        desk.loop.advanceTime(by: .seconds(2))
        #expect(!line.isOpen)
    }

    // MARK: What is not to be borne

    struct Violation: Sendable, CustomTestStringConvertible {
        var bytes: [UInt8]
        var close: String
        var testDescription: String
    }

    static let violations: [Violation] = {
        func text(_ packets: String..., close: String) -> Violation {
            Violation(bytes: packets.flatMap { clientText($0) }, close: close, testDescription: "\(packets)")
        }
        let protocolViolation = "<close 1008 protocol violation>"
        let parseError = "<close 1008 parse error>"
        return [
            text("40", close: protocolViolation),
            text("40/admin,", "40/admin,", close: protocolViolation),
            text("44{\"message\":\"\"}", close: protocolViolation),
            text(#"42/admin,["a"]"#, close: protocolViolation),
            text("41/nowhere,", close: protocolViolation),
            text("2", close: protocolViolation),
            text("2probe", close: protocolViolation),
            text(
                #"0{"sid":"x","upgrades":[],"pingInterval":1,"pingTimeout":1,"maxPayload":1}"#,
                close: protocolViolation),
            text("", close: parseError),
            text("x", close: parseError),
            text("4", close: parseError),
            text("42", close: parseError),
            text("42[]", close: parseError),
            text(#"42["connect"]"#, close: parseError),
            text("42{", close: parseError),
            text(#"451-["a",{"_placeholder":true,"num":0}]"#, #"42["b"]"#, close: parseError),
            text(#"4599-["a"]"#, close: "<close 1009 parse error>"),
            text("b!", close: parseError),
            Violation(bytes: clientBinary([1]), close: parseError, testDescription: "unexpected binary"),
            Violation(
                bytes: frame(1, [0x34]), close: "<close 1002 A client must mask its frames.>",
                testDescription: "unmasked"),
            text(
                String(repeating: "4", count: 1_000_001),
                close: "<close 1009 The message is longer than accepted here.>"),
        ]
    }()

    @Test("a client that breaks the protocol is told so and closed; nothing behind is looked at", arguments: violations)
    func violation(_ violation: Violation) throws {
        let journal = Journal()
        let application = Application(
            onEvent: { event, _ in
                journal.note(event.name)
                return []
            },
            onDisconnect: { socket, reason in journal.note("\(socket.namespace) \(reason)") })
        let desk = Desk(application, others: ["/admin": Application()])
        let line = try desk.connectedLine()
        try line.receive(violation.bytes + clientText(#"420["behind"]"#))
        #expect(try line.heard().last == violation.close)
        #expect(journal.count == 1)
        #expect(journal.lines == ["/ protocol violation"] || journal.lines == ["/ parse error"])
        #expect(desk.hub.connectionCount == 0)
        desk.loop.advanceTime(by: .seconds(2))
        #expect(!line.isOpen)
    }

    @Test("a second CONNECT is a violation while the first is still being judged, too")
    func duplicateConnectWhileConnecting() throws {
        let latch = Latch()
        let desk = Desk(Application(onConnect: { _, _ in await latch.wait() }))
        let line = try desk.upgradedLine()
        try line.say("40", "40")
        #expect(try line.heard() == ["<close 1008 protocol violation>"])
        latch.open()
        #expect(try line.heard().isEmpty)
    }

    @Test("packets without a meaning here are ignored")
    func ignoredPackets() throws {
        let line = try Desk().connectedLine()
        try line.say("5", "6", "3", "3probe", #"420["a"]"#)
        #expect(try line.heard() == ["430[]"])
    }

    // MARK: How connections end

    @Test(
        "the application is told why a socket is gone, once",
        arguments: [
            "1": "transport close", "WebSocket close": "transport close", "end of input": "transport close",
            "lost": "transport close", "error": "transport error",
        ])
    func endings(_ way: String, _ reason: String) throws {
        let journal = Journal()
        let desk = Desk(Application(onDisconnect: { _, reason in journal.note("\(reason)") }))
        let line = try desk.connectedLine()
        switch way {
        case "1": try line.say("1")
        case "WebSocket close": try line.receive(clientClose())
        case "end of input": line.receiveEndOfInput()
        case "lost": line.drop()
        default: line.channel.pipeline.fireErrorCaught(ChannelError.connectTimeout(.seconds(1)))
        }
        desk.loop.run()
        #expect(journal.lines == [reason])
        #expect(desk.hub.connectionCount == 0)
        if way == "1" {
            #expect(try line.heard() == ["<close 1000>"])
            try line.receive(clientClose())
        }
        #expect(!line.isOpen)
        #expect(journal.lines == [reason])
    }
}
