import RolecallProtocol
import WireJSON

/// One of a user's sign-ins, as the server lists them. Its texts were made safe.
struct UserSession: Hashable, Sendable {
    struct Socket: Hashable, Sendable {
        let id: String
        let address: String
        let transport: String
        let connectedAt: Timestamp?
    }

    /// As the server spells it, for the request that ends it; never drawn.
    let id: String
    let createdAt: Timestamp?
    let expiresAt: Timestamp?
    let lastUsedAt: Timestamp?
    let address: String?
    /// What signed in, by its own account.
    let agent: String?
    /// Whether it is that of the token that asked.
    let isCurrent: Bool
    let sockets: [Socket]

    init?(json: JSON) {
        guard let id = json["_id"]?.identifier else { return nil }
        self.id = id
        createdAt = json["createdAt"]?.timestamp
        expiresAt = json["expiresAt"]?.timestamp
        lastUsedAt = json["lastUsedAt"]?.timestamp
        address = json["address"]?.safeText
        agent = json["agent"]?.safeText
        isCurrent = json["current"]?.boolValue ?? false
        sockets = (json["sockets"]?.arrayValue ?? []).compactMap { socket in
            guard let id = socket["id"]?.safeText else { return nil }
            return Socket(
                id: id, address: socket["address"]?.safeText ?? "", transport: socket["transport"]?.safeText ?? "",
                connectedAt: socket["connectedAt"]?.timestamp)
        }
    }
}

/// One connected socket, as the server lists them for those who may know. Its texts but for the id were made safe.
struct SocketRecord: Hashable, Sendable {
    /// As the server spells it, for the request that kicks it.
    let id: String
    /// Nil where it belongs to nobody.
    let user: UserSummary?
    let address: String
    let transport: String
    let connectedAt: Timestamp?
    /// What waits to be sent to it, in bytes.
    let queuedBytes: Int64
    /// As it came, for programs.
    let json: JSON

    init?(json: JSON) {
        guard let id = json["id"]?.identifier else { return nil }
        let user = json["user"].flatMap(UserSummary.init)
        guard user != nil || json["user"]?.isNull ?? true else { return nil }
        self.id = id
        self.user = user.map { user in
            UserSummary(
                id: user.id, email: user.email.madeSafe, name: user.name.madeSafe, role: user.role.madeSafe)
        }
        address = json["address"]?.safeText ?? ""
        transport = json["transport"]?.safeText ?? ""
        connectedAt = json["connectedAt"]?.timestamp
        queuedBytes = json["queuedBytes"]?.integerValue ?? 0
        self.json = json
    }
}

/// A user who came on, is on, or has left, as those are told who may know. Its texts were made safe.
struct Presence: Hashable, Sendable {
    static let eventName = "presence"

    let userID: Int64
    let name: String
    /// Nil where this user may not know.
    let role: String?
    /// How many sockets the user had when this was said.
    let sockets: Int
    let isOn: Bool
    /// As it came, for programs.
    let json: JSON

    init?(json: JSON) {
        guard let user = json["user"], let userID = user["_id"]?.integerValue, let state = json["state"]?.stringValue,
            state == "joined" || state == "left"
        else { return nil }
        self.userID = userID
        name = user["name"]?.safeText ?? ""
        role = user["role"]?.safeText
        sockets = Int(clamping: max(0, json["sockets"]?.integerValue ?? 0))
        isOn = state == "joined"
        self.json = json
    }
}

/// The server's word that a login will end by itself.
enum ExpiryWarning {
    static let eventName = "expiring"

    /// When; nil where the event does not say.
    static func expiry(_ arguments: [JSON]) -> Timestamp? {
        arguments.first?["expiresAt"]?.timestamp
    }
}

extension JSON {
    /// A key or an id, whichever way it is spelled.
    fileprivate var identifier: String? {
        if let text = stringValue { return text.isEmpty ? nil : text }
        return integerValue.map { String($0) }
    }

    fileprivate var timestamp: Timestamp? { stringValue.flatMap(Timestamp.init) }
    fileprivate var safeText: String? { stringValue?.madeSafe }
}

extension String {
    /// Made safe, and no longer than a line has use for.
    fileprivate var madeSafe: String { SafeText(String(prefix(200))).text }
}
