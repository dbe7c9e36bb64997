import HTTPTypes
import Hummingbird
import ModelStore
import RolecallCore
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
    let cookies: TokenCookie
    /// Whether accounts can be made without one.
    let allowsSignUp: Bool

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
            guard let model = rows.rows.model(named: ModelName.user) else {
                throw DomainError.notFound("There are no users here.")
            }
            return model
        }
    }

    private func get(_ request: Request, _ context: RolecallRequestContext) async throws -> Response {
        guard let principal = try await identity.principal(of: request) else { throw DomainError.unauthenticated }
        // A caller sees everything of the own account, whatever the policy shows of others.
        if context.user(for: principal.user.id) == principal.user.id { return .json(principal.user.json) }
        return try await rows.get(request, context, of: model)
    }

    // MARK: Making

    private func create(_ request: Request, _ context: RolecallRequestContext) async throws -> Response {
        guard let claimant = try await identity.claimant(of: request) else {
            guard allowsSignUp else { throw DomainError.unauthenticated }
            return try await signUp(request, context)
        }
        do throws(DomainError) {
            try await accounts.administrator(claimant)
        } catch .forbidden where allowsSignUp {
            return try await signUp(request, context)
        }
        let created = try await accounts.create(try await request.json(limit: Self.bodyLimit), as: claimant)
        return .json(created.value, status: .created, headers: .position(created.position))
    }

    /// Makes an account for the visitor, and signs it in.
    private func signUp(_ request: Request, _ context: RolecallRequestContext) async throws -> Response {
        try identity.refuseForeignPage(request)
        let origin = request.origin(context)
        try accounts.admitSignUp(from: origin)
        let made = try await accounts.signUp(try await request.json(limit: Self.bodyLimit), from: origin)
        let grant = made.value
        var answer: JSONObject = ["token": .string(grant.token)]
        for (name, value) in grant.user.json.objectValue ?? [:] { answer[name] = value }
        return .json(
            .object(answer), status: .created,
            headers: HTTPFields.position(made.position) + cookies.setting(grant.token))
    }

    // MARK: Changing

    private func update(_ request: Request, _ context: RolecallRequestContext) async throws -> Response {
        let claimant = try await identity.signedIn(request)
        let id = context.user(for: claimant.user)
        try await accounts.admit(claimant, to: id, .administratorsAndSelf)
        let changed = try await accounts.update(id, try await request.json(limit: Self.bodyLimit), as: claimant)
        return .json(changed.value, headers: .position(changed.position))
    }

    private func setRole(_ request: Request, _ context: RolecallRequestContext) async throws -> Response {
        let claimant = try await identity.signedIn(request)
        let id = context.user(for: claimant.user)
        try await accounts.admit(claimant, to: id, .administrators)
        let changed = try await accounts.setRole(of: id, try await request.json(limit: Self.bodyLimit), as: claimant)
        return .json(changed.value, headers: .position(changed.position))
    }

    private func setPassword(_ request: Request, _ context: RolecallRequestContext) async throws -> Response {
        let claimant = try await identity.signedIn(request)
        let id = context.user(for: claimant.user)
        let parties = try await accounts.admit(claimant, to: id, .administratorsAndSelf)
        try await accounts.setPassword(
            try await request.json(limit: Self.bodyLimit), of: parties, as: claimant, from: request.origin(context))
        return .json(["data": "password changed"])
    }

    private func remove(_ request: Request, _ context: RolecallRequestContext) async throws -> Response {
        let claimant = try await identity.signedIn(request)
        let id = context.user(for: claimant.user)
        let position = try await accounts.remove(id, as: claimant)
        return .json(["_id": .integer(id)], headers: .position(position))
    }
}

extension RolecallRequestContext {
    /// The user that the path names; `me` is the caller. What is no id names no user.
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
