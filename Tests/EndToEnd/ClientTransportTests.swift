import NIOCore
import SocketIOClient
import Testing
import WireJSON

extension EndToEnd {
    /// This project's client against a server that isn't this project's.
    @Suite("The client and an independent server", .timeLimit(.minutes(5)))
    struct ClientTransportTests {
        static let transports: [[SocketIOTransport]] = [
            [.polling], [.websocket], [.polling, .websocket], [.websocket, .polling],
        ]

        @Test("events, acknowledgements and their bytes go both ways", arguments: transports)
        func everyKind(transports: [SocketIOTransport]) async throws {
            try await ServerHost.run { server in
                try await server.connect(transports) { connection in
                    var incoming = connection.incoming.makeAsyncIterator()
                    let arguments: [JSON] = ["größer\u{1E}", ["bytes": placeholder(0), "more": [placeholder(1)]], nil]
                    let attachments = [ByteBuffer(bytes: 0...255), ByteBuffer()]

                    let echo = try await connection.acknowledgement(
                        of: "echo", arguments, attachments: attachments, timeout: patience)
                    #expect(echo.arguments == arguments)
                    #expect(echo.attachments == attachments)
                    #expect(await incoming.nextEvent() == Event("echoed", arguments, attachments))

                    connection.emit("ask", arguments, attachments: attachments)
                    guard
                        case .event("question", arguments, attachments, let acknowledge?) = await incoming.nextArrival()
                    else {
                        Issue.record("no question came")
                        return
                    }
                    acknowledge(["here", placeholder(0)], attachments: [ByteBuffer(string: "bytes")])
                    #expect(
                        await incoming.nextEvent()
                            == Event("answered", ["here", placeholder(0)], [ByteBuffer(string: "bytes")]))
                }
            }
        }

        @Test("what was asked for carries the connection in the end", arguments: transports)
        func settling(transports: [SocketIOTransport]) async throws {
            try await ServerHost.run { server in
                try await server.connect(transports) { connection in
                    let wanted: SocketIOTransport = transports == [.polling] ? .polling : .websocket
                    try await eventually("the transport \(wanted)") { connection.transport == wanted }
                    let answer = try await connection.emitWithAcknowledgement("whoami", timeout: patience)
                    #expect(answer == [.string(connection.sid), .string(wanted.rawValue), nil])
                }
            }
        }

        @Test("no packet is lost, doubled or overtaken while the connection moves to a WebSocket")
        func moving() async throws {
            let count = 2_000
            try await ServerHost.run { server in
                for _ in 0..<5 {
                    try await server.connect([.polling, .websocket]) { connection in
                        let echoes = Task {
                            var echoes: [JSON] = []
                            var numbers: [JSON] = []
                            for await case .event(let name, let arguments, _, _) in connection.incoming {
                                if name == "number" { numbers += arguments } else { echoes += arguments }
                                if echoes.count == count, numbers.count == count { break }
                            }
                            return (echoes, numbers)
                        }
                        connection.emit("count", [.integer(Int64(count))])
                        for number in 0..<count {
                            connection.emit("echo", [.integer(Int64(number))])
                            if number % 20 == 0 { try await Task.sleep(for: .milliseconds(1)) }
                        }
                        let expected = (0..<count).map { JSON.integer(Int64($0)) }
                        let (echoed, numbers) = await echoes.value
                        #expect(echoed == expected)
                        #expect(numbers == expected)
                        #expect(connection.transport == .websocket)
                    }
                }
            }
        }

