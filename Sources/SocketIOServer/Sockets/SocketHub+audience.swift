import NIOCore

/// Whom something is for, on all loops.
struct Audience: Sendable {
    var namespace: String
    /// Nil for all sockets of the namespace.
    var rooms: [Room]?
    var except: [Room]
    /// The id of a socket that it comes from, and is not for.
    var sender: String?
}

/// The sockets of one namespace on one loop.
final class NamespaceMembers {
    /// By their ids: who is meant by the namespace as a whole, and by each socket's own room.
    var sockets: [String: Socket] = [:]
    var rooms: [Room: RoomMembers] = [:]
}

extension SocketHub {
    /// Sends a batch to each socket of an audience, once.
    ///
    /// - Parameter volatile: whether only to those that take it at once.
    func send(_ batch: OutboundBatch, to audience: Audience, volatile: Bool) {
        guard !batch.isEmpty else { return }
        walk(audience) { $0.deliver(batch, volatile: volatile) }
    }

    /// The sockets of an audience on this loop, each once, in no order.
    func sockets(of audience: Audience) -> [Socket] {
        var sockets: [Socket] = []
        walk(audience) { sockets.append($0) }
        return sockets
    }

    /// Comes by each socket of an audience once.
    ///
    /// - Parameter body: must not begin another walk, nor end a socket.
    private func walk(_ audience: Audience, _ body: (Socket) -> Void) {
        eventLoop.assertInEventLoop()
        guard let members = namespaces[audience.namespace] else { return }
        if audience.except.isEmpty, audience.sender == nil, audience.rooms.map({ $0.count == 1 }) ?? true {
            // One list: nobody stands in it twice.
            return each(in: audience.rooms?.first, members, body)
        }
        // Whom this walk has come by, or is not to, bears its number: no set is made of them.
        walks += 1
        let number = walks
        for room in audience.except { each(in: room, members) { $0.lastWalk = number } }
        if let sender = audience.sender { members.sockets[sender]?.lastWalk = number }
        let once: (Socket) -> Void = {
            guard $0.lastWalk != number else { return }
            $0.lastWalk = number
            body($0)
        }
        guard let rooms = audience.rooms else { return each(in: nil, members, once) }
        for room in rooms { each(in: room, members, once) }
    }

    private func each(in room: Room?, _ members: NamespaceMembers, _ body: (Socket) -> Void) {
        guard let room else { return members.sockets.values.forEach(body) }
        members.rooms[room]?.sockets.forEach(body)
        if let owner = members.sockets[room.name] { body(owner) }
    }
}
