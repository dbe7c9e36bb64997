import NIOCore
import NIOHTTP1
import NIOPosix
import NIOWebSocket
import Synchronization
import WireJSON

/// A server on a port of its own that answers HTTP requests and Socket.IO packets as a test says.
final class ScriptedServer: Sendable {
    struct Request: Sendable {
        var method: HTTPMethod
        var uri: String
        var headers: HTTPHeaders
        var body: String
    }

    struct Reply: Sendable {
        var status = HTTPResponseStatus.ok
        var headers: [(String, String)] = []
        var body = ""
    }

    /// What follows a packet (`40`, `42[...]`) of a client; nil closes the connection.
    typealias Packets = @Sendable (_ packet: String, _ connection: Int) -> [String]?

    let port: Int
    private let channel: any Channel
    private let log: Log

    fileprivate final class Log: Sendable {
        let requests = Mutex<[Request]>([])
        let handshakes = Mutex<[HTTPHeaders]>([])
        let packets = Mutex<[String]>([])
    }

    private init(channel: any Channel, log: Log) {
        self.channel = channel
        self.log = log
        port = channel.localAddress?.port ?? 0
    }

    var url: String { "http://127.0.0.1:\(port)" }
    /// The requests that asked for no WebSocket.
    var requests: [Request] { log.requests.withLock { $0 } }
    /// The headers of those that did.
    var handshakes: [HTTPHeaders] { log.handshakes.withLock { $0 } }
    /// The packets that came, without Engine.IO's own.
    var packets: [String] { log.packets.withLock { $0 } }

    /// Runs a body with such a server.
    static func with<Result>(
        http: @escaping @Sendable (Request) -> Reply = { _ in Reply(status: .notFound) },
        socket: Packets? = nil, isolation: isolated (any Actor)? = #isolation,
        _ body: (ScriptedServer) async throws -> Result
    ) async throws -> Result {
        let log = Log()
        let channel = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .childChannelInitializer { channel in
                let replier = Replier(log: log, http: http)
                let upgrader = NIOWebSocketServerUpgrader(
                    shouldUpgrade: { channel, _ in channel.eventLoop.makeSucceededFuture(socket == nil ? nil : [:]) },
                    upgradePipelineHandler: { channel, head in
                        let number = log.handshakes.withLock { handshakes in
                            handshakes.append(head.headers)
                            return handshakes.count
                        }
                        return channel.pipeline.addHandler(
                            Talker(log: log, number: number, packets: socket ?? { _, _ in nil }))
                    })
                return channel.pipeline.configureHTTPServerPipeline(
                    withServerUpgrade: (
                        upgraders: [upgrader],
                        completionHandler: { $0.pipeline.removeHandler(name: "replier", promise: nil) }
                    )
                ).flatMap { channel.pipeline.addHandler(replier, name: "replier") }
            }
            .bind(host: "127.0.0.1", port: 0).get()
        do {
            let result = try await body(ScriptedServer(channel: channel, log: log))
            try await channel.close()
            return result
        } catch {
            try await channel.close()
            throw error
        }
    }
}

private final class Replier: ChannelInboundHandler, RemovableChannelHandler, Sendable {
    typealias InboundIn = HTTPServerRequestPart
    typealias OutboundOut = HTTPServerResponsePart

    private let log: ScriptedServer.Log
    private let http: @Sendable (ScriptedServer.Request) -> ScriptedServer.Reply
    private let pending = Mutex<ScriptedServer.Request?>(nil)

    init(log: ScriptedServer.Log, http: @escaping @Sendable (ScriptedServer.Request) -> ScriptedServer.Reply) {
        self.log = log
        self.http = http
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch Self.unwrapInboundIn(data) {
        case .head(let head):
            pending.withLock {
                $0 = ScriptedServer.Request(method: head.method, uri: head.uri, headers: head.headers, body: "")
            }
        case .body(let piece): pending.withLock { $0?.body += String(buffer: piece) }
        case .end:
            guard let request = pending.withLock({ $0.take() }) else { return }
            log.requests.withLock { $0.append(request) }
            let reply = http(request)
            var headers = HTTPHeaders(reply.headers)
            if reply.status != .noContent { headers.add(name: "Content-Length", value: "\(reply.body.utf8.count)") }
            let head = HTTPResponseHead(version: .http1_1, status: reply.status, headers: headers)
            context.write(Self.wrapOutboundOut(.head(head)), promise: nil)
            context.write(Self.wrapOutboundOut(.body(.byteBuffer(ByteBuffer(string: reply.body)))), promise: nil)
            context.writeAndFlush(Self.wrapOutboundOut(.end(nil)), promise: nil)
        }
    }
}

private final class Talker: ChannelInboundHandler, Sendable {
    typealias InboundIn = WebSocketFrame
    typealias OutboundOut = WebSocketFrame

    private let log: ScriptedServer.Log
    private let number: Int
    private let packets: ScriptedServer.Packets

    init(log: ScriptedServer.Log, number: Int, packets: @escaping ScriptedServer.Packets) {
        self.log = log
        self.number = number
        self.packets = packets
    }

    func handlerAdded(context: ChannelHandlerContext) {
        send(
            #"0{"sid":"E1","upgrades":[],"pingInterval":25000,"pingTimeout":20000,"maxPayload":1000000}"#,
            context: context)
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let frame = Self.unwrapInboundIn(data)
        switch frame.opcode {
        case .text:
            let packet = String(buffer: frame.unmaskedData)
            guard packet.hasPrefix("4") else { return }
            log.packets.withLock { $0.append(packet) }
            guard let answers = packets(packet, number) else { return context.close(promise: nil) }
            for answer in answers { send(answer, context: context) }
        case .connectionClose:
            let close = WebSocketFrame(fin: true, opcode: .connectionClose, data: frame.unmaskedData)
            context.writeAndFlush(Self.wrapOutboundOut(close), promise: nil)
            context.close(promise: nil)
        default: break
        }
    }

    private func send(_ packet: String, context: ChannelHandlerContext) {
        let frame = WebSocketFrame(fin: true, opcode: .text, data: ByteBuffer(string: packet))
        context.writeAndFlush(Self.wrapOutboundOut(frame), promise: nil)
    }
}
