public import WireJSON

/// A namespace made of closures: what is done about the sockets that connect to it, and about their events.
///
/// ```swift
/// var chat = SocketNamespace()
/// chat.use { socket, auth in
///     guard auth?["key"] == "secret" else { throw ConnectRefusal(message: "not authorized") }
/// }
/// chat.onConnect { socket in socket.join("lobby") }
/// chat.on("message") { event, socket in
///     socket.broadcast("message", event.arguments, to: ["lobby"])
///     return ["sent"]
/// }
/// let server = SocketIOServer(handlers: ["/": chat], group: group, logger: logger)
/// ```
///
/// It is a value: a server keeps it as it was when the server was made, and nothing changes it from then on.
///
/// A socket's events are handled one at a time, in the order in which they came, each with all its middleware to its
/// end; the first waits for ``onConnect(_:)``. The asynchronous closures prefer the socket's event loop, and run
/// elsewhere only where they say so (`@MainActor`, say).
public struct SocketNamespace: Sendable {
    /// Decides whether a socket may connect, by throwing or not; `auth` is what the client sent along.
    public typealias Middleware = @Sendable (_ socket: Socket, _ auth: JSON?) async throws -> Void
    /// Handles an event; what it returns is sent if the client asked for an acknowledgement.
    public typealias EventHandler =
        @Sendable (_ event: SocketEvent, _ socket: Socket) async throws ->
        SocketAcknowledgement
    /// The middleware behind one, and in the end the event's handler.
    public typealias Next = @Sendable (_ event: SocketEvent) async throws -> SocketAcknowledgement
    /// Stands in front of all event handlers; see ``useEvent(_:)``.
    public typealias EventMiddleware =
        @Sendable (_ event: SocketEvent, _ socket: Socket, _ next: Next) async throws ->
        SocketAcknowledgement

    var requestJudges: [@Sendable (HandshakeRequest) throws -> Void] = []
    var middleware: [Middleware] = []
    var eventMiddleware: [EventMiddleware] = []
    var eventHandlers: [String: EventHandler] = [:]
    var unknownEventHandler: EventHandler = Self.refuseUnknown
    var errorHandler: @Sendable (any Error, SocketEvent, Socket) -> SocketAcknowledgement = Self.logError
    var connectHandlers: [@Sendable (Socket) async throws -> Void] = []
    var disconnectHandlers: [@Sendable (Socket, DisconnectReason) -> Void] = []
    var lossHandler: @Sendable (LostEvents, Socket) -> (name: String, arguments: [JSON])? = { _, _ in nil }

    /// A namespace that lets everybody in and knows no events.
    public init() {}

    // MARK: Connecting

    /// Judges handshakes before they are answered. Only the main namespace is asked: a connection carries the sockets
    /// of all namespaces.
    ///
    /// - Parameter judge: called on the connection's event loop. An ``EngineIO/EngineError`` that it throws is the answer;
    ///   any other error stands for ``EngineIO/EngineError/forbidden``.
    public mutating func allowRequest(_ judge: @escaping @Sendable (HandshakeRequest) throws -> Void) {
        requestJudges.append(judge)
    }

    /// Adds middleware for connecting. It runs in the order in which it was added, before the socket is connected: it may
    /// set ``Socket/attachment``, but what it emits goes nowhere. The first that throws ends it.
    ///
    /// - Parameter middleware: refuses by throwing a ``ConnectRefusal``, which the client is told. Of any other error it
    ///   is not told what it was; the log is.
    public mutating func use(_ middleware: @escaping Middleware) {
        self.middleware.append(middleware)
    }

    /// Called with each socket that has connected, before its first event is handled. Several are called in their order.
    ///
    /// - Parameter body: where it throws, the socket is disconnected.
    public mutating func onConnect(_ body: @escaping @Sendable (_ socket: Socket) async throws -> Void) {
        connectHandlers.append(body)
    }

    /// Called with each socket that had connected and is gone, on its event loop. ``Socket/rooms`` are those that it
    /// was in when it went; nothing reaches it any more.
    public mutating func onDisconnect(
        _ body: @escaping @Sendable (_ socket: Socket, _ reason: DisconnectReason) -> Void
    ) {
        disconnectHandlers.append(body)
    }

    // MARK: Events

    /// Adds middleware for events, known or not. It runs in the order in which it was added, around the event's handler:
    /// it may pass on the event as it is or another, change the acknowledgement that comes back, or refuse, by returning
    /// one itself or throwing an ``EventRefusal``.
    ///
    /// ```swift
    /// chat.useEvent { event, socket, next in
    ///     guard event.arguments.count < 10 else { throw EventRefusal([["error": "too many arguments"]]) }
    ///     return try await next(event)
    /// }
    /// ```
    public mutating func useEvent(_ middleware: @escaping EventMiddleware) {
        eventMiddleware.append(middleware)
    }

    /// Handles an event by its name.
    ///
    /// - Parameter handler: returns the acknowledgement, `[]` where there is nothing to say. For what it throws, see ``EventRefusal`` and ``onError(_:)``.
    /// - Precondition: the name has no handler yet, and is none that Socket.IO keeps for itself.
    public mutating func on(_ name: String, _ handler: @escaping EventHandler) {
        precondition(
            !Self.reservedNames.contains(name), "no client can send \"\(name)\": see onConnect and onDisconnect")
        precondition(eventHandlers[name] == nil, "the event \"\(name)\" has a handler already")
        eventHandlers[name] = handler
    }

    /// Handles all events that have no handler. Otherwise they are acknowledged with
    /// `{"error":"unknown_event","message":...}`.
    public mutating func onUnknown(_ handler: @escaping EventHandler) {
        unknownEventHandler = handler
    }

    /// Called with what an event's handler or middleware threw, unless that was an ``EventRefusal``. Otherwise it is
    /// logged, and acknowledged with `{"error":"internal_error","message":...}`.
    ///
    /// - Parameter body: returns the acknowledgement.
    public mutating func onError(
        _ body:
            @escaping @Sendable (_ error: any Error, _ event: SocketEvent, _ socket: Socket) ->
            SocketAcknowledgement
    ) {
        errorHandler = body
    }

    /// Makes the event that a client is told in the place of those that were dropped, since it read too slowly; see
    /// ``SocketIOHandler/notice(of:to:)``.
    public mutating func onLoss(
        _ notice: @escaping @Sendable (_ lost: LostEvents, _ socket: Socket) -> (name: String, arguments: [JSON])?
    ) {
        lossHandler = notice
    }

    /// Names that implementations emit to their own listeners: no packet bears them.
    private static let reservedNames: Set<String> = [
        "connection", "connect", "connect_error", "disconnect", "disconnecting", "newListener", "removeListener",
    ]
}

/// What an event is refused with: the acknowledgement, if one was asked for. As anywhere it is a list of arguments:
/// `throw EventRefusal([["error": "forbidden"]])`.
public struct EventRefusal: Error, Sendable, Equatable {
    public var acknowledgement: SocketAcknowledgement

    public init(_ acknowledgement: SocketAcknowledgement) {
        self.acknowledgement = acknowledgement
    }
}
