import Crypto
import JWTKit
import RolecallProtocol
import Synchronization

/// Makes and checks JSON web tokens: HS256 with one key. The algorithm belongs to the key; what a token's header says
/// of it is never asked.
package struct TokenAuthority: Sendable {
    /// What a token says. The role is a hint for clients; the user's record decides.
    struct Claims: JWTPayload, Equatable {
        var _id: Int64
        var role: String?
        /// Seconds since 1970, like `iat` and `nbf`.
        var exp: Double
        var iat: Double?
        var nbf: Double?
        var sid: String?
        var gen: Int64?

        /// Times are judged by the authority, which names what is wrong with them.
        func verify(using _: some JWTAlgorithm) throws {}
    }

    /// A longer token is refused unread.
    private static let longestToken = 8192

    private let keys: JWTKeyCollection
    private let verified = VerifiedTokens()

    /// - Parameter key: at least 32 bytes.
    package init(key: [UInt8]) async {
        keys = JWTKeyCollection()
        await keys.add(hmac: HMACKey(key: SymmetricKey(data: key)), digestAlgorithm: .sha256)
    }

    func token(for claims: Claims) async throws -> String {
        try await keys.sign(claims)
    }

    /// The user that a token names whose signature was found good lately; nil for any other token.
    func knownUser(of token: String) -> Int64? {
        verified[token]?._id
    }

    /// The claims of a token that is ours and in time.
    ///
    /// - Throws: ``DomainError/tokenRefused(_:)``: invalid, not valid yet, or expired.
    func verify(_ token: String, now: Timestamp = .now) async throws(DomainError) -> Claims {
        guard token.utf8.count <= Self.longestToken else { throw .tokenRefused(.invalid) }
        let claims: Claims
        if let known = verified[token] {
            claims = known
        } else {
            do {
                claims = try await keys.verify(token, as: Claims.self)
            } catch {
                throw .tokenRefused(.invalid)
            }
            verified[token] = claims
        }
        guard claims.exp.isFinite, claims.exp > now.seconds else {
            throw .tokenRefused(.expired)
        }
        if let notBefore = claims.nbf, notBefore > now.seconds {
            throw .tokenRefused(.notYetValid)
        }
        return claims
    }
}

/// Tokens whose signature was found good, with what they say: a client sends the same one with each request, and a
/// signature does not change. Everything else about a token is judged each time.
private final class VerifiedTokens: Sendable {
    /// About a megabyte.
    private static let capacity = 2048

    private let claims = Mutex<[String: TokenAuthority.Claims]>([:])

    subscript(token: String) -> TokenAuthority.Claims? {
        get { claims.withLock { $0[token] } }
        set {
            claims.withLock { claims in
                // Which go matters little: a token that is still in use is verified once more.
                if claims.count >= Self.capacity { claims.removeAll(keepingCapacity: true) }
                claims[token] = newValue
            }
        }
    }
}
