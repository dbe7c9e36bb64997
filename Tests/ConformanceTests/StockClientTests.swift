import Glibc
import TestSupport
import Testing
import WireJSON

@Suite("python-socketio's client", .blocks)
struct StockClientTests {
    typealias Transports = StockClient.Transports

    @Test("events, attachments and acknowledgements go both ways", arguments: Transports.allCases)
    func echo(transports: Transports) throws {
        try withFixture { fixture in
            let report = try StockClient.run("echo", port: fixture.port, transports)
            #expect(report["auth"] == ["/", "auth", ["token": "123"]])
            for what in ["message", "acknowledgement", "question", "answer", "sid"] {
                #expect(report[what] == true, "\(what)")
            }
            #expect(report["transport"] == transports.last)
        }
    }

    @Test("several namespaces share the connection, and are left one by one", arguments: Transports.allCases)
    func namespaces(transports: Transports) throws {
        try withFixture { fixture in
            let report = try StockClient.run("namespaces", port: fixture.port, transports)
            let heard: JSON = [
                ["/", "auth", ["token": "abc"]], ["/", "message-back", "main"],
                ["/custom", "auth", ["token": "abc"]], ["/custom", "message-back", "custom"],
            ]
            #expect(report["heard"] == heard)
            #expect(report["sids"] == 2)
            #expect(report["gone"]?[0]?[0] == "/custom")
            #expect(report["still"] == ["/", "message-back", "still here"])
            #expect(report["transport"] == transports.last)
        }
    }

    @Test("refusals reach the namespaces that they are for, and no other", arguments: Transports.allCases)
    func refused(transports: Transports) throws {
        try withFixture { fixture in
            let report = try StockClient.run("refused", port: fixture.port, transports)
            let heard: JSON = [
                ["/", "auth", [:]], ["/nowhere", "connect_error", ["message": "Invalid namespace"]],
                ["/refused", "connect_error", ["message": "Not for you", "data": ["code": 7]]],
            ]
            #expect(report["heard"] == heard)
            #expect(report["still"] == ["/", "message-back", "still here"])
            #expect(report["transport"] == transports.last)
        }
    }

    @Test("messages of 900 kB pass whole, each way", arguments: Transports.allCases)
    func big(transports: Transports) throws {
        try withFixture { fixture in
            // In one POST stand the text and, in base64, the attachment.
            let polled: JSON = ["size": 400_000, "characters": 360_000]
            let framed: JSON = ["size": 900_000, "characters": 900_000]
            let options = transports == .polling ? polled : framed
            let report = try StockClient.run("big", port: fixture.port, transports, options: options)
            for what in ["message", "acknowledgement", "served"] { #expect(report[what] == true, "\(what)") }
            #expect(report["transport"] == transports.last)
        }
    }

    @Test("5,000 messages each way at once come in their order", arguments: Transports.allCases)
    func many(transports: Transports) throws {
        try withFixture { fixture in
            let report = try StockClient.run("many", port: fixture.port, transports, options: ["count": 5_000])
            #expect(report["echoes"] == true)
            #expect(report["numbers"] == true)
            #expect(report["transport"] == transports.last)
        }
    }

    @Test("a client that says nothing lives on the heartbeat", arguments: Transports.allCases)
    func heartbeat(transports: Transports) throws {
        try withFixture("--ping-interval", "100", "--ping-timeout", "60000") { fixture in
            let report = try StockClient.run("patience", port: fixture.port, transports, options: ["seconds": 1])
            #expect(report["heard"] == ["/", "message-back", "still here"])
            #expect(report["ended"] == [])
        }
    }

    @Test("a client that leaves is gone", arguments: Transports.allCases)
    func leaves(transports: Transports) throws {
        try withFixture { fixture in
            let report = try StockClient.run("leaves", port: fixture.port, transports)
            #expect(report["ended"]?[0]?[0] == "/")
            #expect(report["transport"] == transports.last)
            try fixture.waitForCount("no session left") { $0.sessions == 0 }
        }
    }

    @Test("a client whose connection the server ends is told", arguments: Transports.allCases)
    func closed(transports: Transports) throws {
        try withFixture { fixture in
            let report = try StockClient.run("closed", port: fixture.port, transports)
            #expect(report["ended"]?[0]?[0] == "/")
            #expect(report["connected"] == false)
            try fixture.waitForCount("no session left") { $0.sessions == 0 }
        }
    }

    @Test("a server that stops tells its clients, and ends", arguments: Transports.allCases)
    func stops(transports: Transports) throws {
        try withFixture(mayEnd: true) { fixture in
            let client = try StockClient("outlives", port: fixture.port, transports)
            #expect(try client.report()["transport"] == transports.last)
            fixture.process.signal(SIGTERM)
            #expect(try client.report()["ended"]?[0]?[0] == "/")
            #expect(try fixture.process.waitForExit() == 0)
        }
    }
}
