import ModelStore
import RolecallCore
import RolecallProtocol

/// What `--demo` brings: a table, two accounts whose passwords are public, and some rows.
enum Demo {
    private static let accounts = [
        (email: "admin@example.com", name: "Admin", role: "admin", password: "admin"),
        (email: "test@example.com", name: "Test User", role: "user", password: "test"),
    ]

    private static let things: [(name: String, info: String, adminOnly: Bool)] = [
        ("boiler 1", "68 °C", false),
        ("boiler 2", "71 °C", false),
        ("cooling pump", "1,450 rpm", false),
        ("main valve", "open", false),
        ("safe", "combination changed on Monday", true),
    ]

    /// Refuses a database in which the demo's public passwords would open more than a demo.
    ///
    /// - Throws: ``StartupError`` without `--demo` where a demo account still has its password, and with it where there
    ///   are accounts, but none of the demo's.
    static func check(_ store: any Store, isDemo: Bool, passwords: PasswordHasher) async throws {
        let users = try await store.inspect { try $0.users() }.value
        let known = users.filter { user in accounts.contains { $0.email == user.email } }
        if isDemo {
            guard users.isEmpty || !known.isEmpty else {
                throw StartupError(
                    "This database has accounts of its own; --demo would add an admin whose password everybody knows. "
                        + "Name another directory with --data.")
            }
            return
        }
        for user in known {
            guard let account = accounts.first(where: { $0.email == user.email }),
                try await passwords.verify(account.password, against: user.password) != .wrong
            else { continue }
            throw StartupError(
                "This database has the demo's account \(user.email), with the password that everybody knows. Start with "
                    + "--demo, or change it: rolecall-server user passwd \(user.email), or user remove \(user.email).")
        }
    }

    /// Adds the accounts that are missing, and the rows where there are none.
    static func fill(_ store: any Store, passwords: PasswordHasher) async throws {
        for account in accounts {
            if try await store.credentials(email: account.email) != nil { continue }
            let hash = try await passwords.hash(account.password)
            try await store.transaction {
                _ = try $0.insertUser(email: account.email, name: account.name, role: account.role, password: hash)
            }
        }
        guard let model = store.models.first(where: { $0.name == "thing" }) else { return }
        try await store.transaction { transaction in
            var isEmpty = true
            try transaction.rows(of: model, after: nil, equals: []) { _ in
                isEmpty = false
                return false
            }
            guard isEmpty else { return }
            for thing in things {
                _ = try transaction.insert(
                    [
                        (column: "name", value: .text(thing.name)), (column: "info", value: .text(thing.info)),
                        (column: "admin_only", value: .boolean(thing.adminOnly)),
                    ], into: model)
            }
        }
    }
}
