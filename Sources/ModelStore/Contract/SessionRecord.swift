import RolecallProtocol

/// One sign-in; its id stands in the token.
public struct SessionRecord: Hashable, Sendable {
    /// Milliseconds between two notes of a session's use, at least.
    public static let touchInterval: Int64 = 60_000

    public var id: String
    public var user: Int64
    public var createdAt: Timestamp
    public var expiresAt: Timestamp
    public var revokedAt: Timestamp?
    /// About when a token of it was last presented; nil for not since it began.
    public var lastUsedAt: Timestamp?
    /// Where the sign-in came from, as the server saw it; nil where that is not known.
    public var address: String?
    /// The program that signed in, by its own words; nil where it said nothing.
    public var agent: String?

    public init(
        id: String, user: Int64, createdAt: Timestamp, expiresAt: Timestamp, revokedAt: Timestamp? = nil,
        lastUsedAt: Timestamp? = nil, address: String? = nil, agent: String? = nil
    ) {
        self.id = id
        self.user = user
        self.createdAt = createdAt
        self.expiresAt = expiresAt
        self.revokedAt = revokedAt
        self.lastUsedAt = lastUsedAt
        self.address = address
        self.agent = agent
    }

    /// Whether its tokens are good at this moment, as far as the session decides it.
    public func isOpen(at moment: Timestamp) -> Bool { revokedAt == nil && expiresAt > moment }
}
