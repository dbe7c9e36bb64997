import EngineIO
import NIOCore
import NIOPosix
import NIOSSL
import WireJSON

/// A connection to a Socket.IO server (protocol revision 5, on Engine.IO 4), in one namespace from the beginning, and in
/// any others that ``namespace(_:auth:timeout:)`` joins.
///
/// It stands when ``connect(_:on:)`` returns. It ends when its transport does, by ``disconnect()``, or with its last
/// namespace, and does not come back by itself; see ``ReconnectBackoff``.
///
/// ``incoming`` must be read; see ``SocketIONamespace``.
public final class SocketIOConnection: Sendable {
    /// The namespace that the configuration names. Most of what can be done in it can also be asked of the connection.
    public let main: SocketIONamespace
    /// What the server told when the Engine.IO session was opened.
    public let handshake: EngineHandshake
    /// Of the network connection that the namespace was granted on.
    public let localAddress: SocketAddress?
    public let remoteAddress: SocketAddress?

    let session: NIOLoopBound<SocketIOSession>
    private let current: EngineClient.CurrentTransport
    private let closed: EventLoopFuture<Void>
    private let configuration: SocketIOClientConfiguration

    /// Only on the session's event loop.
    init(
        main: SocketIONamespace, handshake: EngineHandshake, session: SocketIOSession,
        configuration: SocketIOClientConfiguration
    ) {
        self.main = main
        self.handshake = handshake
        self.session = NIOLoopBound(session, eventLoop: session.eventLoop)
        self.configuration = configuration
        current = session.engine.current
        closed = session.engine.closed
        localAddress = session.engine.channel?.localAddress
        remoteAddress = session.engine.channel?.remoteAddress
    }

    /// The transport that carries the connection at the moment, or did last.
    public var transport: SocketIOTransport { current.value }

    /// Connects, and joins the namespace.
    ///
    /// With ``SocketIOClientConfiguration/transports`` that allow it, the move from polling to a WebSocket goes on behind
    /// this.
    ///
    /// - Throws: what went wrong, and at which stage. If the task is cancelled, ``SocketIOConnectError/cancelled``, at
    ///   once.
    public static func connect(
        _ configuration: SocketIOClientConfiguration,
        on group: any EventLoopGroup = MultiThreadedEventLoopGroup.singleton
    ) async throws(SocketIOConnectError) -> SocketIOConnection {
        try configuration.validate()
        let tls = try NIOSSLContext.make(for: configuration)
        guard !Task.isCancelled else { throw .cancelled }
        let eventLoop = group.next()
        let promise = eventLoop.makePromise(of: SocketIOConnection.self)
        let attempt = NIOLoopBoundBox.makeEmptyBox(valueType: ConnectAttempt.self, eventLoop: eventLoop)
        eventLoop.execute {
            let dialer = HTTPDialer(configuration: configuration, tls: tls, eventLoop: eventLoop)
            let started = ConnectAttempt(dialer, promise: promise)
            attempt.value = started
            started.start()
        }
        return try await result(of: promise.futureResult) { attempt.value?.cancel() }
    }

    /// Joins another namespace on the same connection.
    ///
    /// - Parameters:
    ///   - name: begins with a slash.
    ///   - auth: the payload of CONNECT. The protocol wants an object.
    ///   - timeout: how long the server may take; nil for ``SocketIOClientConfiguration/connectTimeout``.
    /// - Throws: ``SocketIOConnectError/rejected(message:data:)`` when the server refuses,
    ///   ``SocketIOConnectError/invalidConfiguration(_:)`` when the namespace is joined already or its name can't be one.
    public func namespace(
        _ name: String,
        auth: JSON? = nil,
        timeout: Duration? = nil
    ) async throws(SocketIOConnectError) -> SocketIONamespace {
        try SocketIOClientConfiguration.validate(namespace: name)
        guard !Task.isCancelled else { throw .cancelled }
        let eventLoop = session.eventLoop
        let promise = eventLoop.makePromise(of: SocketIONamespace.self)
        let joining = NIOLoopBoundBox.makeEmptyBox(valueType: NamespaceSession.self, eventLoop: eventLoop)
        let time = TimeAmount(waiting: timeout ?? configuration.connectTimeout)
        let limit = configuration.maximumUnreadElements
        eventLoop.execute { [session] in
            let queue = SocketIOIncomingQueue(limit: limit, eventLoop: eventLoop)
            let namespace = session.value.join(name, auth: auth, queue: queue) { result in
                switch result {
                case .success(let admission):
                    // The server's answer comes in a later turn of the loop, when the box is filled.
                    guard let namespace = joining.value else { return }
                    promise.succeed(SocketIONamespace(admission, session: namespace, queue: queue))
                case .failure(let error): promise.fail(error)
                }
            }
            joining.value = namespace
            namespace.giveUpJoining(in: time)
        }
        return try await Self.result(of: promise.futureResult) { joining.value?.giveUpJoining(.cancelled) }
    }

