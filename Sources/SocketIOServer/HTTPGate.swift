import EngineIO
import Logging
public import NIOCore
public import NIOHTTP1
import WebSocketLink
import WireJSON

/// Stands between a connection's HTTP codec and the application: answers what is asked of the Socket.IO path, turns
/// the connection into a WebSocket when that is what it asks for, and lets everything else through.
///
/// The application's own handlers are added when its first request comes, so that a connection which begins as a
/// WebSocket never has any. A connection that has carried ordinary requests can still upgrade, as reverse proxies do
/// it: the gate then stays between the application and the channel for good. To the application that is a connection
/// on which no further request comes until it is closed; what it writes or closes itself, when it tires of waiting,
/// goes nowhere.
public final class HTTPGate: ChannelDuplexHandler, RemovableChannelHandler {
    public typealias InboundIn = HTTPServerRequestPart
    public typealias InboundOut = HTTPServerRequestPart
    public typealias OutboundIn = HTTPServerResponsePart
    public typealias OutboundOut = HTTPServerResponsePart

    /// What a connection came to be, first of all.
    public enum Outcome: Sendable, Equatable {
        /// The application's handlers stand in the pipeline.
        case application
        /// It belongs to the Socket.IO server, or is gone.
        case none
    }

    private enum State {
        case betweenRequests
        case forwarding
        /// One of our own requests is being read; its body does not matter.
        case answering(HTTPRequestHead)
        /// The last answer is out; whatever still comes is not looked at.
        case closing
        /// The connection is a WebSocket; whatever of the application is still here is cut off.
        case upgraded
    }

    private let server: SocketIOServer
    private let codec: Codec
    private let installApplication: (any Channel) throws -> Void
    private let decided: (Outcome) -> Void
    private var state = State.betweenRequests
    private var inputIsClosed = false
    private var hasApplication = false
    private var hasDecided = false
    /// The request that was forwarded stopped the decoder, so that the connection has to end with its response.
    private var closesAfterResponse = false
    private var requestDeadline: Scheduled<Void>?

    /// HTTP/1.1, as it stands in front of the gate.
    private struct Codec {
        let encoder = HTTPResponseEncoder()
        let decoder = ByteToMessageHandler(HTTPRequestDecoder(leftOverBytesStrategy: .forwardBytes))
        let pipelining = HTTPServerPipelineHandler()
    }

    private init(
        server: SocketIOServer, codec: Codec,
        installApplication: @escaping (any Channel) throws -> Void, decided: @escaping (Outcome) -> Void
    ) {
        self.server = server
        self.codec = codec
        self.installApplication = installApplication
        self.decided = decided
    }

    /// Adds HTTP/1.1 and the gate to a new connection's pipeline. Call it on the channel's event loop.
    ///
    /// - Parameters:
    ///   - installApplication: adds the application's handlers behind the gate, for `HTTPServerRequestPart` and
    ///     `HTTPServerResponsePart`; called at most once. From then on time-outs are the application's affair.
    ///   - decided: told once what the connection came to be.
    public static func install(
        on channel: any Channel, server: SocketIOServer, installApplication: @escaping (any Channel) throws -> Void,
        decided: @escaping (Outcome) -> Void
    ) throws {
        let codec = Codec()
        let gate = HTTPGate(server: server, codec: codec, installApplication: installApplication, decided: decided)
        try channel.pipeline.syncOperations.addHandlers([codec.encoder, codec.decoder, codec.pipelining, gate])
    }

    // MARK: Lifetime

    public func handlerAdded(context: ChannelHandlerContext) {
        expectRequest(context: context)
    }

    /// As long as no application looks after the connection, each request has to come, whole, within a time.
    private func expectRequest(context: ChannelHandlerContext) {
        let loop = context.eventLoop.assumeIsolated()
        requestDeadline = loop.scheduleTask(in: server.configuration.requestTimeout) { [self] in
            server.logger.debug("no request in time")
            server.metrics.refused(.timedOut)
            // What had come of a request is not looked at any more.
            state = .closing
            context.close(promise: nil)
        }
    }

    public func handlerRemoved(context: ChannelHandlerContext) {
        requestDeadline?.cancel()
        decide(.none)
    }

