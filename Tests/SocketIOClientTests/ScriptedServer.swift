import NIOCore
import NIOHTTP1
import NIOPosix
import NIOSSL
import Synchronization
import TestSupport
import WebSocketLink

/// A server that knows HTTP and WebSocket but no Socket.IO: what it says, a test writes down.
final class ScriptedServer: Sendable {
    /// What becomes of the opening handshake.
    enum Answer: Sendable {
        case webSocket
        case refusal(status: HTTPResponseStatus, body: String, isComplete: Bool = true)
        /// Bytes in place of an HTTP answer.
        case raw(String)
        /// A 101 with a wrong key.
        case wrongKey
        case silence
        /// A whole answer; the connection goes on unless it says otherwise.
        case http(status: HTTPResponseStatus = .ok, headers: HTTPHeaders = [:], body: String, closing: Bool = false)
        /// No answer until ``ScriptedServer/release(_:_:)``.
        case held(String)
        /// The connection is closed without an answer.
        case hangUp
        /// As the request wants it. Called on the connection's event loop.
        indirect case choice(@Sendable (Request) -> Answer)
    }

    /// A whole request.
    struct Request: Sendable {
        var head: HTTPRequestHead
        var body: String
        /// The number of the connection that it came on, from 0.
        var connection: Int
        /// How many requests came on that connection before.
        var earlier: Int

        var isUpgrade: Bool { head.headers.contains(name: "Upgrade") }
        var isPoll: Bool { head.method == .GET && !isUpgrade }
    }

    /// What happens on a peer's WebSocket.
    enum Event {
        case opened
        case text(String)
        case binary([UInt8])
    }

    typealias Script = @Sendable (Peer, Event) -> Void

    /// Everything that was observed, in order.
    struct Log {
        var requests: [HTTPRequestHead] = []
        var connections = 0
        var texts: [String] = []
        var binaries: [[UInt8]] = []
        var closes: [WebSocketCloseReason] = []
        var closedChannels = 0
    }

    static let handshake =
        #"0{"sid":"engine","upgrades":[],"pingInterval":25000,"pingTimeout":20000,"maxPayload":1000000}"#

    let port: Int
    private let channel: any Channel
    private let log: Recorder

    final class Recorder: Sendable {
        let log = Mutex(Log())
        /// Requests that wait for an answer, and answers that came before their request, by the name of both.
        private let held = Mutex<[String: Held]>([:])

        private enum Held: Sendable {
            case request(@Sendable (Answer) -> Void)
            case answer(Answer)
        }

        fileprivate func hold(_ name: String, _ respond: @escaping @Sendable (Answer) -> Void) {
            let answer: Answer? = held.withLock { held in
                if case .answer(let answer) = held.removeValue(forKey: name) { return answer }
                held[name] = .request(respond)
                return nil
            }
            if let answer { respond(answer) }
        }

        fileprivate func release(_ name: String, _ answer: Answer) {
            let respond: (@Sendable (Answer) -> Void)? = held.withLock { held in
                if case .request(let respond) = held.removeValue(forKey: name) { return respond }
                held[name] = .answer(answer)
                return nil
            }
            respond?(answer)
        }

        func record(_ change: (inout Log) -> Void) {
            log.withLock { change(&$0) }
        }
    }

    /// One WebSocket, on its event loop.
    final class Peer: WebSocketDelegate {
        var connection: WebSocketConnection?
        private let script: Script
        private let recorder: Recorder

        init(script: @escaping Script, recorder: Recorder) {
            self.script = script
            self.recorder = recorder
        }

        func opened() {
            script(self, .opened)
        }

        func send(_ texts: String...) {
            for text in texts {
                connection?.send(.text(ByteBuffer(string: text)))
            }
            connection?.flush()
        }

        func send(binary: [UInt8]) {
            connection?.send(.binary(ByteBuffer(bytes: binary)))
            connection?.flush()
        }

        func webSocket(_ connection: WebSocketConnection, received message: WebSocketMessage) {
            switch message {
            case .text(let text):
                let text = String(buffer: text)
                recorder.record { $0.texts.append(text) }
                script(self, .text(text))
            case .binary(let bytes):
                let bytes = Array(bytes.readableBytesView)
                recorder.record { $0.binaries.append(bytes) }
                script(self, .binary(bytes))
            }
        }

