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

    enum State {
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

    let server: EngineServer
    let codec: Codec
    private let installApplication: (any Channel) throws -> Void
    private let decided: (Outcome) -> Void
    var context: ChannelHandlerContext?
    var state = State.betweenRequests
    /// Of the request of ours that is being read.
    var body = ByteBuffer()
    var inputIsClosed = false
    var hasApplication = false
    private var hasDecided = false
    /// The request that was forwarded stopped the decoder, so that the connection has to end with its response.
    private var closesAfterResponse = false
    /// The server stops: the answer that is awaited is the last.
    var closesAfterAnswer = false
    var requestDeadline: Scheduled<Void>?

    /// HTTP/1.1, as it stands in front of the gate.
    struct Codec {
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
    func expectRequest(within time: TimeAmount, context: ChannelHandlerContext) {
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
    func giveUpAnswer() {
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
    static func stopsDecoder(_ head: HTTPRequestHead) -> Bool {
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
