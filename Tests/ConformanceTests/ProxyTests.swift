import TestSupport
import Testing
import WireJSON

/// What a reverse proxy makes of it: connections that carry the requests of any client, one after the other.
@Suite("Behind HAProxy", .blocks)
struct ProxyTests {
    @Test("a session by any transport")
    func sessions() throws {
        try withProxiedFixture { fixture in
            for transport in Transport.allCases {
                let session = try fixture.entered(transport)
                try session.send([#"451-["message",{"_placeholder":true,"num":0}]"#, .binary([1, 2, 3])])
                #expect(try session.next() == #"451-["message-back",{"_placeholder":true,"num":0}]"#)
                #expect(try session.next() == .binary([1, 2, 3]))
                try session.send("1")
                try session.end()
            }
            try fixture.waitForCount("no session left") { $0.sessions == 0 }
        }
    }

    @Test("an upgrade comes in on a connection that has carried other clients' requests")
    func reusedConnection() throws {
        try withProxiedFixture { fixture in
            for number in 0..<20 {
                // The requests before have left the proxy one connection, and it uses that.
                let stranger = try PollingPeer(fixture)
                _ = try stranger.post("1")
                let accepted = try fixture.count().accepted
                let session = try PollingPeer(fixture)
                let socket = try session.webSocket()
                #expect(try fixture.count().accepted == accepted)
                try socket.send("2probe")
                #expect(try socket.next() == "3probe")
                try socket.send("5", "40", "42[\"message\",\(number)]")
                #expect(try socket.text().hasPrefix("40{"))
                #expect(try socket.text() == #"42["auth",{}]"#)
                #expect(try socket.text() == "42[\"message-back\",\(number)]")
            }
        }
    }

    @Test("a WebSocket at once comes in on a connection that has carried other clients' requests")
    func webSocketOnReusedConnection() throws {
        try withProxiedFixture { fixture in
            for _ in 0..<20 {
                _ = try PollingPeer(fixture)
                let accepted = try fixture.count().accepted
                let session = try fixture.entered(.webSocket)
                #expect(try fixture.count().accepted == accepted)
                try session.send(#"42["message",1]"#)
                #expect(try session.text() == #"42["message-back",1]"#)
            }
        }
    }

    @Test("refusals leave the connection to the proxy for others")
    func refusals() throws {
        try withProxiedFixture { fixture in
            let first = try PollingPeer(fixture)
            let accepted = try fixture.count().accepted
            for _ in 0..<20 {
                #expect(try fixture.ask("EIO=4&transport=abc").status == 400)
                #expect(throws: WebSocketPeer.Refused.self) {
                    try fixture.webSocket("EIO=4&transport=websocket&sid=unknown")
                }
                #expect(try fixture.ask("POST", first.query, body: "6").body == "ok")
            }
            // A refused upgrade may cost its connection, an ordinary refusal never.
            #expect(try fixture.count().accepted <= accepted + 20)
        }
    }

    @Test("of thousands of messages each way during the upgrade none is lost, doubled or out of order")
    func underLoad() throws {
        try withProxiedFixture { fixture in
            let client = try UpgradingClient(fixture, messages: 5_000, upgradeAfter: 1_000, random: Seeded(7))
            try client.run()
            #expect(client.echoes == Array(0..<5_000))
            #expect(client.numbers == Array(0..<5_000))
        }
    }

    @Test(
        "python-socketio's client, by all transports", arguments: StockClient.Transports.allCases,
        ["echo", "namespaces", "many"])
    func stock(transports: StockClient.Transports, scenario: String) throws {
        try withProxiedFixture { fixture in
            let report = try StockClient.run(scenario, port: fixture.port, transports, options: ["count": 2_000])
            #expect(report["transport"] == transports.last)
            for what in ["message", "acknowledgement", "question", "answer", "echoes", "numbers"] {
                #expect(report[what] ?? true == true, "\(what)")
            }
        }
    }
}
