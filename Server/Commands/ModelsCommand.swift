import ArgumentParser
import Foundation
import Glibc
import Logging
import ModelStore
import RolecallConfiguration
import SQLiteStore

/// `rolecall-server models …`: what Rolecall has put into a database, and what it would.
struct ModelsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "models", abstract: "Attaches tables, so that their changes are told, and detaches them.",
        subcommands: [
            ModelStatusCommand.self, AttachModelsCommand.self, SyncModelsCommand.self, DetachModelsCommand.self,
        ], defaultSubcommand: ModelStatusCommand.self)
}

/// What these commands share: a database, and the models that the configuration makes of it.
struct ModelOptions: ParsableArguments {
    @OptionGroup var storage: StorageOptions

    /// - Throws: as starting the server would.
    func resolve() throws -> (path: String, models: [ModelDeclaration]) {
        let (settings, file) = try storage.load(ProcessInfo.processInfo.environment)
        var configuration = Configuration(databasePath: try storage.resolve(settings).databasePath, keyPath: "")
        configuration.file = file
        return (configuration.databasePath, try configuration.resolved().models)
    }

    /// Opens the database for one piece of work.
    func withStore(_ body: (any Store) async throws -> Void) async throws {
        let (path, models) = try resolve()
        let store = try SQLiteDatabaseStore.open(path: path, models: models, consent: .required, logger: logger)
        do {
            try await body(store)
        } catch {
            try? await store.close()
            throw error
        }
        try await store.close()
    }

    var logger: Logger { Logger(label: "rolecall") { _ in LineLogHandler(format: .text, level: .warning) } }
}

struct ModelStatusCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "status", abstract: "Says which models are attached, and what is not as it should be.")

    @OptionGroup var options: ModelOptions

    func run() async throws {
        try await reportingStartupErrors {
            let (path, models) = try options.resolve()
            for status in try SQLiteDatabaseStore.status(path: path, models: models) { print(status.description) }
        }
    }
}

struct AttachModelsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "attach",
        abstract: "Puts what tells their changes into the tables of the configuration's models.",
        discussion: """
            It first shows what it will put into the database, and asks. What it puts there are tables of its own, called \
            rolecall_…, and triggers on the models' tables. No statement of another program that reads or writes rows \
            fails or does anything else because of them. What SQLite refuses on any table with triggers is to drop a \
            column that they name: detach the model first. "models detach" takes them out.
            """)

    @OptionGroup var options: ModelOptions
    @Flag(help: "Do not ask.")
    var yes = false
    @Flag(help: "Show the statements, too.")
    var sql = false

    func run() async throws {
        try await reportingStartupErrors {
            let (path, models) = try options.resolve()
            try Attachment.carryOut(path, models, isAgreed: yes, showsSQL: sql, logger: options.logger)
        }
    }
}

struct SyncModelsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "sync",
        abstract: "Brings attached tables up to date: columns that were added since are told from now on.",
        discussion: "A running server tells them after its next start.")

    @OptionGroup var options: ModelOptions
    @Flag(help: "Show the statements, too.")
    var sql = false

    func run() async throws {
        try await reportingStartupErrors {
            let (path, models) = try options.resolve()
            let plan = try SQLiteDatabaseStore.plan(path: path, models: models)
            guard !plan.needsConsent else {
                throw StartupError(
                    "There are models that have never been attached: \"rolecall-server models attach\" shows and asks.")
            }
            try Attachment.carryOut(path, models, isAgreed: true, showsSQL: sql, logger: options.logger)
        }
    }
}

struct DetachModelsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "detach", abstract: "Takes what tells their changes out of tables again.",
        discussion: "End the server first: it would put back what is missing.")

    @OptionGroup var options: ModelOptions
    @Argument(help: "The models.")
    var models: [String] = []
    @Flag(help: "All that Rolecall has put into the database: accounts, sessions, messages and the log, too.")
    var everything = false
    @Flag(help: "Do not ask.")
    var yes = false

    func validate() throws {
        guard everything == models.isEmpty else {
            throw ValidationError("Name the models to detach, or --everything.")
        }
    }

    func run() async throws {
        try await reportingStartupErrors {
            let (settings, _) = try options.storage.load(ProcessInfo.processInfo.environment)
            let path = try options.storage.resolve(settings).databasePath
            if everything, !yes {
                try Attachment.ask("Accounts, sessions, messages and the log of \(path) will be gone. Go on?")
            }
            let done = try SQLiteDatabaseStore.detach(
                path: path, models: models, everything: everything, logger: options.logger)
            for sentence in done { print(sentence) }
            if done.isEmpty { print("there was nothing to take out") }
        }
    }
}

/// Showing, asking and doing.
private enum Attachment {
    static func carryOut(
        _ path: String, _ models: [ModelDeclaration], isAgreed: Bool, showsSQL: Bool, logger: Logger
    ) throws {
        let plan = try SQLiteDatabaseStore.plan(path: path, models: models)
        guard !plan.isEmpty else { return print("everything is in place in \(path)") }
        print("into \(path):")
        for step in plan.steps {
            print("  \(step.sentence)")
            if showsSQL { print("    \(step.sql.replacingOccurrences(of: "\n", with: "\n    "))") }
        }
        if !isAgreed, plan.needsConsent { try ask("Go on?") }
        _ = try SQLiteDatabaseStore.attach(path: path, models: models, logger: logger)
        print("done")
    }

    /// - Throws: ``StartupError`` where the answer is no, or there is no terminal to ask on.
    static func ask(_ question: String) throws {
        guard isatty(STDIN_FILENO) == 1 else {
            throw StartupError("Nothing was changed: there is no terminal to ask on; --yes agrees.")
        }
        print("\(question) [y/N] ", terminator: "")
        fflush(nil)
        guard let answer = readLine()?.lowercased(), ["y", "yes"].contains(answer) else {
            throw StartupError("Nothing was changed.")
        }
    }
}