        func webSocketClosed(_ connection: WebSocketConnection, reason: WebSocketCloseReason) {
            recorder.record { $0.closes.append(reason) }
            self.connection = nil
        }

        func webSocketWritabilityChanged(_ connection: WebSocketConnection, writable: Bool) {}

        func webSocketShouldQuiesce(_ connection: WebSocketConnection) {}
    }

    private init(channel: any Channel, log: Recorder) {
        self.channel = channel
        self.log = log
        port = channel.localAddress?.port ?? 0
    }

    deinit {
        channel.close(promise: nil)
    }

    /// Stops listening.
    func stop() async throws {
        try await channel.close()
    }

    /// Starts a server on a free port of 127.0.0.1.
    static func start(
        answer: Answer = .webSocket,
        certificate: TestCertificate? = nil,
        script: @escaping Script = { _, _ in }
    ) async throws -> ScriptedServer {
        let recorder = Recorder()
        let tls = try certificate.map(makeTLS)
        let channel = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .childChannelInitializer { channel in
                channel.closeFuture.whenComplete { _ in recorder.record { $0.closedChannels += 1 } }
                return channel.eventLoop.makeCompletedFuture {
                    let pipeline = channel.pipeline.syncOperations
                    if let tls {
                        try pipeline.addHandler(NIOSSLServerHandler(context: tls))
                    }
                    let encoder = HTTPResponseEncoder()
                    let decoder = ByteToMessageHandler(HTTPRequestDecoder(leftOverBytesStrategy: .forwardBytes))
                    try pipeline.addHandlers([
                        encoder, decoder,
                        Upgrader(answer: answer, codec: [encoder, decoder], script: script, recorder: recorder),
                    ])
                }
            }
            .bind(host: "127.0.0.1", port: 0).get()
        return ScriptedServer(channel: channel, log: recorder)
    }

    /// A server that opens the Engine.IO session and grants the namespace, and then follows the script.
    static func startGreeting(
        handshake: String = handshake,
        certificate: TestCertificate? = nil,
        script: @escaping Script = { _, _ in }
    ) async throws -> ScriptedServer {
        try await start(certificate: certificate) { peer, event in
            switch event {
            case .opened: peer.send(handshake)
            case .text(let text) where text.hasPrefix("40") && !text.hasPrefix("40/"):
                peer.send(#"40{"sid":"socket"}"#)
                script(peer, .opened)
            default: script(peer, event)
            }
        }
    }

    /// Answers the request that is held under a name, now or when it comes.
    func release(_ name: String, _ answer: Answer) {
        log.release(name, answer)
    }

    var observed: Log {
        log.log.withLock { $0 }
    }

    private static func makeTLS(_ certificate: TestCertificate) throws -> NIOSSLContext {
        let certificates = try NIOSSLCertificate.fromPEMBytes(Array(certificate.certificate.utf8))
        let key = try NIOSSLPrivateKey(bytes: Array(TestCertificate.key.utf8), format: .pem)
        return try NIOSSLContext(
            configuration: .makeServerConfiguration(
                certificateChain: certificates.map { .certificate($0) }, privateKey: .privateKey(key)))
    }
}

/// Answers the requests of a connection.
private final class Upgrader: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias OutboundOut = HTTPServerResponsePart

    private let answer: ScriptedServer.Answer
    private let codec: [any RemovableChannelHandler]
    private let script: ScriptedServer.Script
    private let recorder: ScriptedServer.Recorder
    private var head: HTTPRequestHead?
    private var body = ByteBuffer()
    private let connection: Int
    private var earlier = 0

