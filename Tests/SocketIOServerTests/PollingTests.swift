import EngineIO
import NIOCore
import NIOEmbedded
import NIOHTTP1
import Testing
import WireJSON

@testable import SocketIOServer

private let unknown = #"{"code":1,"message":"Session ID unknown"}"#
private let bad = #"{"code":3,"message":"Bad request"}"#

@Suite("Polling")
struct PollingTests {
    @Test("the handshake is answered with the open packet, which offers the upgrade")
    func handshake() throws {
        let desk = Desk()
        let line = try desk.line()
        try line.receive(request("GET /socket.io/?EIO=4&transport=polling&t=abc HTTP/1.1"))
        let answer = try Answer(line.sentText())
        #expect(answer.status == "200 OK")
        #expect(answer.head.contains("Content-Type: text/plain; charset=UTF-8"))
        #expect(answer.head.contains("Cache-Control: no-store"))
        let json = try JSON(parsing: answer.body.dropFirst().utf8)
        #expect(answer.body.first == "0")
        #expect(json["upgrades"] == ["websocket"])
        #expect(json["maxPayload"] == 1_000_000)
        #expect(line.isOpen)
        #expect(desk.hub.connectionCount == 1)
    }

    @Test("a server without WebSockets offers no upgrade, and one without polling refuses it")
    func transports() throws {
        let polling = try Desk { $0.transports = [.polling] }.line()
        try polling.receive(request("GET /socket.io/?EIO=4&transport=polling HTTP/1.1"))
        #expect(try Answer(polling.sentText()).body.contains(#""upgrades":[]"#))
        let sockets = try Desk { $0.transports = [.websocket] }.line()
        try sockets.receive(request("GET /socket.io/?EIO=4&transport=polling HTTP/1.1"))
        #expect(try Answer(sockets.sentText()).body == #"{"code":0,"message":"Transport unknown"}"#)
    }

    @Test("events go both ways, several in one body, and an acknowledgement comes back")
    func events() throws {
        let desk = Desk()
        let poller = try Poller(desk)
        try poller.connect()
        let poll = try poller.poll()
        #expect(try poll.sentText().isEmpty)
        let post = try poller.post("427[\"a\",1]\u{1e}428[\"b\",\"\\u001e\"]")
        #expect(try Answer(post.sentText()).body == "ok")
        #expect(try Answer(poll.sentText()).body == "437[1]\u{1e}438[\"\\u001e\"]")
    }

    @Test("what one turn of the loop sends leaves in one body")
    func joined() throws {
        let desk = Desk(
            Application(onConnect: { socket, _ in
                await socket.onLoop { socket in
                    socket.accept()
                    for number in 0..<3 { socket.emit("n", [.integer(Int64(number))]) }
                }
            }))
        let poller = try Poller(desk)
        _ = try poller.post("40")
        let body = try Answer(poller.poll().sentText()).body
        #expect(body.hasSuffix("}\u{1e}42[\"n\",0]\u{1e}42[\"n\",1]\u{1e}42[\"n\",2]"))
    }

    @Test("an answer has no more packets than every client takes, and nothing is lost or reordered between two")
    func manyPackets() throws {
        let sockets = Shared<[Socket]>([])
        let desk = Desk(Application(onConnect: { socket, _ in sockets.change { $0.append(socket) } }))
        let poller = try Poller(desk)
        try poller.connect()
        let batch = OutboundBatch((0..<40).map { OutboundEvent("b", [.integer(Int64($0))]) })
        for number in 0..<20 { sockets.value[0].emit("n", [.integer(Int64(number))]) }
        sockets.value[0].send(batch)
        sockets.value[0].emit("last", [])
        var heard: [String] = []
        for _ in 0..<4 {
            let packets = try Answer(poller.poll().sentText()).body.split(separator: "\u{1e}").map(String.init)
            #expect(packets.count <= 16)
            heard += packets
        }
        let expected =
            (0..<20).map { "42[\"n\",\($0)]" } + (0..<40).map { "42[\"b\",\($0)]" } + ["42[\"last\"]"]
        #expect(heard == expected)
        #expect(try poller.poll().sentText().isEmpty)
    }

