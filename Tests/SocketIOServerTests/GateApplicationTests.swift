import NIOCore
import NIOEmbedded
import NIOHTTP1
import Testing

@testable import SocketIOServer

@Suite("The gate, and the application behind it")
struct GateApplicationTests {
    private let ordinary = request("GET /a HTTP/1.1", "Host: example.org")

    @Test("the application is installed with its first request, and sees every one whole")
    func forwarding() throws {
        let application = FakeHTTPApplication()
        let line = try Desk().line(application: application)
        #expect(application.seen.isEmpty)
        try line.receive(request("POST /a HTTP/1.1", "Content-Length: 4") + "body" + request("GET /b HTTP/1.1"))
        #expect(application.seen == ["installed", "POST /a", "body body", "end", "GET /b", "end"])
        #expect(try line.sentText() == ordinaryAnswer() + ordinaryAnswer())
        #expect(line.decisions == [.application])
        line.drop()
        #expect(application.seen.last == "inactive")
        #expect(line.decisions == [.application])
    }

    @Test("pipelined requests are answered in their order, whoever answers them")
    func pipelining() throws {
        let application = FakeHTTPApplication()
        application.answersAtOnce = false
        let line = try Desk().line(application: application)
        try line.receive(
            request("GET /socket.io/ HTTP/1.1") + request("GET /a HTTP/1.1") + request("GET /socket.io/ HTTP/1.1")
                + request("GET /b HTTP/1.1"))
        let refusal =
            request("HTTP/1.1 400 Bad Request", "Content-Type: application/json", "Content-Length: 40")
            + #"{"code":0,"message":"Transport unknown"}"#
        #expect(try line.sentText() == refusal)
        #expect(application.seen == ["installed", "GET /a", "end"])
        application.answer("a")
        #expect(try line.sentText() == ordinaryAnswer("a") + refusal)
        #expect(application.seen.suffix(2) == ["GET /b", "end"])
        application.answer("b")
        #expect(try line.sentText() == ordinaryAnswer("b"))
    }

    @Test("an application that can't be installed costs the connection")
    func failingInstallation() throws {
        let line = try Desk().line()
        try line.receive(ordinary)
        #expect(!line.isOpen)
        #expect(try line.sent().isEmpty)
        #expect(line.decisions == [.none])
    }

    @Test("the application's own request has the application's time")
    func slowUpload() throws {
        let desk = Desk()
        let application = FakeHTTPApplication()
        let line = try desk.line(application: application)
        try line.receive(request("POST /a HTTP/1.1", "Content-Length: 8") + "slow")
        desk.loop.advanceTime(by: .seconds(60))
        try line.receive("body")
        #expect(try line.sentText() == ordinaryAnswer())
    }

    @Test("the application hears of errors, ends and quiescing as if there were no gate")
    func events() throws {
        let application = FakeHTTPApplication()
        application.answersAtOnce = false
        let line = try Desk().line(application: application)
        try line.receive(ordinary)
        line.receiveEndOfInput()
        #expect(line.isOpen)
        #expect(
            application.seen.last == "event ChannelEvent.inputClosed" || application.seen.last == "event inputClosed")
        application.answer("late")
        #expect(try line.sentText() == ordinaryAnswer("late"))

