import TestSupport
import Testing
import WireJSON

@Suite("The handshake", .blocks)
struct HandshakeTests {
    @Test("a GET opens a session, and is told its id, what it may upgrade to, and its terms")
    func polling() throws {
        try withFixture("--ping-interval", "30000", "--ping-timeout", "20000") { fixture in
            let answer = try fixture.ask("EIO=4&transport=polling")
            #expect(answer.status == 200)
            #expect(answer.header("content-type")?.hasPrefix("text/plain") == true)
            let terms = try #require(try terms(answer.body))
            #expect(terms["upgrades"] == ["websocket"])
            #expect(try fixture.count().sessions == 1)
        }
    }

    @Test("a WebSocket opens a session, and is told that there is nothing to upgrade to")
    func webSocket() throws {
        try withFixture("--ping-interval", "30000", "--ping-timeout", "20000") { fixture in
            let socket = try fixture.webSocket()
            let terms = try #require(try terms(try socket.text()))
            #expect(terms["upgrades"] == [])
            #expect(try fixture.count().sessions == 1)
        }
    }

    /// An open packet's payload, where it has the right members.
    private func terms(_ packet: String) throws -> JSONObject? {
        #expect(packet.hasPrefix("0"))
        let payload = try JSON(parsing: packet.dropFirst()).objectValue
        let terms = try #require(payload)
        #expect(Set(terms.keys) == ["sid", "upgrades", "pingInterval", "pingTimeout", "maxPayload"])
        #expect(terms["sid"]?.stringValue?.isEmpty == false)
        #expect(terms["pingInterval"] == 30_000)
        #expect(terms["pingTimeout"] == 20_000)
        #expect(terms["maxPayload"] == 1_000_000)
        return terms
    }

    @Test("sessions have ids of their own")
    func ids() throws {
        try withFixture { fixture in
            let ids = try (0..<20).map { _ in try PollingPeer(fixture).sid }
            #expect(Set(ids).count == 20)
        }
    }

    /// What is asked, and the code that it is refused with.
    static let refused: [(method: String, query: String, code: JSON)] = [
        ("GET", "transport=polling", 5), ("GET", "EIO=&transport=polling", 5), ("GET", "EIO=abc&transport=polling", 5),
        ("GET", "EIO=3&transport=polling", 5), ("GET", "EIO=5&transport=polling", 5),
        ("GET", "EIO=4", 0), ("GET", "EIO=4&transport=", 0), ("GET", "EIO=4&transport=abc", 0),
        ("POST", "EIO=4&transport=polling", 2), ("PUT", "EIO=4&transport=polling", 2),
        ("DELETE", "EIO=4&transport=polling", 2), ("GET", "EIO=4&transport=websocket", 3),
    ]

    @Test(
        "what is no handshake is refused with 400, a code and a sentence; the connection can be used on",
        arguments: refused)
    func refusals(method: String, query: String, code: JSON) throws {
        try withFixture { fixture in
            let http = try fixture.http()
            for _ in 0..<2 {
                let answer = try http.ask(method, fixture.target(query), body: method == "GET" ? nil : "")
                #expect(answer.status == 400)
                let refusal = try JSON(parsing: answer.body)
                #expect(refusal["code"] == code)
                #expect(refusal["message"]?.stringValue?.isEmpty == false)
            }
            #expect(try http.ask("GET", fixture.target("EIO=4&transport=polling")).status == 200)
        }
    }

    @Test(
        "a WebSocket that asks for another protocol or transport is refused before it is one",
        arguments: [
            "transport=websocket", "EIO=abc&transport=websocket", "EIO=3&transport=websocket", "EIO=4",
            "EIO=4&transport=abc", "EIO=4&transport=polling", "EIO=4&transport=websocket&sid=unknown",
        ])
    func refusedWebSockets(query: String) throws {
        try withFixture { fixture in
            let refusal = #expect(throws: WebSocketPeer.Refused.self) { try fixture.webSocket(query) }
            #expect(refusal?.answer.status == 400)
            let count = try fixture.count()
            #expect(count.sessions == 0)
        }
    }

    @Test("the path may be another, and what lies outside it is the application's")
    func path() throws {
        try withFixture(path: "/elsewhere/") { fixture in
            let inside = try fixture.ask("EIO=4&transport=polling")
            #expect(inside.status == 200)
            let outside = try fixture.http().ask("GET", "/socket.io/?EIO=4&transport=polling")
            #expect(outside.status == 404)
        }
    }
}