    @Test("attachments travel as base64, both ways")
    func binary() throws {
        let poller = try Poller(
            Desk(
                Application(onEvent: { event, socket in
                    await socket.onLoop {
                        $0.emit("back", event.arguments, attachments: event.attachments)
                    }
                    return []
                })))
        try poller.connect()
        let sent = #"451-["m",{"_placeholder":true,"num":0}]"# + "\u{1e}bAQIDBA=="
        #expect(try Answer(poller.post(sent).sentText()).body == "ok")
        let back = #"451-["back",{"_placeholder":true,"num":0}]"# + "\u{1e}bAQIDBA=="
        #expect(try Answer(poller.poll().sentText()).body == back)
    }

    @Test("a second poll ends the session: the first is told so, and the second is refused")
    func duplicatePoll() throws {
        let desk = Desk()
        let poller = try Poller(desk)
        let first = try poller.poll()
        let second = try poller.poll()
        #expect(try Answer(first.sentText()).body == "1")
        #expect(try Answer(second.sentText()).status == "400 Bad Request")
        #expect(try Answer(poller.poll().sentText()).body == unknown)
        #expect(desk.hub.connectionCount == 0)
    }

    @Test("a poll whose connection is lost ends the session", arguments: [true, false])
    func abandonedPoll(byHalfClosing: Bool) throws {
        let desk = Desk()
        let poller = try Poller(desk)
        let poll = try poller.poll()
        if byHalfClosing { poll.receiveEndOfInput() } else { poll.drop() }
        #expect(try Answer(poller.poll().sentText()).body == unknown)
        #expect(desk.hub.connectionCount == 0)
    }

    @Test(
        "a body that is no payload ends the session",
        arguments: ["abc", "", "4\u{1e}\u{1e}4", "bA", "2", "0{}", "4garbage", "451-[\"e\"]"])
    func badBody(_ body: String) throws {
        let desk = Desk()
        let poller = try Poller(desk)
        let post = try poller.post(body)
        #expect(try Answer(post.sentText()).body == bad)
        #expect(try Answer(poller.poll().sentText()).body == unknown)
        #expect(desk.hub.connectionCount == 0)
    }

    @Test("a client that closes gets its poll back, and then is unknown")
    func clientCloses() throws {
        let journal = Journal()
        let desk = Desk(Application(onDisconnect: { journal.note("\($1)") }))
        let poller = try Poller(desk)
        try poller.connect()
        let poll = try poller.poll()
        #expect(try Answer(poller.post("1").sentText()).body == "ok")
        #expect(try Answer(poll.sentText()).body == "6")
        #expect(try Answer(poller.poll().sentText()).body == unknown)
        #expect(journal.lines == ["transport close"])
    }

    @Test("what a server says last reaches a client that polls once more")
    func farewell() throws {
        let desk = Desk(
            Application(onEvent: { _, socket in
                await socket.onLoop { socket in
                    socket.emit("bye", [])
                    socket.disconnect(close: true)
                }
                return []
            }))
        let poller = try Poller(desk)
        try poller.connect()
        #expect(try Answer(poller.post("42[\"quit\"]").sentText()).body == "ok")
        #expect(desk.hub.connectionCount == 0)
        #expect(try Answer(poller.poll().sentText()).body == "42[\"bye\"]\u{1e}1")
        #expect(try Answer(poller.poll().sentText()).body == unknown)
    }

