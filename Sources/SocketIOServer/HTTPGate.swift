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
        /// One of our own requests is being read.
        case reading(OwnRequest)
        /// Its session has it, and answers when it has something to say.
        case awaiting(OwnRequest, HTTPReply.ID)
        /// The last answer is out; whatever still comes is not looked at.
        case closing
        /// The connection is a WebSocket; whatever of the application is still here is cut off.
        case upgraded
    }

    private let server: EngineServer
    private let codec: Codec
    private let installApplication: (any Channel) throws -> Void
    private let decided: (Outcome) -> Void
    private var context: ChannelHandlerContext?
    private var state = State.betweenRequests
    /// Of the request of ours that is being read.
    private var body = ByteBuffer()
    private var inputIsClosed = false
    private var hasApplication = false
    private var hasDecided = false
    /// The request that was forwarded stopped the decoder, so that the connection has to end with its response.
    private var closesAfterResponse = false
    /// The server stops: the answer that is awaited is the last.
    private var closesAfterAnswer = false
    private var requestDeadline: Scheduled<Void>?

    /// HTTP/1.1, as it stands in front of the gate.
    private struct Codec {
        let encoder = HTTPResponseEncoder()
        let decoder = ByteToMessageHandler(HTTPRequestDecoder(leftOverBytesStrategy: .forwardBytes))
        let sentry = InputSentry()
        let pipelining = HTTPServerPipelineHandler()
    }

    private init(
        server: EngineServer, codec: Codec,
        installApplication: @escaping (any Channel) throws -> Void, decided: @escaping (Outcome) -> Void
    ) {
        self.server = server
        self.codec = codec
        self.installApplication = installApplication
        self.decided = decided
    }

    /// Adds HTTP/1.1 and the gate to a new connection's pipeline; one that is too many is told so, and closed. Call it on
    /// the channel's event loop.
    ///
    /// - Parameters:
    ///   - installApplication: adds the application's handlers behind the gate, for `HTTPServerRequestPart` and
    ///     `HTTPServerResponsePart`; called at most once. From then on time-outs are the application's affair.
    ///   - decided: told once what the connection came to be.
    public static func install(
        on channel: any Channel, server: EngineServer, installApplication: @escaping (any Channel) throws -> Void,
        decided: @escaping (Outcome) -> Void
    ) throws {
        let address = channel.remoteAddress
        guard server.connections.enter(address) else {
            decided(.none)
            server.metrics.refused(.tooManyConnections)
            server.logger.notice(
                "too many connections", metadata: ["address": .string(address.map { "\($0)" } ?? "unknown")])
            try channel.pipeline.syncOperations.addHandler(ConnectionRefusal())
            return
        }
        channel.closeFuture.whenComplete { _ in server.connections.leave(address) }
        let codec = Codec()
        let gate = HTTPGate(server: server, codec: codec, installApplication: installApplication, decided: decided)
        codec.sentry.gate = gate
        try channel.pipeline.syncOperations.addHandlers(
            [codec.encoder, codec.decoder, codec.sentry, codec.pipelining, gate])
    }

    /// The same for a Socket.IO server.
    public static func install(
        on channel: any Channel, server: SocketIOServer, installApplication: @escaping (any Channel) throws -> Void,
        decided: @escaping (Outcome) -> Void
    ) throws {
        try install(on: channel, server: server.engine, installApplication: installApplication, decided: decided)
    }

    // MARK: Lifetime

    public func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
        expectRequest(within: server.configuration.requestTimeout, context: context)
    }

    /// As long as no application looks after the connection, each request has to come within a time; one of ours has to
    /// come whole, whoever looks after it.
    private func expectRequest(within time: TimeAmount, context: ChannelHandlerContext) {
        requestDeadline?.cancel()
        requestDeadline = context.eventLoop.assumeIsolated().scheduleTask(in: time) { [self] in
            server.logger.debug("no request in time")
            server.metrics.refused(.timedOut)
            // What had come of a request is not looked at any more.
            state = .closing
            context.close(promise: nil)
        }
    }

    public func handlerRemoved(context: ChannelHandlerContext) {
        ended()
    }

    public func channelInactive(context: ChannelHandlerContext) {
        ended()
        context.fireChannelInactive()
    }

    private func ended() {
        requestDeadline?.cancel()
        context = nil
        giveUpAnswer()
        decide(.none)
    }

    /// Nobody is left who could be given the answer that is awaited.
    private func giveUpAnswer() {
        guard case .awaiting(let request, let reply) = state else { return }
        state = .closing
        server.lost(reply, request.purpose)
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
            begin(head, context: context)
        case (.betweenRequests, .head(let head)):
            forward(head, context: context)
        case (.reading(let request), .body(let bytes)):
            if request.keepsBody { read(bytes, of: request, context: context) }
        case (.reading(let request), .end):
            requestDeadline?.cancel()
            answer(request, context: context)
        case (.forwarding, .end):
            state = .betweenRequests
            context.fireChannelRead(data)
        case (.forwarding, _):
            context.fireChannelRead(data)
        case (.reading, _), (.awaiting, _), (.closing, _), (.upgraded, _), (.betweenRequests, _):
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
                giveUpAnswer()
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
        case .betweenRequests, .forwarding, .reading, .awaiting:
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

    // MARK: Our own requests

    private func begin(_ head: HTTPRequestHead, context: ChannelHandlerContext) {
        var request = OwnRequest(
            head: head,
            handshake: HandshakeRequest(
                target: head.uri, headers: head.headers, remoteAddress: context.channel.remoteAddress))
        request.crossOriginHeaders = server.configuration.crossOriginHeaders(for: head.headers)
        if head.method == .OPTIONS {
            request.outcome = .preflight
        } else {
            do throws(EngineError) {
                let judged = try server.judge(
                    method: head.method.rawValue, request: request.handshake,
                    isUpgrade: head.headers.contains(name: "upgrade"))
                request.outcome = .admitted(judged)
            } catch {
                request.outcome = .refused(error)
            }
        }
        expectRequest(within: server.configuration.requestTimeout, context: context)
        state = .reading(request)
        let length = head.headers.first(name: "content-length").flatMap { Int($0) } ?? 0
        if request.keepsBody, length > server.configuration.maximumPayload { refuseBody(of: request, context: context) }
    }

    private func read(_ bytes: ByteBuffer, of request: OwnRequest, context: ChannelHandlerContext) {
        guard body.readableBytes + bytes.readableBytes <= server.configuration.maximumPayload else {
            return refuseBody(of: request, context: context)
        }
        body.writeImmutableBuffer(bytes)
    }

    private func refuseBody(of request: OwnRequest, context: ChannelHandlerContext) {
        body = ByteBuffer()
        requestDeadline?.cancel()
        server.logger.debug("a body is too long", metadata: ["address": .string(request.handshake.address)])
        server.metrics.refused(.bodyTooLong)
        let limit = server.configuration.maximumPayload
        respond(
            .payloadTooLarge, EngineError.badRequest.saying("A body may have \(limit) bytes").body,
            extra: request.crossOriginHeaders, keepAlive: false, lingers: true, context: context)
    }

    /// A request of ours has come whole.
    private func answer(_ request: OwnRequest, context: ChannelHandlerContext) {
        switch request.outcome {
        case .preflight:
            guard !request.crossOriginHeaders.contains(name: "access-control-allow-origin") else {
                let extra = request.preflightHeaders
                return respond(
                    .noContent, ByteBuffer(), type: "", extra: extra, to: .OPTIONS,
                    keepAlive: request.head.isKeepAlive, promise: nil, context: context)
            }
            refuse(request, with: .badHandshakeMethod, context: context)
        case .refused(let error):
            refuse(request, with: error, context: context)
        case .admitted(let engineRequest):
            switch (engineRequest.purpose, engineRequest.transport) {
            case (.handshake, .websocket):
                beginWebSocket(request, context: context)
            case (.handshake, .polling):
                let reply = awaitReply(to: request, context: context)
                server.openByPolling(request.handshake, on: context.eventLoop, reply)
            case (.upgrade, _):
                guard webSocketKey(of: request, context: context) != nil else { return }
                let reply = awaitReply(to: request, context: context)
                server.pass(engineRequest.purpose, request.handshake, body: ByteBuffer(), reply)
            case (.poll, _), (.deliver, _):
                let reply = awaitReply(to: request, context: context)
                let body = body
                self.body = ByteBuffer()
                server.pass(engineRequest.purpose, request.handshake, body: body, reply)
            }
        }
    }

    private func refuse(_ request: OwnRequest, with error: EngineError, context: ChannelHandlerContext) {
        server.logger.debug(
            "refused a request",
            metadata: ["address": .string(request.handshake.address), "error": .string(error.message)])
        server.metrics.refused(RequestRefusal(error))
        respond(
            .init(statusCode: error.status), error.body, extra: request.crossOriginHeaders, to: request.head.method,
            keepAlive: request.head.isKeepAlive && !Self.stopsDecoder(request.head), context: context)
    }

    private func awaitReply(to request: OwnRequest, context: ChannelHandlerContext) -> HTTPReply {
        let reply = HTTPReply(gate: self, eventLoop: context.eventLoop)
        state = .awaiting(request, reply.id)
        return reply
    }

    /// The session's answer to a request; called on this connection's event loop.
    func answered(_ id: HTTPReply.ID, _ response: HTTPReply.Response, lost: (@Sendable () -> Void)?) {
        guard case .awaiting(let request, id) = state, let context else {
            lost?()
            return
        }
        switch response {
        case .refusal(let error):
            refuse(request, with: error, context: context)
        case .packets(let payload):
            send(payload, type: "text/plain; charset=UTF-8", to: request, lost: lost, context: context)
        case .accepted:
            send(ByteBuffer(string: "ok"), type: "text/html", to: request, lost: lost, context: context)
        case .upgrade:
            takeOver(request, context: context)
        }
    }

    private func send(
        _ body: ByteBuffer, type: String, to request: OwnRequest, lost: (@Sendable () -> Void)?,
        context: ChannelHandlerContext
    ) {
        var extra = request.crossOriginHeaders
        extra.add(name: "Cache-Control", value: "no-store")
        var promise: EventLoopPromise<Void>?
        if let lost {
            let written = context.eventLoop.makePromise(of: Void.self)
            written.futureResult.whenFailure { _ in lost() }
            promise = written
        }
        // A client that polls may have nothing to send before the next ping, and should find its connection open then.
        let configuration = server.configuration
        let patience = max(configuration.requestTimeout, configuration.pingInterval + configuration.pingTimeout)
        respond(
            .ok, body, type: type, extra: extra, to: request.head.method, keepAlive: request.head.isKeepAlive,
            patience: patience, promise: promise, context: context)
    }

    /// The client has ended its stream, or is gone: whoever waits for an answer of ours does so no more.
    func inputEnded() {
        guard case .awaiting = state, let context else { return }
        giveUpAnswer()
        context.close(promise: nil)
    }

    /// The server stops: a poll must not hold that up.
    func shouldQuiesce() {
        guard case .awaiting(let request, _) = state else { return }
        closesAfterAnswer = true
        server.stopsUnder(request.purpose)
    }

    // MARK: WebSockets

    private func webSocketKey(of request: OwnRequest, context: ChannelHandlerContext) -> String? {
        let head = request.head
        do throws(WebSocketHandshake.RequestError) {
            return try WebSocketHandshake.validateRequest(
                method: head.method.rawValue, httpMajor: head.version.major, httpMinor: head.version.minor
            ) { head.headers[$0] }
        } catch {
            var extra = HTTPHeaders()
            server.logger.debug(
                "refused a request",
                metadata: ["address": .string(request.handshake.address), "error": .string(error.description)])
            server.metrics.refused(RequestRefusal(error))
            if error == .versionUnsupported { extra.add(name: "Sec-WebSocket-Version", value: "13") }
            let body = EngineError.badRequest.saying(error.description).body
            respond(.init(statusCode: error.status), body, extra: extra, keepAlive: false, context: context)
            return nil
        }
    }

    private func beginWebSocket(_ request: OwnRequest, context: ChannelHandlerContext) {
        guard let key = webSocketKey(of: request, context: context) else { return }
        upgrade(key: key, context: context) {
            try server.makeConnection(for: request.handshake, on: context.eventLoop)
        }
    }

    private func takeOver(_ request: OwnRequest, context: ChannelHandlerContext) {
        guard case .upgrade(let sid) = request.purpose, let made = server.makeUpgrade(of: sid, on: context.eventLoop)
        else { return refuse(request, with: .unknownSession, context: context) }
        guard let key = webSocketKey(of: request, context: context) else { return }
        upgrade(key: key, context: context) { made }
    }

    private func upgrade(
        key: String, context: ChannelHandlerContext,
        make: () throws -> (connection: WebSocketConnection, start: () -> Void)
    ) {
        do {
            let (connection, start) = try make()
            try upgrade(to: connection, start: start, key: key, context: context)
        } catch {
            server.logger.error("can't upgrade a connection", metadata: ["error": .string("\(error)")])
            context.close(promise: nil)
        }
    }

    // MARK: Answers

    private func upgrade(
        to connection: WebSocketConnection, start: () -> Void, key: String, context: ChannelHandlerContext
    ) throws {
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
        pipeline.removeHandler(codec.sentry, promise: nil)
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
        keepAlive: Bool, lingers: Bool = false, context: ChannelHandlerContext
    ) {
        respond(
            status, ByteBuffer(bytes: body.encoded()), type: "application/json", extra: extra, to: method,
            keepAlive: keepAlive, lingers: lingers, promise: nil, context: context)
    }

    private func respond(
        _ status: HTTPResponseStatus, _ body: ByteBuffer, type: String, extra: HTTPHeaders, to method: HTTPMethod,
        keepAlive: Bool, lingers: Bool = false, patience: TimeAmount? = nil, promise: EventLoopPromise<Void>?,
        context: ChannelHandlerContext
    ) {
        let keepAlive = keepAlive && !closesAfterAnswer
        var headers = extra
        if !type.isEmpty { headers.add(name: "Content-Type", value: type) }
        if status != .noContent { headers.add(name: "Content-Length", value: String(body.readableBytes)) }
        // First of all: the end of the answer lets in what was pipelined behind the request.
        if keepAlive {
            state = .betweenRequests
            let patience = patience ?? server.configuration.requestTimeout
            if !hasApplication { expectRequest(within: patience, context: context) }
        } else {
            headers.add(name: "Connection", value: "close")
            state = .closing
        }
        context.write(
            Self.wrapOutboundOut(.head(HTTPResponseHead(version: .http1_1, status: status, headers: headers))),
            promise: nil)
        if method != .HEAD, body.readableBytes > 0 {
            context.write(Self.wrapOutboundOut(.body(.byteBuffer(body))), promise: nil)
        }
        context.writeAndFlush(Self.wrapOutboundOut(.end(nil)), promise: promise)
        guard !keepAlive else { return }
        if lingers { closeLater(context) } else { context.close(promise: nil) }
    }

    /// How long a client may go on sending what nobody reads any more.
    private static let lingering = TimeAmount.seconds(1)

    /// Closes the connection when the client has had time to read the answer: to close upon bytes that are still coming
    /// resets the connection, and the answer may be lost with it.
    private func closeLater(_ context: ChannelHandlerContext) {
        context.close(mode: .output, promise: nil)
        requestDeadline = context.eventLoop.assumeIsolated().scheduleTask(in: Self.lingering) {
            context.close(promise: nil)
        }
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
        giveUpAnswer()
        context.close(mode: mode, promise: promise)
    }
}
