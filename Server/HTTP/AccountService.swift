import HTTPTypes
import ModelStore
import RolecallProtocol
import WireJSON

/// Accounts as somebody: who may read, make, change and remove which.
///
/// Rights are judged twice. A reader judges them first, so that whoever may not is told that and nothing else, and costs
/// neither a password's hash nor the writer's lock; the transaction that acts judges them again. Open sockets are not
/// touched here: they follow the records, and a change is answered when they have.
struct AccountService: Sendable {
    /// Who may do something.
    enum Right: Sendable {
        case administrators
        case administratorsAndSelf
    }

    /// Who acts, and on whose account.
    struct Parties: Sendable {
        var caller: UserRecord
        var user: UserRecord
        var isSelf: Bool { caller.id == user.id }
    }

    let store: any Store
    let policy: Policy
    let association: Association

    /// What roles there are, from the least to the most.
    var roles: [String] { policy.roles }

    /// Who asks to do something with an account, and whose it is.
    ///
    /// - Throws: 401, 403 or 404, in this order.
    func parties(_ claimant: Claimant, on id: Int64, _ right: Right) async throws -> Parties {
        try await store.read { try parties(claimant, on: id, right, in: $0) }.value
    }

    /// Runs a body in a transaction, once it is judged there who asks; the changes are the caller's. Returns when they
    /// hold on every open socket.
    @discardableResult
    func change<Output: Sendable>(
        _ claimant: Claimant, on id: Int64, _ right: Right,
        _ body: @escaping @Sendable (any WriteTransaction, Parties) throws -> Output
    ) async throws -> Snapshot<Output> {
        let changed = try await store.write(by: nil) { transaction in
            let parties = try parties(claimant, on: id, right, in: transaction)
            try transaction.act(as: parties.caller.summary.author)
            return try body(transaction, parties)
        }
        await association.settled(through: changed.position.sequence)
        return changed
    }

    /// Whoever a token names, where he administrates accounts.
    ///
    /// - Throws: 401 or 403.
    func administrator(_ claimant: Claimant) async throws -> UserRecord {
        try await store.read { try administrator(claimant, in: $0) }.value
    }

    func administrator(_ claimant: Claimant, in transaction: any ReadTransaction) throws -> UserRecord {
        let caller = try claimant.user(in: transaction)
        guard policy.isAdministrator(caller.role) else { throw Self.forbidden(caller) }
        return caller
    }

    /// Makes sure that somebody is left to administrate, whatever becomes of a user.
    ///
    /// - Throws: 409 where he is the last who can.
    func keepAdministrator(besides user: UserRecord, in transaction: any ReadTransaction) throws {
        guard policy.isAdministrator(user.role), try transaction.userCount(role: user.role) < 2 else { return }
        throw RequestFailure(
            .conflict, .conflict, "\(user.email) is the last \(user.role): make another account \(user.role) first.")
    }

    /// An account as its reader may see it: everyone sees all of himself, and of others what the policy shows.
    func seen(_ user: UserRecord, by reader: UserRecord, in transaction: any ReadTransaction) throws -> JSON {
        if user.id == reader.id { return user.summary.json }
        guard let model = store.models.first(where: { $0.name == ModelName.user }),
            let row = try transaction.row(of: model, key: .integer(user.id)),
            let visible = policy.visible(
                row, of: model.name, to: policy.view(role: reader.role, user: reader.summary.owner))
        else { return ["_id": .integer(user.id)] }
        return visible.json
    }

    private func parties(
        _ claimant: Claimant, on id: Int64, _ right: Right, in transaction: any ReadTransaction
    ) throws -> Parties {
        let caller = try claimant.user(in: transaction)
        let mayAsSelf = if case .administratorsAndSelf = right { caller.id == id } else { false }
        guard mayAsSelf || policy.isAdministrator(caller.role) else { throw Self.forbidden(caller) }
        guard let user = try transaction.user(id: id) else {
            throw RequestFailure(.notFound, .notFound, "There is no such user.")
        }
        return Parties(caller: caller, user: user)
    }

    private static func forbidden(_ caller: UserRecord) -> RequestFailure {
        RequestFailure(.forbidden, .forbidden, "The role \(caller.role) may not do this.")
    }
}