        @Test("namespaces share a connection and nothing else", arguments: transports)
        func namespaces(transports: [SocketIOTransport]) async throws {
            try await ServerHost.run { server in
                try await server.connect(transports) { connection in
                    let chat = try await connection.namespace("/chat", auth: ["name": "ann"])
                    let other = try await connection.namespace("/other")
                    #expect(Set([connection.sid, chat.sid, other.sid]).count == 3)
                    let whoami = try await chat.emitWithAcknowledgement("whoami", timeout: patience)
                    #expect(whoami.first == .string(chat.sid))
                    #expect(whoami.last == ["name": "ann"])

                    var (inMain, inChat) = (connection.incoming.makeAsyncIterator(), chat.incoming.makeAsyncIterator())
                    connection.emit("echo", ["main", placeholder(0)], attachments: [ByteBuffer(bytes: [1])])
                    chat.emit("echo", ["chat", placeholder(0)], attachments: [ByteBuffer(bytes: [2])])
                    #expect(
                        await inMain.nextEvent()
                            == Event("echoed", ["main", placeholder(0)], [ByteBuffer(bytes: [1])]))
                    #expect(
                        await inChat.nextEvent()
                            == Event("echoed", ["chat", placeholder(0)], [ByteBuffer(bytes: [2])]))

                    // One is left by this side, one by the server; the third goes on, and both can be joined again.
                    chat.leave()
                    other.emit("leave")
                    #expect(await inChat.nextArrival()?.reason == .clientDisconnect)
                    var inOther = other.incoming.makeAsyncIterator()
                    #expect(await inOther.nextArrival()?.reason == .serverDisconnect)
                    let again = try await connection.namespace("/chat")
                    #expect(again.sid != chat.sid)
                    try await expectEcho(from: again)
                    try await expectEcho(from: connection.main)
                }
            }
        }

        @Test("a refused CONNECT says why, and harms no other namespace", arguments: transports)
        func refusals(transports: [SocketIOTransport]) async throws {
            try await ServerHost.run { server in
                var refused = server.configuration(transports)
                refused.auth = ["refuse": "not today", "data": ["until": 5]]
                await #expect(throws: SocketIOConnectError.rejected(message: "not today", data: ["until": 5])) {
                    try await SocketIOConnection.connect(refused)
                }
                try await server.connect(transports) { connection in
                    await #expect(throws: SocketIOConnectError.rejected(message: "no", data: nil)) {
                        try await connection.namespace("/chat", auth: ["refuse": "no"])
                    }
                    let error = await #expect(throws: SocketIOConnectError.self) {
                        try await connection.namespace("/nowhere")
                    }
                    guard case .rejected? = error else {
                        Issue.record("an unknown namespace gave \(String(describing: error))")
                        return
                    }
                    try await expectEcho(from: connection.main)
                }
            }
        }

        @Test("the server's disconnect of the only namespace ends the connection", arguments: transports)
        func serverDisconnect(transports: [SocketIOTransport]) async throws {
            try await ServerHost.run { server in
                try await server.connect(transports) { connection in
                    connection.emit("leave")
                    #expect(await connection.incoming.lastReason() == .serverDisconnect)
                }
            }
        }

        @Test(
            "a session that the server closes ends with that", arguments: [[SocketIOTransport.polling], [.websocket]])
        func hangUp(transports: [SocketIOTransport]) async throws {
            try await ServerHost.run { server in
                try await server.connect(transports) { connection in
                    connection.emit("hang_up")
                    switch await connection.incoming.lastReason() {
                    case .serverClosed?, .transportClosed?, .refused?: break
                    case let reason: Issue.record("ended with \(String(describing: reason))")
                    }
                }
            }
        }

        @Test("the heartbeat keeps a silent connection", arguments: transports)
        func heartbeat(transports: [SocketIOTransport]) async throws {
            try await ServerHost.run(["ping_interval": 1, "ping_timeout": 1]) { server in
                try await server.connect(transports) { connection in
                    // The server closes a session whose pong is missing after two seconds.
                    try await Task.sleep(for: .seconds(3))
                    try await expectEcho(from: connection.main)
                }
            }
        }

        @Test("bodies of polling stay within what the server takes")
        func batches() async throws {
            try await ServerHost.run(["max_payload": 10_000]) { server in
                try await server.connect([.polling]) { connection in
                    let text = JSON.string(String(repeating: "x", count: 900))
                    for number in 0..<100 {
                        connection.emit("echo", [.integer(Int64(number)), text])
                    }
                    var incoming = connection.incoming.makeAsyncIterator()
                    for number in 0..<100 {
                        #expect(await incoming.nextEvent() == Event("echoed", [.integer(Int64(number)), text]))
                    }
                    let requests = try await connection.emitWithAcknowledgement("requests", timeout: patience)
                    let posts = requests.first?.arrayValue?.filter { $0[0] == "POST" }.count ?? 0
                    // CONNECT, the hundred events ten at a time, and the question; fewer would have been too long.
                    #expect((11...40).contains(posts), "\(posts) POSTs")
                }
            }
        }

        @Test("cookies by which a balancer finds the session are sent back", arguments: transports)
        func stickiness(transports: [SocketIOTransport]) async throws {
            try await ServerHost.run(["sticky": true]) { server in
                try await server.connect(transports) { connection in
                    let wanted: SocketIOTransport = transports == [.polling] ? .polling : .websocket
                    try await eventually("the transport \(wanted)") { connection.transport == wanted }
                    try await expectEcho(from: connection.main)
                }
            }
        }

        @Test("a server that offers one transport is met on that one")
        func oneOffered() async throws {
            try await ServerHost.run(["transports": ["polling"]]) { server in
                for transports in Self.transports where transports != [.websocket] {
                    try await server.connect(transports) { connection in
                        try await expectEcho(from: connection.main)
                        #expect(connection.transport == .polling)
                    }
                }
                let error = await #expect(throws: SocketIOConnectError.self) {
                    try await SocketIOConnection.connect(server.configuration([.websocket]))
                }
                #expect(error?.refusal?.status == 400)
            }
            try await ServerHost.run(["transports": ["websocket"]]) { server in
                for transports in Self.transports where transports != [.polling] {
                    try await server.connect(transports) { connection in
                        try await expectEcho(from: connection.main)
                        #expect(connection.transport == .websocket)
                    }
                }
                let error = await #expect(throws: SocketIOConnectError.self) {
                    try await SocketIOConnection.connect(server.configuration([.polling]))
                }
                #expect(error?.refusal?.status == 400)
                #expect(error?.refusal?.message.isEmpty == false)
            }
        }
    }
}

