import WireJSON

/// Why a socket's identity is what it is.
///
/// Open on purpose: a client meets reasons of a newer server.
public struct IdentityReason: RawRepresentable, Hashable, Sendable, CustomStringConvertible {
    public let rawValue: String
    public init(rawValue: String) { self.rawValue = rawValue }
    public var description: String { rawValue }

    // What associated it.
    public static let cookie = IdentityReason(rawValue: "cookie")
    public static let header = IdentityReason(rawValue: "header")
    public static let auth = IdentityReason(rawValue: "auth")
    public static let login = IdentityReason(rawValue: "login")

    // What left or made it anonymous.
    public static let anonymous = IdentityReason(rawValue: "anonymous")
    public static let logout = IdentityReason(rawValue: "logout")
    public static let expired = IdentityReason(rawValue: "expired")
    public static let signedOut = IdentityReason(rawValue: "signed_out")
    public static let passwordChanged = IdentityReason(rawValue: "password_changed")
    public static let userRemoved = IdentityReason(rawValue: "user_removed")
    public static let kicked = IdentityReason(rawValue: "kicked")
    public static let tokenInvalid = IdentityReason(rawValue: "token_invalid")
    public static let tokenExpired = IdentityReason(rawValue: "token_expired")
    public static let tokenRevoked = IdentityReason(rawValue: "token_revoked")
    public static let userUnknown = IdentityReason(rawValue: "user_unknown")

    // What changed it.
    public static let roleChanged = IdentityReason(rawValue: "role_changed")
    public static let userChanged = IdentityReason(rawValue: "user_changed")
    public static let membershipChanged = IdentityReason(rawValue: "membership_changed")
}

/// A user as other people may see one.
public struct UserSummary: Hashable, Sendable {
    public var id: Int64
    public var email: String
    public var name: String
    public var role: String

    public init(id: Int64, email: String, name: String, role: String) {
        self.id = id
        self.email = email
        self.name = name
        self.role = role
    }

    public init?(json: JSON) {
        guard let id = json["_id"]?.integerValue, let email = json["email"]?.stringValue,
            let name = json["name"]?.stringValue, let role = json["role"]?.stringValue
        else { return nil }
        self.init(id: id, email: email, name: name, role: role)
    }

    public var json: JSON {
        ["_id": .integer(id), "email": .string(email), "name": .string(name), "role": .string(role)]
    }
}

/// Who a socket is, as the server tells it: the `identity` event and the answer to `whoami`.
public struct Identity: Hashable, Sendable {
    public static let eventName = "identity"

    /// Socket.IO's id of the socket.
    public var socketID: String
    /// The peer as the server sees it, `host:port`.
    public var address: String
    /// Nil where the socket belongs to nobody.
    public var user: UserSummary?
    /// Grows with every change; events computed for an older epoch never follow this event.
    public var epoch: Int64
    /// When the association ends by itself.
    public var expiresAt: Timestamp?
    /// The models of which this identity may see something.
    public var models: [String]
    /// What the user belongs to, as far as the server tells it; nil without a user, and from a server that knows no
    /// memberships.
    public var memberships: IdentityMemberships?
    /// After a change of memberships, the models that may look different now: a client reloads them.
    public var affects: [String]?
    public var reason: IdentityReason

    public init(
        socketID: String, address: String, user: UserSummary?, epoch: Int64, expiresAt: Timestamp?, models: [String],
        memberships: IdentityMemberships? = nil, affects: [String]? = nil, reason: IdentityReason
    ) {
        self.socketID = socketID
        self.address = address
        self.user = user
        self.epoch = epoch
        self.expiresAt = expiresAt
        self.models = models
        self.memberships = memberships
        self.affects = affects
        self.reason = reason
    }

    public init?(json: JSON) {
        guard let socketID = json["socket"]?["id"]?.stringValue, let address = json["socket"]?["address"]?.stringValue,
            let epoch = json["epoch"]?.integerValue, let reason = json["reason"]?.stringValue,
            let user = json["user"]
        else { return nil }
        let summary = UserSummary(json: user)
        guard user.isNull || summary != nil else { return nil }
        self.init(
            socketID: socketID, address: address, user: summary, epoch: epoch,
            expiresAt: json["expiresAt"]?.stringValue.flatMap(Timestamp.init),
            models: json["models"]?.arrayValue?.compactMap(\.stringValue) ?? [],
            memberships: user.isNull ? nil : IdentityMemberships(identity: json),
            affects: json["affects"]?.arrayValue?.compactMap(\.stringValue),
            reason: IdentityReason(rawValue: reason))
    }

    public var json: JSON {
        var object: JSONObject = [
            "socket": ["id": .string(socketID), "address": .string(address)],
            "user": user?.json ?? .null,
            "epoch": .integer(epoch),
            "expiresAt": expiresAt.map { .string($0.description) } ?? .null,
            "models": .array(models.map(JSON.string)),
            "reason": .string(reason.rawValue),
        ]
        memberships?.add(to: &object)
        if let affects { object["affects"] = .array(affects.map(JSON.string)) }
        return .object(object)
    }
}
