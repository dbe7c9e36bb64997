import EngineIO
import NIOCore
import NIOPosix
import NIOSSL
import WireJSON

/// A connection to one namespace of a Socket.IO server (protocol revision 5, on Engine.IO 4 over WebSocket).
///
/// It stands when ``connect(_:on:)`` returns, and it does not come back by itself once it has ended; see
/// ``ReconnectBackoff``. Letting go of the connection and of ``incoming`` disconnects.
///
/// ``incoming`` must be read: with ``SocketIOClientConfiguration/maximumUnreadElements`` unread elements nothing more
/// is read from the network, acknowledgements and the server's pings included.
public final class SocketIOConnection: Sendable {
    /// The Socket.IO id that the server gave this connection in its namespace.
    public let sid: String
    /// What the server told when the Engine.IO session was opened.
    public let handshake: EngineHandshake
    public let localAddress: SocketAddress?
    public let remoteAddress: SocketAddress?

    private let channel: any Channel
    let session: NIOLoopBound<SocketIOSession>
    private let elements: SocketIOIncomingQueue.Elements

    /// Only on the session's event loop.
    init(channel: any Channel, session: SocketIOSession, joined: SocketIOSession.Joined, queue: SocketIOIncomingQueue) {
        self.channel = channel
        self.session = NIOLoopBound(session, eventLoop: session.eventLoop)
        elements = queue.elements
        sid = joined.sid
        handshake = joined.handshake
        localAddress = channel.localAddress
        remoteAddress = channel.remoteAddress
    }

    deinit {
        session.eventLoop.execute { [session] in
            session.value.disconnect()
        }
    }

    /// Connects, and joins the namespace.
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
            let started = ConnectAttempt(
                configuration: configuration, tls: tls, eventLoop: eventLoop, promise: promise)
            attempt.value = started
            started.start()
        }
        do {
            return try await withTaskCancellationHandler {
                try await promise.futureResult.get()
            } onCancel: {
                eventLoop.execute { attempt.value?.cancel() }
            }
        } catch let error as SocketIOConnectError {
            throw error
        } catch {
            throw .unreachable(String(describing: error))
        }
    }

    /// What comes from the server, in the order in which it was sent, from the first event behind CONNECT on; at last
    /// ``SocketIOIncoming/disconnected(_:)``. For one consumer.
    public var incoming: SocketIOIncomingSequence {
        SocketIOIncomingSequence(base: elements, connection: self)
    }

    /// Sends an event. It is dropped if the connection has ended.
    ///
    /// Events leave in the order of the calls, acknowledged ones included.
    ///
    /// - Parameter attachments: the bytes of the placeholders in `arguments`, in the order of their numbers; see
    ///   ``SocketIO/SocketPacket/placeholder(_:)``.
    public func emit(_ name: String, _ arguments: [JSON] = [], attachments: [ByteBuffer] = []) {
        session.eventLoop.execute { [session] in
            session.value.emit(name, arguments, attachments)
        }
    }

    /// Sends an event and waits for the server's acknowledgement.
    ///
    /// - Parameter timeout: how long to wait.
    /// - Returns: what the server acknowledges with.
    /// - Throws: when there was no acknowledgement; the event may have arrived all the same.
    public func emitWithAcknowledgement(
        _ name: String,
        _ arguments: [JSON] = [],
        timeout: Duration
    ) async throws(SocketIOEmitError) -> [JSON] {
        try await acknowledgement(of: name, arguments, timeout: timeout).arguments
    }

    /// Sends an event and waits for the server's acknowledgement, with all that belongs to it: the id tells its place
    /// among what came; see ``SocketIOIncoming/acknowledgement(id:)``.
    ///
    /// - Parameters:
    ///   - attachments: as with ``emit(_:_:attachments:)``.
    ///   - timeout: how long to wait.
    /// - Throws: when there was no acknowledgement; the event may have arrived all the same.
    public func acknowledgement(
        of name: String,
        _ arguments: [JSON] = [],
        attachments: [ByteBuffer] = [],
        timeout: Duration
    ) async throws(SocketIOEmitError) -> SocketIOAcknowledgement {
        guard !Task.isCancelled else { throw .cancelled }
        let eventLoop = session.eventLoop
        let promise = eventLoop.makePromise(of: SocketIOAcknowledgement.self)
        let id = NIOLoopBoundBox.makeEmptyBox(valueType: Int64.self, eventLoop: eventLoop)
        eventLoop.execute { [session] in
            id.value = session.value.emit(
                name, arguments, attachments, timeout: TimeAmount(waiting: timeout), promise: promise)
        }
        do {
            return try await withTaskCancellationHandler {
                try await promise.futureResult.get()
            } onCancel: {
                eventLoop.execute { [session] in
                    guard let id = id.value else { return }
                    session.value.giveUp(id, .cancelled)
                }
            }
        } catch let error as SocketIOEmitError {
            throw error
        } catch {
            throw .disconnected(.transportClosed(String(describing: error)))
        }
    }

    /// Leaves the namespace, closes the WebSocket, and returns when the channel is gone, two seconds later at most.
    public func disconnect() async {
        session.eventLoop.execute { [session] in
            session.value.disconnect()
        }
        try? await channel.closeFuture.get()
    }
}