    @Test(
        "many last words come in several answers, of no more packets than every client takes", arguments: [true, false])
    func longFarewell(pollWaits: Bool) throws {
        let desk = Desk(
            Application(onEvent: { _, socket in
                await socket.onLoop { socket in
                    for number in 0..<40 { socket.emit("n", [.integer(Int64(number))]) }
                    socket.disconnect(close: true)
                }
                return []
            }))
        let poller = try Poller(desk)
        try poller.connect()
        var answers: [String] = []
        let waiting = pollWaits ? try poller.poll() : nil
        _ = try poller.post("42[\"quit\"]")
        if let waiting { answers.append(try Answer(waiting.sentText()).body) }
        while answers.count < 3 { answers.append(try Answer(poller.poll().sentText()).body) }
        let packets = answers.map { $0.split(separator: "\u{1e}").map(String.init) }
        #expect(packets.allSatisfy { $0.count <= 16 })
        #expect(packets.flatMap { $0 } == (0..<40).map { "42[\"n\",\($0)]" } + ["1"])
        #expect(try Answer(poller.poll().sentText()).body == unknown)
    }

    @Test("the last words are for whoever comes with the session's own credentials")
    func farewellCredentials() throws {
        let desk = Desk(
            Application(onEvent: { _, socket in
                await socket.onLoop { socket in
                    socket.emit("secret", [])
                    socket.disconnect(close: true)
                }
                return []
            }))
        let poller = try Poller(desk, extra: "Cookie: token=a")
        try poller.connect()
        _ = try poller.post("42[\"quit\"]")
        #expect(try Answer(poller.poll().sentText()).body == unknown)
        #expect(try Answer(poller.poll("Cookie: token=b").sentText()).body == unknown)
        #expect(try Answer(poller.poll("Cookie: token=a").sentText()).body == "42[\"secret\"]\u{1e}1")
    }

    @Test("a poll that its own client's close has overtaken is let go like one that waited")
    func overtakenByClose() throws {
        let desk = Desk()
        let poller = try Poller(desk)
        #expect(try Answer(poller.post("1").sentText()).body == "ok")
        #expect(desk.hub.connectionCount == 0)
        #expect(try Answer(poller.poll().sentText()).body == "6")
        #expect(try Answer(poller.poll().sentText()).body == unknown)
    }

    @Test("the last words of a server are not kept for ever")
    func farewellEnds() throws {
        let desk = Desk(
            Application(onEvent: { _, socket in
                await socket.onLoop { $0.disconnect(close: true) }
                return []
            }))
        let poller = try Poller(desk)
        try poller.connect()
        _ = try poller.post("42[\"quit\"]")
        desk.loop.advanceTime(by: .seconds(11))
        #expect(try Answer(poller.poll().sentText()).body == unknown)
    }

    @Test("pings come by polls and are answered by posts; silence ends the session")
    func heartbeat() throws {
        let desk = Desk()
        let poller = try Poller(desk)
        try poller.connect()
        for _ in 0..<3 {
            let poll = try poller.poll()
            desk.loop.advanceTime(by: .seconds(25))
            #expect(try Answer(poll.sentText()).body == "2")
            #expect(try Answer(poller.post("3").sentText()).body == "ok")
        }
        desk.loop.advanceTime(by: .seconds(45))
        #expect(try Answer(poller.poll().sentText()).body == unknown)
    }

    @Test("a body that is too long is refused before it is read, and the session lives on")
    func tooLong() throws {
        let poller = try Poller(Desk { $0.maximumPayload = 1_000 })
        try poller.connect()
        let line = try poller.desk.line()
        try line.receive("POST \(poller.target) HTTP/1.1\r\nContent-Length: 1001\r\n\r\n")
        #expect(try Answer(line.sentText()).status == "413 Payload Too Large")
        let chunked = try poller.desk.line()
        try chunked.receive("POST \(poller.target) HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n")
        for _ in 0..<3 { try chunked.receive("190\r\n" + String(repeating: "x", count: 400) + "\r\n") }
        #expect(try Answer(chunked.sentText()).status == "413 Payload Too Large")
        #expect(try Answer(poller.post("420[\"a\"]").sentText()).body == "ok")
        #expect(try Answer(poller.poll().sentText()).body == "430[]")
    }