    /// Takes nothing from the network for a while, for a reader who looks at what came only so many times a second: what
    /// comes meanwhile comes together then, and wakes the program once. Nothing is lost and the order stays; what ends
    /// the connection is told when the rest is over, too. Asking for an acknowledgement ends the rest, and while one is
    /// awaited there is none.
    public func rest(for duration: Duration) {
        session.eventLoop.execute { [session] in
            session.value.rest(for: TimeAmount(waiting: duration))
        }
    }

    /// Ends the connection with all its namespaces, and returns when it is closed, two seconds later at most.
    public func disconnect() async {
        session.eventLoop.execute { [session] in
            session.value.disconnect()
        }
        try? await closed.get()
    }

    /// Waits for something that a cancelled task gives up.
    private static func result<Value: Sendable>(
        of future: EventLoopFuture<Value>,
        onCancel giveUp: @escaping @Sendable () -> Void
    ) async throws(SocketIOConnectError) -> Value {
        do {
            return try await withTaskCancellationHandler {
                try await future.get()
            } onCancel: {
                future.eventLoop.execute(giveUp)
            }
        } catch let error as SocketIOConnectError {
            throw error
        } catch {
            throw .unreachable(String(describing: error))
        }
    }
}

// MARK: - The main namespace

extension SocketIOConnection {
    /// The Socket.IO id that the server gave this client in the namespace that the configuration names.
    public var sid: String { main.sid }

    /// ``SocketIONamespace/pid`` of the namespace that the configuration names.
    public var pid: String? { main.pid }

    /// ``SocketIONamespace/incoming`` of the namespace that the configuration names.
    public var incoming: SocketIOIncomingSequence { main.incoming }

    /// ``SocketIONamespace/emit(_:_:attachments:)`` in the namespace that the configuration names.
    public func emit(_ name: String, _ arguments: [JSON] = [], attachments: [ByteBuffer] = []) {
        main.emit(name, arguments, attachments: attachments)
    }

    /// ``SocketIONamespace/emitVolatile(_:_:attachments:)`` in the namespace that the configuration names.
    public func emitVolatile(_ name: String, _ arguments: [JSON] = [], attachments: [ByteBuffer] = []) {
        main.emitVolatile(name, arguments, attachments: attachments)
    }

    /// ``SocketIONamespace/emitWithAcknowledgement(_:_:timeout:)`` in the namespace that the configuration names.
    public func emitWithAcknowledgement(
        _ name: String,
        _ arguments: [JSON] = [],
        timeout: Duration
    ) async throws(SocketIOEmitError) -> [JSON] {
        try await main.emitWithAcknowledgement(name, arguments, timeout: timeout)
    }

    /// ``SocketIONamespace/acknowledgement(of:_:attachments:timeout:)`` in the namespace that the configuration names.
    public func acknowledgement(
        of name: String,
        _ arguments: [JSON] = [],
        attachments: [ByteBuffer] = [],
        timeout: Duration
    ) async throws(SocketIOEmitError) -> SocketIOAcknowledgement {
        try await main.acknowledgement(of: name, arguments, attachments: attachments, timeout: timeout)
    }
}
