public import NIOCore
public import WireJSON

/// What reaches sockets of all event loops.
///
/// A socket is in the rooms that it has joined, and in its own, which bears its id: `Room(socket.id)`. Nil for rooms is
/// the whole namespace; an empty list is no socket.
extension SocketIOServer {
    /// Sends an event to many sockets. May be called from anywhere.
    ///
    /// It is encoded once, and brought to each event loop once; a socket gets it once, however many of the rooms it is
    /// in. What one thread or task sends a socket, by this and by ``Socket/emit(_:_:attachments:volatile:)``, comes in
    /// the order of the calls. For clients that read too slowly ``SocketIOServerConfiguration/queueLimit`` holds.
    ///
    /// - Parameters:
    ///   - attachments: the bytes that ``WireJSON/JSON/attachment(_:)`` stands for in the arguments.
    ///   - rooms: the rooms whose sockets get it; nil for all sockets of the namespace.
    ///   - except: the rooms whose sockets do not get it.
    ///   - volatile: whether only sockets get it that take it at once.
    public func broadcast(
        _ name: String, _ arguments: [JSON] = [], attachments: [ByteBuffer] = [], to rooms: [Room]? = nil,
        except: [Room] = [], namespace: String = "/", volatile: Bool = false
    ) {
        let event = OutboundEvent(name, arguments, attachments: attachments, namespace: namespace)
        broadcast(
            OutboundBatch([event]), to: BroadcastTarget(namespace: namespace, rooms: rooms, except: except),
            volatile: volatile)
    }

    /// Sends what was encoded before to many sockets of its namespace. May be called from anywhere.
    public func broadcast(
        _ batch: OutboundBatch, to rooms: [Room]? = nil, except: [Room] = [], volatile: Bool = false
    ) {
        broadcast(
            batch, to: BroadcastTarget(namespace: batch.namespace, rooms: rooms, except: except), volatile: volatile)
    }

    fileprivate func broadcast(_ batch: OutboundBatch, to target: BroadcastTarget, volatile: Bool) {
        eachLoop { $0.send(batch, to: target, volatile: volatile) }
    }

    /// The sockets that are connected to a namespace, or to some of its rooms, in no order. They may be gone when this
    /// returns.
    public func sockets(
        in rooms: [Room]? = nil, except: [Room] = [], namespace: String = "/"
    ) async -> [Socket] {
        let target = BroadcastTarget(namespace: namespace, rooms: rooms, except: except)
        var sockets: [Socket] = []
        for hub in hubs { sockets += await hub.onLoop { $0.sockets(of: target) } }
        return sockets
    }

    /// How many sockets are connected to a namespace, or to some of its rooms.
    public func socketCount(in rooms: [Room]? = nil, except: [Room] = [], namespace: String = "/") async -> Int {
        let target = BroadcastTarget(namespace: namespace, rooms: rooms, except: except)
        var count = 0
        for hub in hubs { count += await hub.onLoop { $0.sockets(of: target).count } }
        return count
    }

    /// Ends sockets, as ``Socket/disconnect(close:)`` does with one. May be called from anywhere; what was sent to them
    /// before is sent.
    public func disconnectSockets(
        in rooms: [Room]? = nil, except: [Room] = [], namespace: String = "/", close: Bool = false
    ) {
        let target = BroadcastTarget(namespace: namespace, rooms: rooms, except: except)
        eachLoop { for socket in $0.sockets(of: target) { socket.disconnect(close: close) } }
    }

    /// If the caller is on one of the loops, the body runs there at once: in order with what the caller does.
    private func eachLoop(_ body: @escaping @Sendable (SocketHub) -> Void) {
        for hub in hubs {
            if hub.eventLoop.inEventLoop { body(hub) } else { hub.eventLoop.execute { body(hub) } }
        }
    }
}

extension SocketHub {
    fileprivate func onLoop<Output: Sendable>(_ body: @escaping @Sendable (SocketHub) -> Output) async -> Output {
        if eventLoop.inEventLoop { return body(self) }
        return await withCheckedContinuation { continuation in
            eventLoop.execute { continuation.resume(returning: body(self)) }
        }
    }
}

extension Socket {
    /// The server of the socket; nil once it is gone.
    public var server: SocketIOServer? { hub.server }

    /// Sends an event to all other sockets of the namespace, or to those of some rooms. May be called from anywhere; for
    /// the parameters see ``SocketIOServer/broadcast(_:_:attachments:to:except:namespace:volatile:)``.
    public func broadcast(
        _ name: String, _ arguments: [JSON] = [], attachments: [ByteBuffer] = [], to rooms: [Room]? = nil,
        except: [Room] = [], volatile: Bool = false
    ) {
        let event = OutboundEvent(name, arguments, attachments: attachments, namespace: namespace)
        server?.broadcast(
            OutboundBatch([event]),
            to: BroadcastTarget(namespace: namespace, rooms: rooms, except: except, sender: id), volatile: volatile)
    }
}