    @Test("a body that takes too long ends its connection, not the session")
    func slowBody() throws {
        let poller = try Poller(Desk())
        try poller.connect()
        let line = try poller.desk.line()
        try line.receive("POST \(poller.target) HTTP/1.1\r\nContent-Length: 100\r\n\r\n")
        for _ in 0..<3 {
            poller.desk.loop.advanceTime(by: .seconds(3))
            try line.receive("4")
        }
        poller.desk.loop.advanceTime(by: .seconds(3))
        #expect(!line.isOpen)
        #expect(try Answer(poller.post("420[\"a\"]").sentText()).body == "ok")
    }

    @Test("a client that asks faster than it is answered has its next request wait")
    func backlog() async throws {
        let latch = Latch()
        let desk = Desk(
            Application(onEvent: { _, _ in
                await latch.wait()
                return []
            })
        ) { $0.maximumPendingEvents = 4 }
        let poller = try Poller(desk)
        try poller.connect()
        let post = try poller.post(Array(repeating: "42[\"a\"]", count: 6).joined(separator: "\u{1e}"))
        #expect(try post.sentText().isEmpty)
        // A client that does not wait for its answer breaks the protocol.
        let second = try poller.post("42[\"a\"]")
        #expect(try Answer(second.sentText()).body == bad)
        #expect(try Answer(post.sentText()).body == bad)
        #expect(desk.hub.connectionCount == 0)
        latch.open()
        try await eventually("the handler ends") {
            desk.loop.run()
            return latch.waitingCount == 0
        }
    }

    @Test("pages of listed origins may read what polling answers, and no others")
    func crossOrigin() throws {
        let desk = Desk { $0.allowedOrigins = ["https://app.example.org"] }
        let line = try desk.line()
        try line.receive(
            request("GET /socket.io/?EIO=4&transport=polling HTTP/1.1", "Origin: https://app.example.org"))
        var head = try Answer(line.sentText()).head
        #expect(head.contains("Access-Control-Allow-Origin: https://app.example.org"))
        #expect(head.contains("Access-Control-Allow-Credentials: true"))
        #expect(head.contains("Vary: Origin"))
        try line.receive(request("GET /socket.io/?EIO=4&transport=nothing HTTP/1.1", "Origin: https://app.example.org"))
        head = try Answer(line.sentText()).head
        #expect(head.contains("Access-Control-Allow-Origin: https://app.example.org"))
        try line.receive(request("GET /socket.io/?EIO=4&transport=polling HTTP/1.1", "Origin: https://evil.example"))
        head = try Answer(line.sentText()).head
        #expect(!head.contains("Access-Control"))
        #expect(head.contains("Vary: Origin"))
    }

    @Test("a browser's question before a request is answered for listed origins")
    func preflight() throws {
        let line = try Desk { $0.allowedOrigins = ["https://app.example.org"] }.line()
        let ask = { (origin: String) in
            request(
                "OPTIONS /socket.io/?EIO=4&transport=polling HTTP/1.1", "Origin: \(origin)",
                "Access-Control-Request-Method: POST", "Access-Control-Request-Headers: authorization")
        }
        try line.receive(ask("https://app.example.org"))
        let answer = try Answer(line.sentText())
        #expect(answer.status == "204 No Content")
        #expect(answer.head.contains("Access-Control-Allow-Methods: GET, POST"))
        #expect(answer.head.contains("Access-Control-Allow-Headers: authorization"))
        try line.receive(ask("https://evil.example"))
        #expect(try Answer(line.sentText()).status == "400 Bad Request")
    }

    @Test("an application can bind a session to more than its id")
    func admission() throws {
        let desk = Desk(
            Application(onAdmitLater: { request, session throws(EngineError) in
                guard request.headers["cookie"] == session.headers["cookie"] else { throw .forbidden }
            }))
        let poller = try Poller(desk, extra: "Cookie: a=1")
        let foreign = try poller.poll("Cookie: a=2")
        #expect(try Answer(foreign.sentText()).status == "403 Forbidden")
        #expect(try Answer(poller.poll().sentText()).body == #"{"code":4,"message":"Forbidden"}"#)
        let own = try poller.poll("Cookie: a=1")
        #expect(try own.sentText().isEmpty)
    }

