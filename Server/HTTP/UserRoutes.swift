import HTTPTypes
import Hummingbird
import Logging
import ModelStore
import RolecallProtocol
import WireJSON

/// `/api/users`: accounts are read as rows are, by the policy, and have verbs of their own for everything else.
///
/// `me` stands for the caller's own id everywhere.
struct UserRoutes: Sendable {
    private static let bodyLimit = 16 << 10

    let accounts: AccountService
    let identity: RequestIdentity
    let rows: ModelRoutes
    let passwords: PasswordHasher
    let passwordCheck: PasswordCheck
    let signIns: SignIns
    /// Whether anyone may make himself an account.
    let allowsSignUp: Bool
    let logger: Logger

    func add(to router: Router<RolecallRequestContext>) {
        router.get("api/users") { request, _ in try await rows.list(request, of: model) }
        router.post("api/users") { request, context in try await create(request, context) }
        router.get("api/users/:id") { request, context in try await get(request, context) }
        router.patch("api/users/:id") { request, context in try await update(request, context) }
        router.delete("api/users/:id") { request, context in try await remove(request, context) }
        router.put("api/users/:id/password") { request, context in try await setPassword(request, context) }
        router.put("api/users/:id/role") { request, context in try await setRole(request, context) }
    }

    // MARK: Reading

    private var model: Model {
        get throws {
            guard let model = rows.models.model(named: ModelName.user) else {
                throw RequestFailure(.notFound, .notFound, "There are no users here.")
            }
            return model
        }
    }

    private func get(_ request: Request, _ context: RolecallRequestContext) async throws -> Response {
        guard let principal = try await identity.principal(of: request) else { throw RequestFailure.signInFirst }
        // Everyone sees all of himself, whatever the policy shows of others.
        if context.user(for: principal.user.id) == principal.user.id { return .json(principal.user.json) }
        return try await rows.get(request, context, of: model)
    }

    // MARK: Making

    private func create(_ request: Request, _ context: RolecallRequestContext) async throws -> Response {
        let claimant = try await identity.claimant(of: request)
        guard let claimant else {
            guard allowsSignUp else { throw RequestFailure.signInFirst }
            return try await signUp(request, context)
        }
        do {
            _ = try await accounts.administrator(claimant)
        } catch let failure as RequestFailure where failure.status == .forbidden && allowsSignUp {
            return try await signUp(request, context)
        }
        let body = try AccountBody(
            try await request.json(limit: Self.bodyLimit), fields: ["email", "name", "role", "password"])
        let email = try body.required("email", body.email())
        let name = try body.name() ?? AccountRules.name(forAddress: email)
        let role = try body.role(of: accounts.roles) ?? accounts.policy.newcomersRole
        let hash = try await passwords.hash(try body.newPassword("password"))
        let created = try await accounts.store.write(by: nil) { transaction in
            let caller = try accounts.administrator(claimant, in: transaction)
            try transaction.act(as: caller.summary.author)
            let user = try transaction.insertUser(email: email, name: name, role: role, password: hash)
            return try accounts.seen(user, by: caller, in: transaction)
        }
        log("made an account", claimant, email: email)
        return .json(created.value, status: .created, headers: .position(created.position))
    }

    /// Somebody makes himself an account, and is signed in with it.
    private func signUp(_ request: Request, _ context: RolecallRequestContext) async throws -> Response {
        try identity.refuseForeignPage(request)
        try passwordCheck.admitSignUp(from: context.remoteAddress)
        let body = try AccountBody(
            try await request.json(limit: Self.bodyLimit), fields: ["email", "name", "role", "password"])
        let email = try body.required("email", body.email())
        let name = try body.name() ?? AccountRules.name(forAddress: email)
        let hash = try await passwords.hash(try body.newPassword("password"))
        // Whatever the body says: nobody gives himself a role.
        let role = accounts.policy.newcomersRole
        let now = Timestamp.now
        let draft = signIns.session(of: 0, by: request, context, at: now)
        let created = try await accounts.store.write(by: nil) { transaction in
            let user = try transaction.insertUser(email: email, name: name, role: role, password: hash)
            var session = draft
            session.user = user.id
            try transaction.insertSession(session)
            return user
        }
        let token = try await signIns.token(for: created.value, session: draft.id, at: now)
        context.logger.info(
            "signed up", metadata: ["user": .stringConvertible(created.value.id), "email": .string(email)])
        var answer: JSONObject = ["token": .string(token)]
        for (name, value) in created.value.summary.json.objectValue ?? [:] { answer[name] = value }
        return .json(
            .object(answer), status: .created,
            headers: HTTPFields.position(created.position) + signIns.cookie(token))
    }

