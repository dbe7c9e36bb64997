import EngineIO
import ModelStore
import RolecallProtocol
import SocketIOServer

/// A socket at one moment, as administrators and its own user may see it.
package struct SocketEntry: Sendable {
    package var id: String
    package var user: UserSummary?
    /// The role that it acts with: of its user, or the lowest.
    package var role: String
    /// The peer as the server sees it, `host:port`.
    package var address: String
    /// Nil where the connection is about to end.
    package var transport: EngineTransport?
    /// The sign-in that associated it.
    package var session: String?
    package var epoch: Int64
    package var connectedAt: Timestamp
    /// What waits to be taken by the client, in bytes.
    package var queuedBytes: Int
}

/// The sockets that are connected, over all event loops.
package struct SocketDirectory: Sendable {
    let server: SocketIOServer
    let association: Association

    /// All sockets, the oldest first.
    package func all() async -> [SocketEntry] { await entries(in: nil) }

    /// A user's sockets, the oldest first.
    func sockets(ofUser id: Int64) async -> [SocketEntry] { await entries(in: [.user(id)]) }

    /// Takes the user from a socket; it stays open, and can log in again, unless it is to be closed.
    ///
    /// - Returns: the socket as it was; nil where there is none with this id.
    package func kick(_ id: String, closing: Bool) async -> SocketEntry? {
        // The name may be that of a room which is no socket's own.
        guard let socket = await server.sockets(in: [Room(id)]).first(where: { $0.id == id }) else { return nil }
        return await socket.onLoop { socket in
            guard socket.isConnected, let entry = entry(of: socket) else { return nil }
            if entry.user != nil { association.disassociate(socket, reason: .kicked) }
            if closing { socket.disconnect(close: true) }
            return entry
        }
    }

    private func entries(in rooms: [Room]?) async -> [SocketEntry] {
        let byLoop = Dictionary(grouping: await server.sockets(in: rooms), by: \.hub.index)
        var entries: [SocketEntry] = []
        for sockets in byLoop.values {
            guard let first = sockets.first else { continue }
            entries += await first.onLoop { _ in sockets.compactMap(entry) }
        }
        return entries.sorted { ($0.connectedAt, $0.id) < ($1.connectedAt, $1.id) }
    }

    /// Nil for one that is gone, or was not accepted yet.
    private func entry(of socket: Socket) -> SocketEntry? {
        guard socket.isConnected, let identity = socket.identity else { return nil }
        let user = identity.principal?.user
        return SocketEntry(
            id: socket.id, user: user, role: user?.role ?? association.policy.lowestRole,
            address: socket.request.address, transport: socket.transport, session: identity.principal?.session,
            epoch: identity.epoch, connectedAt: identity.connectedAt, queuedBytes: socket.queuedBytes)
    }
}