    @Test("the server's stop answers polls and ends sessions that have no connection at the moment")
    func shutdown() async throws {
        let journal = Journal()
        let desk = Desk(Application(onDisconnect: { journal.note("\($1)") }))
        let poller = try Poller(desk)
        try poller.connect()
        let other = try Poller(desk)
        try other.connect()
        let poll = try poller.poll()
        desk.hub.endSessions()
        #expect(try Answer(poll.sentText()).body == "1")
        #expect(desk.hub.connectionCount == 0)
        #expect(journal.lines == ["server shutting down", "server shutting down"])
    }
}

@Suite("Moving from polling to a WebSocket")
struct UpgradeTests {
    @Test("the probe is answered, a poll is let go, and then the WebSocket carries the session")
    func upgrade() throws {
        let desk = Desk()
        let poller = try Poller(desk)
        try poller.connect()
        let poll = try poller.poll()
        let line = try poller.webSocket()
        #expect(try line.sentText().hasPrefix(switchingProtocols))
        try line.say("2probe")
        #expect(try line.heard() == ["3probe"])
        desk.loop.advanceTime(by: .milliseconds(10))
        #expect(try Answer(poll.sentText()).body == "6")
        try line.say("5")
        try line.say("420[\"a\",true]")
        #expect(try line.heard() == ["430[true]"])
        #expect(desk.hub.connectionCount == 1)
        #expect(try Answer(poller.poll().sentText()).body == bad)
        #expect(try Answer(poller.post("42[\"a\"]").sentText()).body == bad)
        let second = try poller.webSocket()
        #expect(try second.sentText().hasPrefix(switchingProtocols))
        desk.loop.advanceTime(by: .seconds(3))
        #expect(!second.isOpen)
        try line.say("421[\"a\"]")
        #expect(try line.heard() == ["431[]"])
    }

    @Test("a poll that overtakes the packet which completes the move is refused")
    func overtaken() throws {
        let desk = Desk()
        let poller = try Poller(desk)
        let line = try poller.webSocket()
        _ = try line.sentText()
        try line.say("2probe")
        let poll = try poller.poll()
        #expect(try poll.sentText().isEmpty)
        try line.say("5")
        #expect(try Answer(poll.sentText()).body == bad)
        try line.say("40")
        #expect(try line.heard().last?.hasPrefix(#"40{"sid":""#) == true)
    }

    @Test("what is sent between the last poll and the move arrives by the WebSocket, once and in order")
    func inBetween() throws {
        let sockets = Shared<[Socket]>([])
        let desk = Desk(
            Application(onConnect: { socket, _ in sockets.change { $0.append(socket) } }))
        let poller = try Poller(desk)
        try poller.connect()
        let socket = try #require(sockets.value.first)
        let line = try poller.webSocket()
        _ = try line.sentText()
        try line.say("2probe")
        #expect(try line.heard() == ["3probe"])
        for number in 0..<100 { socket.emit("n", [.integer(Int64(number))]) }
        #expect(try line.heard().isEmpty)
        try line.say("5")
        #expect(try line.heard() == (0..<100).map { "42[\"n\",\($0)]" })
    }

    @Test("what waits when a probe is under way still leaves by a poll")
    func pollWhileProbing() throws {
        let sockets = Shared<[Socket]>([])
        let desk = Desk(
            Application(onConnect: { socket, _ in sockets.change { $0.append(socket) } }))
        let poller = try Poller(desk)
        try poller.connect()
        let line = try poller.webSocket()
        try line.say("2probe")
        sockets.value[0].emit("n", [])
        #expect(try Answer(poller.poll().sentText()).body == "42[\"n\"]")
    }