        let other = FakeHTTPApplication()
        let broken = try Desk().line(application: other)
        try broken.receive(ordinary)
        _ = try broken.sent()
        try broken.receive("garbage\r\n\r\n")
        #expect(other.seen.last == "error invalid HTTP method")
    }

    // MARK: Upgrades that are not ours

    @Test(
        "a request for another upgrade is the application's, and the connection ends with its answer",
        arguments: [
            "Upgrade: h2c\r\nConnection: Upgrade, HTTP2-Settings",
            "Upgrade: websocket\r\nConnection: keep-alive, upgrade",
        ])
    func foreignUpgrade(_ headers: String) throws {
        let application = FakeHTTPApplication()
        application.answersAtOnce = false
        let line = try Desk().line(application: application)
        try line.receive(request("GET /chat HTTP/1.1", headers) + "leftover bytes\r\n\r\n")
        #expect(application.seen == ["installed", "GET /chat", "end"])
        #expect(line.isOpen)
        application.answer("no")
        #expect(try line.sentText() == ordinaryAnswer("no", closes: true))
        #expect(!line.isOpen)
    }

    @Test("a CONNECT request is the application's, and the connection ends with its answer")
    func connectMethod() throws {
        let application = FakeHTTPApplication()
        let line = try Desk().line(application: application)
        try line.receive(request("CONNECT example.org:443 HTTP/1.1") + "bytes for a tunnel")
        #expect(application.seen.prefix(3) == ["installed", "CONNECT example.org:443", "end"])
        #expect(try line.sentText() == ordinaryAnswer(closes: true))
        #expect(!line.isOpen)
    }

    // MARK: Upgrades on kept-alive connections

    @Test("a connection that carried ordinary requests becomes a WebSocket, bytes behind the request included")
    func keptAliveUpgrade() throws {
        let application = FakeHTTPApplication()
        let desk = Desk()
        let line = try desk.line(application: application)
        try line.receive(ordinary)
        #expect(try line.sentText() == ordinaryAnswer())
        try line.receive(Array(webSocketRequest().utf8) + clientText("40"))
        let bytes = try line.sent()
        #expect(bytes.starts(with: Array(switchingProtocols.utf8)))
        let heard = messages(in: bytes.dropFirst(switchingProtocols.utf8.count))
        #expect(heard.map(kind) == ["open", "connected"])
        #expect(line.decisions == [.application])
        #expect(desk.hub.connectionCount == 1)
    }

    @Test("an upgrade pipelined behind an ordinary request waits for that one's answer")
    func pipelinedUpgrade() throws {
        let application = FakeHTTPApplication()
        application.answersAtOnce = false
        let line = try Desk().line(application: application)
        try line.receive(Array((ordinary + webSocketRequest()).utf8) + clientText("40"))
        #expect(try line.sent().isEmpty)
        application.answer("first")
        let bytes = try line.sent()
        let expected = Array((ordinaryAnswer("first") + switchingProtocols).utf8)
        #expect(bytes.starts(with: expected))
        let heard = messages(in: bytes.dropFirst(expected.count))
        #expect(heard.map(kind) == ["open", "connected"])
    }

    @Test("an application that was left behind can neither write to the WebSocket nor close it")
    func applicationLeftBehind() throws {
        let application = FakeHTTPApplication()
        let desk = Desk()
        let line = try desk.line(application: application)
        try line.receive(ordinary)
        _ = try line.sent()
        try line.upgrade()
        let context = try #require(application.context)
        application.answer("too late")
        context.close(mode: .output, promise: nil)
        context.close(mode: .input, promise: nil)
        context.close(promise: nil)
        #expect(line.isOpen)
        try line.say("40")
        let heard = try line.heard()
        #expect(heard.count == 1 && heard[0].hasPrefix("40{"))

        // Whoever holds the channel ends everything.
        let seen = application.seen
        line.channel.close(promise: nil)
        desk.loop.run()
        #expect(!line.isOpen)
        #expect(desk.hub.connectionCount == 0)
        #expect(application.seen == seen + ["inactive"])
    }

    @Test("an application that was left behind hears nothing but the connection's end")
    func silenceBehindTheGate() throws {
        let application = FakeHTTPApplication()
        let desk = Desk()
        let line = try desk.line(application: application)
        try line.receive(ordinary)
        _ = try line.sent()
        let seen = application.seen
        try line.upgrade()
        try line.say("40", #"42["a"]"#)
        line.channel.pipeline.fireUserInboundEventTriggered(ChannelShouldQuiesceEvent())
        desk.loop.run()
        #expect(try line.heard().last == "<close 1001 server shutting down>")
        #expect(application.seen == seen)
        try line.receive(clientClose(1001))
        #expect(!line.isOpen)
        #expect(application.seen == seen + ["inactive"])
    }

    @Test("a session whose client had ended its input before the upgrade ends at once")
    func halfClosedBeforeTheUpgrade() throws {
        let application = FakeHTTPApplication()
        application.answersAtOnce = false
        let desk = Desk()
        let line = try desk.line(application: application)
        try line.receive(ordinary + webSocketRequest())
        line.receiveEndOfInput()
        #expect(line.isOpen)
        application.answer("first")
        desk.loop.run()
        #expect(!line.isOpen)
        #expect(desk.hub.connectionCount == 0)
    }
}
