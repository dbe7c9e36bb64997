import HTTPTypes
import Hummingbird
import Logging
import ModelStore
import RolecallProtocol
import WireJSON

/// Signing in and out over HTTP.
struct AuthenticationRoutes: Sendable {
    private static let bodyLimit = 16 << 10

    let store: any Store
    let signIns: SignIns
    let passwords: PasswordHasher
    let passwordCheck: PasswordCheck
    let identity: RequestIdentity
    let association: Association
    let logger: Logger

    func add(to router: Router<RolecallRequestContext>) {
        router.post("auth/local") { request, context in try await signIn(request, context) }
        router.post("auth/refresh") { request, context in try await refresh(request, context) }
        router.post("auth/logout") { request, context in try await signOut(request, context) }
    }

    private func signIn(_ request: Request, _ context: RolecallRequestContext) async throws -> Response {
        try identity.refuseForeignPage(request)
        let body = try await request.json(limit: Self.bodyLimit)
        let email = try Self.text("email", of: body)
        let password = try Self.text("password", of: body)
        let account = try await store.read { try $0.user(email: email) }.value

        let verdict = try await passwordCheck.verdict(
            on: password, of: email, against: account?.password, from: context.remoteAddress)
        guard let account, verdict != .wrong else {
            context.logger.notice(
                "refused a login",
                metadata: ["address": .string(context.remoteAddress?.description ?? "unknown")])
            throw RequestFailure(.unauthorized, .invalidCredentials, "This e-mail and password do not match.")
        }
        // Where there is no room for it now, the next login brings it.
        let better: String? = verdict == .rightButWeak ? try? await passwords.hash(password) : nil

        let now = Timestamp.now
        let session = signIns.session(of: account.id, by: request, context, at: now)
        // As the user is when the session begins: the password may have been changed while it was checked.
        let user = try await store.write(by: nil) { transaction in
            guard let user = try transaction.user(id: account.id), user.generation == account.generation else {
                throw RequestFailure(.unauthorized, .invalidCredentials, "This e-mail and password do not match.")
            }
            try transaction.pruneSessions(expiredBefore: now)
            try transaction.insertSession(session)
            if let better { try transaction.upgradePassword(better, ofUser: user.id) }
            return user
        }.value
        let token = try await signIns.token(for: user, session: session.id, at: now)
        context.logger.info(
            "signed in", metadata: ["user": .stringConvertible(user.id), "email": .string(user.email)])
        return .json(
            ["token": .string(token), "user": user.summary.json],
            headers: signIns.cookie(token))
    }

    /// A token that lasts longer, of the same sign-in. The one that was brought stays good until its own end.
    private func refresh(_ request: Request, _ context: RolecallRequestContext) async throws -> Response {
        let claimant = try await identity.signedIn(request)
        let now = Timestamp.now
        let fresh = signIns.session(of: claimant.user, by: request, context, at: now)
        let (user, session) = try await store.write(by: nil) { transaction in
            let user = try claimant.user(in: transaction)
            // A token of others who hold our key has no sign-in: from here on it has one, and can be revoked.
            guard let session = claimant.session else {
                try transaction.insertSession(fresh)
                return (user, fresh.id)
            }
            guard try transaction.extendSession(id: session, expiresAt: fresh.expiresAt) else {
                throw WireError(.tokenRevoked, "The session of this token was ended; log in again.")
            }
            return (user, session)
        }.value
        let token = try await signIns.token(for: user, session: session, at: now)
        return .json(["token": .string(token), "user": user.summary.json], headers: signIns.cookie(token))
    }

    private func signOut(_ request: Request, _ context: RolecallRequestContext) async throws -> Response {
        guard let principal = try await identity.principal(of: request) else { throw RequestFailure.signInFirst }
        if let session = principal.session {
            let revoked = try await store.write(by: nil) { try $0.revokeSession(id: session, at: .now) }
            // The answer comes when no socket of the session belongs to anybody any more.
            await association.settled(through: revoked.position.sequence)
        }
        context.logger.info(
            "signed out",
            metadata: ["user": .stringConvertible(principal.user.id), "email": .string(principal.user.email)])
        return .json(["data": "signed out"], headers: signIns.withoutCookie)
    }

    private static func text(_ field: String, of body: JSON) throws -> String {
        guard let text = body[field]?.stringValue, !text.isEmpty else {
            throw RequestFailure(
                .unprocessableContent, .invalidField, "\(field) has to be a string that is not empty.", field: field)
        }
        return text
    }
}

/// Names of sign-ins: 120 random bits.
enum SessionID {
    static func make() -> String {
        let alphabet = Array("abcdefghijklmnopqrstuvwxyz234567")
        return String((0..<24).map { _ in alphabet[Int.random(in: 0..<32)] })
    }
}
