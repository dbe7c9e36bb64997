import Base64Coding
import Crypto
import Foundation
import ModelStore
import RolecallProtocol
import WireJSON

/// Socket.IO's `pid`: what a client brings when it comes back, to be sent what it missed.
///
/// It opens nothing and restores nothing. Only the new handshake names the user; a ticket says whether that is the same
/// user with the same role and memberships as it was given to, and the server keeps nothing for it: it is a random part,
/// and a code over that part and the user that only this server's key can make. So it is good after a restart, and on
/// every node that has the key.
struct RecoveryTicket: Sendable {
    private static let randomLength = 16
    private static let textLength = Base64.encodedCount(of: randomLength + SHA256.byteCount, isPadded: false)

    private let key: SymmetricKey
    private let store: StoreID

    /// - Parameter key: the tokens' key; the tickets' own is made from it.
    init(key: [UInt8], store: StoreID) {
        self.key = HKDF<SHA256>.deriveKey(
            inputKeyMaterial: SymmetricKey(data: key), info: Data("rolecall recovery ticket".utf8), outputByteCount: 32)
        self.store = store
    }

    /// - Parameters:
    ///   - user: nil for none.
    ///   - memberships: what the user belongs to.
    func issue(to user: UserSummary?, memberships: Memberships = .none) -> String {
        let random = SymmetricKey(size: .bits128).withUnsafeBytes { Array($0) }
        return Base64.encode(random + code(message(random[...], user, memberships)), .urlSafe, isPadded: false)
    }

    /// Whether a ticket was given to this user, with this role and these memberships.
    func isGood(_ text: String, for user: UserSummary?, memberships: Memberships = .none) -> Bool {
        guard text.utf8.count == Self.textLength, let bytes = Base64.decode(text, .urlSafe) else { return false }
        return HMAC<SHA256>.isValidAuthenticationCode(
            bytes.dropFirst(Self.randomLength),
            authenticating: message(bytes.prefix(Self.randomLength), user, memberships), using: key)
    }

    private func code(_ message: Data) -> [UInt8] {
        Array(HMAC<SHA256>.authenticationCode(for: message, using: key))
    }

    private func message(_ random: ArraySlice<UInt8>, _ user: UserSummary?, _ memberships: Memberships) -> Data {
        // What decides what the user may see; the parts can't run into each other.
        let who = user.map { "\($0.id)\n\($0.role)\n\($0.owner.description)" } ?? ""
        return Data(random) + Data("\(store)\n\(who)".utf8) + Self.text(of: memberships)
    }

    /// One text for each set; empty for the empty one.
    private static func text(of memberships: Memberships) -> Data {
        guard !memberships.isEmpty else { return Data() }
        let list = memberships.sorted().map { membership in
            JSON.array(
                [.string(membership.name), membership.value.json] + membership.roles.sorted().map(JSON.string))
        }
        return Data("\n\(JSON.array(list))".utf8)
    }
}
