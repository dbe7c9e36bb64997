import EngineIO
import TestSupport
import Testing
import WireJSON

@Suite struct EngineRequestTests {
    private func request(
        _ method: String,
        _ target: String,
        _ transports: Set<EngineTransport> = [.polling, .websocket],
        isUpgrade: Bool? = nil
    ) throws(EngineError) -> EngineRequest {
        try EngineRequest(method: method, target: target, supportedTransports: transports, isUpgrade: isUpgrade)
    }

    @Test("the purpose follows from method, transport and session")
    func purposes() throws {
        let handshake = try request("GET", "/socket.io/?EIO=4&transport=polling&t=N8hyd6w")
        #expect(handshake.purpose == .handshake)
        #expect(handshake.transport == .polling)
        #expect(handshake.path == "/socket.io/")
        #expect(handshake.sid == nil)
        #expect(handshake.version == 4)
        #expect(handshake.query["t"] == "N8hyd6w")

        let direct = try request("GET", "/engine.io/?EIO=4&transport=websocket")
        #expect(direct.purpose == .handshake)
        #expect(direct.transport == .websocket)

        #expect(try request("GET", "/?EIO=4&transport=polling&sid=abc").purpose == .poll(sid: "abc"))
        #expect(try request("POST", "/?EIO=4&transport=polling&sid=abc").purpose == .deliver(sid: "abc"))
        let upgrade = try request("GET", "/?EIO=4&transport=websocket&sid=abc")
        #expect(upgrade.purpose == .upgrade(sid: "abc"))
        #expect(upgrade.sid == "abc")
    }

    @Test(
        "a request is refused with the reference's error, in the reference's order",
        arguments: [
            ("GET", "/socket.io/", .unknownTransport),
            ("GET", "/socket.io/?", .unknownTransport),
            ("GET", "", .unknownTransport),
            ("GET", "/?EIO=4", .unknownTransport),
            ("GET", "/?EIO=4&transport=", .unknownTransport),
            ("GET", "/?EIO=4&transport=tobi", .unknownTransport),
            ("GET", "/?EIO=4&transport=Polling", .unknownTransport),
            ("GET", "/?EIO=4&transport=constructor", .unknownTransport),
            ("POST", "/?EIO=3&transport=webtransport", .unknownTransport),
            ("POST", "/?EIO=4&transport=polling", .badHandshakeMethod),
            ("OPTIONS", "/?EIO=3&transport=polling", .badHandshakeMethod),
            ("get", "/?EIO=4&transport=polling", .badHandshakeMethod),
            ("POST", "/?EIO=4&transport=polling&sid=", .badHandshakeMethod),
            ("GET", "/?transport=polling", .unsupportedProtocolVersion),
            ("GET", "/?EIO=3&transport=polling", .unsupportedProtocolVersion),
            ("GET", "/?EIO=3&transport=websocket", .unsupportedProtocolVersion),
            ("GET", "/?EIO=5&transport=polling", .unsupportedProtocolVersion),
            ("GET", "/?EIO=04&transport=polling", .unsupportedProtocolVersion),
            ("GET", "/?EIO=abc&transport=polling", .unsupportedProtocolVersion),
            ("PUT", "/?EIO=4&transport=polling&sid=abc", .badRequest),
            ("DELETE", "/?EIO=4&transport=polling&sid=abc", .badRequest),
            ("POST", "/?EIO=4&transport=websocket&sid=abc", .badRequest),
        ] as [(String, String, EngineError)]
    )
    func refuses(method: String, target: String, error: EngineError) {
        #expect(throws: error) { try request(method, target) }
    }

    @Test("a transport that the server does not offer is unknown")
    func supportedTransports() throws {
        #expect(throws: EngineError.unknownTransport) { try request("GET", "/?EIO=4&transport=websocket", [.polling]) }
        #expect(throws: EngineError.unknownTransport) { try request("GET", "/?EIO=4&transport=polling", [.websocket]) }
        #expect(throws: EngineError.unknownTransport) { try request("GET", "/?EIO=4&transport=polling", []) }
        #expect(throws: Never.self) { try request("GET", "/?EIO=4&transport=polling", [.polling]) }
    }

