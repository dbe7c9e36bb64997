import NIOCore
import WireJSON

/// A namespace of a Socket.IO server that a ``SocketIOConnection`` has joined.
///
/// It stands until it is left, until the server disconnects it, or until the connection ends; then it does not come back
/// by itself. Letting go of the namespace and of ``incoming`` leaves it, and with the last one the connection ends.
///
/// ``incoming`` must be read: with ``SocketIOClientConfiguration/maximumUnreadElements`` unread elements nothing more
/// is read from the network, whatever namespace it is for, acknowledgements and the server's pings included.
public final class SocketIONamespace: Sendable {
    /// Its name, such as `/` or `/chat`.
    public let name: String
    /// The Socket.IO id that the server gave this client in the namespace.
    public let sid: String
    /// By what the server will know this client when it comes back (connection state recovery), as `pid` beside `offset`
    /// in the `auth` of its CONNECT; nil where the server offers none. Whoever gets the `pid` that he brought is told all
    /// that he missed.
    public let pid: String?

    private let session: NIOLoopBound<NamespaceSession>
    private let elements: SocketIOIncomingElements

    /// Only on the session's event loop.
    init(_ admission: NamespaceAdmission, session: NamespaceSession, queue: SocketIOIncomingQueue) {
        name = session.name
        sid = admission.sid
        pid = admission.pid
        self.session = NIOLoopBound(session, eventLoop: session.eventLoop)
        elements = SocketIOIncomingElements(queue)
    }

    deinit {
        leave()
    }

    /// What comes from the server, in the order in which it was sent, from the first event behind CONNECT on; at last
    /// ``SocketIOIncoming/disconnected(_:)``. For one consumer.
    public var incoming: SocketIOIncomingSequence {
        SocketIOIncomingSequence(base: elements, namespace: self)
    }

    /// Sends an event. It is dropped if the namespace has ended.
    ///
    /// Events leave in the order of the calls, acknowledged ones and those of other namespaces included.
    ///
    /// - Parameter attachments: the bytes of the placeholders in `arguments`, in the order of their numbers; see
    ///   ``SocketIO/SocketPacket/placeholder(_:)``.
    public func emit(_ name: String, _ arguments: [JSON] = [], attachments: [ByteBuffer] = []) {
        session.eventLoop.execute { [session] in
            session.value.emit(name, arguments, attachments)
        }
    }

    /// Sends an event that is worth something only now: it is dropped if it can't leave at once, since the network is
    /// behind, a POST is under way, or the connection is moving to another transport.
    ///
    /// - Parameter attachments: as with ``emit(_:_:attachments:)``.
    public func emitVolatile(_ name: String, _ arguments: [JSON] = [], attachments: [ByteBuffer] = []) {
        session.eventLoop.execute { [session] in
            session.value.emit(name, arguments, attachments, isVolatile: true)
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

    /// Leaves the namespace; ``incoming`` ends with ``SocketIODisconnectReason/clientDisconnect``. The connection goes
    /// on with the others, and ends with the last.
    public func leave() {
        session.eventLoop.execute { [session] in
            session.value.leave()
        }
    }
}

/// The server's answer to CONNECT.
struct NamespaceAdmission: Sendable {
    var sid: String
    var pid: String?
}
