import EngineIO
import NIOCore
import NIOHTTP1
import TestSupport
import Testing
import WebSocketLink
import WireJSON

@testable import SocketIOClient

@Suite("Client connecting", .timeLimit(.minutes(1)))
struct ConnectTests {
    @Test("a connection stands after CONNECT, with what the server told, the request being as configured")
    func connect() async throws {
        let server = try await ScriptedServer.startGreeting()
        let configuration = SocketIOClientConfiguration(server).with {
            $0.headers = [("Authorization", "Bearer x"), ("Cookie", "token=y")]
            $0.auth = ["token": "t", "after": "12"]
        }
        let connection = try await SocketIOConnection.connect(configuration)
        #expect(connection.sid == "socket")
        #expect(connection.handshake.sid == "engine")
        #expect(connection.handshake.pingInterval == 25_000)
        #expect(connection.remoteAddress?.port == server.port)
        #expect(connection.localAddress?.port != nil)
        #expect(server.observed.texts == [#"40{"token":"t","after":"12"}"#])
        let request = try #require(server.observed.requests.first)
        #expect(request.uri == "/socket.io/?EIO=4&transport=websocket")
        #expect(request.headers["Host"] == ["127.0.0.1:\(server.port)"])
        #expect(request.headers["Authorization"] == ["Bearer x"])
        #expect(request.headers["Cookie"] == ["token=y"])
        #expect(!request.headers.contains(name: "Transfer-Encoding"))
        await connection.disconnect()
    }

    @Test("TLS: a trusted certificate is accepted, by name and by address", arguments: ["localhost", "127.0.0.1"])
    func trustedCertificate(host: String) async throws {
        let server = try await ScriptedServer.startGreeting(certificate: .local)
        try await withFile(of: .local) { file in
            var configuration = try SocketIOClientConfiguration(url: "wss://\(host):\(server.port)")
            configuration.trustRootsFile = file
            let connection = try await SocketIOConnection.connect(configuration)
            #expect(connection.sid == "socket")
            await connection.disconnect()
        }
    }

    @Test("TLS: an untrusted certificate, or one for another name, is refused")
    func untrustedCertificate() async throws {
        let server = try await ScriptedServer.startGreeting(certificate: .local)
        let configuration = try SocketIOClientConfiguration(url: "https://127.0.0.1:\(server.port)")
        guard case .tlsFailed? = await connectError(configuration) else {
            Issue.record("an untrusted certificate was accepted")
            return
        }
        #expect(server.observed.requests.isEmpty)

        let impostor = try await ScriptedServer.startGreeting(certificate: .other)
        try await withFile(of: .other) { file in
            var configuration = try SocketIOClientConfiguration(url: "https://localhost:\(impostor.port)")
            configuration.trustRootsFile = file
            guard case .tlsFailed? = await connectError(configuration) else {
                Issue.record("a certificate for another name was accepted")
                return
            }
            #expect(impostor.observed.requests.isEmpty)
            configuration.serverHostname = "other.example"
            #expect(await connectError(configuration) == nil)
        }
    }

    @Test("CONNECT_ERROR is thrown with its message and data, and the channel is closed")
    func rejection() async throws {
        let server = try await ScriptedServer.start { peer, event in
            switch event {
            case .opened: peer.send(ScriptedServer.handshake)
            case .text("40"): peer.send(#"44{"message":"token_expired","data":{"at":5}}"#)
            default: break
            }
        }
        #expect(
            await connectError(SocketIOClientConfiguration(server))
                == .rejected(message: "token_expired", data: ["at": 5]))
        try await eventually("the channel's end") { server.observed.closedChannels == 1 }
    }

