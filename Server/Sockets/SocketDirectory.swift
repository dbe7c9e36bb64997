import EngineIO
import ModelStore
import RolecallProtocol
import SocketIOServer
import WireJSON

/// A socket at one moment, as those may see it who administrate, and its own user.
struct SocketEntry: Sendable {
    var id: String
    var user: UserSummary?
    /// The role that it acts with: of its user, or that of nobody.
    var role: String
    /// The peer as the server sees it, `host:port`.
    var address: String
    /// Nil where the connection is about to end.
    var transport: EngineTransport?
    /// The sign-in that associated it.
    var session: String?
    var epoch: Int64
    var connectedAt: Timestamp
    /// What waits to be taken by the client, in bytes.
    var queuedBytes: Int

    var json: JSON {
        [
            "id": .string(id), "user": user?.json ?? .null, "role": .string(role), "address": .string(address),
            "transport": transport.map { .string($0.rawValue) } ?? .null,
            "session": session.map(JSON.string) ?? .null, "epoch": .integer(epoch),
            "connectedAt": .string(connectedAt.description), "queuedBytes": .integer(Int64(queuedBytes)),
        ]
    }

    /// What stands in the list of its user's sessions.
    var ownersJSON: JSON {
        [
            "id": .string(id), "address": .string(address),
            "transport": transport.map { .string($0.rawValue) } ?? .null,
            "connectedAt": .string(connectedAt.description),
        ]
    }
}

/// The sockets that are connected, over all event loops.
struct SocketDirectory: Sendable {
    let server: SocketIOServer
    let association: Association

    /// All sockets, the oldest first.
    func all() async -> [SocketEntry] { await entries(in: nil) }

    /// A user's sockets, the oldest first.
    func sockets(ofUser id: Int64) async -> [SocketEntry] { await entries(in: [.user(id)]) }

    /// Leaves a socket to nobody, who can log in again; it stays open unless it is to be closed.
    ///
    /// - Returns: the socket as it was; nil where there is none with this id.
    func kick(_ id: String, closing: Bool) async -> SocketEntry? {
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

    /// Nil for one that is gone, or is nobody yet.
    private func entry(of socket: Socket) -> SocketEntry? {
        guard socket.isConnected, let identity = association.identity(of: socket) else { return nil }
        let user = identity.principal?.user
        return SocketEntry(
            id: socket.id, user: user, role: user?.role ?? association.policy.lowestRole,
            address: socket.request.address, transport: socket.transport, session: identity.principal?.session,
            epoch: identity.epoch, connectedAt: identity.connectedAt, queuedBytes: socket.queuedBytes)
    }
}