    @Test("a WebSocket without an upgrade, and polling with one, is a bad request where that is judged")
    func upgradeMismatch() {
        #expect(throws: EngineError.badRequest) { try request("GET", "/?EIO=3&transport=websocket", isUpgrade: false) }
        #expect(throws: EngineError.badRequest) {
            try request("GET", "/?EIO=4&transport=websocket&sid=a", isUpgrade: false)
        }
        #expect(throws: EngineError.badRequest) { try request("GET", "/?EIO=4&transport=polling", isUpgrade: true) }
        #expect(throws: Never.self) { try request("GET", "/?EIO=4&transport=websocket", isUpgrade: true) }
    }

    @Test("a request within a session is not judged by its revision")
    func revisionWithinSession() throws {
        #expect(try request("GET", "/?transport=polling&sid=abc").version == nil)
        #expect(try request("GET", "/?EIO=3&transport=polling&sid=abc").version == 3)
    }

    @Test(
        "a query is decoded as forms encode it",
        arguments: [
            ("a=1&b=2", [("a", "1"), ("b", "2")]),
            ("a=1&a=2", [("a", "1"), ("a", "2")]),
            ("a", [("a", "")]),
            ("a=", [("a", "")]),
            ("=b", [("", "b")]),
            ("a=b=c", [("a", "b=c")]),
            ("&&a=1&", [("a", "1")]),
            ("a%20b=c+d", [("a b", "c d")]),
            ("a=%C3%A9%2b%26%3D", [("a", "é+&=")]),
            ("a=100%", [("a", "100%")]),
            ("a=%4", [("a", "%4")]),
            ("a=%zz%41", [("a", "%zzA")]),
            ("a=%FFb", [("a", "\u{FFFD}b")]),
            ("é=ö", [("é", "ö")]),
            ("", []),
        ] as [(String, [(String, String)])]
    )
    func query(text: String, items: [(String, String)]) {
        #expect(EngineQuery(text).items == items.map { EngineQuery.Item(name: $0.0, value: $0.1) })
    }

    @Test("of a parameter given twice the last one counts, and an encoded one counts too")
    func parameters() throws {
        #expect(try request("GET", "/?transport=x&transport=polling&EIO=3&EIO=4").purpose == .handshake)
        #expect(try request("GET", "/a%20b?%74ransport=%70olling&sid=a%2Fb").sid == "a/b")
        #expect(try request("GET", "/a%20b?transport=polling&EIO=4").path == "/a%20b")
        #expect(try request("GET", "/?transport=polling&EIO=4&x=?&y=1").query["x"] == "?")
        #expect(EngineQuery("a=1")["b"] == nil)
    }

    @Test(
        "hostile targets are each read or refused, and the parameters of any query are written and read again",
        .computes)
    func hostileTargets() {
        var random = Seeded(0x7A26)
        let samples = [
            "/socket.io/?EIO=4&transport=polling&t=N8hyd6w&sid=lv_VI97HAXpY6yYWAAAC",
            "/engine.io/?EIO=4&transport=websocket&x=%C3%A9+b",
        ].map { Array($0.utf8) }
        let alphabet = Array("/?&=%+EIO4transportpollingwebsocketsid".utf8)
        var read = 0
        for _ in 0..<HostileInputs.perDecoder {
            let target = String(decoding: random.hostileBytes(like: samples, alphabet: alphabet), as: UTF8.self)
            guard let request = try? request(random.below(2) == 0 ? "GET" : "POST", target) else { continue }
            read += 1
            guard read % 8 == 0 else { continue }
            let again = EngineQuery(
                request.query.items.map { "\(encoded($0.name))=\(encoded($0.value))" }.joined(separator: "&"))
            if again != request.query { Issue.record("\(target) was read as \(request.query), and that as \(again)") }
        }
        #expect(read > HostileInputs.perDecoder / 200)
    }

    private func encoded(_ text: String) -> String {
        let digits = Array("0123456789ABCDEF")
        return text.utf8.map { "%\(digits[Int($0 >> 4)])\(digits[Int($0 & 15)])" }.joined()
    }
}

@Suite struct EngineErrorTests {
    @Test(
        "an error is answered as the reference answers it",
        arguments: [
            (.unknownTransport, 400, #"{"code":0,"message":"Transport unknown"}"#),
            (.unknownSession, 400, #"{"code":1,"message":"Session ID unknown"}"#),
            (.badHandshakeMethod, 400, #"{"code":2,"message":"Bad handshake method"}"#),
            (.badRequest, 400, #"{"code":3,"message":"Bad request"}"#),
            (.forbidden, 403, #"{"code":4,"message":"Forbidden"}"#),
            (.forbidden.saying("Not from there"), 403, #"{"code":4,"message":"Not from there"}"#),
            (.unsupportedProtocolVersion, 400, #"{"code":5,"message":"Unsupported protocol version"}"#),
        ] as [(EngineError, Int, String)]
    )
    func answers(error: EngineError, status: Int, body: String) {
        #expect(error.status == status)
        #expect(error.body.description == body)
    }
}
