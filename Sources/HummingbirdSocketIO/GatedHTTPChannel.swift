public import HummingbirdCore
import Logging
import NIOCore
import NIOHTTP1
import NIOHTTPTypes
import NIOHTTPTypesHTTP1
public import SocketIOServer

/// One port for the API and the sockets: a connection's HTTP side is Hummingbird's, and is only set up when its first
/// ordinary request comes. A connection that becomes a WebSocket has neither task nor asynchronous sequence.
struct GatedHTTPChannel: ServerChildChannel, HTTPChannelHandler {
    typealias HTTPChannel = NIOAsyncChannel<HTTPRequestPart, HTTPResponsePart>

    struct Value: ServerChildChannelValue {
        let http: EventLoopFuture<HTTPChannel?>
        let channel: any Channel
    }

    let responder: HTTPChannelHandler.Responder
    let server: SocketIOServer

    func setup(channel: any Channel, logger: Logger) -> EventLoopFuture<Value> {
        channel.eventLoop.makeCompletedFuture {
            let promise = channel.eventLoop.makePromise(of: HTTPChannel?.self)
            let http = NIOLoopBoundBox<HTTPChannel?>(nil, eventLoop: channel.eventLoop)
            try HTTPGate.install(on: channel, server: server) { channel in
                let pipeline = channel.pipeline.syncOperations
                try pipeline.addHandler(HTTP1ToHTTPServerCodec(secure: false))
                try pipeline.addHandler(HTTPConnectionStateHandler(idleTimeout: .seconds(60), logger: logger))
                http.value = try HTTPChannel(
                    wrappingChannelSynchronously: channel, configuration: .init(isOutboundHalfClosureEnabled: true))
            } decided: { outcome in
                promise.succeed(outcome == .application ? http.value : nil)
                http.value = nil
            }
            return Value(http: promise.futureResult, channel: channel)
        }
    }

    func handle(value: Value, logger: Logger) async {
        guard let hub = server.hub(of: value.channel.eventLoop) else { return }
        // A request's handling is a string of short steps between the connection and the store: on the connection's own
        // thread each of them saves waking another.
        await withTaskExecutorPreference(hub.taskExecutor) {
            guard let http = try? await value.http.get() else { return }
            await handleHTTP(asyncChannel: http, logger: logger)
        }
    }
}

extension HTTPServerBuilder {
    /// HTTP/1.1 with a Socket.IO server on the same port: what is asked of its path is its own to answer, everything
    /// else is the application's.
    ///
    /// A request is handled on its connection's own thread; what computes for long belongs elsewhere.
    ///
    /// - Parameter server: made with the event loops that the application uses.
    public static func socketIO(_ server: SocketIOServer) -> HTTPServerBuilder {
        .init { GatedHTTPChannel(responder: $0, server: server) }
    }
}