    init(
        answer: ScriptedServer.Answer,
        codec: [any RemovableChannelHandler],
        script: @escaping ScriptedServer.Script,
        recorder: ScriptedServer.Recorder
    ) {
        self.answer = answer
        self.codec = codec
        self.script = script
        self.recorder = recorder
        connection = recorder.log.withLock { log in
            log.connections += 1
            return log.connections - 1
        }
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch Self.unwrapInboundIn(data) {
        case .head(let head):
            self.head = head
            body.clear()
        case .body(var part): body.writeBuffer(&part)
        case .end:
            guard let head else { return }
            recorder.record { $0.requests.append(head) }
            let request = ScriptedServer.Request(
                head: head, body: String(buffer: body), connection: connection, earlier: earlier)
            earlier += 1
            respond(to: request, with: answer, context)
        }
    }

    private func respond(
        to request: ScriptedServer.Request, with answer: ScriptedServer.Answer, _ context: ChannelHandlerContext
    ) {
        let head = request.head
        switch answer {
        case .silence: break
        case .choice(let choose): respond(to: request, with: choose(request), context)
        case .hangUp: context.close(promise: nil)
        case .held(let name):
            let bound = NIOLoopBound((self, context), eventLoop: context.eventLoop)
            recorder.hold(name) { answer in
                bound.eventLoop.execute { bound.value.0.respond(to: request, with: answer, bound.value.1) }
            }
        case .http(let status, var headers, let body, let closing):
            headers.replaceOrAdd(name: "Content-Length", value: String(body.utf8.count))
            if closing {
                headers.add(name: "Connection", value: "close")
            }
            context.write(
                Self.wrapOutboundOut(.head(HTTPResponseHead(version: .http1_1, status: status, headers: headers))),
                promise: nil)
            context.write(Self.wrapOutboundOut(.body(.byteBuffer(ByteBuffer(string: body)))), promise: nil)
            context.writeAndFlush(Self.wrapOutboundOut(.end(nil)), promise: nil)
            if closing {
                context.close(promise: nil)
            }
        case .raw(let text):
            let channel = context.channel
            removeCodec(context)
            channel.writeAndFlush(ByteBuffer(string: text), promise: nil)
        case .wrongKey:
            switchProtocols(context, accept: WebSocketHandshake.acceptKey(for: "another"))
            context.flush()
        case .refusal(let status, let body, let isComplete):
            var headers = HTTPHeaders()
            headers.add(name: "Content-Length", value: String(body.utf8.count + (isComplete ? 0 : 1)))
            context.write(
                Self.wrapOutboundOut(.head(HTTPResponseHead(version: .http1_1, status: status, headers: headers))),
                promise: nil)
            context.writeAndFlush(Self.wrapOutboundOut(.body(.byteBuffer(ByteBuffer(string: body)))), promise: nil)
            if isComplete {
                context.writeAndFlush(Self.wrapOutboundOut(.end(nil)), promise: nil)
            }
        case .webSocket:
            let key: String
            do {
                key = try WebSocketHandshake.validateRequest(
                    method: head.method.rawValue, httpMajor: head.version.major, httpMinor: head.version.minor
                ) { head.headers[$0] }
            } catch {
                context.close(promise: nil)
                return
            }
            // The flush comes last, so that the answer and the first frames leave in one segment.
            switchProtocols(context, accept: WebSocketHandshake.acceptKey(for: key))
            let peer = ScriptedServer.Peer(script: script, recorder: recorder)
            let connection = WebSocketConnection(role: .server, maximumMessageSize: 1 << 20, delegate: peer)
            peer.connection = connection
            let pipeline = context.pipeline.syncOperations
            try? pipeline.addHandler(connection)
            removeCodec(context)
            peer.opened()
            connection.flush()
        }
    }

    private func switchProtocols(_ context: ChannelHandlerContext, accept: String) {
        let headers: HTTPHeaders = ["Upgrade": "websocket", "Connection": "Upgrade", "Sec-WebSocket-Accept": accept]
        let head = HTTPResponseHead(version: .http1_1, status: .switchingProtocols, headers: headers)
        context.write(Self.wrapOutboundOut(.head(head)), promise: nil)
        context.write(Self.wrapOutboundOut(.end(nil)), promise: nil)
    }

    private func removeCodec(_ context: ChannelHandlerContext) {
        let pipeline = context.pipeline.syncOperations
        pipeline.removeHandler(self, promise: nil)
        for handler in codec {
            pipeline.removeHandler(handler, promise: nil)
        }
    }
}
