public import CoreMetrics
public import Logging
public import NIOCore

/// A Socket.IO v5 server on Engine.IO v4, for any SwiftNIO application.
///
/// A chat, whole, on SwiftNIO alone:
///
/// ```swift
/// var chat = SocketNamespace()
/// chat.use { socket, auth in
///     guard auth?["key"] == "secret" else { throw ConnectRefusal(message: "not authorized") }
/// }
/// chat.on("join") { event, socket in
///     guard let name = event.arguments.first?.stringValue else { throw EventRefusal(["a room, please"]) }
///     socket.join(Room(name))
///     return ["joined"]
/// }
/// chat.on("message") { event, socket in
///     socket.broadcast("message", event.arguments, to: await socket.onLoop { $0.rooms })
///     return ["sent"]
/// }
/// chat.onDisconnect { socket, reason in
///     socket.broadcast("left", [.string(socket.id), .string(reason.rawValue)], to: socket.rooms)
/// }
/// let group = MultiThreadedEventLoopGroup.singleton
/// let server = SocketIOServer(handlers: ["/": chat], group: group, logger: Logger(label: "chat"))
/// let listener = try await ServerBootstrap(group: group)
///     .childChannelOption(.allowRemoteHalfClosure, value: true)
///     .childChannelInitializer { channel in
///         channel.eventLoop.makeCompletedFuture { try HTTPGate.install(on: channel, server: server) }
///     }
///     .bind(host: "127.0.0.1", port: 9000).get()
/// try await listener.closeFuture.get()
/// ```
///
/// It has one ``SocketHub`` for each event loop of a group; a session lives on the loop that its first request came in
/// on. ``HTTPGate`` brings connections in, and lets other requests through to an application's own handlers, such as
/// Hummingbird's.
public final class SocketIOServer: Sendable {
    /// What carries the sockets.
    public let engine: EngineServer
    public var configuration: SocketIOServerConfiguration { engine.configuration }
    public var hubs: [SocketHub] { engine.hubs }

    /// - Parameters:
    ///   - handlers: by namespace; `/` is the main one. Any other namespace is refused.
    ///   - group: the event loops that connections are accepted on.
    ///   - metrics: where ``SocketIOServerMetrics`` go; nil for what `MetricsSystem` has been told.
    public init(
        configuration: SocketIOServerConfiguration = .init(), handlers: [String: any SocketIOHandler],
        group: any EventLoopGroup, logger: Logger, metrics factory: (any MetricsFactory)? = nil
    ) {
        engine = EngineServer(
            configuration: configuration,
            application: NamespaceTable(handlers: handlers, configuration: configuration), group: group,
            logger: logger, metrics: factory)
        for hub in hubs { hub.server = self }
    }

    /// The hub of an event loop; nil for a loop that is not of the server's group.
    public func hub(of eventLoop: any EventLoop) -> SocketHub? {
        engine.hub(of: eventLoop)
    }

    /// ``EngineServer/drain(over:patience:)`` of the engine below.
    public func drain(over window: TimeAmount, patience: TimeAmount) async {
        await engine.drain(over: window, patience: patience)
    }

    /// Ends what is left, and returns when no handler is at work any more. For a server's end, when connections are
    /// closed and no new ones come: an event loop must outlive the handlers that run on it.
    public func drained() async {
        await engine.endSessions()
        for hub in hubs { await hub.drained() }
    }
}

/// A mistake in how a ``SocketIOServer`` was put together.
public enum SocketIOServerError: Error, Sendable, CustomStringConvertible {
    /// A connection came in on an event loop that is not of the server's group.
    case foreignEventLoop

    public var description: String {
        "The connection's event loop is not of the group that the SocketIOServer was made with."
    }
}
