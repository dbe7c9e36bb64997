import NIOCore

/// The sockets that a broadcast is for, on all event loops: those of some rooms, without those of others.
struct BroadcastTarget: Sendable {
    var namespace: String
    /// Nil for all sockets of the namespace.
    var rooms: [Room]?
    var except: [Room]
    /// The id of the socket that sends the broadcast, and does not receive it; nil for a broadcast of the server.
    var sender: String?
}

/// The sockets of one namespace on one loop.
final class NamespaceMembers {
    /// By id. These are the whole namespace, and each socket's own room.
    var sockets: [String: Socket] = [:]
    var rooms: [Room: RoomMembers] = [:]
}

extension SocketHub {
    /// Sends a batch to each socket of a target, once.
    ///
    /// - Parameter volatile: whether only to the sockets that take it at once.
    func send(_ batch: OutboundBatch, to target: BroadcastTarget, volatile: Bool) {
        guard !batch.isEmpty else { return }
        forEachSocket(of: target) { $0.deliver(batch, volatile: volatile) }
    }

    /// The sockets of a target on this loop, each once, in no order.
    func sockets(of target: BroadcastTarget) -> [Socket] {
        var sockets: [Socket] = []
        forEachSocket(of: target) { sockets.append($0) }
        return sockets
    }

    /// Visits each socket of a target once.
    ///
    /// - Parameter body: must not begin another walk, nor end a socket.
    private func forEachSocket(of target: BroadcastTarget, _ body: (Socket) -> Void) {
        eventLoop.assertInEventLoop()
        guard let members = namespaces[target.namespace] else { return }
        if target.except.isEmpty, target.sender == nil, target.rooms.map({ $0.count == 1 }) ?? true {
            // One list, in which each socket stands once.
            return forEachSocket(in: target.rooms?.first, members, body)
        }
        // A socket that this walk has visited, or must not visit, bears the walk's number: no set of them is made.
        walks += 1
        let number = walks
        for room in target.except { forEachSocket(in: room, members) { $0.lastWalk = number } }
        if let sender = target.sender { members.sockets[sender]?.lastWalk = number }
        let once: (Socket) -> Void = {
            guard $0.lastWalk != number else { return }
            $0.lastWalk = number
            body($0)
        }
        guard let rooms = target.rooms else { return forEachSocket(in: nil, members, once) }
        for room in rooms { forEachSocket(in: room, members, once) }
    }

    /// - Parameter room: nil for the whole namespace.
    private func forEachSocket(in room: Room?, _ members: NamespaceMembers, _ body: (Socket) -> Void) {
        guard let room else { return members.sockets.values.forEach(body) }
        members.rooms[room]?.sockets.forEach(body)
        if let owner = members.sockets[room.name] { body(owner) }
    }
}