    @Test(
        "a WebSocket that says something else is closed, and polling goes on",
        arguments: ["40", "5", "2", "2probe2", "3probe", "x"])
    func noProbe(_ text: String) throws {
        let desk = Desk()
        let poller = try Poller(desk)
        try poller.connect()
        let line = try poller.webSocket()
        _ = try line.sentText()
        try line.say(text)
        desk.loop.advanceTime(by: .seconds(3))
        #expect(!line.isOpen)
        #expect(try Answer(poller.post("420[\"a\"]").sentText()).body == "ok")
        #expect(try Answer(poller.poll().sentText()).body == "430[]")
        // Another one may try.
        let next = try poller.webSocket()
        _ = try next.sentText()
        try next.say("2probe", "5")
        #expect(try next.heard() == ["3probe"])
    }

    @Test("a WebSocket that is lost while it probes leaves polling as it was")
    func lostProbe() throws {
        let desk = Desk()
        let poller = try Poller(desk)
        try poller.connect()
        let line = try poller.webSocket()
        try line.say("2probe")
        line.drop()
        let poll = try poller.poll()
        desk.loop.advanceTime(by: .seconds(1))
        #expect(try poll.sentText().isEmpty)
        let next = try poller.webSocket()
        _ = try next.sentText()
        try next.say("2probe")
        #expect(try next.heard() == ["3probe"])
    }

    @Test("a move that is not completed in time is given up")
    func timeout() throws {
        let desk = Desk()
        let poller = try Poller(desk)
        try poller.connect()
        let line = try poller.webSocket()
        try line.say("2probe")
        desk.loop.advanceTime(by: .seconds(13))
        #expect(!line.isOpen)
        #expect(desk.hub.connectionCount == 1)
    }

    @Test("of two WebSockets that probe, one takes over")
    func rivals() throws {
        let desk = Desk()
        let poller = try Poller(desk)
        let first = try poller.webSocket()
        let second = try poller.webSocket()
        _ = try (first.sentText(), second.sentText())
        try first.say("2probe")
        try second.say("2probe")
        #expect(try first.heard() == ["3probe"])
        #expect(try second.heard().allSatisfy { $0 != "3probe" })
        desk.loop.advanceTime(by: .seconds(3))
        #expect(!second.isOpen)
        try first.say("5", "40")
        #expect(try first.heard().count == 1)
    }

    @Test("a session that ends while a WebSocket probes takes that along")
    func endsWhileProbing() throws {
        let desk = Desk()
        let poller = try Poller(desk)
        let line = try poller.webSocket()
        try line.say("2probe")
        _ = try poller.post("1")
        desk.loop.advanceTime(by: .seconds(3))
        #expect(!line.isOpen)
        #expect(desk.hub.connectionCount == 0)
    }

    @Test("an upgrade of a session that is not there is refused before the handshake")
    func unknownSession() throws {
        let line = try Desk().line()
        try line.receive(
            webSocketRequest(target: "/socket.io/?EIO=4&transport=websocket&sid=AAAAAAAAAAAAAAAAAAAA0"))
        #expect(try Answer(line.sentText()).body == unknown)
        for sid in ["x", "AAAAAAAAAAAAAAAAAAAA0", String(repeating: "A", count: 28), "%00%C3%A9"] {
            let line = try Desk().line()
            try line.receive(request("GET /socket.io/?EIO=4&transport=polling&sid=\(sid) HTTP/1.1"))
            #expect(try Answer(line.sentText()).body == unknown)
        }
    }

    @Test("the id of a session that is over is unknown, as is a session's id on another server")
    func staleSession() throws {
        let desk = Desk()
        let poller = try Poller(desk)
        let elsewhere = try Desk().line()
        try elsewhere.receive(request("GET \(poller.target) HTTP/1.1"))
        #expect(try Answer(elsewhere.sentText()).body == unknown)
        try #require(try Answer(poller.post("1").sentText()).body == "ok")
        #expect(try Answer(poller.poll().sentText()).body == "6")
        #expect(try Answer(poller.poll().sentText()).body == unknown)
        #expect(try Answer(poller.webSocket().sentText()).body == unknown)
    }
}
