import Logging
import ModelStore
import RolecallProtocol
import WireJSON

/// Accounts as a caller may read, make, change and remove them.
///
/// Rights are judged twice. A reader judges them first (``admit(_:to:_:)``), so that a caller who may not do it is told
/// that and nothing else, and costs neither a password's hash nor the writer's lock; the transaction that acts judges
/// them again. Open sockets are not touched here: they follow the records, and a change is answered when they have.
package struct AccountService: Sendable {
    /// Who may do something with an account.
    package enum Right: Sendable {
        case administrators
        case administratorsAndSelf
    }

    /// The caller, and the account that the call is about.
    package struct Parties: Sendable {
        package var caller: UserRecord
        package var user: UserRecord
        package var isSelf: Bool { caller.id == user.id }
    }

    let store: any Store
    package let policy: Policy
    let passwords: PasswordHasher
    let passwordCheck: PasswordCheck
    let signIns: SignInService
    let node: LocalNode
    let logger: Logger

    package init(
        store: any Store, policy: Policy, passwords: PasswordHasher, passwordCheck: PasswordCheck,
        signIns: SignInService, node: LocalNode, logger: Logger
    ) {
        self.store = store
        self.policy = policy
        self.passwords = passwords
        self.passwordCheck = passwordCheck
        self.signIns = signIns
        self.node = node
        self.logger = logger
    }

    // MARK: Judging

    /// Judges whether a caller may do something with an account.
    ///
    /// - Throws: ``DomainError/tokenRefused(_:)``, ``DomainError/forbidden(_:field:)`` or
    ///   ``DomainError/notFound(_:field:)``, in this order.
    @discardableResult
    package func admit(_ claimant: Claimant, to id: Int64, _ right: Right) async throws(DomainError) -> Parties {
        try await DomainError.mapping { try await store.inspect { try parties(claimant, on: id, right, in: $0) }.value }
    }

    /// The caller, who must administrate accounts.
    ///
    /// - Throws: ``DomainError/tokenRefused(_:)`` or ``DomainError/forbidden(_:field:)``.
    @discardableResult
    package func administrator(_ claimant: Claimant) async throws(DomainError) -> UserSummary {
        try await DomainError.mapping { try await store.inspect { try administrator(claimant, in: $0).summary }.value }
    }

    // MARK: Making

    /// Makes an account, as an administrator.
    ///
    /// - Parameter payload: an object with `email`, `password`, and perhaps `name` and `role`.
    /// - Returns: the account as the caller may see it.
    package func create(_ payload: JSON, as claimant: Claimant) async throws(DomainError) -> Reading<JSON> {
        let fields = try AccountFields(payload, fields: ["email", "name", "role", "password"])
        let email = try fields.required("email", fields.email())
        let name = try fields.name() ?? AccountRules.name(forAddress: email)
        let role = try fields.role(of: policy.roles) ?? policy.newcomersRole
        let hash = try await passwords.hash(try fields.newPassword("password"))
        let created = try await store.writing {
            try await store.transaction { transaction in
                try transaction.lock(user: claimant.user)
                let caller = try administrator(claimant, in: transaction)
                try transaction.act(as: caller.summary.author)
                let user = try transaction.insertUser(email: email, name: name, role: role, password: hash)
                return try seen(user, by: caller, in: transaction)
            }
        }
        log("made an account", claimant, email: email)
        return await store.reading(created)
    }

    /// Judges whether one more account may be made from an address without a caller.
    ///
    /// - Throws: ``DomainError/tooManyAttempts(_:retryAfter:)``.
    package func admitSignUp(from origin: SignInService.Origin) throws(DomainError) {
        try passwordCheck.admitSignUp(from: origin.limitedAddress)
    }

    /// Makes an account for an unknown caller, and signs it in.
    ///
    /// - Parameter payload: as for ``create(_:as:)``; its `role` is not looked at.
    package func signUp(
        _ payload: JSON, from origin: SignInService.Origin
    ) async throws(DomainError) -> Reading<SignInService.Grant> {
        let fields = try AccountFields(payload, fields: ["email", "name", "role", "password"])
        let email = try fields.required("email", fields.email())
        let name = try fields.name() ?? AccountRules.name(forAddress: email)
        let hash = try await passwords.hash(try fields.newPassword("password"))
        let role = policy.newcomersRole
        let now = Timestamp.now
        let draft = signIns.makeSession(of: 0, from: origin, at: now)
        let created = try await store.writing {
            try await store.transaction { transaction in
                let user = try transaction.insertUser(email: email, name: name, role: role, password: hash)
                var session = draft
                session.user = user.id
                try transaction.insertSession(session)
                return user
            }
        }
        let token = try await signIns.token(for: created.value, session: draft.id, at: now)
        origin.logger.info(
            "signed up", metadata: ["user": .stringConvertible(created.value.id), "email": .string(email)])
        let grant = SignInService.Grant(user: created.value.summary, token: token)
        return Reading(value: grant, position: await store.reading(created).position)
    }

    // MARK: Changing

    /// Changes the name, the address, or both.
    ///
    /// - Parameter payload: an object with `name`, `email`, or both; `_id` is not looked at.
    /// - Returns: the account as the caller may see it.
    package func update(
        _ id: Int64, _ payload: JSON, as claimant: Claimant
    ) async throws(DomainError) -> Reading<JSON> {
        let fields = try AccountFields(payload, fields: ["_id", "name", "email"])
        let (name, email) = (try fields.name(), try fields.email())
        return try await change(id, .administratorsAndSelf, as: claimant) { transaction, parties in
            let user = try transaction.updateUser(id: id, name: name, email: email) ?? parties.user
            let caller = parties.isSelf ? user : parties.caller
            return try seen(user, by: caller, in: transaction)
        }
    }

    /// - Parameter payload: an object with `role`.
    /// - Returns: the account as the caller may see it.
    package func setRole(
        of id: Int64, _ payload: JSON, as claimant: Claimant
    ) async throws(DomainError) -> Reading<JSON> {
        let fields = try AccountFields(payload, fields: ["role"])
        let role = try fields.required("role", fields.role(of: policy.roles))
        let changed = try await change(id, .administrators, as: claimant, takesAdministrator: true) {
            transaction, parties in
            var user = parties.user
            if user.role != role {
                try keepAdministrator(besides: user, in: transaction)
                try transaction.setRole(role, ofUser: id)
                user.role = role
            }
            return try seen(user, by: parties.isSelf ? user : parties.caller, in: transaction)
        }
        log("set a role", claimant, user: id)
        return changed
    }

    /// Sets a password; every token that was made before is void.
    ///
    /// - Parameters:
    ///   - payload: an object with `newPassword` and, for the caller's own account, `oldPassword`.
    ///   - parties: what ``admit(_:to:_:)`` found.
    /// - Throws: ``DomainError/wrongOldPassword``, besides what every change throws.
    package func setPassword(
        _ payload: JSON, of parties: Parties, as claimant: Claimant, from origin: SignInService.Origin
    ) async throws(DomainError) {
        let fields = try AccountFields(payload, fields: ["oldPassword", "newPassword"])
        let id = parties.user.id
        if parties.isSelf {
            // A token that was left behind must not be enough to lock its owner out.
            let verdict = try await passwordCheck.verdict(
                on: try fields.oldPassword(), of: parties.user.email, against: parties.user.password,
                from: origin.limitedAddress)
            guard verdict != .wrong else { throw .wrongOldPassword }
        }
        let hash = try await passwords.hash(try fields.newPassword("newPassword"))
        try await change(id, .administratorsAndSelf, as: claimant) { transaction, _ in
            // In this order: the sockets hear of the password, and not of sessions that end with it.
            try transaction.setPassword(hash, ofUser: id)
            try transaction.revokeSessions(ofUser: id, at: .now)
        }
        log("set a password", claimant, user: id)
    }

    /// - Returns: the position of the removal.
    package func remove(_ id: Int64, as claimant: Claimant) async throws(DomainError) -> Position? {
        let removed = try await change(id, .administrators, as: claimant, takesAdministrator: true) {
            transaction, parties in
            try keepAdministrator(besides: parties.user, in: transaction)
            try transaction.removeUser(id: id)
        }
        log("removed an account", claimant, user: id)
        return removed.position
    }

    // MARK: Parts

    /// Runs a body in a transaction once the caller was judged there; the changes are the caller's. Returns when they
    /// hold on every open socket.
    ///
    /// - Parameter takesAdministrator: whether the change can leave one administrator less.
    @discardableResult
    func change<Output: Sendable>(
        _ id: Int64, _ right: Right, as claimant: Claimant, takesAdministrator: Bool = false,
        _ body: @escaping @Sendable (any StoreTransaction, Parties) throws -> Output
    ) async throws(DomainError) -> Reading<Output> {
        let changed = try await store.writing {
            try await store.transaction { transaction in
                // What is decided on, in one order for all: two changes can't wait for each other.
                if takesAdministrator { try transaction.lock(.administrators) }
                for user in Set([claimant.user, id]).sorted() { try transaction.lock(user: user) }
                let parties = try parties(claimant, on: id, right, in: transaction)
                try transaction.act(as: parties.caller.summary.author)
                return try body(transaction, parties)
            }
        }
        await node.settled(through: changed.identity)
        return await store.reading(changed)
    }

    func administrator(_ claimant: Claimant, in transaction: any AccountReader) throws -> UserRecord {
        let caller = try claimant.user(in: transaction)
        guard policy.isAdministrator(caller.role) else { throw Self.forbidden(caller) }
        return caller
    }

    /// Makes sure that an administrator is left, whatever becomes of a user.
    ///
    /// - Throws: ``DomainError/conflict(_:field:)`` where the user is the last one.
    private func keepAdministrator(besides user: UserRecord, in transaction: any AccountReader) throws {
        guard policy.isAdministrator(user.role), try transaction.userCount(role: user.role) < 2 else { return }
        throw DomainError.conflict(
            "\(user.email) is the last \(user.role): make another account \(user.role) first.")
    }

    /// An account as its reader may see it: of the own one everything, of others what the policy shows.
    private func seen(_ user: UserRecord, by reader: UserRecord, in transaction: any RowReader) throws -> JSON {
        if user.id == reader.id { return user.summary.json }
        guard let model = store.models.first(where: { $0.name == ModelName.user }),
            let row = try transaction.row(of: model, key: .integer(user.id)),
            let visible = policy.visible(
                row, of: model.name, to: policy.view(role: reader.role, user: reader.summary.owner))
        else { return ["_id": .integer(user.id)] }
        return visible.json
    }

    private func parties(
        _ claimant: Claimant, on id: Int64, _ right: Right, in transaction: any AccountReader
    ) throws -> Parties {
        let caller = try claimant.user(in: transaction)
        let mayAsSelf =
            switch right {
            case .administratorsAndSelf: caller.id == id
            case .administrators: false
            }
        guard mayAsSelf || policy.isAdministrator(caller.role) else { throw Self.forbidden(caller) }
        guard let user = try transaction.user(id: id) else { throw DomainError.notFound("There is no such user.") }
        return Parties(caller: caller, user: user)
    }

    private static func forbidden(_ caller: UserRecord) -> DomainError {
        .forbidden("The role \(caller.role) may not do this.")
    }

    private func log(_ what: Logger.Message, _ claimant: Claimant, user: Int64? = nil, email: String? = nil) {
        var metadata: Logger.Metadata = ["by": .stringConvertible(claimant.user)]
        if let user { metadata["user"] = .stringConvertible(user) }
        if let email { metadata["email"] = .string(email) }
        logger.info(what, metadata: metadata)
    }
}
