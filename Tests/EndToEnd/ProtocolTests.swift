import Foundation
import Testing
import WireJSON

extension EndToEnd {
    @Suite("The protocol, well and badly spoken", .stage())
    struct ProtocolTests {
        let stage: Stage

        init() throws { stage = try Stage.current }

        @Test(
            "an unknown transport is answered with the protocol's Transport unknown, another version with its refusal")
        func transports() async throws {
            let unknown: JSON = ["code": 0, "message": "Transport unknown"]
            for query in ["EIO=4", "EIO=4&transport=", "EIO=4&transport=carrier-pigeon"] {
                let answer = try await stage.peers.http(stage.server, "GET", "/socket.io/?\(query)")
                #expect(answer.status == 400, "\(query): \(answer)")
                #expect(answer.json == unknown, "\(query): \(answer)")
            }
            for query in ["EIO=3&transport=websocket", "transport=websocket", "EIO=5&transport=websocket"] {
                let error = await #expect(throws: PeerError.self) {
                    _ = try await stage.peers.webSocket(stage.server, query: query)
                }
                #expect(error?.sentence.contains("400") == true, "\(query): \(String(describing: error))")
            }
            let version = try await stage.peers.http(stage.server, "GET", "/socket.io/?EIO=3&transport=polling")
            #expect(version.status == 400)
            #expect(version.json["code"]?.integerValue != nil)
        }

        @Test("a namespace that is not there gets CONNECT_ERROR, and the connection lives on")
        func namespaces() async throws {
            let name = stage.peers.name("namespace")
            await #expect(throws: PeerError.self) {
                try await stage.peers.command(
                    "connect",
                    ["socket": .string(name), "url": .string(stage.server.url), "namespace": "/nope"])
            }
            let refusal = try await stage.peers.transcript(of: name).first("the refusal") {
                if case .refused = $0.kind { true } else { false }
            }
            #expect(refusal.element.kind == .refused(["message": "Invalid namespace"]))

