import NIOCore
import NIOHTTP1
import Synchronization
import TestSupport
import WebSocketLink

@testable import SocketIOClient

/// An Engine.IO server by polling that does everything right, but for what a test has it do otherwise.
final class PollingPeer: Sendable {
    /// What is to be answered in place of the right thing; nil for that.
    typealias Exception = @Sendable (ScriptedServer.Request) -> ScriptedServer.Answer?
    /// Called for each packet that comes, on either transport.
    typealias Script = @Sendable (PollingPeer, String) -> Void

    fileprivate struct State {
        weak var server: ScriptedServer?
        var webSocket: NIOLoopBound<ScriptedServer.Peer>?
        var outbox: [String] = []
        var isPollHeld = false
        var log: [String] = []
    }

    static let handshake =
        #"0{"sid":"engine","upgrades":["websocket"],"pingInterval":25000,"pingTimeout":20000,"maxPayload":1000000}"#

    fileprivate let state = Mutex(State())
    private let handshake: String
    private let exception: Exception
    private let script: Script

    private init(_ handshake: String, _ exception: @escaping Exception, _ script: @escaping Script) {
        self.handshake = handshake
        self.exception = exception
        self.script = script
    }

    /// Starts a server. It grants the main namespace.
    ///
    /// - Parameters:
    ///   - answersProbes: whether a ping on a WebSocket is answered.
    ///   - probeDelay: how long that takes.
    static func start(
        handshake: String = handshake,
        certificate: TestCertificate? = nil,
        answersProbes: Bool = true,
        probeDelay: TimeAmount = .zero,
        except exception: @escaping Exception = { _ in nil },
        script: @escaping Script = { _, _ in }
    ) async throws -> (peer: PollingPeer, server: ScriptedServer) {
        let peer = PollingPeer(handshake, exception, script)
        let server = try await ScriptedServer.start(
            answer: .choice { peer.answer($0) }, certificate: certificate
        ) { webSocket, event in
            guard case .text(let text) = event else { return }
            peer.record("ws \(text)")
            switch text {
            case "2probe":
                guard answersProbes else { return }
                // As the protocol wants it, so that the client needn't wait for the poll to end by itself.
                peer.push("6")
                webSocket.connection?.channel?.eventLoop.assumeIsolated().scheduleTask(in: probeDelay) {
                    webSocket.send("3probe")
                }
            case "5":
                peer.upgraded(webSocket)
            default: peer.received(text)
            }
        }
        peer.state.withLock { $0.server = server }
        return (peer, server)
    }

    /// What happened, in order: `GET`, `POST packet...`, `answer packet...` for a poll's, `ws packet`.
    var log: [String] { state.withLock { $0.log } }

    /// Sends packets on whatever transport the session has.
    func push(_ packets: String...) {
        let (server, webSocket) = state.withLock { state -> (ScriptedServer?, NIOLoopBound<ScriptedServer.Peer>?) in
            if let webSocket = state.webSocket { return (nil, webSocket) }
            state.outbox += packets
            guard state.isPollHeld else { return (nil, nil) }
            state.isPollHeld = false
            return (state.server, nil)
        }
        if let server {
            server.release("poll", .choice { _ in self.nextBody() })
        }
        webSocket?.eventLoop.execute {
            for packet in packets { webSocket?.value.send(packet) }
        }
    }

    private func record(_ line: String) {
        state.withLock { $0.log.append(line) }
    }

    private func upgraded(_ webSocket: ScriptedServer.Peer) {
        guard let eventLoop = webSocket.connection?.channel?.eventLoop else { return }
        let bound = NIOLoopBound(webSocket, eventLoop: eventLoop)
        let packets = state.withLock { state in
            state.webSocket = bound
            defer { state.outbox = [] }
            return state.outbox
        }
        for packet in packets {
            webSocket.send(packet)
        }
    }

    private func received(_ packet: String) {
        if packet.hasPrefix("40") { push(#"40{"sid":"socket"}"#) }
        script(self, packet)
    }

    private func nextBody() -> ScriptedServer.Answer {
        let packets = state.withLock { state in
            state.log.append("answer \(state.outbox.joined(separator: " "))")
            defer { state.outbox = [] }
            return state.outbox
        }
        return .http(body: packets.joined(separator: "\u{1E}"))
    }

    private func answer(_ request: ScriptedServer.Request) -> ScriptedServer.Answer {
        if !request.isUpgrade {
            let packets = request.body.replacing("\u{1E}", with: " ")
            record(request.isPoll ? "GET" : "POST \(packets)")
        }
        if let answer = exception(request) { return answer }
        if request.isUpgrade { return .webSocket }
        guard request.isPoll else {
            for packet in request.body.split(separator: "\u{1E}") {
                received(String(packet))
            }
            return .http(body: "ok")
        }
        guard request.head.uri.contains("sid=") else { return .http(body: handshake) }
        let isReady = state.withLock { state in
            state.isPollHeld = state.outbox.isEmpty
            return !state.isPollHeld
        }
        return isReady ? nextBody() : .held("poll")
    }
}

extension PollingPeer {
    /// Makes ready for another session, when the one before has ended.
    func forget() {
        state.withLock { state in
            state = State(server: state.server)
        }
    }
}
