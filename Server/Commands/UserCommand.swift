import ArgumentParser
import Foundation
import Glibc
import Logging
import ModelStore
import RolecallConfiguration
import RolecallCore
import RolecallProtocol

/// `rolecall-server user …`: accounts, from the shell. A running server follows at once: it reads the same log.
struct UserCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "user", abstract: "Manages accounts.",
        subcommands: [
            AddUserCommand.self, ListUsersCommand.self, SetRoleCommand.self, SetPasswordCommand.self,
            RemoveUserCommand.self,
        ])
}

/// What all account commands share.
struct AccountOptions: ParsableArguments {
    @OptionGroup var storage: StorageOptions

    /// Opens the database for one piece of work.
    ///
    /// - Parameter makesDatabase: whether there need be none yet.
    func withAccounts(
        makesDatabase: Bool = false, _ body: (OperatorAccounts) async throws -> Void
    ) async throws {
        try await reportingStartupErrors {
            let (settings, file) = try storage.load(ProcessInfo.processInfo.environment)
            let roles = try file?.checked().content.roles
            let logger = Logger(label: "rolecall") { _ in LineLogHandler(format: .text, level: .warning) }
            let location = try await storage.location(settings, makesDatabase: makesDatabase, logger: logger)
            let isNew = try await !location.exists()
            let store = try await location.open(OpeningOptions(models: BuiltInModels.declarations(demo: false)))
            if isNew { print("made the database \(location.name)") }
            do {
                try await body(OperatorAccounts(store: store, roles: roles ?? BuiltInModels.roles))
            } catch {
                try? await store.close()
                throw error
            }
            try await store.close()
        }
    }
}

struct AddUserCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "add", abstract: "Adds an account.")

    @Option(help: "The e-mail address to log in with.")
    var email: String
    @Option(help: "The name that others see (the address's first part).")
    var name: String?
    @Option(help: "One of the roles: guest, user or admin, or those of the configuration file (the second of them).")
    var role: String?
    @Flag(help: "Read the password from standard input in place of asking.")
    var passwordStdin = false
    @OptionGroup var account: AccountOptions

    func run() async throws {
        try await account.withAccounts(makesDatabase: true) { accounts in
            let address = try accounts.checked(email: email)
            let role = try accounts.checked(role: role)
            let hash = try await Password.ask(fromStandardInput: passwordStdin)
            let user = try await accounts.add(email: address, name: name, role: role, hash: hash)
            print("added \(user.email) as \(user.role)")
        }
    }
}

struct ListUsersCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "list", abstract: "Lists the accounts.")

    @OptionGroup var account: AccountOptions

    func run() async throws {
        try await account.withAccounts { accounts in
            for user in try await accounts.all() {
                print("\(user.id)\t\(user.email)\t\(user.role)\t\(user.name)")
            }
        }
    }
}

struct SetRoleCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "set-role", abstract: "Gives an account a role.")

    @Argument(help: "The account's e-mail address.")
    var email: String
    @Argument(help: "One of the roles: guest, user or admin, or those of the configuration file.")
    var role: String
    @OptionGroup var account: AccountOptions

    func run() async throws {
        try await account.withAccounts { accounts in
            let role = try accounts.checked(role: role)
            try await accounts.setRole(role, of: email)
            print("\(email) is \(role) now")
        }
    }
}

struct SetPasswordCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "passwd", abstract: "Sets an account's password; every token made before is void.")

    @Argument(help: "The account's e-mail address.")
    var email: String
    @Flag(help: "Read the password from standard input in place of asking.")
    var passwordStdin = false
    @OptionGroup var account: AccountOptions

    func run() async throws {
        try await account.withAccounts { accounts in
            try await accounts.find(email)
            let hash = try await Password.ask(fromStandardInput: passwordStdin)
            try await accounts.setPassword(hash, of: email)
            print("\(email) has a new password; tokens made before are void")
        }
    }
}

struct RemoveUserCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "remove", abstract: "Removes an account.")

    @Argument(help: "The account's e-mail address.")
    var email: String
    @OptionGroup var account: AccountOptions

    func run() async throws {
        try await account.withAccounts { accounts in
            try await accounts.remove(email)
            print("removed \(email)")
        }
    }
}

enum Password {
    /// A password's hash; the password itself comes from the terminal without an echo, or from standard input, and
    /// never from the command line, which other processes can read.
    static func ask(fromStandardInput: Bool) async throws -> String {
        let password: String
        if fromStandardInput {
            password = readLine() ?? ""
        } else {
            guard let first = getpass("Password: ").map({ String(cString: $0) }) else {
                throw StartupError("There is no terminal to ask for the password; use --password-stdin.")
            }
            guard let second = getpass("Once more: ").map({ String(cString: $0) }), first == second else {
                throw StartupError("The two passwords are not the same; nothing was changed.")
            }
            password = first
        }
        guard !password.isEmpty else { throw StartupError("The password is empty; nothing was changed.") }
        let hasher = PasswordHasher()
        let hash: String
        do {
            hash = try await hasher.hash(password)
        } catch {
            try? await hasher.shutdown()
            throw error
        }
        try await hasher.shutdown()
        return hash
    }
}
