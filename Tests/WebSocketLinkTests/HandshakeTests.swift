import Testing

@testable import WebSocketLink

@Suite("Opening handshake")
struct HandshakeTests {
    private let request = [
        "upgrade": ["websocket"], "connection": ["keep-alive, Upgrade"], "sec-websocket-version": ["13"],
        "sec-websocket-key": ["dGhlIHNhbXBsZSBub25jZQ=="],
    ]

    private func validate(
        _ method: String = "GET",
        _ version: (Int, Int) = (1, 1),
        changing changes: [String: [String]] = [:]
    ) throws -> String {
        let headers = request.merging(changes) { $1 }
        return try WebSocketHandshake.validateRequest(method: method, httpMajor: version.0, httpMinor: version.1) {
            headers[$0] ?? []
        }
    }

    @Test("the accept key is that of RFC 6455 section 1.3")
    func acceptKey() {
        #expect(WebSocketHandshake.acceptKey(for: "dGhlIHNhbXBsZSBub25jZQ==") == "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=")
    }

    @Test("a valid request gives its key, whatever the case and the spacing")
    func validRequest() throws {
        #expect(try validate() == "dGhlIHNhbXBsZSBub25jZQ==")
        #expect(
            try validate(changing: [
                "upgrade": ["h2c, WebSocket"], "connection": ["close", " UPGRADE\t"], "sec-websocket-version": [" 13 "],
                "sec-websocket-key": [" dGhlIHNhbXBsZSBub25jZQ== "],
            ]) == "dGhlIHNhbXBsZSBub25jZQ==")
    }

    @Test("each fault of a request has its name and status")
    func invalidRequests() {
        #expect(throws: WebSocketHandshake.RequestError.methodNotGET) { try validate("POST") }
        #expect(throws: WebSocketHandshake.RequestError.notHTTP11) { try validate("GET", (1, 0)) }
        #expect(throws: WebSocketHandshake.RequestError.notHTTP11) { try validate("GET", (2, 0)) }
        let faults: [(String, [String], WebSocketHandshake.RequestError)] = [
            ("upgrade", [], .upgradeMissing), ("upgrade", ["websockets"], .upgradeMissing),
            ("connection", ["keep-alive"], .connectionMissing), ("connection", ["no-upgrade"], .connectionMissing),
            ("sec-websocket-version", [], .versionUnsupported), ("sec-websocket-version", ["8"], .versionUnsupported),
            ("sec-websocket-version", ["13", "13"], .versionUnsupported),
            ("sec-websocket-key", [], .keyInvalid), ("sec-websocket-key", ["abc"], .keyInvalid),
            ("sec-websocket-key", ["dGhlIHNhbXBsZSBub25jZQ=="] + ["dGhlIHNhbXBsZSBub25jZQ=="], .keyInvalid),
            ("sec-websocket-key", ["dGhlIHNhbXBsZSBub25jZQ@="], .keyInvalid),
            ("sec-websocket-key", ["dGhlIHNhbXBsZSBub25jZXg="], .keyInvalid),
            ("sec-websocket-key", ["dGhlIHNh\u{E9}XBsZSBub25jZQ=="], .keyInvalid),
        ]
        for (name, values, error) in faults {
            #expect(throws: error) { try validate(changing: [name: values]) }
        }
        #expect(WebSocketHandshake.RequestError.versionUnsupported.status == 426)
        #expect(WebSocketHandshake.RequestError.keyInvalid.status == 400)
        #expect(WebSocketHandshake.RequestError.methodNotGET.status == 405)
    }

    @Test("keys made here are valid and differ")
    func randomKey() throws {
        let keys = Set((0..<50).map { _ in WebSocketHandshake.randomKey() })
        #expect(keys.count == 50)
        for key in keys {
            #expect(try validate(changing: ["sec-websocket-key": [key]]) == key)
        }
    }

    @Test("an answer is accepted only with the right status, headers and key")
    func responses() throws {
        let valid = [
            "upgrade": ["WebSocket"], "connection": ["Upgrade"],
            "sec-websocket-accept": ["s3pPLMBiTxaQ9kYGzzhZRbK+xOo="],
        ]
        func check(_ status: Int = 101, _ changes: [String: [String]] = [:]) throws {
            let headers = valid.merging(changes) { $1 }
            try WebSocketHandshake.validateResponse(status: status, key: "dGhlIHNhbXBsZSBub25jZQ==") {
                headers[$0] ?? []
            }
        }
        try check()
        #expect(throws: WebSocketHandshake.ResponseError.statusNot101(200)) { try check(200) }
        let faults: [(String, [String], WebSocketHandshake.ResponseError)] = [
            ("upgrade", [], .upgradeMissing), ("connection", ["close"], .connectionMissing),
            ("sec-websocket-accept", [], .acceptMismatch),
            ("sec-websocket-accept", ["S3pPLMBiTxaQ9kYGzzhZRbK+xOo="], .acceptMismatch),
            ("sec-websocket-extensions", ["permessage-deflate"], .extensionNotOffered),
            ("sec-websocket-protocol", ["chat"], .protocolNotOffered),
        ]
        for (name, values, error) in faults {
            #expect(throws: error) { try check(101, [name: values]) }
        }
    }
}
