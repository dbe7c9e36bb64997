import EngineIO
import NIOCore
import NIOEmbedded
import NIOHTTP1
import Testing
import WebSocketLink

@testable import SocketIOServer

@Suite("The gate, and what is asked of the Socket.IO path")
struct GateRequestTests {
    private static let open =
        #"","upgrades":[],"pingInterval":25000,"pingTimeout":20000,"maxPayload":1000000}"#

    @Test("a WebSocket handshake is answered with 101 and the open packet")
    func handshake() throws {
        let line = try Desk().line()
        try line.receive(webSocketRequest())
        let bytes = try line.sent()
        #expect(bytes.starts(with: Array(switchingProtocols.utf8)))
        let packet = try #require(messages(in: bytes.dropFirst(switchingProtocols.utf8.count)).first)
        let id = try sid(in: packet)
        #expect(packet == #"0{"sid":"\#(id)\#(Self.open)"#)
        #expect(id.utf8.count == 28)
        #expect(line.decisions == [.none])
    }

    @Test("of the pipeline of a connection that began as a WebSocket, nothing is left but the WebSocket")
    func leanPipeline() throws {
        let line = try Desk().connectedLine()
        let pipeline = line.channel.pipeline.syncOperations
        #expect(throws: Never.self) { try pipeline.handler(type: WebSocketConnection.self) }
        #expect(throws: ChannelPipelineError.self) { try pipeline.handler(type: HTTPGate.self) }
        #expect(throws: ChannelPipelineError.self) { try pipeline.handler(type: DecoderFarewell.self) }
        #expect(throws: ChannelPipelineError.self) { try pipeline.handler(type: HTTPServerPipelineHandler.self) }
        #expect(throws: ChannelPipelineError.self) { try pipeline.handler(type: HTTPResponseEncoder.self) }
        #expect(throws: ChannelPipelineError.self) {
            try pipeline.handler(type: ByteToMessageHandler<HTTPRequestDecoder>.self)
        }
    }

    @Test("request and first packets are understood at every split point")
    func splitPoints() throws {
        let stream = Array(webSocketRequest().utf8) + clientText("40") + clientText(#"420["e","a"]"#)
        let desk = Desk()
        for split in 0...stream.count {
            let line = try desk.line()
            try line.receive(Array(stream[..<split]))
            try line.receive(Array(stream[split...]))
            let bytes = try line.sent()
            let heard = messages(in: bytes.dropFirst(switchingProtocols.utf8.count))
            #expect(heard.map(kind) == ["open", "connected", #"430["a"]"#], "\(split): \(heard)")
        }
    }

    @Test("bytes right behind the request are the first frames, control frames among them")
    func bytesBehindTheRequest() throws {
        let line = try Desk().line()
        try line.receive(Array(webSocketRequest().utf8) + clientPing("early") + clientText("40"))
        let heard = messages(in: try line.sent().dropFirst(switchingProtocols.utf8.count))
        // A pong is not in the order of messages.
        #expect(heard.map(kind).filter { $0 != "<pong early>" } == ["open", "connected"])
        #expect(heard.count == 3)
    }

    @Test("the path is the server's with and without its last slash, and nothing else is")
    func paths() throws {
        let desk = Desk()
        for target in [
            "/socket.io/?EIO=4&transport=websocket", "/socket.io?EIO=4&transport=websocket",
            "/socket.io/?transport=websocket&EIO=4&t=abc&other=%2F",
        ] {
            let line = try desk.line()
            try line.receive(webSocketRequest(target: target))
            #expect(try line.sentText().hasPrefix("HTTP/1.1 101 "))
        }
        for target in ["/", "/socket.io/x?EIO=4", "/socket.iox", "/socket.i", "/x/socket.io/", "*"] {
            let application = FakeHTTPApplication()
            let line = try desk.line(application: application)
            try line.receive(request("OPTIONS \(target) HTTP/1.1", "Host: example.org"))
            #expect(application.seen == ["installed", "OPTIONS \(target)", "end"])
            #expect(try line.sentText() == ordinaryAnswer())
        }
    }

    struct Refusal: Sendable, CustomTestStringConvertible {
        var lines: [String]
        var status: String
        var body: String
        var extra: [String] = []
        var closes = false
        var testDescription: String { lines.joined(separator: " | ") }
    }

    private static let unknownTransport = #"{"code":0,"message":"Transport unknown"}"#
    private static let upgradeLines = [
        "Upgrade: websocket", "Connection: Upgrade", "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
    ]

    static let refusals: [Refusal] = [
        Refusal(
            lines: ["GET /socket.io/?EIO=4&transport=carrier-pigeon HTTP/1.1"], status: "400 Bad Request",
            body: unknownTransport),
        Refusal(lines: ["GET /socket.io/ HTTP/1.1"], status: "400 Bad Request", body: unknownTransport),
        Refusal(
            lines: ["OPTIONS /socket.io/?EIO=4&transport=websocket HTTP/1.1"], status: "400 Bad Request",
            body: #"{"code":2,"message":"Bad handshake method"}"#),
        Refusal(
            lines: ["GET /socket.io/?EIO=4&transport=websocket HTTP/1.1"], status: "400 Bad Request",
            body: #"{"code":3,"message":"Bad request"}"#),
        Refusal(
            lines: ["GET /socket.io/?EIO=4&transport=websocket HTTP/1.1", "Connection: close"],
            status: "400 Bad Request", body: #"{"code":3,"message":"Bad request"}"#, closes: true),
        Refusal(
            lines: ["GET /socket.io/?EIO=3&transport=websocket HTTP/1.1"] + upgradeLines
                + ["Sec-WebSocket-Version: 13"],
            status: "400 Bad Request", body: #"{"code":5,"message":"Unsupported protocol version"}"#, closes: true),
        Refusal(
            lines: ["GET /socket.io/?EIO=4&transport=websocket&sid=x HTTP/1.1"] + upgradeLines
                + ["Sec-WebSocket-Version: 13"],
            status: "400 Bad Request", body: #"{"code":1,"message":"Session ID unknown"}"#, closes: true),
        Refusal(
            lines: ["GET /socket.io/?EIO=4&transport=websocket HTTP/1.1"] + upgradeLines
                + ["Sec-WebSocket-Version: 12"],
            status: "426 Upgrade Required",
            body: #"{"code":3,"message":"Only version 13 of the WebSocket protocol is spoken here."}"#,
            extra: ["Sec-WebSocket-Version: 13"], closes: true),
        Refusal(
            lines: [
                "GET /socket.io/?EIO=4&transport=websocket HTTP/1.1", "Upgrade: h2c", "Connection: Upgrade",
            ],
            status: "400 Bad Request", body: #"{"code":3,"message":"The Upgrade header does not name websocket."}"#,
            closes: true),
        Refusal(
            lines: [
                "GET /socket.io/?EIO=4&transport=websocket HTTP/1.1", "Upgrade: websocket", "Connection: Upgrade",
                "Sec-WebSocket-Key: short", "Sec-WebSocket-Version: 13",
            ],
            status: "400 Bad Request", body: #"{"code":3,"message":"Sec-WebSocket-Key is not 16 bytes in base64."}"#,
            closes: true),
        Refusal(
            lines: ["POST /socket.io/?EIO=4&transport=polling HTTP/1.1", "Content-Length: 5\r\n\r\nhello"],
            status: "400 Bad Request", body: #"{"code":2,"message":"Bad handshake method"}"#),
    ]

    @Test("what can't be a session is refused in words that clients know", arguments: refusals)
    func refusal(_ refusal: Refusal) throws {
        let line = try Desk().line()
        let text = refusal.lines.joined(separator: "\r\n")
        try line.receive(text.hasSuffix("hello") ? text : text + "\r\n\r\n")
        var head = ["HTTP/1.1 \(refusal.status)"] + refusal.extra
        head += ["Content-Type: application/json", "Content-Length: \(refusal.body.utf8.count)"]
        if refusal.closes { head.append("Connection: close") }
        #expect(try line.sentText() == head.joined(separator: "\r\n") + "\r\n\r\n" + refusal.body)
        #expect(line.isOpen == !refusal.closes)
    }

    @Test("a HEAD request is answered without a body, so that the next answer is where the client looks for it")
    func head() throws {
        let line = try Desk().line()
        try line.receive(request("HEAD /socket.io/?EIO=4&transport=polling HTTP/1.1"))
        #expect(
            try line.sentText()
                == request(
                    "HTTP/1.1 400 Bad Request", "Content-Type: application/json", "Content-Length: 43"))
        try line.receive(webSocketRequest())
        #expect(try line.sentText().hasPrefix(switchingProtocols))
    }

    @Test("the application's refusal is the answer, and it sees target, headers and address")
    func forbidden() throws {
        let journal = Journal()
        let application = Application(onAdmit: { request throws(EngineError) in
            journal.note("\(request.address) \(request.headers["origin"].first ?? "-")")
            if request.headers["origin"] == ["https://evil.example"] { throw .forbidden }
        })
        let desk = Desk(application)
        let refused = try desk.line()
        try refused.receive(webSocketRequest(extra: "Origin: https://evil.example"))
        let body = #"{"code":4,"message":"Forbidden"}"#
        #expect(
            try refused.sentText()
                == request(
                    "HTTP/1.1 403 Forbidden", "Content-Type: application/json", "Content-Length: \(body.utf8.count)",
                    "Connection: close") + body)
        #expect(!refused.isOpen)
        let admitted = try desk.line()
        try admitted.receive(webSocketRequest())
        #expect(try admitted.sentText().hasPrefix(switchingProtocols))
        #expect(journal.lines == ["192.0.2.7:4711 https://evil.example", "192.0.2.7:4711 -"])
        #expect(desk.hub.connectionCount == 1)
    }

    @Test("what is no HTTP is answered with 400 once, and the connection ends")
    func badHTTP() throws {
        let body = #"{"error":"bad_request","message":"This is not a valid HTTP/1.1 request."}"#
        let answer =
            request(
                "HTTP/1.1 400 Bad Request", "Content-Type: application/json", "Content-Length: \(body.utf8.count)",
                "Connection: close") + body
        for input in [
            "\u{16}\u{3}\u{1}garbage", "GET / SPDY/9\r\n\r\n", "GET / HTTP/2.0\r\n\r\n", "BREW / HTTP/1.1\r\n\r\n",
        ] {
            let line = try Desk().line()
            try line.receive(input)
            #expect(try line.sentText() == answer, "\(input)")
            #expect(!line.isOpen)
            #expect(line.decisions == [.none])
        }
    }

    @Test("nothing is answered behind an answer that closes the connection")
    func nothingAfterTheEnd() throws {
        let body = #"{"code":0,"message":"Transport unknown"}"#
        let answer =
            request(
                "HTTP/1.1 400 Bad Request", "Content-Type: application/json", "Content-Length: \(body.utf8.count)",
                "Connection: close") + body
        for behind in [
            "GET /socket.io/ HTTP/1.1\r\n\r\n", "garbage\r\n\r\n", webSocketRequest(), "GET / HTTP/1.1\r\n\r\n",
        ] {
            let application = FakeHTTPApplication()
            let desk = Desk()
            let line = try desk.line(application: application)
            try line.receive(request("GET /socket.io/ HTTP/1.1", "Connection: close") + behind)
            #expect(try line.sentText() == answer, "\(behind)")
            #expect(!line.isOpen)
            #expect(application.seen.isEmpty)
            #expect(desk.hub.connectionCount == 0)
        }
    }

    @Test("a request whose upgrade only the gate would see ends the connection, and nothing worse")
    func upgradeThatTheDecoderMissed() throws {
        // A tab behind the token: RFC 9110 allows it, the decoder takes the request for an ordinary one and goes on
        // reading requests behind it.
        for behind in ["", "GET / HTTP/1.1\r\n\r\n", webSocketRequest()] {
            let application = FakeHTTPApplication()
            let desk = Desk()
            let line = try desk.line(application: application)
            let tabbed = webSocketRequest().replacing("Connection: Upgrade", with: "Connection: Upgrade\t")
            try? line.receive(tabbed + behind)
            #expect(!application.seen.contains("GET /"))

            // The same behind a request whose answer is late: all of it is delivered at once then.
            let late = FakeHTTPApplication()
            late.answersAtOnce = false
            let other = try desk.line(application: late)
            try? other.receive(request("GET /late HTTP/1.1", "Host: example.org") + tabbed + behind)
            late.answer("late")
            let answers = String(decoding: try other.sent().prefix { $0 != 0x81 }, as: UTF8.self)
            #expect(answers == ordinaryAnswer("late") + switchingProtocols)
            #expect(late.seen == ["installed", "GET /late", "end"])
            line.drop()
            other.drop()
            #expect(desk.hub.connectionCount == 0)
        }
    }

    // MARK: Time

    @Test(
        "a connection that brings no whole request in time is closed",
        arguments: [
            "", "GET / HT", "GET /socket.io/ HTTP/1.1\r\nHost: a",
            "POST /socket.io/ HTTP/1.1\r\nContent-Length: 9\r\n\r\nhalf",
        ])
    func requestTimeout(_ input: String) throws {
        let desk = Desk()
        let line = try desk.line()
        try line.receive(input)
        desk.loop.advanceTime(by: .milliseconds(9_999))
        #expect(line.isOpen)
        desk.loop.advanceTime(by: .milliseconds(1))
        #expect(!line.isOpen)
        #expect(line.decisions == [.none])
    }

    @Test("between requests that the gate answers itself, the time runs anew")
    func requestTimeoutAgain() throws {
        let desk = Desk()
        let line = try desk.line()
        for _ in 0..<3 {
            desk.loop.advanceTime(by: .seconds(9))
            try line.receive(request("GET /socket.io/ HTTP/1.1"))
            #expect(try line.sentText().hasPrefix("HTTP/1.1 400 "))
        }
        desk.loop.advanceTime(by: .milliseconds(9_999))
        #expect(line.isOpen)
        desk.loop.advanceTime(by: .milliseconds(1))
        #expect(!line.isOpen)
    }

    @Test("a session is not subject to the time that requests have")
    func sessionOutlivesRequestTimeout() throws {
        let desk = Desk()
        let line = try desk.connectedLine()
        desk.loop.advanceTime(by: .seconds(20))
        #expect(line.isOpen)
    }

    // MARK: Ends

    @Test("a connection whose input ends before it asked for anything is closed")
    func halfClosedBeforeARequest() throws {
        let line = try Desk().line()
        line.receiveEndOfInput()
        #expect(!line.isOpen)
        #expect(line.decisions == [.none])
        let answered = try Desk().line()
        try answered.receive(request("GET /socket.io/ HTTP/1.1"))
        answered.receiveEndOfInput()
        #expect(!answered.isOpen)
    }

    @Test("a transport's error before any request closes the connection")
    func errorBeforeARequest() throws {
        struct Broken: Error {}
        let line = try Desk().line(application: FakeHTTPApplication())
        line.channel.pipeline.fireErrorCaught(Broken())
        line.loop.run()
        #expect(!line.isOpen)
        #expect(try line.sent().isEmpty)
        #expect(line.decisions == [.none])
    }

    @Test("a connection that waits for a request is closed when the process stops")
    func quiescing() throws {
        let line = try Desk().line()
        line.channel.pipeline.fireUserInboundEventTriggered(ChannelShouldQuiesceEvent())
        line.loop.run()
        #expect(!line.isOpen)
    }

    @Test("a session can't begin on an event loop that is not of the server's group")
    func foreignLoop() throws {
        let server = Desk().server
        let line = try Line(server: server, loop: .init(), application: nil)
        try line.receive(webSocketRequest())
        #expect(!line.isOpen)
    }
}
