import HTTPTypes
import Hummingbird
import ModelStore
import NIOCore
import RolecallProtocol
import WireJSON

/// Begins and prolongs sign-ins, and makes their tokens.
struct SignIns: Sendable {
    /// What is kept of a program's name for itself, in bytes.
    private static let longestAgent = 256

    let tokens: TokenAuthority
    /// Seconds that a token is good for.
    let lifetime: Int
    /// Whether the server speaks TLS, so that the cookie goes over nothing else.
    let isSecure: Bool

    /// A new sign-in, not stored yet.
    func session(
        of user: Int64, by request: Request, _ context: RolecallRequestContext, at now: Timestamp
    ) -> SessionRecord {
        SessionRecord(
            id: SessionID.make(), user: user, createdAt: now, expiresAt: expiry(from: now),
            address: context.remoteAddress?.ipAddress,
            agent: request.headers[.userAgent].map { String($0.prefix(Self.longestAgent)) })
    }

    /// When a token ends that is made now.
    func expiry(from now: Timestamp) -> Timestamp {
        Timestamp(milliseconds: now.milliseconds + Int64(lifetime) * 1000)
    }

    /// A token of a sign-in.
    func token(for user: UserRecord, session: String, at now: Timestamp) async throws -> String {
        try await tokens.token(
            for: TokenAuthority.Claims(
                _id: user.id, role: user.role, exp: expiry(from: now).seconds.rounded(.down),
                iat: now.seconds.rounded(.down), sid: session, gen: user.generation))
    }

    /// The cookie that goes with a token.
    func cookie(_ token: String) -> HTTPFields {
        [.setCookie: Cookies.setting(token, lifetime: lifetime, isSecure: isSecure)]
    }

    /// Takes the cookie back.
    var withoutCookie: HTTPFields {
        [.setCookie: Cookies.clearing(isSecure: isSecure)]
    }
}