    // MARK: Changing

    private func update(_ request: Request, _ context: RolecallRequestContext) async throws -> Response {
        let claimant = try await identity.signedIn(request)
        let id = context.user(for: claimant.user)
        _ = try await accounts.parties(claimant, on: id, .administratorsAndSelf)
        let body = try AccountBody(try await request.json(limit: Self.bodyLimit), fields: ["_id", "name", "email"])
        let (name, email) = (try body.name(), try body.email())
        let changed = try await accounts.change(claimant, on: id, .administratorsAndSelf) { transaction, parties in
            let user = try transaction.updateUser(id: id, name: name, email: email) ?? parties.user
            let caller = parties.isSelf ? user : parties.caller
            return try accounts.seen(user, by: caller, in: transaction)
        }
        return .json(changed.value, headers: .position(changed.position))
    }

    private func setRole(_ request: Request, _ context: RolecallRequestContext) async throws -> Response {
        let claimant = try await identity.signedIn(request)
        let id = context.user(for: claimant.user)
        _ = try await accounts.parties(claimant, on: id, .administrators)
        let body = try AccountBody(try await request.json(limit: Self.bodyLimit), fields: ["role"])
        let role = try body.required("role", body.role(of: accounts.roles))
        let changed = try await accounts.change(claimant, on: id, .administrators) { transaction, parties in
            var user = parties.user
            if user.role != role {
                try accounts.keepAdministrator(besides: user, in: transaction)
                try transaction.setRole(role, ofUser: id)
                user.role = role
            }
            return try accounts.seen(user, by: parties.isSelf ? user : parties.caller, in: transaction)
        }
        log("set a role", claimant, user: id)
        return .json(changed.value, headers: .position(changed.position))
    }

    private func setPassword(_ request: Request, _ context: RolecallRequestContext) async throws -> Response {
        let claimant = try await identity.signedIn(request)
        let id = context.user(for: claimant.user)
        let parties = try await accounts.parties(claimant, on: id, .administratorsAndSelf)
        let body = try AccountBody(
            try await request.json(limit: Self.bodyLimit), fields: ["oldPassword", "newPassword"])
        if parties.isSelf {
            // A token that was left behind must not be enough to lock its owner out.
            let verdict = try await passwordCheck.verdict(
                on: try body.oldPassword(), of: parties.user.email, against: parties.user.password,
                from: context.remoteAddress)
            guard verdict != .wrong else {
                throw RequestFailure(
                    .unprocessableContent, .invalidCredentials, "The old password is another one.",
                    field: "oldPassword")
            }
        }
        let hash = try await passwords.hash(try body.newPassword("newPassword"))
        try await accounts.change(claimant, on: id, .administratorsAndSelf) { transaction, _ in
            // In this order: the sockets hear of the password, and not of sessions that end with it.
            try transaction.setPassword(hash, ofUser: id)
            try transaction.revokeSessions(ofUser: id, at: .now)
        }
        log("set a password", claimant, user: id)
        return .json(["data": "password changed"])
    }

    private func remove(_ request: Request, _ context: RolecallRequestContext) async throws -> Response {
        let claimant = try await identity.signedIn(request)
        let id = context.user(for: claimant.user)
        let removed = try await accounts.change(claimant, on: id, .administrators) { transaction, parties in
            try accounts.keepAdministrator(besides: parties.user, in: transaction)
            try transaction.removeUser(id: id)
        }
        log("removed an account", claimant, user: id)
        return .json(["_id": .integer(id)], headers: .position(removed.position))
    }

    private func log(_ what: Logger.Message, _ claimant: Claimant, user: Int64? = nil, email: String? = nil) {
        var metadata: Logger.Metadata = ["by": .stringConvertible(claimant.user)]
        if let user { metadata["user"] = .stringConvertible(user) }
        if let email { metadata["email"] = .string(email) }
        logger.info(what, metadata: metadata)
    }
}

extension RolecallRequestContext {
    /// The user whom the path names; `me` is the caller. What is no id names nobody.
    func user(for caller: Int64) -> Int64 {
        guard let text = parameters.get("id"), text != "me" else { return caller }
        // No account has this one: ids are counted from 1.
        return Int64(text) ?? .min
    }
}

extension HTTPFields {
    fileprivate static func + (fields: HTTPFields, others: HTTPFields) -> HTTPFields {
        var all = fields
        all.append(contentsOf: others)
        return all
    }
}