    public func channelInactive(context: ChannelHandlerContext) {
        requestDeadline?.cancel()
        decide(.none)
        context.fireChannelInactive()
    }

    private func decide(_ outcome: Outcome) {
        guard !hasDecided else { return }
        hasDecided = true
        decided(outcome)
    }

    // MARK: Inbound

    public func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let part = Self.unwrapInboundIn(data)
        switch (state, part) {
        case (.betweenRequests, .head(let head)) where server.owns(target: head.uri):
            state = .answering(head)
        case (.betweenRequests, .head(let head)):
            forward(head, context: context)
        case (.answering(let head), .end):
            requestDeadline?.cancel()
            state = .betweenRequests
            answer(head, context: context)
        case (.forwarding, .end):
            state = .betweenRequests
            context.fireChannelRead(data)
        case (.forwarding, _):
            context.fireChannelRead(data)
        case (.answering, _), (.closing, _), (.upgraded, _), (.betweenRequests, _):
            break
        }
    }

    private func forward(_ head: HTTPRequestHead, context: ChannelHandlerContext) {
        state = .forwarding
        closesAfterResponse = Self.stopsDecoder(head)
        if !hasApplication {
            requestDeadline?.cancel()
            hasApplication = true
            do {
                try installApplication(context.channel)
            } catch {
                server.logger.error("can't serve a connection", metadata: ["error": .string("\(error)")])
                state = .closing
                context.close(promise: nil)
                return
            }
            decide(.application)
        }
        context.fireChannelRead(Self.wrapInboundOut(.head(head)))
    }

    /// Whether the decoder may read nothing behind this request: it keeps the bytes then, however many come.
    private static func stopsDecoder(_ head: HTTPRequestHead) -> Bool {
        head.method == .CONNECT || head.headers.contains(name: "upgrade")
    }

    public func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if (event as? ChannelEvent) == .inputClosed {
            inputIsClosed = true
            if !hasApplication {
                // Nobody is left who could ask anything.
                context.close(promise: nil)
                return
            }
        }
        if case .upgraded = state { return }
        context.fireUserInboundEventTriggered(event)
    }

    public func errorCaught(context: ChannelHandlerContext, error: any Error) {
        switch state {
        case .closing, .upgraded:
            return
        case .betweenRequests, .forwarding, .answering:
            break
        }
        if hasApplication {
            context.fireErrorCaught(error)
        } else if error is HTTPParserError {
            // What is no HTTP gets HTTP's answer to that, and no more.
            server.logger.debug("refused what is not HTTP", metadata: ["error": .string("\(error)")])
            server.metrics.refused(.malformedHTTP)
            respond(
                .badRequest, ["error": "bad_request", "message": "This is not a valid HTTP/1.1 request."],
                keepAlive: false, context: context)
        } else {
            context.close(promise: nil)
        }
    }

    // MARK: Answers

    private func answer(_ head: HTTPRequestHead, context: ChannelHandlerContext) {
        let request = HandshakeRequest(
            target: head.uri, headers: head.headers, remoteAddress: context.channel.remoteAddress)
        let wantsUpgrade = head.headers.contains(name: "upgrade")
        do throws(EngineError) {
            try server.judge(method: head.method.rawValue, request: request, isUpgrade: wantsUpgrade)
        } catch {
            server.logger.debug(
                "refused a request",
                metadata: ["address": .string(request.address), "error": .string(error.message)])
            server.metrics.refused(RequestRefusal(error))
            return respond(
                .init(statusCode: error.status), error.body, to: head.method,
                keepAlive: head.isKeepAlive && !Self.stopsDecoder(head), context: context)
        }
        let key: String
        do throws(WebSocketHandshake.RequestError) {
            key = try WebSocketHandshake.validateRequest(
                method: head.method.rawValue, httpMajor: head.version.major, httpMinor: head.version.minor
            ) { head.headers[$0] }
        } catch {
            var extra = HTTPHeaders()
            server.logger.debug(
                "refused a request",
                metadata: ["address": .string(request.address), "error": .string(error.description)])
            server.metrics.refused(RequestRefusal(error))
            if error == .versionUnsupported { extra.add(name: "Sec-WebSocket-Version", value: "13") }
            let body = EngineError.badRequest.saying(error.description).body
            return respond(
                .init(statusCode: error.status), body, extra: extra, keepAlive: false, context: context)
        }
        do {
            try upgrade(request, key: key, context: context)
        } catch {
            server.logger.error("can't upgrade a connection", metadata: ["error": .string("\(error)")])
            context.close(promise: nil)
        }
    }

    private func upgrade(_ request: HandshakeRequest, key: String, context: ChannelHandlerContext) throws {
        let (connection, start) = try server.makeConnection(for: request, on: context.eventLoop)
        // First of all: the end of the answer lets in what was pipelined behind the request.
        state = .upgraded
        let headers: HTTPHeaders = [
            "Upgrade": "websocket", "Connection": "Upgrade",
            "Sec-WebSocket-Accept": WebSocketHandshake.acceptKey(for: key),
        ]
        let head = HTTPResponseHead(version: .http1_1, status: .switchingProtocols, headers: headers)
        context.write(Self.wrapOutboundOut(.head(head)), promise: nil)
        context.writeAndFlush(Self.wrapOutboundOut(.end(nil)), promise: nil)

        let pipeline = context.pipeline.syncOperations
        let farewell = DecoderFarewell()
        try pipeline.addHandlers([farewell, connection], position: .before(self))
        if hasApplication { try pipeline.addHandler(ApplicationBypass(to: context)) }
        pipeline.removeHandler(codec.pipelining, promise: nil)
        pipeline.removeHandler(codec.encoder, promise: nil)
        // Bytes that came right behind the request are handed on by the decoder as it goes.
        pipeline.removeHandler(codec.decoder).assumeIsolated().whenComplete { _ in
            pipeline.removeHandler(farewell, promise: nil)
        }
        start()
        if inputIsClosed { connection.abort() }
        if hasApplication {
            // The application may hold a read back that nobody asks for again.
            context.read()
        } else {
            pipeline.removeHandler(self, promise: nil)
        }
    }

    private func respond(
        _ status: HTTPResponseStatus, _ body: JSON, extra: HTTPHeaders = [:], to method: HTTPMethod = .GET,
        keepAlive: Bool, context: ChannelHandlerContext
    ) {
        let bytes = body.encoded()
        var headers = extra
        headers.add(name: "Content-Type", value: "application/json")
        headers.add(name: "Content-Length", value: String(bytes.count))
        if keepAlive {
            if !hasApplication { expectRequest(context: context) }
        } else {
            headers.add(name: "Connection", value: "close")
            state = .closing
        }
        context.write(
            Self.wrapOutboundOut(.head(HTTPResponseHead(version: .http1_1, status: status, headers: headers))),
            promise: nil)
        if method != .HEAD {
            context.write(Self.wrapOutboundOut(.body(.byteBuffer(ByteBuffer(bytes: bytes)))), promise: nil)
        }
        context.writeAndFlush(Self.wrapOutboundOut(.end(nil)), promise: nil)
        if !keepAlive { context.close(promise: nil) }
    }

    // MARK: Outbound

    public func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        if case .upgraded = state {
            promise?.fail(ChannelError.ioOnClosedChannel)
            return
        }
        guard closesAfterResponse else { return context.write(data, promise: promise) }
        switch Self.unwrapOutboundIn(data) {
        case .head(var head):
            head.headers.replaceOrAdd(name: "Connection", value: "close")
            context.write(Self.wrapOutboundOut(.head(head)), promise: promise)
        case .body:
            context.write(data, promise: promise)
        case .end:
            state = .closing
            context.writeAndFlush(data, promise: promise)
            context.close(promise: nil)
        }
    }

    public func flush(context: ChannelHandlerContext) {
        if case .upgraded = state { return }
        context.flush()
    }

    public func read(context: ChannelHandlerContext) {
        if case .upgraded = state { return }
        context.read()
    }

    public func close(context: ChannelHandlerContext, mode: CloseMode, promise: EventLoopPromise<Void>?) {
        // What comes here is the application's, which has lost the connection; see ``ApplicationBypass``.
        if case .upgraded = state {
            promise?.succeed()
            return
        }
        context.close(mode: mode, promise: promise)
    }
}
