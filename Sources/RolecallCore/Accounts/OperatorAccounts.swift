import ModelStore
import RolecallProtocol

/// Accounts as the operator of the database manages them, from the shell: there is no caller to be judged. A running
/// server follows at once, since it reads the same log.
package struct OperatorAccounts: Sendable {
    let store: any Store
    /// From the lowest to the highest.
    let roles: [String]

    package init(store: any Store, roles: [String]) {
        self.store = store
        self.roles = roles
    }

    /// - Throws: ``DomainError/invalidField(_:field:)`` for what is no e-mail address.
    package func checked(email: String) throws(DomainError) -> String {
        guard AccountRules.isAddress(email) else {
            throw .invalidField("\"\(email)\" is no e-mail address.", field: "email")
        }
        return email
    }

    /// - Parameter role: nil for that of new accounts.
    /// - Throws: ``DomainError/invalidField(_:field:)`` for a role that is not in the list.
    package func checked(role: String?) throws(DomainError) -> String {
        let role = role ?? Policy(roles: roles, models: [:]).newcomersRole
        guard roles.contains(role) else {
            throw .invalidField(
                "There is no role \"\(role)\"; there are \(roles.joined(separator: ", ")).", field: "role")
        }
        return role
    }

    /// Makes an account.
    ///
    /// - Parameters:
    ///   - name: nil for the address's first part.
    ///   - hash: of the password.
    package func add(
        email: String, name: String?, role: String, hash: String
    ) async throws(DomainError) -> UserSummary {
        let name = name ?? AccountRules.name(forAddress: email)
        return try await store.writing {
            try await store.transaction {
                try $0.insertUser(email: email, name: name, role: role, password: hash).summary
            }.value
        }
    }

    package func all() async throws(DomainError) -> [UserSummary] {
        try await DomainError.mapping { try await store.inspect { try $0.users().map(\.summary) }.value }
    }

    /// - Throws: ``DomainError/notFound(_:field:)`` where there is no account of this address.
    @discardableResult
    package func find(_ email: String) async throws(DomainError) -> UserSummary {
        try await DomainError.mapping { try await store.inspect { try Self.find(email, in: $0) }.value }
    }

    package func setRole(_ role: String, of email: String) async throws(DomainError) {
        try await change(email) { transaction, id in try transaction.setRole(role, ofUser: id) }
    }

    /// Stores the hash of a new password; every token that was made before is void.
    package func setPassword(_ hash: String, of email: String) async throws(DomainError) {
        try await change(email) { transaction, id in try transaction.setPassword(hash, ofUser: id) }
    }

    package func remove(_ email: String) async throws(DomainError) {
        try await change(email) { transaction, id in try transaction.removeUser(id: id) }
    }

    private func change(
        _ email: String, _ body: @escaping @Sendable (any StoreTransaction, _ id: Int64) throws -> Void
    ) async throws(DomainError) {
        try await store.writing {
            try await store.transaction { transaction in
                let id = try Self.find(email, in: transaction).id
                try transaction.lock(user: id)
                try body(transaction, id)
            }
            return
        }
    }

    private static func find(_ email: String, in transaction: any AccountReader) throws -> UserSummary {
        guard let user = try transaction.user(email: email) else {
            throw DomainError.notFound("There is no account \(email).", field: "email")
        }
        return user.summary
    }
}