private let patience = Duration.seconds(60)

private func placeholder(_ number: Int64) -> JSON {
    ["_placeholder": true, "num": .integer(number)]
}

/// The connection works.
private func expectEcho(from namespace: SocketIONamespace) async throws {
    let answer = try await namespace.emitWithAcknowledgement("echo", [1], timeout: patience)
    #expect(answer == [1])
}

/// Waits until something holds, for a minute at most.
private func eventually(_ what: String, _ holds: () async throws -> Bool) async throws {
    let clock = ContinuousClock()
    let deadline = clock.now + .seconds(60)
    while try await !holds() {
        try #require(clock.now < deadline, "did not come: \(what)")
        try await Task.sleep(for: .milliseconds(5))
    }
}

private struct Event: Equatable {
    var name: String
    var arguments: [JSON]
    var attachments: [ByteBuffer]

    init(_ name: String, _ arguments: [JSON], _ attachments: [ByteBuffer] = []) {
        self.name = name
        self.arguments = arguments
        self.attachments = attachments
    }
}

extension SocketIOIncoming {
    fileprivate var reason: SocketIODisconnectReason? {
        if case .disconnected(let reason) = self { reason } else { nil }
    }
}

extension SocketIOIncomingSequence {
    /// Reads to the end.
    fileprivate func lastReason() async -> SocketIODisconnectReason? {
        for await element in self {
            if let reason = element.reason { return reason }
        }
        return nil
    }
}

extension SocketIOIncomingSequence.AsyncIterator {
    /// The next event, or the end.
    fileprivate mutating func nextArrival() async -> SocketIOIncoming? {
        while let element = await next() {
            if case .acknowledgement = element { continue }
            return element
        }
        return nil
    }

    fileprivate mutating func nextEvent() async -> Event? {
        guard case .event(let name, let arguments, let attachments, _)? = await nextArrival() else { return nil }
        return Event(name, arguments, attachments)
    }
}
