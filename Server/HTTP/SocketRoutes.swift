import EngineIO
import Hummingbird
import Logging
import RolecallCore
import RolecallProtocol
import WireJSON

/// `/api/sockets`: who is connected, and taking a socket from its user. For administrators.
struct SocketRoutes: Sendable {
    let accounts: AccountService
    let identity: RequestIdentity
    let sockets: SocketDirectory
    let logger: Logger

    func add(to router: Router<RolecallRequestContext>) {
        router.get("api/sockets") { request, _ in try await list(request) }
        router.delete("api/sockets/:id") { request, context in try await kick(request, context) }
    }

    private func list(_ request: Request) async throws -> Response {
        try await accounts.administrator(try await identity.signedIn(request))
        let entries = await sockets.all()
        // Up to some megabytes: more than a connection's thread should spend its time on.
        return await withTaskExecutorPreference(globalConcurrentExecutor) {
            .json(.array(entries.map(\.json)))
        }
    }

    private func kick(_ request: Request, _ context: RolecallRequestContext) async throws -> Response {
        let administrator = try await accounts.administrator(try await identity.signedIn(request))
        let id = try context.parameters.require("id")
        let closing = try closing(request)
        guard let entry = await sockets.kick(id, closing: closing) else {
            throw DomainError.notFound("There is no such socket.")
        }
        logger.notice(
            "kicked a socket",
            metadata: [
                "socket": .string(entry.id), "by": .stringConvertible(administrator.id),
                "user": .string(entry.user?.email ?? "nobody"), "closing": .stringConvertible(closing),
            ])
        return .json(["id": .string(entry.id), "user": entry.user?.json ?? .null])
    }

    private func closing(_ request: Request) throws(RequestFailure) -> Bool {
        switch request.uri.queryParameters["close"] {
        case nil, "0", "false": return false
        case "1", "true", "": return true
        default: throw .invalidField("close", "close is 1 or 0.")
        }
    }
}

extension SocketEntry {
    /// As administrators get it.
    var json: JSON {
        [
            "id": .string(id), "user": user?.json ?? .null, "role": .string(role), "address": .string(address),
            "transport": transport.map { .string($0.rawValue) } ?? .null,
            "session": session.map(JSON.string) ?? .null, "epoch": .integer(epoch),
            "connectedAt": .string(connectedAt.description), "queuedBytes": .integer(Int64(queuedBytes)),
        ]
    }

    /// As it stands in the list of its user's sessions.
    var ownersJSON: JSON {
        [
            "id": .string(id), "address": .string(address),
            "transport": transport.map { .string($0.rawValue) } ?? .null,
            "connectedAt": .string(connectedAt.description),
        ]
    }
}
