import HTTPTypes
import Hummingbird
import ModelStore
import RolecallProtocol
import SocketIOServer
import WireJSON

/// `/api/users/:id/sessions`: where somebody is signed in, and signing out from afar. For the user and for admins.
///
/// The routes end sessions by their records alone; open sockets follow those.
struct SessionRoutes: Sendable {
    let accounts: AccountService
    let identity: RequestIdentity
    let sockets: SocketDirectory

    func add(to router: Router<RolecallRequestContext>) {
        router.get("api/users/:id/sessions") { request, context in try await list(request, context) }
        router.delete("api/users/:id/sessions") { request, context in try await revokeAll(request, context) }
        router.delete("api/users/:id/sessions/:sid") { request, context in try await revoke(request, context) }
    }

    private func list(_ request: Request, _ context: RolecallRequestContext) async throws -> Response {
        let claimant = try await identity.signedIn(request)
        let id = context.user(for: claimant.user)
        _ = try await accounts.parties(claimant, on: id, .administratorsAndSelf)
        let sessions = try await accounts.store.read { try $0.sessions(ofUser: id) }
        let now = Timestamp.now
        let open = Dictionary(grouping: await sockets.sockets(ofUser: id), by: \.session)
        let rows = sessions.value.filter { $0.isOpen(at: now) }.map { session in
            Self.json(session, isCurrent: session.id == claimant.session, sockets: open[session.id] ?? [])
        }
        return .json(.array(rows), headers: .position(sessions.position))
    }

    private func revokeAll(_ request: Request, _ context: RolecallRequestContext) async throws -> Response {
        let claimant = try await identity.signedIn(request)
        let id = context.user(for: claimant.user)
        let revoked = try await accounts.change(claimant, on: id, .administratorsAndSelf) { transaction, _ in
            // The sessions first: the log says of each that it was signed out. Then tokens that belong to none, as others
            // make them who hold our key.
            let count = try transaction.revokeSessions(ofUser: id, at: .now)
            try transaction.voidTokens(ofUser: id)
            return count
        }
        return .json(["revoked": .integer(Int64(revoked.value))], headers: .position(revoked.position))
    }

    private func revoke(_ request: Request, _ context: RolecallRequestContext) async throws -> Response {
        let claimant = try await identity.signedIn(request)
        let id = context.user(for: claimant.user)
        let name = try context.parameters.require("sid")
        let revoked = try await accounts.change(claimant, on: id, .administratorsAndSelf) { transaction, _ in
            let now = Timestamp.now
            // One that is another user's is none of this one's.
            guard let session = try transaction.session(id: name), session.user == id, session.isOpen(at: now),
                try transaction.revokeSession(id: name, at: now)
            else { throw RequestFailure(.notFound, .notFound, "There is no such session, or it has ended.") }
        }
        return .json(["revoked": 1], headers: .position(revoked.position))
    }

    private static func json(_ session: SessionRecord, isCurrent: Bool, sockets: [SocketEntry]) -> JSON {
        [
            "_id": .string(session.id),
            "createdAt": .string(session.createdAt.description),
            "expiresAt": .string(session.expiresAt.description),
            "lastUsedAt": session.lastUsedAt.map { .string($0.description) } ?? .null,
            "address": session.address.map(JSON.string) ?? .null,
            "agent": session.agent.map(JSON.string) ?? .null,
            "current": .bool(isCurrent),
            "sockets": .array(sockets.map(\.ownersJSON)),
        ]
    }
}
