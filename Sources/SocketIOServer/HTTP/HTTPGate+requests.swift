import EngineIO
import Logging
import NIOCore
import NIOHTTP1
import WebSocketLink
import WireJSON

/// What is asked of the server's own path: read, judged, brought to its session, answered.
extension HTTPGate {
    func begin(_ head: HTTPRequestHead, context: ChannelHandlerContext) {
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

    func read(_ bytes: ByteBuffer, of request: OwnRequest, context: ChannelHandlerContext) {
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
    func answer(_ request: OwnRequest, context: ChannelHandlerContext) {
        switch request.outcome {
        case .preflight:
            guard let extra = server.configuration.preflightHeaders(for: request.head.headers) else {
                return refuse(request, with: .badHandshakeMethod, context: context)
            }
            respond(
                .noContent, ByteBuffer(), type: "", extra: extra, to: .OPTIONS, keepAlive: request.head.isKeepAlive,
                promise: nil, context: context)
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
        case .upgrade(let isAccepted):
            takeOver(request, isAccepted: isAccepted, context: context)
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

    /// The client has ended its stream, or is gone: an answer that is awaited has no receiver any more.
    func inputEnded() {
        guard case .awaiting = state, let context else { return }
        giveUpAnswer()
        context.close(promise: nil)
    }

    /// The server stops: a poll must not hold that up.
    func shouldQuiesce() {
        guard case .awaiting(let request, _) = state else { return }
        closesAfterAnswer = true
        server.serverStops(during: request.purpose)
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

    private func takeOver(_ request: OwnRequest, isAccepted: Bool, context: ChannelHandlerContext) {
        guard case .upgrade(let sid) = request.purpose,
            let made = server.makeUpgrade(of: sid, isAccepted: isAccepted, on: context.eventLoop)
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
            // The application may hold back the one read that was asked for.
            context.read()
        } else {
            pipeline.removeHandler(self, promise: nil)
        }
    }

    func respond(
        _ status: HTTPResponseStatus, _ body: JSON, extra: HTTPHeaders = [:], to method: HTTPMethod = .GET,
        keepAlive: Bool, lingers: Bool = false, context: ChannelHandlerContext
    ) {
        respond(
            status, ByteBuffer(bytes: body.encoded()), type: "application/json", extra: extra, to: method,
            keepAlive: keepAlive, lingers: lingers, promise: nil, context: context)
    }

    func respond(
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

    /// How long a client may go on sending what is not read any more.
    private static let lingering = TimeAmount.seconds(1)

    /// Closes the connection when the client has had time to read the answer: to close upon bytes that are still coming
    /// resets the connection, and the answer may be lost with it.
    private func closeLater(_ context: ChannelHandlerContext) {
        context.close(mode: .output, promise: nil)
        requestDeadline = context.eventLoop.assumeIsolated().scheduleTask(in: Self.lingering) {
            context.close(promise: nil)
        }
    }
}