    @Test("an HTTP refusal is thrown with status and body, the body capped, complete or not")
    func refusal() async throws {
        let small = try await ScriptedServer.start(answer: .refusal(status: .forbidden, body: #"{"error":"no"}"#))
        #expect(
            await connectError(SocketIOClientConfiguration(small)) == .refused(status: 403, body: #"{"error":"no"}"#))
        try await eventually("the channel's end") { small.observed.closedChannels == 1 }

        let large = try await ScriptedServer.start(
            answer: .refusal(status: .badGateway, body: String(repeating: "x", count: 100_000)))
        #expect(
            await connectError(SocketIOClientConfiguration(large))
                == .refused(status: 502, body: String(repeating: "x", count: 4096)))

        let unfinished = try await ScriptedServer.start(
            answer: .refusal(status: .serviceUnavailable, body: "busy", isComplete: false))
        let impatient = SocketIOClientConfiguration(unfinished).with { $0.connectTimeout = .seconds(3) }
        #expect(await connectError(impatient) == .refused(status: 503, body: "busy"))
    }

    @Test("an answer that isn't one to our handshake is a violation", arguments: [0, 1, 2])
    func invalidAnswers(index: Int) async throws {
        let answers: [ScriptedServer.Answer] = [
            .wrongKey, .raw("SSH-2.0-OpenSSH_9.2\r\n\r\n"),
            .raw("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\n\r\n"),
        ]
        let server = try await ScriptedServer.start(answer: answers[index])
        guard case .protocolViolation? = await connectError(SocketIOClientConfiguration(server)) else {
            Issue.record("answer \(index) was accepted")
            return
        }
        try await eventually("the channel's end") { server.observed.closedChannels == 1 }
    }

    @Test("what comes in one segment with the handshake's answer is answered like anything else")
    func answerAtOnce() async throws {
        let server = try await ScriptedServer.start { peer, event in
            if case .opened = event { peer.send("9") }
        }
        guard case .protocolViolation? = await connectError(SocketIOClientConfiguration(server)) else {
            Issue.record("an unknown packet was accepted")
            return
        }
        try await eventually("Close") { server.observed.closes.count == 1 }
        guard case .remote(.protocolError?, _)? = server.observed.closes.first else {
            Issue.record("\(server.observed.closes)")
            return
        }
    }

    @Test("where nothing listens, the error names the place")
    func unreachable() async throws {
        // No other test can be given this port meanwhile, as it could one that was free a moment ago.
        guard
            case .unreachable(let sentence)? = await connectError(
                SocketIOClientConfiguration(host: "127.0.0.1", port: 1))
        else {
            Issue.record("connected to nothing")
            return
        }
        #expect(sentence.contains("127.0.0.1:1"))
    }

    @Test("a time-out names the stage at which the server fell silent", arguments: [0, 1, 2])
    func timeouts(index: Int) async throws {
        let stage = [SocketIOConnectStage.upgrade, .open, .namespace][index]
        let server = try await ScriptedServer.start(answer: index == 0 ? .silence : .webSocket) { peer, event in
            if index == 2, case .opened = event { peer.send(ScriptedServer.handshake) }
        }
        // On a busy machine the attempt may not get as far in the time; then it has more.
        var error: SocketIOConnectError?
        var attempts = 0
        for seconds in [0.3, 2, 10] where error != .timedOut(stage) {
            let configuration = SocketIOClientConfiguration(server).with { $0.connectTimeout = .seconds(seconds) }
            error = await connectError(configuration)
            attempts += 1
        }
        #expect(error == .timedOut(stage))
        try await eventually("the channels' end") { server.observed.closedChannels == attempts }
    }

    @Test("a server that hangs up during the handshake makes the attempt fail at once")
    func hangUp() async throws {
        let server = try await ScriptedServer.start { peer, event in
            switch event {
            case .opened: peer.send(ScriptedServer.handshake)
            default: peer.connection?.abort()
            }
        }
        guard case .unreachable(let sentence)? = await connectError(SocketIOClientConfiguration(server)) else {
            Issue.record("connected")
            return
        }
        #expect(sentence.contains("joining the namespace"))
    }

    @Test("cancelling an attempt ends it and its channel promptly", arguments: [0, 1, 2])
    func cancellation(stage: Int) async throws {
        let answers: [ScriptedServer.Answer] = [.silence, .webSocket, .webSocket]
        let server = try await ScriptedServer.start(answer: answers[stage]) { peer, event in
            if stage == 2, case .opened = event { peer.send(ScriptedServer.handshake) }
        }
        let attempt = Task { await connectError(SocketIOClientConfiguration(server)) }
        try await eventually("the request") {
            stage == 2 ? !server.observed.texts.isEmpty : !server.observed.requests.isEmpty
        }
        let clock = ContinuousClock()
        let start = clock.now
        attempt.cancel()
        #expect(await attempt.value == .cancelled)
        try await eventually("the channel's end") { server.observed.closedChannels == 1 }
        #expect(clock.now - start < .seconds(5))

        let early = Task { @Sendable in
            withUnsafeCurrentTask { $0?.cancel() }
            return await connectError(SocketIOClientConfiguration(server))
        }
        #expect(await early.value == .cancelled)
    }
}