            let socket = try await opened()
            socket.send("40/nope,")
            try await socket.text(startingWith: "44/nope,{\"message\":\"Invalid namespace\"}")
            socket.send("40")
            try await socket.text(startingWith: "40{\"sid\":")
            socket.send("420[\"whoami\"]")
            try await socket.text(startingWith: "430[")
            #expect(!socket.heard.contains { $0.kind == .closed })
        }

        @Test("the handshake tells the times and sizes of the contract")
        func handshake() async throws {
            let socket = try await stage.peers.webSocket(stage.server)
            let open = try await socket.text(startingWith: "0")
            let parameters = try JSON(parsing: open.text.dropFirst())
            #expect(parameters["pingInterval"] == 25000)
            #expect(parameters["pingTimeout"] == 20000)
            #expect(parameters["maxPayload"] == 1_000_000)
            #expect(parameters["upgrades"] == [])
            #expect(parameters["sid"]?.stringValue?.isEmpty == false)
            socket.send("40")
            let connect = try await socket.text(startingWith: "40{")
            let id = try JSON(parsing: connect.text.dropFirst(2))["sid"]
            #expect(id?.stringValue?.isEmpty == false)
            #expect(id != parameters["sid"], "The id of a socket says nothing of its connection.")
        }

        /// What a peer may send and no server should take.
        static let malformed = [
            "", "zzz", "9", "4", "4x", "45", "42", "42{}", "42[", "42[]", "42[5]", "42[null]", "42[{}]", "42[\"a\"",
            "42[\"a\"]]", "421", "42abc[\"a\"]", "4299999999999999999999999999[\"a\"]", "43[]", "430", "430{}", "46",
            "49",
            "451-[\"a\"]", "45-[\"a\"]", "45999999999999999999-[\"a\"]", "451-[{\"_placeholder\":true,\"num\":5}]",
            "40[", "40{", "40\"text\"", "405", "40[]", "44{}", "42/nope,[\"a\"]", "42/[\"a\"", "5", "6", "0{}", "7",
            "42[\"a\",\"\\ud800\"]", "42[\"a\",1e999999]", "42[\"a\",NaN]", "42[\"\u{0}\"]",
            "42" + String(repeating: "[", count: 50_000), "42" + String(repeating: "9", count: 50_000) + "[\"a\"]",
            "40{\"token\":" + String(repeating: "[", count: 5_000),
        ]

        @Test(
            "no packet, however malformed, brings the server down or leaks what is not the sender's",
            arguments: malformed)
        func malformedPackets(_ packet: String) async throws {
            let token = try await stage.token(.admin)
            for greets in [true, false] {
                let socket = try await opened()
                if greets {
                    socket.send("40{\"token\":\"\(token)\"}")
                    try await socket.text(startingWith: "42[\"identity\"")
                }
                socket.send(packet)
                // Either the connection is closed, or the packet was legal and it goes on.
                socket.send(greets ? "4277[\"whoami\"]" : "40")
                _ = try await socket.transcript.first("an answer or the end") { heard in
                    switch heard.kind {
                    case .closed: true
                    case .text(let text): text.hasPrefix("4377[") || (!greets && text.hasPrefix("40{"))
                    default: false
                    }
                }
                socket.close()
            }
            #expect(stage.server.process.exit == nil, "The server is gone: \(stage.server.log.suffix(5))")
            #expect(try await stage.peers.http(stage.server, "GET", "/healthz").status == 200)
        }

        @Test(
            "a packet that breaks the protocol closes the connection",
            arguments: ["zzz", "9", "42{}", "42[", "42[]", "4x", "45999999999999999999-[\"a\"]", "49"])
        func violations(_ packet: String) async throws {
            let socket = try await connected()
            socket.send(packet)
            try await socket.closed()
            #expect(try await stage.peers.http(stage.server, "GET", "/healthz").status == 200)
        }

        @Test("a frame or a message larger than the server reads closes the connection, whole or in pieces")
        func oversized() async throws {
            let whole = try await connected()
            whole.send("42[\"a\",\"" + String(repeating: "x", count: 1_000_100) + "\"]")
            #expect(try await whole.closed().code ?? 1009 == 1009)
            let pieces = try await connected()
            pieces.send("42[\"a\",\"", fin: false)
            for _ in 1...11 { pieces.send(String(repeating: "x", count: 100_000), opcode: 0, fin: false) }
            #expect(try await pieces.closed().code ?? 1009 == 1009)
            let allowed = try await connected()
            allowed.send("429[\"nope\",\"" + String(repeating: "x", count: 900_000) + "\"]")
            try await allowed.text(startingWith: "439[{\"error\":\"unknown_event\"")
        }

        @Test("frames that break RFC 6455 close the connection with its code")
        func frames() async throws {
            let violations: [(String, Int, @Sendable (RawPeer) -> Void)] = [
                ("an unmasked frame", 1002, { $0.send("42[\"a\"]", masked: false) }),
                ("a reserved bit", 1002, { $0.send("42[\"a\"]", reserved: true) }),
                ("a reserved opcode", 1002, { $0.send("42[\"a\"]", opcode: 3) }),
                ("a continuation of nothing", 1002, { $0.send("42[\"a\"]", opcode: 0) }),
                ("a fragmented ping", 1002, { $0.send("x", opcode: 9, fin: false) }),
                ("a ping of 126 bytes", 1002, { $0.send(String(repeating: "x", count: 126), opcode: 9) }),
                ("bytes that are no UTF-8", 1007, { $0.send(bytes: [0x34, 0x32, 0xFF, 0xFE]) }),
                ("a close frame of one byte", 1002, { $0.send("x", opcode: 8) }),
                (
                    "two messages begun", 1002,
                    {
                        $0.send("42[", fin: false); $0.send("42[\"a\"]")
                    }
                ),
            ]
            for (what, code, violate) in violations {
                let socket = try await connected()
                violate(socket)
                do {
                    #expect(try await socket.closed().code == code, "\(what)")
                } catch {
                    Issue.record(error, "\(what)")
                }
            }
            let good = try await connected()
            good.send("42", fin: false)
            good.send("", opcode: 9)
            good.send("5[\"who", opcode: 0, fin: false)
            good.send("ami\"]", opcode: 0)
            try await good.text(startingWith: "435[")
        }

        @Test("binary messages that belong to no packet close the connection, and attachments are taken")
        func binary() async throws {
            let stray = try await connected()
            stray.send(bytes: [1, 2, 3], opcode: 2)
            try await stray.closed()
            let socket = try await connected()
            socket.send("451-7[\"nope\",{\"_placeholder\":true,\"num\":0}]")
            socket.send(bytes: [1, 2, 3], opcode: 2)
            try await socket.text(startingWith: "437[{\"error\":\"unknown_event\"")
            let interrupted = try await connected()
            interrupted.send("451-7[\"nope\",{\"_placeholder\":true,\"num\":0}]")
            interrupted.send("42[\"whoami\"]")
            try await interrupted.closed()
        }

        @Test("an event before CONNECT is not obeyed")
        func eventBeforeConnect() async throws {
            let token = try await stage.token(.admin)
            let socket = try await opened()
            socket.send("421[\"login\",\"\(token)\"]")
            socket.send("422[\"whoami\"]")
            socket.send("40")
            _ = try await socket.transcript.first("an answer or the end") { heard in
                if case .text(let text) = heard.kind {
                    text.hasPrefix("42[\"identity\"")
                } else {
                    heard.kind == .closed
                }
            }
            #expect(!socket.heard.contains { $0.description.contains("registered") })
            #expect(!socket.heard.contains { $0.description.contains("admin@example.com") })
        }

        @Test("DISCONNECT ends the socket, and its rows with it")
        func disconnect() async throws {
            let token = try await stage.token(.user)
            let socket = try await opened()
            socket.send("40{\"token\":\"\(token)\"}")
            try await socket.text(startingWith: "42[\"identity\"")
            socket.send("41")
            let count = socket.heard.count
            let witness = try await stage.connect(.user)
            try await stage.barrier(witness)
            socket.send("40{\"token\":\"\(token)\"}")
            let row = stage.row("row")
            _ = try await socket.transcript.first(from: count, "a new socket, or the end") { heard in
                if case .text(let text) = heard.kind {
                    text.hasPrefix("42[\"identity\"")
                } else {
                    heard.kind == .closed
                }
            }
            try await stage.write(row)
            try await stage.barrier(witness)
            #expect(
                !socket.heard.dropFirst(count).prefix { !$0.description.contains("identity") }
                    .contains { $0.description.contains("thing:save") })
        }

        @Test("a WebSocket may follow an ordinary request on the same connection")
        func upgradeAfterRequest() async throws {
            let host = "Host: 127.0.0.1:\(stage.server.port)\r\n"
            for _ in 1...10 {
                let connection = try await stage.peers.tcp(stage.server)
                connection.sendBytes("GET /healthz HTTP/1.1\r\n\(host)\r\n")
                try await connection.receive("{\"status\":\"ok\"}")
                connection.sendBytes(
                    "GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\n\(host)Connection: Upgrade\r\n"
                        + "Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
                        + "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
                )
                try await connection.receive("HTTP/1.1 101 ")
                // The accept value that RFC 6455, section 1.3, gives for this key.
                try await connection.receive("s3pPLMBiTxaQ9kYGzzhZRbK+xOo=")
                try await connection.receive("0{\"sid\":")
                // CONNECT in a frame whose mask is zero.
                connection.sendBytes("\u{81}\u{82}\0\0\0\0" + "40")
                try await connection.receive("42[\"identity\"")
                connection.close()
            }
        }

        @Test("requests that are no HTTP, or ask for an upgrade that is none, are refused without harm")
        func badHTTP() async throws {
            let host = "Host: 127.0.0.1\r\n"
            let requests = [
                "nonsense\r\n\r\n", "GET / HTTP/9.9\r\n\r\n", "GET /healthz HTTP/1.1\r\nContent-Length: x\r\n\r\n",
                "POST /auth/local HTTP/1.1\r\n\(host)Transfer-Encoding: chunked\r\n\r\nzz\r\n\r\n",
                "GET /healthz HTTP/1.1\r\n\(host)X: \(String(repeating: "x", count: 200_000))\r\n\r\n",
                "GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\n\(host)Connection: Upgrade\r\nUpgrade: websocket\r\n"
                    + "Sec-WebSocket-Version: 12\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
                "GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\n\(host)Connection: Upgrade\r\nUpgrade: websocket\r\n"
                    + "Sec-WebSocket-Version: 13\r\n\r\n",
                "GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\n\(host)Connection: Upgrade\r\nUpgrade: websocket\r\n"
                    + "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: short\r\n\r\n",
            ]
            for request in requests {
                let connection = try await stage.peers.tcp(stage.server)
                connection.sendBytes(request)
                _ = try await connection.transcript.first("an answer or the end of \(request.prefix(60))") { _ in true }
                #expect(!connection.received.contains("HTTP/1.1 101"), "\(request.prefix(120))")
                #expect(!connection.received.contains("HTTP/1.1 200"), "\(request.prefix(120))")
                connection.close()
            }
            let plain = try await stage.peers.http(
                stage.server, "GET", "/healthz", headers: ["Connection": "Upgrade", "Upgrade": "h2c"])
            #expect(plain.status == 200, "An upgrade that is not offered is ignored.")
            #expect(stage.server.process.exit == nil)
        }

        /// A WebSocket that got Engine.IO's handshake.
        private func opened() async throws -> RawPeer {
            let socket = try await stage.peers.webSocket(stage.server)
            try await socket.text(startingWith: "0{")
            return socket
        }

        /// A WebSocket with a socket on the main namespace.
        private func connected() async throws -> RawPeer {
            let socket = try await opened()
            socket.send("40")
            try await socket.text(startingWith: "42[\"identity\"")
            return socket
        }
    }

    @Suite(
        "Heartbeats", .stage("--demo", "--ping-interval", "300", "--ping-timeout", "2500", "--connect-timeout", "3000"))
    struct HeartbeatTests {
        let stage: Stage

        init() throws { stage = try Stage.current }

        @Test("a client that answers pings stays; one that is silent is closed in time, and not before")
        func heartbeat() async throws {
            let talker = try await stage.connect(.user)
            let silent = try await stage.peers.webSocket(stage.server)
            let open = try await silent.text(startingWith: "0")
            #expect(open.text.contains("\"pingInterval\":300"))
            #expect(open.text.contains("\"pingTimeout\":2500"))
            silent.send("40")
            let ping = try await silent.text(startingWith: "2")
            let end = try await silent.closed()
            // The clock begins when the ping leaves the server, a moment before it is seen.
            #expect(end.at - ping.at > 2, "It has 2.5 s to answer.")

            // Five more rounds, and the talker is still there.
            let other = try await stage.peers.webSocket(stage.server)
            other.send("40")
            var next = 0
            for _ in 1...5 {
                next = try await other.text(startingWith: "2", from: next).index + 1
                other.send("3")
            }
            #expect(try await talker.isConnected())
            try await stage.barrier(talker)
            #expect(!other.heard.contains { $0.kind == .closed })
        }

        @Test("a connection that never sends its CONNECT is closed")
        func noConnect() async throws {
            let socket = try await stage.peers.webSocket(stage.server)
            var next = 0
            let start = try await socket.text(startingWith: "0").at
            // It answers every ping, and says nothing else.
            while true {
                let heard = try await socket.transcript.first(from: next, "the end") { _ in true }
                next = heard.index + 1
                if heard.element.kind == .text("2") { socket.send("3") }
                if heard.element.kind == .closed {
                    #expect(heard.element.at - start > 2.5)
                    break
                }
            }
        }
    }
}
