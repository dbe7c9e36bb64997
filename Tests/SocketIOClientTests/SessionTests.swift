import EngineIO
import NIOCore
import NIOEmbedded
import SocketIO
import Testing
import WebSocketLink
import WireJSON

@testable import SocketIOClient

@Suite("Client session")
struct SessionTests {
    @Test("CONNECT follows the handshake, with auth and namespace")
    func connectPacket() throws {
        let plain = try SessionHarness()
        #expect(try plain.sent().isEmpty)
        try plain.receive(ScriptedServer.handshake)
        #expect(try plain.sent() == ["40"])

        let configuration = SocketIOClientConfiguration(host: "h", port: 1).with {
            $0.namespace = "/chat"
            $0.auth = ["token": "t"]
        }
        let named = try SessionHarness(configuration)
        try named.receive(ScriptedServer.handshake)
        #expect(try named.sent() == [#"40/chat,{"token":"t"}"#])
        try named.receive(#"40{"sid":"other namespace"}"#)
        #expect(named.outcomes.isEmpty)
        try named.receive(#"40/chat,{"sid":"s"}"#)
        #expect(try named.outcomes.first?.get().sid == "s")
        #expect(named.session.handshake?.sid == "engine")
    }

    @Test("each ping is answered with a pong of the same payload")
    func pings() throws {
        let harness = try SessionHarness()
        try harness.join()
        try harness.receive("2", "2probe")
        #expect(try harness.sent() == ["3", "3probe"])
    }

    @Test("a server that pings and doesn't read is owed one pong")
    func pingFlood() throws {
        let harness = try SessionHarness()
        try harness.join()
        harness.channel.isWritable = false
        for number in 0..<1_000 {
            try harness.receive("2\(number)")
        }
        #expect(try harness.sent().isEmpty)
        harness.channel.isWritable = true
        harness.channel.pipeline.fireChannelWritabilityChanged()
        #expect(try harness.sent() == ["3999"])
    }

    @Test("with as many unread elements as allowed nothing more is handled")
    func pause() async throws {
        let configuration = SocketIOClientConfiguration(host: "h", port: 1).with { $0.maximumUnreadElements = 3 }
        let harness = try SessionHarness(configuration)
        try harness.join()
        try harness.receive(#"42["a"]"#, #"42["b"]"#, "2", #"42["c"]"#, "2", #"42["d"]"#)
        #expect(harness.session.isPaused)
        // The pings tell how far it came.
        #expect(try harness.sent() == ["3"])
        _ = try harness.channel.finish()
        #expect(
            await harness.incoming()
                == ["a()", "b()", "c()", "d()", "disconnected: The connection ended without a closing handshake."])
    }

    @Test("a server that pings in time is waited for, one that doesn't is given up")
    func missingPing() async throws {
        let harness = try SessionHarness()
        try harness.join(pingInterval: 1_000, pingTimeout: 500)
        for _ in 0..<20 {
            harness.advance(.milliseconds(1_400))
            try harness.receive("2")
            #expect(try harness.sent() == ["3"])
        }
        harness.advance(.milliseconds(1_499))
        #expect(try harness.sent().isEmpty)
        harness.advance(.milliseconds(2))
        #expect(try harness.sent() == ["close"])
        #expect(await harness.incoming() == ["disconnected: The server fell silent."])
    }

    @Test("while the owner doesn't read, the server's silence isn't held against it")
    func missingPingWhilePaused() throws {
        let configuration = SocketIOClientConfiguration(host: "h", port: 1).with { $0.maximumUnreadElements = 2 }
        let harness = try SessionHarness(configuration)
        try harness.join(pingInterval: 1_000, pingTimeout: 500)
        try harness.receive(#"42["a"]"#, #"42["b"]"#, #"42["c"]"#, "2")
        harness.advance(.seconds(100))
        #expect(try harness.sent().isEmpty)
        #expect(harness.channel.isActive)
    }

    @Test("an acknowledgement that comes too late, or that nobody asked for, changes nothing")
    func lateAcknowledgement() async throws {
        let harness = try SessionHarness()
        try harness.join()
        let promise = harness.channel.eventLoop.makePromise(of: SocketIOAcknowledgement.self)
        let id = harness.namespace.emit("a", [], [], timeout: .seconds(3), promise: promise)
        #expect(try harness.sent() == [#"420["a"]"#])
        #expect(id == 0)
        harness.advance(.seconds(4))
        #expect(throws: SocketIOEmitError.timedOut) { try promise.futureResult.wait() }
        try harness.receive(#"430["late"]"#, #"4399["never asked"]"#, #"42["next"]"#, "41")
        #expect(
            await harness.incoming() == ["next()", "disconnected: The server disconnected this client."])
    }

    @Test("what breaks the protocol ends the session with what it was")
    func violations() async throws {
        let cases: [([String], String)] = [
            (["9"], "no packet type"), ([""], "empty"), (["42{}"], "payload"), (["42[\"a\""], "malformed"),
            (["430"], "payload"), ([ScriptedServer.handshake], "second Engine.IO handshake"),
            ([#"40{"sid":"again"}"#], "second answer"),
            (["451-[\"a\",{\"_placeholder\":true,\"num\":0}]", "42[\"b\"]"], "attachment"),
        ]
        for (texts, part) in cases {
            let harness = try SessionHarness()
            try harness.join()
            for text in texts {
                try harness.receive(text)
            }
            #expect(try harness.sent() == ["close"], "\(texts)")
            let incoming = await harness.incoming()
            #expect(incoming.count == 1)
            #expect(incoming.first?.contains("broke the protocol") == true)
            #expect(incoming.first?.localizedLowercaseContains(part) == true, "\(incoming)")
        }
    }

    @Test("what breaks the protocol before the namespace is granted fails the attempt")
    func earlyViolations() throws {
        let cases: [[String]] = [
            ["9"], ["40{}"], ["0{}"], [ScriptedServer.handshake, "40{}"], [ScriptedServer.handshake, #"42["a"]"#],
            [ScriptedServer.handshake, "41"],
        ]
        for texts in cases {
            let harness = try SessionHarness()
            for text in texts {
                try harness.receive(text)
            }
            #expect(harness.outcomes.count == 1, "\(texts)")
            guard case .failure(.protocolViolation)? = harness.outcomes.first else {
                Issue.record("\(texts) gave \(harness.outcomes)")
                continue
            }
        }
    }

    @Test("the server's refusal carries its message and data, the older form too")
    func connectErrors() throws {
        let cases: [(String, SocketIOConnectError)] = [
            (#"44{"message":"no","data":{"code":7}}"#, .rejected(message: "no", data: ["code": 7])),
            (#"44{"message":"no"}"#, .rejected(message: "no", data: nil)),
            (#"44"no""#, .rejected(message: "no", data: nil)),
        ]
        for (text, error) in cases {
            let harness = try SessionHarness()
            try harness.receive(ScriptedServer.handshake, text)
            #expect(throws: error) { try harness.outcomes.first?.get() }
            #expect(harness.outcomes.count == 1)
        }
    }

    @Test("Engine.IO's own close ends the session")
    func engineClose() async throws {
        let harness = try SessionHarness()
        try harness.join()
        try harness.receive("1")
        #expect(await harness.incoming() == ["disconnected: The server closed the Engine.IO session."])
    }

    @Test("a session that ended holds on to nothing, whatever is unread")
    func release() throws {
        weak var session: SocketIOSession?
        do {
            let harness = try SessionHarness()
            session = harness.session
            try harness.join()
            try harness.receive(#"421["ask"]"#)
            _ = try harness.channel.finish()
        }
        #expect(session == nil)
    }
}

extension String {
    fileprivate func localizedLowercaseContains(_ part: String) -> Bool {
        lowercased().contains(part.lowercased())
    }
}
