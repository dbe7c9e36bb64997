import Hummingbird
import ModelStore
import RolecallCore
import RolecallProtocol
import WireJSON

/// `/api/users/:id/sessions`: where a user is signed in, and signing out from afar. For the user and for administrators.
struct SessionRoutes: Sendable {
    let accounts: AccountService
    let identity: RequestIdentity

    func add(to router: Router<RolecallRequestContext>) {
        router.get("api/users/:id/sessions") { request, context in try await list(request, context) }
        router.delete("api/users/:id/sessions") { request, context in try await endAll(request, context) }
        router.delete("api/users/:id/sessions/:sid") { request, context in try await end(request, context) }
    }

    private func list(_ request: Request, _ context: RolecallRequestContext) async throws -> Response {
        let claimant = try await identity.signedIn(request)
        let sessions = try await accounts.sessions(ofUser: context.user(for: claimant.user), as: claimant)
        return .json(.array(sessions.value.map(\.json)), headers: .position(sessions.position))
    }

    private func endAll(_ request: Request, _ context: RolecallRequestContext) async throws -> Response {
        let claimant = try await identity.signedIn(request)
        let ended = try await accounts.endSessions(ofUser: context.user(for: claimant.user), as: claimant)
        return .json(["revoked": .integer(Int64(ended.value))], headers: .position(ended.position))
    }

    private func end(_ request: Request, _ context: RolecallRequestContext) async throws -> Response {
        let claimant = try await identity.signedIn(request)
        let session = try context.parameters.require("sid")
        let position = try await accounts.endSession(
            session, ofUser: context.user(for: claimant.user), as: claimant)
        return .json(["revoked": 1], headers: .position(position))
    }
}

extension SessionListing {
    fileprivate var json: JSON {
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
